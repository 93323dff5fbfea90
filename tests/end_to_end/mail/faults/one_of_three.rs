//! A server that has something against one recipient.

use super::*;

#[test]
fn a_recipient_who_is_unknown_does_not_stop_the_others() {
    assert_the_others_are_mailed(550);
}

#[test]
fn a_recipient_whose_box_is_busy_does_not_stop_the_others() {
    assert_the_others_are_mailed(450);
}

#[track_caller]
fn assert_the_others_are_mailed(code: u16) {
    let address = SECOND;
    let mut scene = Scene::with_fault(Fault::RejectRecipient { address, code });
    let list = format!("[{FIRST:?}, {SECOND:?}, {THIRD:?}]");
    scene.smtp.insert("recipients", list);
    let run = scene.run();
    assert_only_the_second_failed(&scene, &run);
    let told = format!(
        "the server refused the recipient (RCPT): {code} {}.1.1 <{SECOND}>: no such mailbox",
        code / 100
    );
    assert!(run.stderr.trim_end().ends_with(&told), "{run:?}");
}

#[test]
fn an_address_that_the_server_cannot_take_does_not_stop_the_others() {
    let mut scene = Scene::ending_in(Ending::Spike);
    let list = format!("[{FIRST:?}, \"jürgen@example.com\", {THIRD:?}]");
    scene.smtp.insert("recipients", list);
    let run = scene.run();
    assert_only_the_second_failed(&scene, &run);
    assert!(run.stderr.contains("mail to jürgen@example.com"), "{run:?}");
    assert!(run.stderr.contains("not plain ASCII"), "{run:?}");
}

#[track_caller]
fn assert_only_the_second_failed(scene: &Scene, run: &Run) {
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    scene.mail_to(FIRST);
    scene.mail_to(THIRD);
    assert_eq!(scene.server.received().len(), 2);
    for mailed in [FIRST, THIRD] {
        assert!(run.stdout.contains(&format!("mailed to {mailed}\n")));
    }
    assert_eq!(run.stdout.matches("mailed to").count(), 2, "{run:?}");
}
