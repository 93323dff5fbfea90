//! Notices of the metric of sales, at 14:11 on a Sunday, for the tests of what is told of them.

use chrono::DateTime;
use chrono_tz::Tz;

use super::Announcement;
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::incident::{Finding, Matter, Notice, Side, Stage, Stamp};
use crate::notify::email::sample::{evaluation, metric, pictures};
use crate::notify::email::writing::Writing;
use crate::series::parse_time;

/// A notice, and what else is known.
pub struct Told {
    pub metric: Metric,
    pub notice: Notice,
    pub evaluation: Option<Evaluation>,
    pub pictures: Option<Pictures>,
}

impl Told {
    pub fn announcement(&self) -> Announcement<'_> {
        Announcement {
            metric: &self.metric,
            notice: &self.notice,
            evaluation: self.evaluation.as_ref(),
            pictures: self.pictures.as_ref(),
            now: now(),
            contact: Some("data@example.com"),
        }
    }

    pub fn announce(&self) -> Writing {
        super::announce(&self.announcement())
    }

    pub fn since(mut self, time: &str) -> Self {
        self.notice.since = stamp(time);
        self
    }
}

pub fn now() -> DateTime<Tz> {
    local("2026-11-22 14:11")
}

pub fn local(time: &str) -> DateTime<Tz> {
    parse_time(time, chrono_tz::Europe::Paris).expect("a time")
}

/// A time of the day, or a day and a time.
pub fn stamp(time: &str) -> Stamp {
    let time = if time.len() == 5 {
        format!("2026-11-22 {time}")
    } else {
        time.to_string()
    };
    Stamp::from(local(&time))
}

pub fn over(until: &str) -> Stage {
    Stage::Over {
        until: stamp(until),
    }
}

/// What is judged in the sample: the bucket of 14:05.
pub fn finding(value: f64) -> Finding {
    let half_width = if value < 1102.4 { 190.3 } else { 195.4 };
    Finding {
        time: stamp("14:05"),
        end: stamp("14:10"),
        value,
        expected: 1102.4,
        lower: 912.1,
        upper: 1297.8,
        deviation: Some((value - 1102.4) / half_width),
        side: match value {
            _ if value > 1297.8 => Some(Side::High),
            _ if value < 912.1 => Some(Side::Low),
            _ => None,
        },
    }
}

/// Of values that are out, or were.
pub fn breach(side: Side, stage: Stage, value: f64) -> Told {
    let finding = finding(value);
    let verdict = match finding.side {
        Some(Side::High) => Verdict::Breach(Side::High),
        Some(Side::Low) => Verdict::Breach(Side::Low),
        None => Verdict::Normal,
    };
    Told {
        metric: metric("Sales"),
        notice: notice(
            Matter::Breach {
                side,
                finding,
                turned_from: None,
            },
            stage,
        ),
        evaluation: Some(evaluation(verdict, value)),
        pictures: Some(pictures()),
    }
}

/// Of what keeps from judging; nothing is known beside it.
pub fn lack(matter: Matter, stage: Stage) -> Told {
    Told {
        metric: metric("Sales"),
        notice: notice(matter, stage),
        evaluation: None,
        pictures: None,
    }
}

fn notice(matter: Matter, stage: Stage) -> Notice {
    Notice {
        matter,
        stage,
        since: Stamp::from(local("2026-11-22 14:05")),
        thread: "1795352700.high".into(),
        sequence: 0,
    }
}

/// Both parts say it.
pub fn assert_says(writing: &Writing, said: &[&str]) {
    let html = crate::notify::email::sample::html(writing);
    let text = writing.text();
    for said in said {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
        assert!(html.contains(said), "{said:?} is not in\n{html}");
    }
}

/// The metric under another name, so far out.
pub fn named(title: &str, side: Side, deviation: f64) -> Told {
    let value = 1102.4 + 195.4 * deviation;
    let mut told = breach(side, Stage::Opened, value);
    told.metric.name = title.to_lowercase();
    told.metric.title = title.to_string();
    told
}
