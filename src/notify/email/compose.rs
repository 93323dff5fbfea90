//! From a notification, or from an evaluation alone, to an e-mail.

use super::Letterhead;
use super::figures::{Figures, history};
use super::incident::Incident;
use super::message::{Email, Picture, Tone, Words};
use super::obstacle::Obstacle;
use super::own;
use super::phrases::{heading, notes, tone};
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict};
use crate::forecast::Side;
use crate::incident::Condition;
use crate::notify::Notification;

/// Composes what a notification tells.
pub fn compose(
    notification: &Notification,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
) -> Email {
    let (words, shown) = match Subject::new(notification, letterhead) {
        Some(Subject::Incident(incident)) => (incident.words(), notification.metric),
        Some(Subject::Obstacle(obstacle)) => (obstacle.words(), notification.metric),
        None => (own::words(notification, letterhead), None),
    };
    let pictures = shown.map_or(Vec::new(), |metric| pictures_of(metric, pictures));
    Email::new(words, tone(notification), pictures, letterhead)
}

/// Composes the preview of a dry run: what an evaluation says, breach or not.
pub fn compose_evaluation(
    metric: &Metric,
    evaluation: &Evaluation,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
) -> Email {
    let title = &metric.title;
    let (word, place, tone) = match &evaluation.verdict {
        Verdict::Breach(Side::High) => ("High", "is above its band", Tone::High),
        Verdict::Breach(Side::Low) => ("Low", "is below its band", Tone::Low),
        Verdict::Normal => ("Normal", "is inside its band", Tone::Normal),
        Verdict::Undecided(_) | Verdict::NoData { .. } => ("Undecided", "", Tone::Blind),
    };
    let figures = Figures::new(metric, evaluation, letterhead.now);
    let (headline, summary) = match (evaluation.reason(), &figures) {
        (Some(reason), _) => (
            format!("{title}: {reason}"),
            format!("{title} cannot be judged: {reason}."),
        ),
        (None, Some(figures)) => (
            format!("{title} {}", figures.headline().unwrap_or_default()),
            figures.sentence(place),
        ),
        (None, None) => (title.clone(), format!("{title} {place}.")),
    };
    let mut notes = notes(metric, evaluation);
    if let Some(reason) = evaluation.reason() {
        notes.insert(0, format!("No verdict: {reason}."));
    }
    let words = Words {
        subject: format!("[{word}] {headline}"),
        heading: heading(word, metric),
        summary,
        facts: figures.map_or_else(|| history(evaluation), |figures| figures.facts()),
        notes,
        ..Words::default()
    };
    Email::new(words, tone, pictures_of(metric, pictures), letterhead)
}

/// What a notification about a metric is about.
pub enum Subject<'a> {
    Incident(Incident<'a>),
    Obstacle(Obstacle<'a>),
}

impl<'a> Subject<'a> {
    /// `None` for bandwatch itself, and for an incident without figures, which there is none.
    pub fn new(notification: &Notification<'a>, letterhead: &Letterhead) -> Option<Self> {
        let metric = notification.metric?;
        match notification.alert.condition {
            Condition::Breach(side) => {
                Incident::new(metric, side, notification, letterhead.now).map(Self::Incident)
            }
            condition => {
                Obstacle::new(metric, condition, notification, letterhead.now).map(Self::Obstacle)
            }
        }
    }
}

/// The pictures of one metric, named after it.
fn pictures_of(metric: &Metric, pictures: Option<&Pictures>) -> Vec<Picture> {
    let picture = |hours: &str, png: &[u8]| {
        Picture::new(
            &format!("Last {hours} hours"),
            &format!("{}_{hours}h", metric.file_name()),
            &format!("{}, last {hours} hours", metric.title),
            png,
        )
    };
    pictures.map_or(Vec::new(), |pictures| {
        vec![
            picture("24", &pictures.day),
            picture("48", &pictures.two_days),
        ]
    })
}
