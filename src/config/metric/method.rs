//! The keys that say how a metric is forecast and its band drawn.

use std::time::Duration;

use chrono::TimeDelta;
use humantime::format_duration;

use super::{MetricTable, time_delta};
use crate::config::value::Length;
use crate::forecast::clean::Outliers;
use crate::forecast::{Method, Range, SeasonChoice, Sensitivity};
use crate::series::Step;

/// # Errors
///
/// If a value is not allowed, or keys contradict each other.
pub fn method(metric: &MetricTable, window: Duration) -> Result<Method, String> {
    Ok(Method {
        outliers: Outliers {
            factor: metric.outliers.k,
            scope: metric.outliers.scope,
        },
        model: metric.model,
        seasons: match &metric.seasons {
            Some(lengths) => seasons(lengths)?,
            None => SeasonChoice::Found,
        },
        adapt_after: match metric.adapt_after {
            Some(Length(length)) => adapt_after(length, window, metric.every)?,
            None => Method::default().adapt_after.min(time_delta(window / 2)),
        },
        range: Range::new(metric.min, metric.max)?,
        sensitivity: sensitivity(metric)?,
        direction: metric.direction,
    })
}

/// # Errors
///
/// If the seasons or the budget of false alerts do not go with the window or the step.
pub fn check_method(method: &Method, window: Duration, step: Option<Step>) -> Result<(), String> {
    if let SeasonChoice::Given(lengths) = &method.seasons {
        // A season must be seen twice to be one.
        if lengths
            .iter()
            .any(|length| *length > time_delta(window / 2))
        {
            let allowed = format!(
                "at most half the window, \"{}\"",
                format_duration(window / 2)
            );
            return Err(refuse_seasons(lengths, &allowed));
        }
    }
    if let Some(step) = step {
        let seasons = method.seasons.in_steps(step);
        seasons.map_err(|error| error.to_string())?;
        method.sensitivity.level(step, method.direction)?;
    }
    Ok(())
}

fn seasons(lengths: &[Length]) -> Result<SeasonChoice, String> {
    let lengths: Vec<TimeDelta> = lengths.iter().map(|length| time_delta(length.0)).collect();
    if lengths.len() > SeasonChoice::MOST {
        let allowed = format!("at most {}", SeasonChoice::MOST);
        return Err(refuse_seasons(&lengths, &allowed));
    }
    if lengths.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(refuse_seasons(&lengths, "each once, the shortest first"));
    }
    Ok(SeasonChoice::Given(lengths))
}

fn refuse_seasons(lengths: &[TimeDelta], allowed: &str) -> String {
    let lengths: Vec<_> = lengths
        .iter()
        .filter_map(|length| length.to_std().ok())
        .map(|length| format!("\"{}\"", format_duration(length)))
        .collect();
    format!("seasons = [{}]: allowed: {allowed}", lengths.join(", "))
}

fn adapt_after(
    length: Duration,
    window: Duration,
    step: Option<Step>,
) -> Result<TimeDelta, String> {
    let shortest = step.and_then(|step| step.delta().to_std().ok());
    let shortest = shortest.unwrap_or(Duration::from_secs(1));
    if !(shortest..=window / 2).contains(&length) {
        return Err(format!(
            "adapt_after = \"{}\": allowed: from one step to half the window, \"{}\" to \"{}\"",
            format_duration(length),
            format_duration(shortest),
            format_duration(window / 2)
        ));
    }
    Ok(time_delta(length))
}

