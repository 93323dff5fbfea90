//! From a notification, or from an evaluation alone, to an e-mail.

use chrono::DateTime;
use chrono_tz::Tz;

use super::Letterhead;
use super::figures::{Figures, history};
use super::incident::Incident;
use super::message::{Email, Entry, Picture, Tone, Words};
use super::obstacle::Obstacle;
use super::own;
use super::parts::{part_facts, write_parts};
use super::phrases::{heading, notes, tone};
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::{Breakdown, Evaluation, Verdict};
use crate::forecast::Side;
use crate::incident::Condition;
use crate::notify::Notification;

pub fn compose(
    notification: &Notification,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
) -> Email {
    let (words, shown) = match tell(notification, letterhead.now) {
        Some((words, _)) => (words, notification.metric),
        None => (own::words(notification, letterhead), None),
    };
    let pictures = shown.map_or(Vec::new(), |metric| pictures_of(metric, pictures));
    Email::new(words, tone(notification), pictures, letterhead)
}

/// Why an evaluation is shown that is no alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Occasion<'a> {
    /// A dry run; with the parts that explain what it found.
    Preview(Option<&'a Breakdown>),
    /// Somebody wants to see that mail arrives; with what it shows, in words.
    Test(&'a str),
}

/// Composes what an evaluation says, breach or not.
pub fn compose_evaluation(
    metric: &Metric,
    evaluation: &Evaluation,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
    occasion: Occasion,
) -> Email {
    let title = &metric.title;
    let (word, place, tone) = match &evaluation.verdict {
        Verdict::Breach(Side::High) => ("High", "is above its band", Tone::High),
        Verdict::Breach(Side::Low) => ("Low", "is below its band", Tone::Low),
        Verdict::Normal => ("Normal", "is inside its band", Tone::Normal),
        Verdict::Undecided(_) | Verdict::NoData { .. } => ("Undecided", "", Tone::Blind),
    };
    let figures = Figures::new(metric, evaluation, letterhead.now);
    let mut notes = notes(metric, evaluation);
    let (headline, summary) = if let Some(reason) = evaluation.reason() {
        notes.insert(0, format!("No verdict: {reason}."));
        let summary = format!("{title} cannot be judged: {reason}.");
        (format!("{title}: {reason}"), summary)
    } else if let Some(figures) = &figures {
        let headline = figures.headline().unwrap_or_default();
        (format!("{title} {headline}"), figures.sentence(place))
    } else {
        (title.clone(), format!("{title} {place}."))
    };
    let mut facts = figures.map_or_else(|| history(evaluation), |figures| figures.facts());
    let (word, tone, summary) = match occasion {
        Occasion::Preview(Some(breakdown)) => {
            facts.extend(part_facts(metric, breakdown));
            let parts = write_parts(metric, breakdown, evaluation.bucket, letterhead.now);
            (
                word,
                tone,
                [Some(summary), parts]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        }
        Occasion::Preview(None) => (word, tone, summary),
        Occasion::Test(shown) => {
            let told = "This is a test: somebody ran bandwatch test-mail. No alert, nothing to do.";
            notes.insert(0, format!("This mail shows {shown}."));
            ("Test", Tone::Blind, format!("{told} {summary}"))
        }
    };
    let words = Words {
        subject: format!("[{word}] {headline}"),
        heading: heading(word, metric),
        summary,
        facts,
        notes,
        ..Words::default()
    };
    Email::new(words, tone, pictures_of(metric, pictures), letterhead)
}

/// What a notification says, in a mail of its own and as a row of a digest; `None` for bandwatch itself,
/// and for an incident without figures, which there is none.
pub fn tell(notification: &Notification, now: DateTime<Tz>) -> Option<(Words, Entry)> {
    let metric = notification.metric?;
    if let Condition::Breach(side) = notification.alert.condition {
        let incident = Incident::new(metric, side, notification, now)?;
        Some((incident.words(), incident.entry()))
    } else {
        let obstacle = Obstacle::new(metric, notification, now)?;
        Some((obstacle.words(), obstacle.entry()))
    }
}

fn pictures_of(metric: &Metric, pictures: Option<&Pictures>) -> Vec<Picture> {
    let picture = |hours: &str, png: &[u8]| {
        let caption = format!("Last {hours} hours");
        let name = format!("{}_{hours}h", metric.file_name());
        let alternative = format!("{}, last {hours} hours", metric.title);
        Picture::new(&caption, &name, &alternative, png)
    };
    let Some(Pictures { day, two_days }) = pictures else {
        return Vec::new();
    };
    vec![picture("24", day), picture("48", two_days)]
}
