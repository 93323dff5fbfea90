//! The words of what bandwatch has to tell of itself: what of its state it could not read or write, what
//! it could not deliver, and what that means for whoever relies on it.

use chrono::TimeDelta;

use super::Letterhead;
use super::figures::write_moment;
use super::message::{Fact, Words};
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::{one_line, shorten};

/// Of a longer list the rest is counted: `bandwatch status` has it whole.
const MOST_LINES: usize = 100;
/// A line of a list is no longer than this.
const LINE: usize = 1000;
/// What a subject has room for.
const SUBJECT: usize = 80;

pub fn words(notification: &Notification, letterhead: &Letterhead) -> Words {
    let reason = &notification.alert.reason;
    let lines: Vec<&str> = reason.lines().collect();
    let mut words = match (notification.alert.condition, notification.kind) {
        (Condition::StateUnreadable, _) => unreadable(&lines),
        (Condition::NotificationsLost, _) => lost(&lines),
        (_, AlertKind::Resolved) => writable_again(),
        _ => unwritable(&one_line(reason)),
    };
    words.subject = format!("[bandwatch] {}", words.subject);
    let noticed = Fact::new("Noticed", write_moment(letterhead.now, TimeDelta::zero()));
    words.facts.push(noticed);
    words
}

fn unreadable(files: &[&str]) -> Words {
    let told = match files.len() {
        1 => "A file of its state could not be read and was set aside".to_string(),
        count => format!("{count} files of its state could not be read and were set aside"),
    };
    Words {
        heading: "Part of the State Is Lost".into(),
        summary: format!("{told}. bandwatch goes on without what was in there."),
        subject: told,
        facts: listed("File", files),
        notes: vec![
            "What this means: an alert that you had may come again, the end of one may never be told, and a silence may have ended.".into(),
            "What to do: see whether the disk is full or failing, and how the metrics are now (\"bandwatch status\"). Nothing was deleted; once nobody needs the files, they can be.".into(),
        ],
        ..Words::default()
    }
}

fn unwritable(why: &str) -> Words {
    let reason = why.trim_end_matches('.');
    Words {
        subject: shorten(&format!("Cannot write its state: {why}"), SUBJECT),
        heading: "The State Cannot Be Written".into(),
        summary: format!("bandwatch cannot write its state: {reason}."),
        facts: vec![Fact::new("Why", why.to_string())],
        notes: vec![
            "What this means: while this lasts, an alert may come again and again, or its end never.".into(),
            "What to do: make room on the disk, or give bandwatch the right to write to the directory (state_dir). Of a state in tables: see that their server can be reached (state).".into(),
        ],
        ..Words::default()
    }
}

fn writable_again() -> Words {
    Words {
        subject: "The state can be written again".into(),
        heading: "The State Can Be Written Again".into(),
        summary: "bandwatch can write its state again.".into(),
        notes: vec![
            "An alert that came meanwhile may come once more; from now on each comes once.".into(),
        ],
        ..Words::default()
    }
}

fn lost(mails: &[&str]) -> Words {
    let subject = match mails {
        [mail] => shorten(&format!("A mail was lost: {}", one_line(mail)), SUBJECT),
        _ => format!("{} mails were lost", mails.len()),
    };
    let (were, them) = match mails {
        [_] => ("A mail was", "it"),
        _ => ("These mails were", "them"),
    };
    Words {
        subject,
        heading: "Mail That Was Not Accepted".into(),
        summary: format!(
            "{were} tried again and again and not accepted, until bandwatch gave up (give_up_after). Whoever is named below never got {them}, unless it says there that a message may have arrived."
        ),
        facts: listed("Mail", mails),
        notes: vec![
            "What this means: whoever is named above may not know of what is named there. If it still matters, tell them.".into(),
            "What to do: see whether the addresses are right, and what the mail server says of them (\"bandwatch status\").".into(),
        ],
        ..Words::default()
    }
}

/// A row for each, numbered if there are several.
fn listed(name: &str, lines: &[&str]) -> Vec<Fact> {
    let numbered = lines.iter().take(MOST_LINES).enumerate();
    let mut facts: Vec<Fact> = numbered
        .map(|(index, line)| {
            let name = match lines.len() {
                1 => name.to_string(),
                _ => format!("{name} {}", index + 1),
            };
            Fact::new(&name, shorten(&one_line(line), LINE))
        })
        .collect();
    if let Some(rest @ 1..) = lines.len().checked_sub(MOST_LINES) {
        facts.push(Fact::new("And", format!("{rest} more")));
    }
    facts
}
