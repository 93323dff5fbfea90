//! An explanation for people: the verdict as the check words it, and under it a line for each step
//! that led there.

use std::path::PathBuf;

use super::rarity::Rarity;
use super::{clipped_values, cut};
use crate::commands::report::{blind_sides, write_count, write_deviation, write_line, write_rows};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Forecast, ModelChoice, Role, Season};
use crate::output::{Notation, write_length, write_time, write_times};

/// So many of the clipped values are told, the latest ones.
const CLIPPED_TOLD: usize = 5;
/// Where what follows a heading begins, and figures below it.
const HEADING: usize = 12;

/// The page.
pub fn write(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    files: &[PathBuf],
) -> String {
    let mut page = Page::default();
    page.lines.push(write_line(metric, evaluation));
    tell_rows(&mut page, workings);
    tell_history(&mut page, metric, workings);
    if let Some(forecast) = &workings.forecast {
        let notation = forecast.band.notation();
        tell_clipped(&mut page, workings, notation);
        page.entry("seasons", &seasons(&forecast.seasons));
        page.entry("incident", &incident(forecast, metric, workings));
        tell_expected(&mut page, forecast, metric);
        page.entry("error", &error(forecast, notation));
        tell_limits(&mut page, forecast, evaluation);
    }
    tell_place(&mut page, evaluation, workings);
    for line in blind_sides(&metric.method, evaluation) {
        page.entry("blind", &line);
    }
    for path in files {
        page.entry("picture", &path.display().to_string());
    }
    page.lines.join("\n") + "\n"
}

/// Lines with a heading, and figures beneath them.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
}

impl Page {
    fn entry(&mut self, heading: &str, text: &str) {
        self.lines.push(format!("  {heading:<HEADING$}{text}"));
    }

    fn below(&mut self, text: &str) {
        self.entry("", &format!("  {text}"));
    }
}

fn tell_rows(page: &mut Page, workings: &Workings) {
    let now = workings.window.as_of;
    page.entry(
        "as of",
        &format!(
            "{}, in the time zone {}, in buckets of {}",
            now.format("%Y-%m-%d %H:%M:%S %Z"),
            now.timezone(),
            write_length(workings.window.step().delta())
        ),
    );
    page.entry("rows", &write_rows(&workings.window));
}

fn tell_history(page: &mut Page, metric: &Metric, workings: &Workings) {
    let Some(cleaned) = &workings.cleaned else {
        return;
    };
    let history = &cleaned.history;
    page.entry(
        "history",
        &format!(
            "{} buckets from {} to {}, {} without data; a full window has {}",
            write_count(history.len()),
            history.time(0).format("%Y-%m-%d %H:%M %Z"),
            history.next_time().format("%Y-%m-%d %H:%M %Z"),
            write_count(history.missing()),
            write_count(history.grid().step().count_in(metric.window))
        ),
    );
}

fn tell_clipped(page: &mut Page, workings: &Workings, notation: Notation) {
    let clipped = clipped_values(workings);
    let shown = &clipped[clipped.len().saturating_sub(CLIPPED_TOLD)..];
    let all = write_count(clipped.len());
    let told = match clipped.len() {
        0 => "nothing; no value of the history was an outlier".to_string(),
        1 => "1 value counted as one nearer to what its past suggested".to_string(),
        _ => format!("{all} values counted as ones nearer to what their past suggested"),
    };
    let latest = if shown.len() < clipped.len() {
        ", the latest of them"
    } else {
        ""
    };
    page.entry("clipped", &format!("{told}{latest}"));
    for value in shown {
        page.below(&format!(
            "{}  {} as {}",
            value.time.format("%Y-%m-%d %H:%M %Z"),
            notation.write(value.value),
            notation.write(value.counted_as)
        ));
    }
}

