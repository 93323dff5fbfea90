//! From a notification, or from an evaluation alone, to an e-mail.

use super::Letterhead;
use super::figures::{Figures, history, title};
use super::incident::Incident;
use super::message::{Email, Entry, Fact, Picture, Tone, Words};
use super::obstacle::Obstacle;
use super::own;
use super::phrases::{heading, notes, tone};
use crate::chart::Plot;
use crate::config::Metric;
use crate::detect::{Breakdown, Evaluation, Verdict};
use crate::incident::{Alert, Condition};
use crate::notify::{AlertKind, Notification};
use crate::output::isolate;

pub fn compose(notification: &Notification, plots: &[Plot], letterhead: &Letterhead) -> Email {
    let mut words = match tell(notification, letterhead) {
        Some((words, _)) => words,
        None => own::words(notification, letterhead),
    };
    if notification.kind != AlertKind::Firing {
        words.news = Some(words.subject.clone());
    }
    let evaluation = notification
        .newest
        .or(notification.alert.evaluation.as_ref());
    let pictures = notification.metric.map_or(Vec::new(), |metric| {
        pictures_of(metric, evaluation, plots, letterhead)
    });
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

/// Composes what an evaluation says, breach or not. Of a breach it is what opens an incident.
pub fn compose_evaluation(
    metric: &Metric,
    evaluation: &Evaluation,
    plots: &[Plot],
    letterhead: &Letterhead,
    occasion: Occasion,
) -> Email {
    let opening = evaluation.side().and_then(|side| {
        let (condition, since) = (Condition::Breach(side), evaluation.bucket.start);
        let breakdown = match occasion {
            Occasion::Preview(breakdown) => breakdown.cloned(),
            Occasion::Test(_) => None,
        };
        let alert = Alert {
            evaluation: Some(evaluation.clone()),
            breakdown,
            ..Alert::new(condition, since, letterhead.now.to_utc())
        };
        let opening = Notification {
            metric: Some(metric),
            alert: &alert,
            kind: AlertKind::Firing,
            told_at: None,
            newest: Some(evaluation),
        };
        Some((tell(&opening, letterhead)?.0, tone(&opening)))
    });
    let (mut words, mut tone) =
        opening.unwrap_or_else(|| no_breach(metric, evaluation, letterhead));
    if let Occasion::Test(shown) = occasion {
        let told = "This is a test: somebody ran bandwatch test-mail. No alert, nothing to do.";
        words.summary = format!("{told} {}", words.summary);
        words.notes.insert(0, format!("This mail shows {shown}."));
        words.heading = heading("Test", metric);
        if let Some(advice) = &mut words.advice {
            advice.text = format!("Nothing, as this is a test. In an alert: {}", advice.text);
        }
        if let Some((_, subject)) = words.subject.split_once(']') {
            words.subject = format!("[Test]{subject}");
        }
        tone = Tone::Blind;
    }
    let pictures = pictures_of(metric, Some(evaluation), plots, letterhead);
    Email::new(words, tone, pictures, letterhead)
}

/// What is said where all is well, or nothing could be said.
fn no_breach(metric: &Metric, evaluation: &Evaluation, letterhead: &Letterhead) -> (Words, Tone) {
    let (word, tone) = match &evaluation.verdict {
        Verdict::Breach(_) | Verdict::Normal => ("Normal", Tone::Normal),
        Verdict::Undecided(_) | Verdict::NoData { .. } => ("Undecided", Tone::Blind),
    };
    let title = title(metric);
    let figures = Figures::new(metric, evaluation, letterhead.now);
    let mut notes = notes(metric, evaluation, None);
    let (headline, summary) = if let Some(reason) = evaluation.reason() {
        let reason = isolate(reason);
        notes.insert(0, format!("No verdict: {reason}."));
        let summary = format!("{title} cannot be judged: {reason}.");
        (format!("{title}: {reason}"), summary)
    } else if let Some(figures) = &figures {
        let headline = figures.headline().unwrap_or_default();
        (
            format!("{title} {headline}"),
            figures.sentence("is as usual"),
        )
    } else {
        (title.clone(), format!("{title} is as usual."))
    };
    let judged = figures
        .as_ref()
        .map(|figures| Fact::new("Judged", figures.bucket()));
    let words = Words {
        subject: format!("[{word}] {headline}"),
        heading: heading(word, metric),
        summary,
        facts: figures.map_or(Vec::new(), |figures| figures.facts()),
        notes,
        small_print: judged.into_iter().chain(history(evaluation)).collect(),
        ..Words::default()
    };
    (words, tone)
}

/// What a notification says, in a mail of its own and as a row of a digest; `None` for bandwatch itself,
/// and for an incident without figures, which there is none.
pub fn tell(notification: &Notification, letterhead: &Letterhead) -> Option<(Words, Entry)> {
    let (metric, now) = (notification.metric?, letterhead.now);
    if let Condition::Breach(side) = notification.alert.condition {
        let incident = Incident::new(metric, side, notification, now)?;
        Some((incident.words(letterhead), incident.entry()))
    } else {
        let obstacle = Obstacle::new(metric, notification, now)?;
        Some((obstacle.words(letterhead), obstacle.entry()))
    }
}

/// Each with its figures in words, for whoever does not see it.
fn pictures_of(
    metric: &Metric,
    evaluation: Option<&Evaluation>,
    plots: &[Plot],
    letterhead: &Letterhead,
) -> Vec<Picture> {
    let title = title(metric);
    let figures =
        evaluation.and_then(|evaluation| Figures::new(metric, evaluation, letterhead.now));
    let told = figures.map(|figures| {
        figures
            .against_usual()
            .unwrap_or_else(|| figures.value_at())
    });
    let told = told.map_or(String::new(), |told| format!(": {told}"));
    let picture = |plot: &Plot| {
        let caption = format!("Last {}", plot.period.name());
        let name = format!("{}_{}", metric.file_name(), plot.period.mark());
        let alternative = format!("{title}, last {}{told}", plot.period.name());
        Picture::new(&caption, &name, &alternative, &plot.png)
    };
    plots.iter().map(picture).collect()
}
