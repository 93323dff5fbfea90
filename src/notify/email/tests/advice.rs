//! What a mail says that its reader can do.

use super::*;

fn invocation() -> Invocation {
    Invocation {
        host: "db1.example.com".to_string(),
        program: "sudo -u bandwatch bandwatch".to_string(),
        input: None,
    }
}

fn advised(sample: &Sample, invocation: &Invocation) -> Email {
    let letterhead = Letterhead {
        invocation: Some(invocation),
        ..letterhead()
    };
    compose(&sample.notification(), &sample.plots, &letterhead)
}

#[test]
fn an_alert_names_the_commands_and_the_host_they_are_given_on() {
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2);
    sample.metric.name = "sales of today".to_string();
    assert_says(
        &advised(&sample, &invocation()),
        &[
            "Find out what changed.",
            "On the machine db1.example.com:",
            "Details:",
            "No more mail:",
        ],
    );
    let text = advised(&sample, &invocation()).text();
    for command in [
        "sudo -u bandwatch bandwatch explain --metric 'sales of today' --at 2026-11-22T14:10:00+01:00\n",
        "sudo -u bandwatch bandwatch silence 'sales of today' --for 4h\n",
    ] {
        assert!(text.contains(command), "{command}\n{text}");
    }
}

#[test]
fn what_is_over_needs_no_silence_and_a_file_has_none() {
    let over = breach(Side::High, AlertKind::Firing, 1843.2).over("14:30", 1100.0);
    let email = advised(&over, &invocation());
    assert!(email.text().contains("explain") && !email.text().contains("silence"));
    let of_a_file = Invocation {
        input: Some("my sales.csv".into()),
        ..invocation()
    };
    let email = advised(&breach(Side::Low, AlertKind::Firing, 1.0), &of_a_file);
    let text = email.text();
    assert!(
        text.contains("bandwatch explain --input 'my sales.csv'\n"),
        "{text}"
    );
    assert!(!text.contains("silence sales"), "{text}");
}

#[test]
fn the_note_and_the_link_of_a_metric_are_what_to_do() {
    let mut sample = breach(Side::Low, AlertKind::Firing, 12.0);
    sample.metric.note = Some("Call the <shop>, then +33 1 23".to_string());
    sample.metric.link = Some("https://me:pass@grafana.example.com/d/sales?a=1&b=2".to_string());
    let email = advised(&sample, &invocation());
    let (page, text) = (html(&email), email.text());
    assert!(
        text.contains("What to do: Call the <shop>, then +33 1 23\nQuestions? Data team <data@example.com> & co\nhttps://me:pass@grafana"),
        "{text}"
    );
    assert!(page.contains("Call the &#60;shop&#62;, then +33 1 23"));
    assert!(page.contains("href=\"https://me:pass@grafana.example.com/d/sales?a=1&#38;b=2\""));
    assert!(page.contains(">Open grafana.example.com</a>"), "{page}");
    sample.kind = AlertKind::Resolved;
    let over = advised(&sample.over("14:30", 1100.0), &invocation());
    assert!(!over.text().contains("Call the") && over.text().contains("grafana"));
}

#[test]
fn a_digest_asks_for_one_cause_and_links_each_metric() {
    let mut samples = [
        named("Sales", Side::High, 3.0),
        named("Visits", Side::Low, -3.0),
    ];
    samples[0].metric.link = Some("https://grafana.example.com/d/sales".to_string());
    let notifications: Vec<_> = samples.iter().map(Sample::notification).collect();
    let invocation = invocation();
    let letterhead = Letterhead {
        invocation: Some(&invocation),
        ..letterhead()
    };
    let email = compose_digest(&notifications, |_| &[], &letterhead);
    assert_says(&email, &["Look for one common cause first", "See all:"]);
    assert!(
        email
            .text()
            .contains("sudo -u bandwatch bandwatch status\n")
    );
    assert!(html(&email).contains("href=\"https://grafana.example.com/d/sales\" style"));
}
