//! A server that is not there, or says nothing of use.

use super::*;

#[test]
fn a_server_that_is_down_is_told() {
    let mut scene = Scene::ending_in(Ending::Spike);
    // The port of a service that nobody has (tcpmux).
    scene.smtp.insert("port", "1".to_owned());
    let run = scene.run();
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 2);
    let told = "by smtp.host 127.0.0.1:1: cannot be talked to: ";
    assert_eq!(run.stderr.matches(told).count(), 2, "{run:?}");
    assert!(run.stderr.contains("Connection refused"), "{run:?}");
}

#[test]
fn a_host_that_does_not_exist_is_told() {
    let mut scene = Scene::ending_in(Ending::Spike);
    scene.smtp.insert("host", quoted("nowhere.invalid"));
    let run = scene.run();
    run.assert_status(1);
    let told = "by smtp.host nowhere.invalid:";
    assert_eq!(run.stderr.matches(told).count(), 2, "{run:?}");
    assert!(run.stderr.contains("cannot be talked to: "), "{run:?}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_longer_than_connect_timeout() {
    let mut scene = impatient(Fault::BlackHole);
    scene.smtp.insert("reply_timeout", quoted(LONG));
    scene.top.insert("deadline", quoted(LONG));
    assert_each_recipient_is_told(&scene, "cannot be talked to: no answer in time");
}

#[test]
fn a_banner_of_refusal_is_told() {
    assert_reply_is_told(Stage::Connect, 421, "cannot be talked to");
    assert_reply_is_told(Stage::Connect, 554, "cannot be talked to");
}

#[test]
fn a_refused_ehlo_is_told() {
    assert_reply_is_told(Stage::Ehlo, 421, "cannot be talked to");
    assert_reply_is_told(Stage::Ehlo, 550, "cannot be talked to");
}

#[test]
fn a_connection_that_is_dropped_at_once_is_told() {
    let fact = "cannot be talked to: the server closed the connection";
    assert_fault_is_told(Fault::DropAt(Stage::Connect), fact);
    assert_fault_is_told(Fault::DropAt(Stage::Ehlo), fact);
}
