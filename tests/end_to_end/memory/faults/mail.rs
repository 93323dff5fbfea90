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

/// One breach after the other, high and low in turns so that each is an incident of its own, while the
/// mail server has this fault; `impatient` are settings of the runs that meet it.
#[track_caller]
fn assert_each_delays_an_alert_and_loses_none(faults: &[Fault], impatient: &str) -> Story {
    let mut story = Story::new();
    // Which the answer to a message is waited for, however impatient a run is.
    story.top = "deadline = \"8s\"\n".into();
    story.run_well("12:00");
    let mut at = moment("12:00");
    for (fault, more) in faults.iter().zip([500.0, -500.0].into_iter().cycle()) {
        story.server.strike(std::slice::from_ref(fault));
        impatient.clone_into(&mut story.smtp);
        story.sell_at(at, more);
        at += TimeDelta::minutes(5);
        assert_waits(&story, at, fault);
        story.server.heal();
        story.smtp.clear();
        let run = story.run_at(at + TimeDelta::minutes(1), &[]);
        run.assert_status(0);
    }
    assert_each_came_once(&story, faults.len());
    story
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
        status.matches("waiting   \"[High] Sales").count()
            + status.matches("waiting   \"[Low] Sales").count(),
        2,
        "{status}"
    );
    assert_eq!(status.matches("tried once").count(), 2, "{status}");
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
        for told in ["High", "Low"] {
            let count = by_id.values().filter(|label| *label == told).count();
            assert_eq!(count, incidents / 2, "{told} to {recipient}: {by_id:?}");
        }
        assert_eq!(by_id.len(), incidents);
    }
}

#[test]
fn a_refusal_for_now_or_for_good_at_any_stage_delays_an_alert_and_loses_none() {
    let refusals = [(451, "4.3.2 later"), (554, "5.7.1 no")]
        .map(|(code, text)| STAGES.map(|stage| Fault::Reply { stage, code, text }));
    let story = assert_each_delays_an_alert_and_loses_none(&refusals.concat(), "");
    story.assert_told(&["High", "Low"].repeat(STAGES.len()));
}

#[test]
fn a_connection_dropped_at_any_stage_delays_an_alert_and_loses_none() {
    let story = assert_each_delays_an_alert_and_loses_none(&STAGES.map(Fault::DropAt), "");
    // The one dropped after the message: it had come, and comes again under the same name.
    assert_eq!(story.server.received().len(), 2 * (STAGES.len() + 1));
}

#[test]
fn a_silence_at_any_stage_delays_an_alert_and_loses_none() {
    let impatient = "connect_timeout = \"1s\"\nreply_timeout = \"1s\"\n";
    let silences = STAGES.map(Fault::StallAt);
    let story = assert_each_delays_an_alert_and_loses_none(&silences, impatient);
    // The wait for the answer to the first message is all there is time for.
    assert_eq!(story.server.received().len(), 2 * STAGES.len() + 1);
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

#[test]
fn an_alert_waits_for_a_server_that_can_be_trusted_and_goes_to_no_other() {
    assert_waits_for_a_better_server(MailServerSetup {
        certificate: CertificateKind::SelfSigned,
        ..Default::default()
    });
}

#[test]
fn a_server_that_never_answers_delays_an_alert() {
    assert_waits_for_a_better_server(MailServerSetup {
        faults: vec![Fault::BlackHole],
        ..Default::default()
    });
}