fn sensitivity(metric: &MetricTable) -> Result<Sensitivity, String> {
    match (metric.level, metric.max_false_alerts) {
        (Some(_), Some(budget)) => Err(format!(
            "max_false_alerts = \"{budget}\": level is set too; allowed: one of the two"
        )),
        (None, Some(budget)) => Ok(Sensitivity::Budget(budget)),
        (level, None) => Ok(Sensitivity::Level(level.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};
    use crate::forecast::Direction;
    use crate::forecast::ModelChoice;

    fn parse(lines: &str) -> Result<Method, String> {
        let text = format!("[[metric]]\nname = \"sales\"\n{lines}\n");
        Config::parse(&text, &Environment::default(), None)
            .map(|mut config| config.metrics.remove(0).method)
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_method_is_as_the_keys_say() {
        let method = parse(
            "every = \"5m\"\nmodel = \"mstl\"\nseasons = [\"1d\", \"7d\"]\nadapt_after = \"6h\"\nmin = 0\nmax = 99.5\nmax_false_alerts = \"1/week\"\ndirection = \"low\"",
        );
        let days = |days| TimeDelta::days(days);
        assert_eq!(
            method,
            Ok(Method {
                outliers: Outliers::default(),
                model: ModelChoice::Mstl,
                seasons: SeasonChoice::Given(vec![days(1), days(7)]),
                adapt_after: TimeDelta::hours(6),
                range: Range::new(Some(0.0), Some(99.5)).expect("a range"),
                sensitivity: Sensitivity::Budget("1/week".parse().expect("a budget")),
                direction: Direction::Low,
            })
        );
        assert_eq!(parse(""), Ok(Method::default()));
        let none = parse("seasons = []").expect("a method");
        assert_eq!(none.seasons, SeasonChoice::Given(Vec::new()));
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_one_line() {
        for (lines, told) in [
            (
                "model = \"magic\"",
                "model: unknown variant `magic`, expected one of `auto`, `autoregression`, `mstl`",
            ),
            (
                "outliers.scope = \"local\"",
                "outliers.scope: unknown variant `local`, expected `seasonal` or `global`",
            ),
            (
                "seasons = [\"1h\", \"2h\", \"3h\", \"4h\", \"5h\"]",
                "seasons = [\"1h\", \"2h\", \"3h\", \"4h\", \"5h\"]: allowed: at most 4",
            ),
            (
                "seasons = [\"7d\", \"1d\"]",
                "seasons = [\"7days\", \"1day\"]: allowed: each once, the shortest first",
            ),
            (
                "seasons = [\"1d\", \"1d\"]",
                "seasons = [\"1day\", \"1day\"]: allowed: each once, the shortest first",
            ),
            (
                "seasons = [\"15d\"]",
                "seasons = [\"15days\"]: allowed: at most half the window, \"14days\"",
            ),
            (
                "seasons = [\"soon\"]",
                "seasons[0]: \"soon\" is not a length of time",
            ),
            (
                "every = \"1h\"\nseasons = [\"90m\"]",
                "seasons: 1 h 30 min with a step of 1h; allowed: a whole number of steps, two or more",
            ),
            (
                "every = \"1h\"\nadapt_after = \"30m\"",
                "adapt_after = \"30m\": allowed: from one step to half the window, \"1h\" to \"14days\"",
            ),
            (
                "adapt_after = \"15d\"",
                "adapt_after = \"15days\": allowed: from one step to half the window, \"1s\" to \"14days\"",
            ),
            ("min = nan", "min = NaN: allowed: a finite number"),
            (
                "min = 10\nmax = 1",
                "min = 10: with max = 1, allowed: a number below 1",
            ),
            (
                "max_false_alerts = \"often\"",
                "max_false_alerts: \"often\" is not a number of alerts in a time; allowed: a number above 0",
            ),
            (
                "level = 0.95\nmax_false_alerts = \"1/week\"",
                "max_false_alerts = \"1/week\": level is set too; allowed: one of the two",
            ),
            (
                "every = \"1d\"\nmax_false_alerts = \"1/day\"",
                "max_false_alerts = \"1/day\": with every = \"1day\", allowed: at most \"0.25/day\"",
            ),
        ] {
            let refusal = parse(lines).expect_err(lines);
            assert!(
                refusal.contains(&format!("metric[0].{told}"))
                    || refusal.contains(&format!("metric[0]: {told}")),
                "{lines:?}\n  said: {refusal}\n  not:  {told}"
            );
            assert!(!refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn a_budget_that_no_step_is_known_for_is_not_refused_yet() {
        assert!(parse("max_false_alerts = \"100/day\"").is_ok());
    }
}
