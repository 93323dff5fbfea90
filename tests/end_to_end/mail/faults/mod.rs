//! What happens when the mail server is not there, not to be trusted, or not
//! willing: the run ends with 1, and each recipient's line says why.

mod distrusted;
mod one_of_three;
mod unreachable;
mod unwilling;

use crate::scene::{Ending, FIRST, SECOND, Scene, THIRD, quoted, write};
use crate::support::workspace::LONG;
use crate::support::{CertificateKind, Fault, MailServerSetup, Run, Stage};

/// Runs, and expects nothing but one line for each recipient that names the
/// server and then says `fact`.
#[track_caller]
fn assert_each_recipient_is_told(scene: &Scene, fact: &str) -> Run {
    let run = scene.run_with(&["-v"]);
    run.assert_status(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    for (line, recipient) in lines.iter().zip([FIRST, SECOND]) {
        let place = format!("smtp.host 127.0.0.1:{}", scene.server.port());
        let told = format!("bandwatch: sales: mail to {recipient} by {place}: {fact}");
        assert!(line.starts_with(&told), "{line}\n  is not\n{told}");
        assert!(!line.contains("os error 11"), "{line}");
    }
    assert!(!run.stdout.contains("mailed to"), "{run:?}");
    run
}

/// As above, with a server that takes no message.
#[track_caller]
fn assert_fault_is_told(fault: Fault, fact: &str) {
    let scene = Scene::with_fault(fault);
    assert_each_recipient_is_told(&scene, fact);
    assert_eq!(scene.server.received(), []);
}

/// A scene whose server falls silent, and a product with little patience.
fn impatient(fault: Fault) -> Scene {
    let mut scene = Scene::with_fault(fault);
    scene.smtp.insert("connect_timeout", quoted("1s"));
    scene.smtp.insert("reply_timeout", quoted("1s"));
    scene
}

/// The server's words, and no advice that would not help.
#[track_caller]
fn assert_reply_is_told(stage: Stage, code: u16, what: &str) {
    let text = "as the test wants it";
    let scene = Scene::with_fault(Fault::Reply { stage, code, text });
    let run = assert_each_recipient_is_told(&scene, &format!("{what}: {code} {text}"));
    assert!(run.stderr.ends_with(&format!("{text}\n")), "{run:?}");
    assert_eq!(scene.server.received(), []);
}
