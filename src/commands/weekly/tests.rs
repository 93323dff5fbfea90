//! A report of a state that is made up.

use std::time::Duration;

use chrono_tz::Tz;

use super::*;
use crate::commands::report::tests::assert_documented;
use crate::config::{Config, Deadline};
use crate::forecast::Side;
use crate::incident::{Acknowledgement, Author, Condition, DayCounts, Nature, Outcome, PastAlert};

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
        days: DayCounts::default(),
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
    let object = object_of(&Review::new(
        &context,
        &state,
        &context.config.metrics,
        week_before(&context),
    ));
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
    let review = Review::new(
        &context,
        &state,
        &context.config.metrics,
        week_before(&context),
    );
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

/// Five incidents that were told, of a bucket outside each, but of three the last; of three somebody said
/// something.
fn answered() -> State {
    let counts = |text| serde_json::from_str(text).expect("counts");
    let of = |hours_ago| PastAlert {
        released: Some(context().now_utc() - TimeDelta::hours(hours_ago)),
        days: counts(match hours_ago {
            6 => "[[20778,4,1]]",
            _ => "[[20778,1,0]]",
        }),
        ..past(Condition::Breach(Side::Low), hours_ago)
    };
    let mut state = state(&[10, 9, 8, 7, 6].map(|hours_ago| ("sales", of(hours_ago))));
    let known = state.contents_mut().metrics.get_mut("sales");
    let known = known.expect("a metric");
    known.past.days = serde_json::from_str("[[20777,200,190],[20778,105,95]]").expect("counts");
    let by = Author {
        user: "anna".to_string(),
        host: "web1".to_string(),
    };
    let at = context().now_utc();
    for index in [0, 1] {
        let incident = known.incidents()[index].clone();
        known.answer(&incident, Nature::Fine, by.clone(), at);
    }
    known.past.alerts[2].acknowledged = Some(Acknowledgement {
        by,
        at,
        until: None,
        because: None,
    });
    state
}

#[test]
fn what_people_called_an_incident_is_no_false_alert_and_no_miss_of_the_band() {
    let (mut context, state) = (context(), answered());
    let text = |context: &Context| {
        let review = Review::new(
            context,
            &state,
            &context.config.metrics,
            week_before(context),
        );
        words::report(&review, BTreeMap::new()).text()
    };
    let told = "5 incidents told: 2 called fine, 1 called real or acknowledged, 2 not answered";
    // Without a budget, a single value outside that nobody answered is one as any other.
    let free = text(&context);
    assert!(free.contains(&format!("{told}\n")), "{free}");
    let kept = "94.7 % of 300 values lay inside the 95 % band";
    assert!(free.contains(kept), "{free}");
    assert!(
        free.contains("; 5 values during incidents are left out"),
        "{free}"
    );
    let budget = "1/week".parse().expect("a budget");
    context.config.metrics[0].policy.budget = Some(budget);
    let bound = text(&context);
    let allows = "; the budget allows 1 false alert a week, fewer than were called fine\n";
    assert!(bound.contains(&format!("{told}{allows}")), "{bound}");
    let kept = "95.0 % of 299 values lay inside the 95 % band";
    assert!(bound.contains(kept), "{bound}");
    assert!(
        bound.contains("; 6 values during incidents are left out"),
        "{bound}"
    );
    let object = object_of(&Review::new(
        &context,
        &state,
        &context.config.metrics,
        week_before(&context),
    ));
    let metric = &object["metrics"][0];
    let counts = [
        "opened",
        "called_fine",
        "called_real",
        "judged",
        "inside",
        "left_out",
    ];
    assert_eq!(
        counts.map(|field| metric[field].clone()),
        [5, 2, 1, 299, 284, 6]
    );
}

#[test]
fn of_a_week_without_alerts_it_is_said_that_there_were_none() {
    let context = context();
    let state = state(&[]);
    let review = Review::new(
        &context,
        &state,
        &context.config.metrics,
        week_before(&context),
    );
    let report = words::report(&review, BTreeMap::new());
    assert_eq!(
        report.subject,
        "[Report] 15 November 2026 to 22 November 2026: nothing happened"
    );
    assert!(report.text().contains("nothing was out of the ordinary"));
}

fn object_of(review: &Review) -> serde_json::Value {
    serde_json::to_value(json::object(review)).expect("JSON")
}
