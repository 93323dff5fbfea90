//! What the mails say. The samples are of the metric of sales, on a Sunday at 14:11 in Paris.

mod advice;
mod channels;
mod digest;
mod incident;
mod message;
mod obstacle;
mod own;
mod parts;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::*;
use crate::chart::{Period, Plot};
use crate::config::Metric;
use crate::detect::{Evaluation, MonthDays, Reference, Verdict, Workings};
use crate::forecast::clean::{FenceFactor, clip_outliers};
use crate::forecast::{Band, Level, Side};
use crate::incident::{Alert, Condition, Course, End, Witness};
use crate::notify::{AlertKind, Notification};
use crate::series::sample::window;
use crate::series::{Aggregate, Bucket, Window, parse_time, sample};

const LETTERHEAD_CONTACT: &str = "Data team <data@example.com> & co";

fn local(time: &str) -> DateTime<Tz> {
    parse_time(time, chrono_tz::Europe::Paris).expect("a time")
}

/// A time of the day, or a day and a time.
fn at(time: &str) -> DateTime<Utc> {
    let day = if time.len() == 5 { "2026-11-22 " } else { "" };
    local(&format!("{day}{time}")).to_utc()
}

fn letterhead() -> Letterhead<'static> {
    Letterhead {
        now: local("2026-11-22 14:11"),
        contact: Some(LETTERHEAD_CONTACT),
        invocation: None,
    }
}

/// The bucket of 14:05, without what led to it.
fn stored(verdict: Verdict, value: f64) -> Evaluation {
    let half_width = if value < 1102.4 { 190.3 } else { 195.4 };
    Evaluation {
        bucket: Bucket {
            start: at("14:05"),
            end: at("14:10"),
        },
        value: Some(value),
        band: Band::new(912.1, 1102.4, 1297.8),
        level: Level::default(),
        deviation: Some((value - 1102.4) / half_width),
        score: Some(0.001),
        verdict,
        low_possible: Some(true),
        high_possible: Some(true),
        is_whole: false,
        reference: Reference::default(),
        workings: None,
    }
}

/// The same with what led to it.
fn evaluation(verdict: Verdict, value: f64) -> Evaluation {
    let time = local("2026-11-22 14:05");
    let values: Vec<_> = (0..600).map(|step| Some(f64::from(step % 100))).collect();
    let history = sample::series_from("2026-11-20 12:05", "5m", &values);
    let stored = stored(verdict, value);
    let workings = Workings {
        cleaned: Some(clip_outliers(&history, FenceFactor::default()).expect("a history")),
        forecast: None,
        month_days: MonthDays::default(),
        window: Window {
            as_of: time + TimeDelta::minutes(6),
            ..window(history, Some(time))
        },
    };
    Evaluation {
        workings: Some(Arc::new(workings)),
        ..stored
    }
}

fn metric(title: &str) -> Metric {
    let mut metric = Metric::of_file("sales");
    metric.title = title.to_string();
    metric.unit = Some("EUR".to_string());
    metric
}

fn plots() -> Vec<Plot> {
    let plot = |period, png| Plot { period, png };
    vec![
        plot(Period::Day, (0..=255).cycle().take(5000).collect()),
        plot(Period::TwoDays, vec![7; 3000]),
    ]
}

/// The mail of an evaluation alone.
fn preview(title: &str, verdict: Verdict, value: f64) -> Email {
    let (metric, evaluation) = (metric(title), evaluation(verdict, value));
    compose_evaluation(
        &metric,
        &evaluation,
        &plots(),
        &letterhead(),
        Occasion::Preview(None),
    )
}

/// A notification, and what else is known.
struct Sample {
    metric: Metric,
    alert: Alert,
    kind: AlertKind,
    told_at: Option<DateTime<Utc>>,
    newest: Option<Evaluation>,
    plots: Vec<Plot>,
}

impl Sample {
    fn notification(&self) -> Notification<'_> {
        Notification {
            metric: Some(&self.metric),
            alert: &self.alert,
            kind: self.kind,
            told_at: self.told_at,
            newest: self.newest.as_ref(),
        }
    }

    fn compose(&self) -> Email {
        compose(&self.notification(), &self.plots, &letterhead())
    }

    fn since(mut self, time: &str) -> Self {
        self.alert.since = at(time);
        self
    }

    /// It is over, as this value shows, and lasted until then.
    fn over(mut self, until: &str, value: f64) -> Self {
        self.kind = AlertKind::Resolved;
        self.alert.end = Some(End::Over {
            until: at(until),
            evaluation: Some(Box::new(evaluation(Verdict::Normal, value))),
        });
        self
    }

    fn titled(mut self, title: &str) -> Self {
        self.metric.name = title.to_lowercase();
        self.metric.title = title.to_string();
        self
    }
}

/// Of values that are out.
fn breach(side: Side, kind: AlertKind, value: f64) -> Sample {
    let evaluation = evaluation(Verdict::Breach(side), value);
    Sample {
        metric: metric("Sales"),
        alert: Alert {
            evaluation: Some(evaluation),
            ..Alert::new(Condition::Breach(side), at("14:05"), at("14:11"))
        },
        kind,
        told_at: None,
        newest: None,
        plots: plots(),
    }
}

/// Of what keeps a metric from being watched; nothing is known beside it.
fn obstacle(condition: Condition, kind: AlertKind, reason: &str) -> Sample {
    Sample {
        metric: metric("Sales"),
        alert: Alert {
            reason: reason.to_string(),
            ..Alert::new(condition, at("14:05"), at("14:11"))
        },
        kind,
        told_at: None,
        newest: None,
        plots: Vec::new(),
    }
}

/// The metric under another name, so far out.
fn named(title: &str, side: Side, deviation: f64) -> Sample {
    breach(side, AlertKind::Firing, 1102.4 + 195.4 * deviation).titled(title)
}

fn html(email: &Email) -> String {
    email.html().expect("a page")
}

fn message(email: &Email, to: &str) -> Vec<u8> {
    let from: Mailbox = "Watch <watch@example.com>".parse().expect("an address");
    let to: Mailbox = to.parse().expect("an address");
    let envelope = Envelope {
        from: &from,
        to: &to,
        date: DateTime::from_timestamp(1_795_353_060, 0).expect("a time"),
        message_id: &message_id(&from, &to, "sales.1795352700.high"),
        in_reply_to: None,
        thread_subject: None,
    };
    let message = email.message(&envelope).expect("a message");
    message.formatted()
}

/// Both parts say it.
#[track_caller]
fn assert_says(email: &Email, said: &[&str]) {
    let (html, text) = (html(email), email.text());
    for said in said {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
        assert!(html.contains(said), "{said:?} is not in\n{html}");
    }
}