fn seasons(seasons: &[Season]) -> String {
    if seasons.is_empty() {
        return "none".to_string();
    }
    let told = seasons.iter().map(|season| {
        let share = season.strength.max(0.0) * 100.0;
        format!("{}: {share:.0} %", write_length(season.length))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    format!("{told}, by the share of the ups and downs that earlier turns explain")
}

fn incident(forecast: &Forecast, metric: &Metric, workings: &Workings) -> String {
    let patience = write_length(metric.method.adapt_after);
    match forecast.held_since {
        None => "none; the expectation follows the last values".to_string(),
        Some(since) => format!(
            "since {}: the expectation does not follow the values from then on, until they are back or have lasted {patience} (adapt_after)",
            write_time(since, workings.window.as_of)
        ),
    }
}

fn tell_expected(page: &mut Page, forecast: &Forecast, metric: &Metric) {
    let notation = forecast.band.notation();
    let expected = notation.write(forecast.band.expected);
    page.entry("expected", &format!("{expected}, the sum of"));
    let contributions = forecast.contributions.iter();
    // A figure, and what it stands for.
    let mut parts: Vec<(String, String)> = contributions
        .map(|part| {
            let figure = signed(part.value, part.role, notation);
            (figure, name(part.role, forecast, metric))
        })
        .collect();
    parts.extend(cut(forecast).map(|cut| {
        let figure = format!("+{}", notation.write(cut)).replace("+-", "-");
        let name = "cut to the values there can be (min, max)";
        (figure, name.to_string())
    }));
    let widths = parts.iter().map(|(figure, _)| figure.len());
    let width = widths.max().unwrap_or(0);
    for (figure, name) in parts {
        page.below(&format!("{figure:>width$}  {name}"));
    }
}

fn signed(value: f64, role: Role, notation: Notation) -> String {
    let figure = notation.write(value);
    match role {
        Role::Level => figure,
        _ if figure.starts_with('-') => figure,
        _ => format!("+{figure}"),
    }
}

fn name(role: Role, forecast: &Forecast, metric: &Metric) -> String {
    match role {
        Role::Level if metric.method.model == ModelChoice::Mstl => {
            "the level: the trend, smoothed and continued".to_string()
        }
        Role::Level => "the level: the median of the history, and a constant".to_string(),
        Role::PastErrors => "what is left of the last errors".to_string(),
        Role::Recent(1) => "the last value, by its distance from the level".to_string(),
        Role::Recent(values) => format!("the last {values} values, by their distance from it"),
        Role::Season(number) => forecast.seasons.get(number).map_or_else(
            || "a season".to_string(),
            |season| format!("the season of {}", write_length(season.length)),
        ),
    }
}

fn error(forecast: &Forecast, notation: Notation) -> String {
    let (now, usual) = (forecast.distribution.scale, forecast.usual_error);
    format!(
        "about {} below or {} above here and now, {} and {} times as much as usual; learnt from {} errors on values the model had not seen",
        notation.write(now.below),
        notation.write(now.above),
        write_times(now.below / usual.below),
        write_times(now.above / usual.above),
        write_count(forecast.errors)
    )
}

fn tell_limits(page: &mut Page, forecast: &Forecast, evaluation: &Evaluation) {
    let limits = &forecast.limits;
    let widest = limits.iter().map(|limits| limits.level.to_string().len());
    let width = widest.max().unwrap_or(0);
    let notation = forecast.band.notation();
    let mut heading = "limits";
    for limits in limits {
        let level = limits.level.to_string();
        let [lower, upper] = [limits.band.lower, limits.band.upper].map(|end| notation.write(end));
        let judged_by = if limits.level == evaluation.level {
            ", by which it was judged"
        } else {
            ""
        };
        page.entry(
            heading,
            &format!("{level:>width$}  {lower} to {upper}{judged_by}"),
        );
        heading = "";
    }
}

/// Where in its band the value lies.
fn tell_place(page: &mut Page, evaluation: &Evaluation, workings: &Workings) {
    if let Some(score) = evaluation.score {
        let rarity = Rarity::of(score, workings.window.step()).write();
        let score = if score < 0.001 {
            format!("{score:.2e}")
        } else {
            format!("{score:.3}")
        };
        let told = format!("{score}: values this far out come {rarity}");
        page.entry("score", &told);
    }
    if let Some(deviation) = write_deviation(evaluation) {
        page.entry("deviation", &deviation);
    }
}
