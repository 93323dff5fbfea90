//! The words of a mail, the same in both of its parts: subject, heading, what happened, the figures.

use crate::config::Metric;
use crate::judgement::Judgement;
use crate::notation::{
    Notation, separate_thousands, write_day_and_time, write_length, write_time, write_times,
};
use crate::verdict::Verdict;

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

/// The same words for both parts of a mail.
pub struct Words {
    pub subject: String,
    pub heading: String,
    pub summary: String,
    pub facts: Vec<Fact>,
    pub notes: Vec<String>,
}

impl Words {
    pub fn of(metric: &Metric, judgement: &Judgement) -> Self {
        let side = match judgement.verdict {
            Verdict::High => "High",
            Verdict::Low => "Low",
            Verdict::Normal => "Normal",
            Verdict::Undecided(_) => "Undecided",
        };
        let measure = if ends_with_word(&metric.title, &metric.measure) {
            ""
        } else {
            metric.measure.as_str()
        };
        Self {
            subject: format!("[{side}] {}", headline(metric, judgement)),
            heading: format!("{side} {} {measure}", metric.title)
                .trim_end()
                .to_string(),
            summary: summary(metric, judgement),
            facts: facts(metric, judgement),
            notes: notes(metric, judgement),
        }
    }
}

fn ends_with_word(title: &str, word: &str) -> bool {
    title
        .split_whitespace()
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case(word))
}

fn headline(metric: &Metric, judgement: &Judgement) -> String {
    let title = &metric.title;
    match (&judgement.verdict, judgement.latest, &judgement.prediction) {
        (Verdict::Undecided(reason), _, _) => format!("{title}: {reason}"),
        (_, Some(latest), Some(prediction)) => {
            let band = prediction.band;
            let notation = Notation::for_band(&band);
            format!(
                "{title} {} at {}, expected {} to {}",
                notation.write(latest.value),
                write_time(latest.time, judgement.reading.now),
                notation.write(band.lower),
                notation.write(band.upper)
            )
        }
        _ => title.clone(),
    }
}

fn summary(metric: &Metric, judgement: &Judgement) -> String {
    let place = match &judgement.verdict {
        Verdict::High => "is above its band",
        Verdict::Low => "is below its band",
        Verdict::Normal => "is inside its band",
        Verdict::Undecided(reason) => {
            return format!("{} cannot be judged: {reason}.", metric.title);
        }
    };
    match (judgement.latest, &judgement.prediction) {
        (Some(latest), Some(prediction)) => {
            let notation = Notation::for_band(&prediction.band);
            let value = with_unit(&notation.write(latest.value), metric.unit.as_deref());
            let time = latest.time.format("%H:%M %Z");
            format!(
                "{} at {time} {place}: {value}, where {} was expected.",
                metric.title,
                with_unit(
                    &notation.write(prediction.band.expected),
                    metric.unit.as_deref()
                )
            )
        }
        _ => format!("{} {place}.", metric.title),
    }
}

fn facts(metric: &Metric, judgement: &Judgement) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value| facts.push(Fact { name, value });
    if let (Some(latest), Some(prediction)) = (judgement.latest, &judgement.prediction) {
        let (band, unit) = (prediction.band, metric.unit.as_deref());
        let notation = Notation::for_band(&band);
        fact("Value", with_unit(&notation.write(latest.value), unit));
        fact("Expected", with_unit(&notation.write(band.expected), unit));
        let limits = format!(
            "{} to {}",
            notation.write(band.lower),
            notation.write(band.upper)
        );
        fact(
            "Band",
            format!("{} ({})", with_unit(&limits, unit), judgement.level),
        );
        fact(
            "Deviation",
            deviation(
                judgement,
                latest.value - band.expected,
                band.expected,
                notation,
            ),
        );
    } else if let Some(latest) = judgement.latest {
        fact(
            "Value",
            with_unit(
                &Notation::for_value(latest.value).write(latest.value),
                metric.unit.as_deref(),
            ),
        );
    }
    if let Some(latest) = judgement.latest {
        let zone = latest.time.timezone().name();
        let told = write_day_and_time(latest.time);
        // "UTC (UTC)" says it twice.
        let zone = if told.ends_with(zone) {
            String::new()
        } else {
            format!(" ({zone})")
        };
        let length = write_length(judgement.reading.series.grid().step().delta());
        fact("Time", format!("{told}{zone}, a bucket of {length}"));
    }
    if let Some(cleaned) = &judgement.cleaned {
        let history = &cleaned.history;
        let count = |count: usize| separate_thousands(&count.to_string());
        fact(
            "History used",
            format!(
                "{}, {} values, {} missing",
                write_length(history.span()),
                count(history.len() - history.missing()),
                count(history.missing())
            ),
        );
        fact("Outliers clipped", count(cleaned.clipped.len()));
    }
    facts
}

fn with_unit(figure: &str, unit: Option<&str>) -> String {
    unit.map_or_else(|| figure.to_string(), |unit| format!("{figure} {unit}"))
}

fn deviation(judgement: &Judgement, difference: f64, expected: f64, notation: Notation) -> String {
    let sign = if difference < 0.0 { "" } else { "+" };
    let mut told = format!("{sign}{}", notation.write(difference));
    let share = 100.0 * difference / expected.abs();
    if share.is_finite() && share.abs() < 10_000.0 {
        told += &format!(" ({share:+.0} %)");
    }
    if let Some(half_widths) = judgement.deviation() {
        told += &format!(
            ", {} times the distance to the limit",
            write_times(half_widths.abs())
        );
    }
    told
}

fn notes(metric: &Metric, judgement: &Judgement) -> Vec<String> {
    let mut notes = Vec::new();
    if let Verdict::Undecided(reason) = &judgement.verdict {
        notes.push(format!("No verdict: {reason}."));
    }
    let range = metric.method.range;
    if judgement.low_is_possible(&metric.method) == Some(false) {
        notes.push(match range.min() {
            Some(min) if min != 0.0 => format!("The band reaches down to {min}, the least value there can be, so at this hour no drop would show as Low."),
            _ => "The band reaches down to zero, so at this hour even a drop to nothing would not show as Low.".to_string(),
        });
    }
    if judgement.high_is_possible(&metric.method) == Some(false)
        && let Some(max) = range.max()
    {
        notes.push(format!("The band reaches up to {max}, the greatest value there can be, so at this hour no rise would show as High."));
    }
    notes
}
