//! What a verdict is drawn from, and whether one can be reached.

use chrono::TimeDelta;

use super::Case;
use super::check::{Check, Condition, Link};
use crate::commands::evaluate_newest;
use crate::commands::report::{
    RUNNING_TOTAL, blind_sides, write_count, write_minute, write_outage,
};
use crate::config::Metric;
use crate::detect::{Answers, Evaluation, Verdict};
use crate::forecast::{Direction, SeasonChoice};
use crate::incident::MetricState;
use crate::output::contain;
use crate::series::{Missing, TimeSeries, Window};

/// A larger share of buckets without data that had some a week before is many.
const MANY_GAPS: f64 = 0.05;

pub fn examine(case: &Case, metric: &Metric, window: Window, add: &dyn Fn(Check)) {
    let state = case.context.look_at_state().ok();
    let known = state
        .as_ref()
        .and_then(|state| state.contents().metrics.get(&metric.name));
    let answers = known.map_or(Answers::default(), MetricState::answers_for_forecast);
    let series = window.series.clone();
    let judged = contain("judge the newest bucket", || {
        evaluate_newest(window, metric, &answers)
    });
    match judged {
        Ok(evaluation) => {
            add(history(&series, metric, &evaluation));
            sides(metric, &evaluation, add);
        }
        Err(error) => {
            add(Check::failed(Link::History, &error));
            add(Check::not_checked(Link::Sides, "without a verdict"));
        }
    }
}

fn history(series: &TimeSeries, metric: &Metric, evaluation: &Evaluation) -> Check {
    let told = tell(series, evaluation);
    if let Some(reason) = evaluation.reason() {
        let what = match evaluation.verdict {
            Verdict::NoData { .. } => "nothing to judge",
            _ => "cannot be judged",
        };
        return Check::new(
            Link::History,
            Condition::Failed,
            format!("{what}: {reason}; {told}"),
        );
    }
    let gaps = unusual_gaps(series);
    if metric.missing == Missing::Gap && gaps > MANY_GAPS {
        let told = format!(
            "{:.0} % of the buckets have no data, and not as their time of the week has it: {told}",
            gaps * 100.0
        );
        let advice = "are rows lost on the way? where a bucket without rows means zero, set missing = \"zero\"; a longer every also helps";
        return Check::warning(Link::History, told, advice);
    }
    if lacks_weeks(series, metric) {
        let advice = "until there are a week and a half, each day is taken to be like any other: wait for more rows";
        return Check::warning(
            Link::History,
            format!("too short for a week: {told}"),
            advice,
        );
    }
    Check::ok(Link::History, told)
}

/// `8,064 buckets of 5m since 2026-10-25 14:05 CET, 0.3 % without data; seasons 1 d, 1 w`
fn tell(series: &TimeSeries, evaluation: &Evaluation) -> String {
    let Some(begin) = series.values().iter().position(Option::is_some) else {
        return "no bucket has data".to_string();
    };
    let values = &series.values()[begin..];
    let missing = values.iter().filter(|value| value.is_none()).count();
    let workings = evaluation.workings.as_ref();
    let forecast = workings.and_then(|workings| workings.forecast.as_ref());
    let seasons = forecast.map(|forecast| {
        let lengths = forecast.seasons.iter();
        let lengths: Vec<String> = lengths.map(|season| season.length.to_string()).collect();
        match lengths.as_slice() {
            [] => "; no season".to_string(),
            lengths => format!("; seasons {}", lengths.join(", ")),
        }
    });
    let total = evaluation.window().and_then(|window| window.total_since);
    let total = total.map_or(String::new(), |_| format!("; {RUNNING_TOTAL}"));
    format!(
        "{} buckets of {} since {}, {:.1} % without data{}{total}",
        write_count(values.len()),
        series.grid().step(),
        write_minute(series.time(begin)),
        percent(missing, values.len()),
        seasons.unwrap_or_default()
    )
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The share of buckets without data of those that had some a week before, or where there is no week, a day:
/// a shop that is closed at night has none of these.
fn unusual_gaps(series: &TimeSeries) -> f64 {
    let values = series.values();
    let begin = values.iter().position(Option::is_some).unwrap_or_default();
    let values = &values[begin..];
    let step = series.grid().step();
    let turns = [step.per_week(), step.per_day()].into_iter().flatten();
    let turn = turns.into_iter().find(|turn| 2 * turn <= values.len());
    let Some(turn) = turn.filter(|turn| *turn > 0) else {
        return 0.0;
    };
    let pairs = values.iter().zip(values.iter().skip(turn));
    let (mut with_data, mut lost) = (0, 0);
    for (before, now) in pairs {
        with_data += usize::from(before.is_some());
        lost += usize::from(before.is_some() && now.is_none());
    }
    percent(lost, with_data) / 100.0
}

/// Whether days of the week would be told apart if there were more of them.
fn lacks_weeks(series: &TimeSeries, metric: &Metric) -> bool {
    let step = series.grid().step();
    let begin = series.values().iter().position(Option::is_some);
    let held = series.len() - begin.unwrap_or_default();
    let wanted = step.count_in(metric.window(step));
    let is_short = |count: usize, week: usize| 2 * count < 3 * week;
    metric.method.seasons == SeasonChoice::Found
        && step.mean_length() <= TimeDelta::days(1)
        && step
            .per_week()
            .is_some_and(|week| is_short(held, week) && !is_short(wanted, week))
}

fn sides(metric: &Metric, evaluation: &Evaluation, add: &dyn Fn(Check)) {
    if evaluation.band.is_none() {
        add(Check::not_checked(Link::Sides, "without a forecast"));
        return;
    }
    let blind: Vec<String> = blind_sides(&metric.method, evaluation).collect();
    if blind.is_empty() {
        let sides = match metric.method.direction {
            Direction::Both => "low and high can fire",
            Direction::High => "high can fire, and low is not asked for",
            Direction::Low => "low can fire, and high is not asked for",
        };
        let outage = write_outage(metric, evaluation);
        let outage = outage.map_or(String::new(), |outage| format!("; {outage}"));
        add(Check::ok(Link::Sides, format!("{sides}{outage}")));
    }
    for line in blind {
        add(Check::new(Link::Sides, Condition::Warning, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample;

    /// Two weeks of hours in which these are without data.
    fn gaps(is_gap: impl Fn(usize) -> bool) -> f64 {
        let series = sample::series("1h", &[1.0; 14 * 24]);
        let values = (0..14 * 24).map(|hour| (!is_gap(hour)).then_some(1.0));
        unusual_gaps(&series.with_values(values.collect()))
    }

    #[test]
    fn a_shop_that_is_closed_at_night_has_no_unusual_gaps() {
        assert!(gaps(|hour| hour % 24 < 9) < 1e-9);
        assert!(gaps(|hour| hour % 11 == 3) > MANY_GAPS);
    }
}
