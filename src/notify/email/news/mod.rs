//! What a mail says of the life of an alert: that it opened, lasts, grew worse or is over (`breach`);
//! that there is no data, no check or no verdict (`lack`); several at once (`digest`); and what
//! bandwatch has to tell of itself (`own`).

mod breach;
mod digest;
mod extent;
mod lack;
mod own;
#[cfg(test)]
mod sample;

use chrono::DateTime;
use chrono_tz::Tz;

use super::compose::pictures_of;
use super::measured::Measured;
use super::tone::Tone;
use super::writing::Writing;
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::incident::{Finding, Matter, Notice, Side, Stage, Stamp};
use breach::Breach;
use extent::Extent;
use lack::Lack;

pub use digest::digest;
pub use own::{OwnTrouble, own};

/// A notice with all there is to tell it by.
#[derive(Debug, Clone, Copy)]
pub struct Announcement<'a> {
    pub metric: &'a Metric,
    pub notice: &'a Notice,
    /// Of the bucket the notice tells of; `None` where nothing was judged, or long ago.
    pub evaluation: Option<&'a Evaluation>,
    pub pictures: Option<&'a Pictures>,
    /// The clock of the run, in the zone of the configuration.
    pub now: DateTime<Tz>,
    pub contact: Option<&'a str>,
}

/// Writes what a notice tells.
pub fn announce(announcement: &Announcement) -> Writing {
    let words = match Topic::of(announcement) {
        Topic::Breach(breach) => breach.words(),
        Topic::Lack(lack) => lack.words(),
    };
    Writing::new(
        words,
        announcement.tone(),
        pictures_of(announcement.metric, announcement.pictures),
        announcement.contact,
    )
}

/// What a notice is about, in the words of its kind.
enum Topic<'a> {
    Breach(Breach<'a>),
    Lack(Lack<'a>),
}

impl<'a> Topic<'a> {
    fn of(announcement: &'a Announcement<'a>) -> Self {
        match &announcement.notice.matter {
            Matter::Breach {
                side,
                finding,
                turned_from,
            } => Self::Breach(Breach {
                announcement,
                side: *side,
                finding,
                turned_from: *turned_from,
            }),
            Matter::NoData { why } => Self::Lack(Lack::of_data(announcement, why)),
            Matter::Unwell { why } => Self::Lack(Lack::of_checks(announcement, why)),
            Matter::Undecided { why } => Self::Lack(Lack::of_verdicts(announcement, why)),
        }
    }
}

impl<'a> Announcement<'a> {
    fn tone(&self) -> Tone {
        match (self.notice.stage, &self.notice.matter) {
            (Stage::Over { .. }, _) => Tone::Normal,
            (_, Matter::Breach { side, .. }) => match side {
                Side::High => Tone::High,
                Side::Low => Tone::Low,
            },
            _ => Tone::Blind,
        }
    }

    /// The evaluation, if it is that of the finding: what a silence held back may be older.
    fn evaluation_of(&self, finding: &Finding) -> Option<&'a Evaluation> {
        self.evaluation.filter(|evaluation| {
            evaluation.band.is_some() && Stamp::from(evaluation.bucket.start) == finding.time
        })
    }

    /// The newest value that was seen.
    fn seen_last(&self) -> Option<Measured<'a>> {
        Measured::of_evaluation(self.metric, self.evaluation?)
    }

    fn extent(&self, now: Stamp) -> Extent {
        let until = match self.notice.stage {
            Stage::Over { until } => until,
            _ => now,
        };
        Extent::new(self.notice.since, until, self.now)
    }
}
