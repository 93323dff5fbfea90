//! A report of a state that is made up.

use std::time::Duration;

use chrono_tz::Tz;

use super::*;
use crate::commands::report::tests::assert_documented;
use crate::config::{Config, Deadline};
use crate::incident::{Condition, Outcome, PastAlert};

fn context() -> Context {
    let now: DateTime<Utc> = "2026-11-22T14:00:00Z".parse().expect("a time");
    Context {
        config: Config::without_file(Metric::of_file("sales")),
        now: now.with_timezone(&Tz::UTC),
        deadline: Deadline::after(Duration::from_secs(50)),
        input: None,
    }
}

fn past(condition: Condition, hours_ago: i64) -> PastAlert {
    let since = context().now_utc() - TimeDelta::hours(hours_ago);
    PastAlert {
        id: hours_ago.to_string(),
        condition,
        since,
        until: since + TimeDelta::minutes(90),
        outcome: Outcome::Accepted { ratio: 0.6 },
        released: None,
        notifications: 0,
        worst: None,
        missing: None,
        acknowledged: None,
    }
}

/// What is known of these metrics.
fn state(known: &[(&str, PastAlert)]) -> State {
    let mut state = State::in_memory();
    for (name, past) in known {
        let metrics = &mut state.contents_mut().metrics;
        let known = metrics.entry((*name).to_string()).or_default();
        known.past.alerts.push_back(past.clone());
    }
    state
}

fn week_before(context: &Context) -> DateTime<Utc> {
    context.now_utc() - TimeDelta::days(7)
}

#[test]
fn the_fields_of_the_object_are_those_that_are_documented() {
    let context = context();
    let state = state(&[]);
    let object = json::object(&Review::new(&context, &state, week_before(&context)));
    let fields = object.as_object().expect("an object");
    assert_documented(fields.keys().map(String::as_str), "report field");
    let metric = object["metrics"][0].as_object().expect("an object");
    assert_documented(metric.keys().map(String::as_str), "metric field");
}

#[test]
fn a_metric_that_is_gone_is_told_if_anything_happened() {
    let context = context();
    let state = state(&[
        ("orders", past(Condition::NoData, 30)),
        ("visits", past(Condition::NoData, 400)),
    ]);
    let review = Review::new(&context, &state, week_before(&context));
    let names: Vec<&str> = review.metrics.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["sales", "orders"]);
    let text = words::report(&review, BTreeMap::new()).text();
    for told in [
        "1 other alert, 0 notifications.",
        "orders: No data\n  2026-11-21 08:00 UTC to 2026-11-21 09:30 UTC (1 h 30 min)\n",
        "not told: it was silent, or over before",
        "orders\n  not in the configuration any more",
        "Sales\n  nothing was judged",
    ] {
        assert!(text.contains(told), "{told:?} is not in\n{text}");
    }
}

#[test]
fn of_a_week_without_alerts_it_is_said_that_there_were_none() {
    let context = context();
    let state = state(&[]);
    let review = Review::new(&context, &state, week_before(&context));
    let report = words::report(&review, BTreeMap::new());
    assert_eq!(
        report.subject,
        "[Report] 15 November 2026 to 22 November 2026: nothing happened"
    );
    assert!(report.text().contains("nothing was out of the ordinary"));
}
