//! A mail that is marked as a test.

use crate::memory::story::Story;
use crate::scene::{Ending, FIRST, SECOND, Scene, THIRD};
use crate::support::mail::Mail;

#[track_caller]
fn assert_is_marked(mail: &Mail, source: &str) {
    assert!(
        mail.subject.starts_with("[Test] Sales "),
        "{}",
        mail.subject
    );
    let text = mail.text.as_deref().expect("a text");
    for part in ["This is a test: ", "nothing to do", source] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert_eq!(mail.inline.len(), 2);
}

#[test]
fn it_shows_the_newest_values_and_nothing_is_remembered() {
    let story = Story::new();
    let run = story.run_with("12:00", &["test-mail"]);
    run.assert_status(0);
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    story.assert_told(&["Test"]);
    let mail = &story.mails(FIRST)[0];
    assert_is_marked(mail, "the newest values of the configured source");
    assert!(mail.subject.contains(" at 11:55 UTC"), "{}", mail.subject);
    assert!(!story.memory().exists());
}

#[test]
fn it_goes_to_the_address_that_is_named_and_each_is_a_mail_of_its_own() {
    let story = Story::new();
    for _ in 0..2 {
        let run = story.run_with("12:00", &["test-mail", THIRD]);
        run.assert_status(0);
    }
    let mails = story.mails(THIRD);
    assert_eq!((mails.len(), story.server.received().len()), (2, 2));
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    story
        .run_with("12:00", &["test-mail", "nobody"])
        .assert_status(2);
}

#[test]
fn without_a_database_it_shows_the_bundled_sample() {
    let scene = Scene::ending_in(Ending::Usual);
    scene.workspace.config(&scene.config());
    let password = [("smtp_password", scene.server.password())];
    scene
        .workspace
        .run_with(&["test-mail"], &password)
        .assert_status(0);
    for recipient in [FIRST, SECOND] {
        assert_is_marked(
            &scene.mail_to(recipient).1,
            "the sample that comes with bandwatch",
        );
    }
}

#[test]
fn where_the_database_does_not_answer_that_is_told_and_mail_is_tried_all_the_same() {
    let mut story = Story::new();
    story.mysql_port = 1;
    let run = story.run_with("12:00", &["test-mail", FIRST]);
    run.assert_status(1);
    assert!(
        run.stderr
            .contains("sales: the test mail shows the bundled sample: connect to"),
        "{run:?}"
    );
    assert_is_marked(
        &story.mails(FIRST)[0],
        "the sample that comes with bandwatch",
    );
}
