//! What bandwatch tells of itself.

use super::*;
use crate::notify::email::news::sample::{assert_says, now};

fn writing(trouble: &OwnTrouble) -> Writing {
    own(trouble, now(), Some("data@example.com"))
}

fn mails(count: usize) -> OwnTrouble {
    let mails = (0..count)
        .map(|place| {
            format!("[High] Sales {place}\n to ops@example.com, waiting since 13:55 CET: refused")
        })
        .collect();
    OwnTrouble::MailsLost { mails }
}

#[test]
fn each_trouble_has_a_subject_of_its_own() {
    let files = |count| OwnTrouble::MemoryLost {
        files: vec!["a".to_string(); count],
    };
    for (trouble, expected) in [
        (
            files(1),
            "[bandwatch] A file of its memory could not be read and was set aside",
        ),
        (
            files(2),
            "[bandwatch] 2 files of its memory could not be read and were set aside",
        ),
        (
            OwnTrouble::DiskUnwell {
                why: "disk\nfull".into(),
            },
            "[bandwatch] Cannot remember anything: disk full",
        ),
        (
            OwnTrouble::DiskWellAgain,
            "[bandwatch] The memory can be written again",
        ),
        (
            mails(1),
            "[bandwatch] A mail was lost: [High] Sales 0 to ops@example.com, waiting since 13:55 CET…",
        ),
        (mails(3), "[bandwatch] 3 mails were lost"),
    ] {
        assert_eq!(writing(&trouble).subject(), expected);
    }
}

#[test]
fn lost_memory_is_told_with_the_place_and_what_may_follow() {
    let files = [
        "sales.json is now in sales.json.broken-1: cut short",
        "b: newer",
    ];
    let trouble = OwnTrouble::MemoryLost {
        files: files.map(str::to_string).to_vec(),
    };
    assert_says(
        &writing(&trouble),
        &[
            "File 1",
            files[0],
            "File 2",
            files[1],
            "may come again",
            "Sunday 22 November 2026, 14:11 CET (Europe/Paris)",
            "data@example.com",
        ],
    );
}

#[test]
fn a_memory_that_cannot_be_written_says_what_follows_and_what_to_do() {
    let trouble = OwnTrouble::DiskUnwell {
        why: "/var/lib/x: read-only".into(),
    };
    assert_says(
        &writing(&trouble),
        &["/var/lib/x: read-only", "may come again", "state_dir"],
    );
}

#[test]
fn lost_mails_are_named_one_by_one_up_to_a_hundred() {
    assert_says(
        &writing(&mails(2)),
        &[
            "Mail 2",
            "[High] Sales 1 to ops@example.com, waiting since 13:55 CET: refused",
            "If it still matters, tell them.",
        ],
    );
    let many = writing(&mails(250));
    assert_says(&many, &["Mail 100", "150 more"]);
    assert!(!many.text().contains("Mail 101"));
}
