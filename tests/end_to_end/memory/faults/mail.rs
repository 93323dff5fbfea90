//! A mail server that refuses, falls silent or hangs up at any stage, or that cannot be trusted: an
//! alert waits, and goes out once.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use crate::memory::story::{Story, label, moment};
use crate::support::{CertificateKind, Fault, MailServer, MailServerSetup, Stage};

const STAGES: [Stage; 8] = [
    Stage::Connect,
    Stage::Ehlo,
    Stage::Starttls,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::Message,
];

/// One incident after the other, each of which opens while the mail server has this fault.
#[track_caller]
fn assert_each_delays_an_alert_and_loses_none(story: &Story, faults: &[Fault]) {
    story.run_well("12:00");
    let mut at = moment("12:00");
    for fault in faults {
        story.server.strike(std::slice::from_ref(fault));
        story.sell_at(at, 500.0);
        assert_waits(story, at + TimeDelta::minutes(5), fault);
        story.server.heal();
        let run = story.run_at(at + TimeDelta::minutes(6), &[]);
        run.assert_status(0);
        for _ in 0..3 {
            at += TimeDelta::minutes(5);
            story.sell_at(at, 0.0);
            let run = story.run_at(at + TimeDelta::minutes(5), &[]);
            run.assert_status(0);
        }
        at += TimeDelta::minutes(5);
    }
    assert_each_came_once(story, faults.len());
}

#[track_caller]
fn assert_waits(story: &Story, at: NaiveDateTime, fault: &Fault) {
    let run = story.run_at(at, &[]);
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 2, "{fault:?}: {run:?}");
    for (line, recipient) in run.stderr.lines().zip(&story.recipients) {
        let told = format!("bandwatch: sales: mail to {recipient} by smtp.host 127.0.0.1:");
        assert!(line.starts_with(&told), "{fault:?}: {run:?}");
    }
    let status = story.run_at(at, &["status"]).stdout;
    assert_eq!(
        status.matches("waiting   \"[High] Sales").count(),
        2,
        "{status}"
    );
    assert_eq!(status.matches("tried 1 times").count(), 2, "{status}");
}

/// Where the answer was lost, the server has a mail twice, and the reader by its Message-ID once.
#[track_caller]
fn assert_each_came_once(story: &Story, incidents: usize) {
    for recipient in &story.recipients {
        let mails = story.mails(recipient);
        let by_id: BTreeMap<&str, String> = mails
            .iter()
            .map(|mail| (mail.header("Message-ID").expect("a name"), label(mail)))
            .collect();
        for told in ["High", "Over"] {
            let count = by_id.values().filter(|label| *label == told).count();
            assert_eq!(count, incidents, "{told} to {recipient}: {by_id:?}");
        }
        assert_eq!(by_id.len(), 2 * incidents);
    }
}

#[test]
fn a_refusal_for_now_at_any_stage_delays_an_alert_and_loses_none() {
    let story = Story::new();
    let text = "4.3.2 later";
    let faults = STAGES.map(|stage| Fault::Reply {
        stage,
        code: 451,
        text,
    });
    assert_each_delays_an_alert_and_loses_none(&story, &faults);
    story.assert_told(&["High", "Over"].repeat(STAGES.len()));
}

#[test]
fn a_refusal_for_good_at_any_stage_delays_an_alert_and_loses_none() {
    let story = Story::new();
    let text = "5.7.1 no";
    let faults = STAGES.map(|stage| Fault::Reply {
        stage,
        code: 554,
        text,
    });
    assert_each_delays_an_alert_and_loses_none(&story, &faults);
    story.assert_told(&["High", "Over"].repeat(STAGES.len()));
}

#[test]
fn a_connection_dropped_at_any_stage_delays_an_alert_and_loses_none() {
    let story = Story::new();
    assert_each_delays_an_alert_and_loses_none(&story, &STAGES.map(Fault::DropAt));
    // The one dropped after the message: it had come, and comes again under the same name.
    assert_eq!(story.server.received().len(), 2 * (2 * STAGES.len() + 1));
}

#[test]
fn a_silence_at_any_stage_delays_an_alert_and_loses_none() {
    let mut story = Story::new();
    story.smtp = "connect_timeout = \"2s\"\nreply_timeout = \"2s\"\n".into();
    assert_each_delays_an_alert_and_loses_none(&story, &STAGES.map(Fault::StallAt));
    assert_eq!(story.server.received().len(), 2 * (2 * STAGES.len() + 1));
}

/// With an incident that opens while the mail server is another one.
#[track_caller]
fn assert_waits_for_a_better_server(setup: MailServerSetup) {
    let mut story = Story::new();
    story.smtp = "connect_timeout = \"1s\"\n".into();
    story.run_well("12:00");
    let (port, other) = (story.smtp_port, MailServer::start(setup));
    story.smtp_port = other.port();
    story.sell("12:00", 500.0);
    assert_waits(&story, moment("12:05"), &Fault::BlackHole);
    assert_eq!(other.received(), []);
    let in_clear = other.commands_in_clear();
    assert!(
        !in_clear.iter().any(|line| line.starts_with("AUTH")),
        "{in_clear:?}"
    );
    story.smtp_port = port;
    story.run_well("12:06");
    story.assert_told(&["High"]);
}

fn with_certificate(certificate: CertificateKind) -> MailServerSetup {
    MailServerSetup {
        certificate,
        ..Default::default()
    }
}

fn with_fault(fault: Fault) -> MailServerSetup {
    MailServerSetup {
        faults: vec![fault],
        ..Default::default()
    }
}

#[test]
fn a_server_that_never_answers_delays_an_alert() {
    assert_waits_for_a_better_server(with_fault(Fault::BlackHole));
}

#[test]
fn a_server_stripped_of_starttls_gets_no_alert_and_no_password() {
    assert_waits_for_a_better_server(with_fault(Fault::NoStarttls));
}

#[test]
fn a_server_with_an_expired_certificate_gets_no_alert() {
    assert_waits_for_a_better_server(with_certificate(CertificateKind::Expired));
}

#[test]
fn a_server_with_a_certificate_of_its_own_making_gets_no_alert() {
    assert_waits_for_a_better_server(with_certificate(CertificateKind::SelfSigned));
}

#[test]
fn a_server_with_a_certificate_for_another_name_gets_no_alert() {
    assert_waits_for_a_better_server(with_certificate(CertificateKind::WrongName));
}
