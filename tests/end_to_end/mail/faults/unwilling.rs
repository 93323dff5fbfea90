//! A server that takes no mail, or does not say whether it did.

use super::*;

#[test]
fn a_bad_login_is_told_with_the_keys_to_check() {
    let scene = Scene::with_fault(Fault::BadLogin);
    let fact = "cannot log in as alerts@example.com: 535 5.7.8 ";
    let run = assert_each_recipient_is_told(&scene, fact);
    assert!(run.stderr.contains("smtp_password"), "{run:?}");
    assert_eq!(scene.server.received(), []);
    let logins = scene.server.transcript();
    let logins = logins.iter().filter(|line| line.starts_with("AUTH"));
    assert_eq!(logins.count(), 1, "an account may be locked by more");
}

#[test]
fn a_user_where_no_login_is_offered_is_told() {
    let fact = "cannot log in as alerts@example.com: ";
    assert_fault_is_told(Fault::NoAuthOffered, fact);
}

#[test]
fn a_connection_dropped_at_the_login_is_told() {
    let fact = "cannot log in as alerts@example.com: the server closed the connection";
    assert_fault_is_told(Fault::DropAt(Stage::Auth), fact);
}

#[test]
fn what_a_server_says_colours_no_terminal_and_moves_no_cursor() {
    let text = "\u{1b}[31mgo\u{7} away";
    let (stage, code) = (Stage::Rcpt, 550);
    let scene = Scene::with_fault(Fault::Reply { stage, code, text });
    let run = scene.run();
    assert!(
        run.stderr.contains("550 \\u001b[31mgo\\u0007 away"),
        "{run:?}"
    );
    assert!(!run.stderr.contains(['\u{1b}', '\u{7}']), "{run:?}");
}

#[test]
fn a_mail_that_is_too_large_for_the_server_comes_without_its_pictures() {
    let scene = Scene::with_fault(Fault::SizeLimit { bytes: 20_000 });
    scene.run().assert_status(0);
    for recipient in [FIRST, SECOND] {
        let (received, mail) = scene.mail_to(recipient);
        assert!(received.raw.len() < 20_000);
        assert!(mail.inline.is_empty());
        let text = mail.text.expect("a text");
        assert!(text.contains("The pictures are not in this mail"), "{text}");
    }
}

#[test]
fn a_refused_sender_is_told() {
    assert_reply_is_told(Stage::Mail, 451, "the server refused the sender (MAIL)");
    assert_reply_is_told(Stage::Mail, 553, "the server refused the sender (MAIL)");
}

#[test]
fn a_refusal_of_any_recipient_is_told() {
    let what = "the server refused the recipient (RCPT)";
    assert_reply_is_told(Stage::Rcpt, 452, what);
    assert_reply_is_told(Stage::Rcpt, 550, what);
}

#[test]
fn a_refused_data_is_told() {
    let what = "the server refused to take a message (DATA)";
    assert_reply_is_told(Stage::Data, 421, what);
    assert_reply_is_told(Stage::Data, 554, what);
}

#[test]
fn a_message_refused_after_it_was_sent_is_told() {
    let what = "the server refused the message (after DATA)";
    assert_reply_is_told(Stage::Message, 452, what);
    assert_reply_is_told(Stage::Message, 554, what);
}

#[test]
fn a_connection_dropped_in_the_envelope_is_told() {
    for (stage, command) in [
        (Stage::Mail, "MAIL"),
        (Stage::Rcpt, "RCPT"),
        (Stage::Data, "DATA"),
    ] {
        let fact = format!("no answer to {command}: the server closed the connection");
        assert_fault_is_told(Fault::DropAt(stage), &fact);
    }
}

#[test]
fn a_connection_dropped_after_the_message_is_told_as_what_may_have_arrived() {
    let scene = Scene::with_fault(Fault::DropAt(Stage::Message));
    let fact = "no answer to the message, which may have arrived: the server closed";
    assert_each_recipient_is_told(&scene, fact);
    assert_eq!(scene.server.received().len(), 2);
}

#[test]
fn a_silence_at_rcpt_lasts_no_longer_than_reply_timeout() {
    let mut scene = impatient(Fault::StallAt(Stage::Rcpt));
    scene.top.insert("deadline", quoted(LONG));
    assert_each_recipient_is_told(&scene, "no answer to RCPT: no answer in time");
    assert_eq!(scene.server.received(), []);
    // An answer that came late would be taken for that to the next command.
    assert_eq!(scene.server.connections(), 2);
    let last = scene.server.transcript().pop();
    assert_eq!(last, Some(format!("RCPT TO:<{SECOND}>")));
}

#[test]
fn a_silence_after_the_message_is_told_as_what_may_have_arrived() {
    let mut scene = impatient(Fault::StallAt(Stage::Message));
    scene.top.insert("deadline", quoted("3s"));
    let run = scene.run();
    run.assert_status(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    let fact = "no answer to the message, which may have arrived: no answer in time";
    assert!(lines[0].contains(FIRST) && lines[0].ends_with(fact));
    let told = "the deadline of 3s for the whole run has passed (key deadline)";
    assert!(lines[1].contains(SECOND) && lines[1].ends_with(told));
    assert_eq!(scene.server.received().len(), 1);
}

#[test]
fn the_answer_to_the_message_may_take_longer_than_any_other() {
    let scene = impatient(Fault::LateAt(Stage::Message));
    scene.run().assert_status(0);
    scene.mail_to(FIRST);
    scene.mail_to(SECOND);
}

#[test]
fn the_deadline_of_the_run_cuts_the_waiting_short() {
    let mut scene = impatient(Fault::StallAt(Stage::Rcpt));
    scene.top.insert("deadline", quoted("2s"));
    scene.smtp.insert("reply_timeout", quoted(LONG));
    let run = scene.run();
    run.assert_status(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    assert!(lines[0].ends_with("no answer to RCPT: no answer in time"));
    let told = "the deadline of 2s for the whole run has passed (key deadline)";
    assert!(lines[1].contains(SECOND) && lines[1].ends_with(told));
}

#[test]
fn what_failed_is_mailed_by_the_next_run() {
    let reply = Fault::Reply {
        stage: Stage::Message,
        code: 451,
        text: "try later",
    };
    let scene = Scene::with_fault(reply);
    scene.run().assert_status(1);
    assert_eq!(scene.server.received(), []);
    scene.server.heal();
    scene.run().assert_status(0);
    assert_eq!(scene.server.received().len(), 2);
}
