//! The mail of one evaluation on its own, of which nothing is remembered: what a check without a memory
//! sends, and a dry run writes.

use super::picture::Picture;
use super::tone::Tone;
use super::words::Words;
use super::writing::Writing;
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::forecast::Side;

/// Writes what an evaluation comes to.
pub fn compose(
    metric: &Metric,
    evaluation: &Evaluation,
    pictures: Option<&Pictures>,
    contact: Option<&str>,
) -> Writing {
    let tone = match evaluation.verdict {
        Verdict::Breach(Side::High) => Tone::High,
        Verdict::Breach(Side::Low) => Tone::Low,
        Verdict::Normal => Tone::Normal,
        Verdict::Undecided(_) | Verdict::NoData { .. } => Tone::Blind,
    };
    let words = Words::of(metric, evaluation);
    Writing::new(words, tone, pictures_of(metric, pictures), contact)
}

/// What names the judged point, the same in every run that tells of it.
pub fn name_of_point(metric: &Metric, evaluation: &Evaluation) -> String {
    let (time, word) = (evaluation.bucket.start, evaluation.verdict.word());
    format!("{}.{}.{word}", metric.file_name(), time.timestamp())
}

/// The pictures of one metric, named after it.
pub fn pictures_of(metric: &Metric, pictures: Option<&Pictures>) -> Vec<Picture> {
    let Some(pictures) = pictures else {
        return Vec::new();
    };
    let picture = |hours: &str, png: &[u8]| {
        Picture::new(
            &format!("Last {hours} hours"),
            &format!("{}_{hours}h", metric.file_name()),
            &format!("{}, last {hours} hours", metric.title),
            png,
        )
    };
    vec![
        picture("24", &pictures.day),
        picture("48", &pictures.two_days),
    ]
}

#[cfg(test)]
mod tests;
