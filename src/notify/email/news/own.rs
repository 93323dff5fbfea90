//! What bandwatch has to tell of itself: what it forgot, or could not deliver, and what that means for
//! whoever relies on it.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::notify::email::measured::write_moment;
use crate::notify::email::tone::Tone;
use crate::notify::email::words::{Fact, Words};
use crate::notify::email::writing::Writing;
use crate::output::{one_line, shorten};

/// What bandwatch has to tell of itself.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnTrouble {
    /// Files of the memory that could not be read and were set aside: each with where it is and why.
    MemoryLost { files: Vec<String> },
    /// The folder of the memory cannot be written to.
    DiskUnwell { why: String },
    /// It can again.
    DiskWellAgain,
    /// Mails that were given up, each on a line.
    MailsLost { mails: Vec<String> },
}

/// Of a longer list the rest is counted: `bandwatch status` has it whole.
const MOST_LINES: usize = 100;
/// A line of a list is no longer than this.
const LINE: usize = 1000;
/// What a subject has room for.
const SUBJECT: usize = 80;

/// Writes it, as of `now`.
pub fn own(trouble: &OwnTrouble, now: DateTime<Tz>, contact: Option<&str>) -> Writing {
    let (mut words, tone) = match trouble {
        OwnTrouble::MemoryLost { files } => (memory_lost(files), Tone::Blind),
        OwnTrouble::DiskUnwell { why } => (disk_unwell(&one_line(why)), Tone::Blind),
        OwnTrouble::DiskWellAgain => (disk_well_again(), Tone::Normal),
        OwnTrouble::MailsLost { mails } => (mails_lost(mails), Tone::Blind),
    };
    words.subject = format!("[bandwatch] {}", words.subject);
    words.facts.push(Fact::new("Noticed", write_moment(now)));
    Writing::new(words, tone, Vec::new(), contact)
}

fn memory_lost(files: &[String]) -> Words {
    let told = match files.len() {
        1 => "A file of its memory could not be read and was set aside".to_string(),
        count => format!("{count} files of its memory could not be read and were set aside"),
    };
    Words {
        heading: "Part of the Memory Is Lost".into(),
        summary: format!("{told}. bandwatch goes on without what was in there."),
        subject: told,
        facts: listed("File", files),
        notes: vec![
            "What this means: an alert that you had may come again, the end of one may never be told, a silence may have ended, and a mail that was still waiting may be lost.".into(),
            "What to do: see whether the disk is full or failing, and whether the metrics above are well now (\"bandwatch status\"). Nothing was deleted; once nobody needs the files, they can be.".into(),
        ],
        ..Words::default()
    }
}

fn disk_unwell(why: &str) -> Words {
    Words {
        subject: shorten(&format!("Cannot remember anything: {why}"), SUBJECT),
        heading: "The Memory Cannot Be Written".into(),
        summary: format!("bandwatch cannot write to the folder of its memory: {}.", why.trim_end_matches('.')),
        facts: vec![Fact::new("Why", why.to_string())],
        notes: vec![
            "What this means: while this lasts, an alert may come again and again or its end never, and a mail that the server does not accept at once may be lost.".into(),
            "What to do: make room on the disk, or give bandwatch the right to write to the folder (state_dir).".into(),
        ],
        ..Words::default()
    }
}

fn disk_well_again() -> Words {
    Words {
        subject: "The memory can be written again".into(),
        heading: "The Memory Can Be Written Again".into(),
        summary: "bandwatch can write to the folder of its memory again.".into(),
        notes: vec![
            "An alert that came meanwhile may come once more; from now on each comes once.".into(),
        ],
        ..Words::default()
    }
}

fn mails_lost(mails: &[String]) -> Words {
    let told = match mails {
        [mail] => shorten(&format!("A mail was lost: {}", one_line(mail)), SUBJECT),
        _ => format!("{} mails were lost", mails.len()),
    };
    let (them, were) = match mails.len() {
        1 => ("it", "A mail was"),
        _ => ("them", "These mails were"),
    };
    Words {
        subject: told,
        heading: "Mail That Never Arrived".into(),
        summary: format!(
            "{were} tried again and again and not accepted, until bandwatch gave up (give_up_after). Whoever is named below never got {them}."
        ),
        facts: listed("Mail", mails),
        notes: vec![
            "What this means: whoever is named above does not know of what is named there. If it still matters, tell them.".into(),
            "What to do: see whether the addresses are right, and what the mail server says of them (\"bandwatch status\").".into(),
        ],
        ..Words::default()
    }
}

/// A row for each, numbered if there are several.
fn listed(name: &str, lines: &[String]) -> Vec<Fact> {
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

#[cfg(test)]
mod tests;
