//! What bandwatch tells of itself.

use super::*;
use Condition::{NotificationsLost, StateUnreadable, StateUnwritable};

fn own(condition: Condition, kind: AlertKind, reason: &str) -> Email {
    let sample = obstacle(condition, kind, reason);
    let notification = Notification {
        metric: None,
        ..sample.notification()
    };
    compose(&notification, &[], &letterhead())
}

fn lost(count: usize) -> Email {
    let mails = (0..count).map(|place| {
        format!("[High] Sales {place} to ops@example.com, waiting since 13:55 CET: refused\n")
    });
    own(
        NotificationsLost,
        AlertKind::Firing,
        &mails.collect::<String>(),
    )
}

#[test]
fn each_trouble_has_a_subject_of_its_own() {
    let firing = |condition, reason| own(condition, AlertKind::Firing, reason);
    for (email, subject) in [
        (
            firing(StateUnreadable, "a"),
            "[bandwatch] A file of its state could not be read and was set aside",
        ),
        (
            firing(StateUnreadable, "a\na"),
            "[bandwatch] 2 files of its state could not be read and were set aside",
        ),
        (
            firing(StateUnwritable, "disk\nfull"),
            "[bandwatch] Cannot write its state: disk full",
        ),
        (
            own(StateUnwritable, AlertKind::Resolved, "disk full"),
            "[bandwatch] The state can be written again",
        ),
        (
            lost(1),
            "[bandwatch] A mail was lost: [High] Sales 0 to ops@example.com, waiting since 13:55 CET…",
        ),
        (lost(3), "[bandwatch] 3 mails were lost"),
    ] {
        assert_eq!(email.subject(), subject);
    }
}

#[test]
fn an_unreadable_state_is_told_with_the_place_and_what_may_follow() {
    let files = [
        "sales.json is now in sales.json.broken-1: cut short",
        "b: newer",
    ];
    assert_says(
        &own(StateUnreadable, AlertKind::Firing, &files.join("\n")),
        &[
            "File 1",
            files[0],
            "File 2",
            files[1],
            "may come again",
            "Sunday 22 November 2026, 14:11 CET (Europe/Paris)",
        ],
    );
}

#[test]
fn a_state_that_cannot_be_written_says_what_follows_and_what_to_do() {
    assert_says(
        &own(StateUnwritable, AlertKind::Firing, "/var/lib/x: read-only"),
        &["/var/lib/x: read-only", "may come again", "state_dir"],
    );
}

#[test]
fn lost_mails_are_named_one_by_one_up_to_a_hundred() {
    assert_says(
        &lost(2),
        &[
            "Mail 2",
            "[High] Sales 1 to ops@example.com, waiting since 13:55 CET: refused",
            "If it still matters, tell them.",
        ],
    );
    let many = lost(250);
    assert_says(&many, &["Mail 100", "150 more"]);
    assert!(!many.text().contains("Mail 101"));
}
