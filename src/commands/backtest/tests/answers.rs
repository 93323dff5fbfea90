//! What people answered, replayed from when they did.

use super::*;
use crate::incident::{Acknowledgement, Answer, Author, Nature};

/// Five weeks of hours; on two Sundays six of them have half of what is usual.
fn two_sundays() -> Vec<(DateTime<Tz>, f64)> {
    let begin = time("2026-09-07 00:00");
    let value = |hour: i32| {
        let usual = 1000.0 + 300.0 * (f64::from(hour % 24) / 3.8).sin();
        let usual = usual + f64::from(hour * 7919 % 97) / 4.0;
        let is_low = [27, 34].contains(&(hour / 24)) && (12..18).contains(&(hour % 24));
        if is_low { 0.5 * usual } else { usual }
    };
    (0..35 * 24)
        .map(|hour| (begin + TimeDelta::hours(hour.into()), value(hour)))
        .collect()
}

fn author() -> Author {
    Author {
        user: "anna".into(),
        host: "web1".into(),
    }
}

fn told(metric: &Metric, said: Said) -> Vec<(String, &'static str)> {
    let rows = two_sundays();
    let points = points(&rows, metric);
    let replay = Replay::new(
        &history(&rows, metric),
        &points,
        metric,
        said,
        NonZeroUsize::MIN,
    );
    let mails = replay_mails(&replay.expect("a replay"), metric).mails;
    let lows = mails.iter().filter(|mail| mail.side == Some("low"));
    lows.map(|mail| (mail.time[..13].to_string(), mail.kind))
        .collect()
}

fn patient_metric() -> Metric {
    let mut metric = metric();
    metric.window = Some(Duration::from_hours(21 * 24));
    metric
}

#[test]
fn what_was_fine_one_week_is_not_mailed_the_next() {
    let metric = patient_metric();
    // From noon to six.
    let opens = |said: &Said, day: &str| {
        let told = told(&metric, said.clone()).into_iter();
        let lows = told.filter(|(_, kind)| *kind == "low");
        let mut hours = lows.filter_map(|(time, _)| time.strip_prefix(day)?[1..].parse().ok());
        hours.any(|hour: u32| (12..18).contains(&hour))
    };
    let silent = Said::default();
    assert!(opens(&silent, "2026-10-04") && opens(&silent, "2026-10-11"));
    let fine = Answer {
        nature: Nature::Fine,
        alert: "1.low".into(),
        side: Side::Low,
        since: time("2026-10-04 12:00").to_utc(),
        until: time("2026-10-04 18:00").to_utc(),
        size: Some(600.0),
        size_then: Some(600.0),
        counts_from: time("2026-10-05 09:00").to_utc(),
        by: author(),
        at: time("2026-10-05 09:00").to_utc(),
    };
    let said = Said {
        answers: vec![fine],
        ..Said::default()
    };
    assert!(opens(&said, "2026-10-04") && !opens(&said, "2026-10-11"));
}

#[test]
fn what_was_acknowledged_is_not_repeated_in_the_replay() {
    let mut metric = patient_metric();
    metric.policy.renotify = crate::incident::Renotify::After(TimeDelta::hours(2));
    let repeats = |said| {
        let told = told(&metric, said).into_iter();
        told.filter(|(time, kind)| time.starts_with("2026-10-04") && *kind == "still")
            .count()
    };
    assert!(repeats(Said::default()) > 0);
    let known = Acknowledgement {
        by: author(),
        at: time("2026-10-04 14:30").to_utc(),
        until: None,
        because: None,
    };
    let said = Said {
        acknowledgements: vec![known],
        ..Said::default()
    };
    assert_eq!(repeats(said), 0);
}
