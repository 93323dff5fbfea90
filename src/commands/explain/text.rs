//! An explanation for people: the verdict as the check words it, and under it a line for each step
//! that led there.

use std::path::Path;

use super::rarity::write_rarity;
use super::{clipped_values, cut};
use crate::commands::report::{
    blind_sides, write_count, write_deviation, write_line, write_minute, write_rows,
};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Forecast, ModelChoice, Role, Season};
use crate::output::{Notation, write_length, write_time, write_times};
use crate::series::{TimeSeries, Window};

/// So many of the clipped values are told, the latest ones.
const CLIPPED_TOLD: usize = 5;
/// Where what follows a heading begins, and figures below it.
const HEADING: usize = 12;

/// The page.
pub fn write(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    picture: Option<&Path>,
) -> String {
    let window = &workings.window;
    let mut page = Page::default();
    page.lines.push(write_line(metric, evaluation));
    page.entry("as of", &as_of(window));
    page.entry("rows", &write_rows(window));
    if let Some(cleaned) = &workings.cleaned {
        page.entry("history", &history(&cleaned.history, metric));
    }
    if let Some(forecast) = &workings.forecast {
        let notation = forecast.band.notation();
        tell_clipped(&mut page, workings, notation);
        page.entry("seasons", &seasons(&forecast.seasons));
        page.entry("incident", &incident(forecast, metric, workings));
        tell_expected(&mut page, forecast, metric);
        page.entry("error", &error(forecast, notation));
        tell_limits(&mut page, forecast, evaluation);
    }
    if let Some(score) = evaluation.score {
        let rarity = write_rarity(score, window.step());
        let score = if score < 0.001 {
            format!("{score:.2e}")
        } else {
            format!("{score:.3}")
        };
        page.entry(
            "score",
            &format!("{score}: values this far out come {rarity}"),
        );
    }
    if let Some(deviation) = write_deviation(evaluation) {
        page.entry("deviation", &deviation);
    }
    for line in blind_sides(&metric.method, evaluation) {
        page.entry("blind", &line);
    }
    if let Some(path) = picture {
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

fn as_of(window: &Window) -> String {
    let (now, length) = (window.as_of, write_length(window.step().delta()));
    let (time, zone) = (now.format("%Y-%m-%d %H:%M:%S %Z"), now.timezone());
    format!("{time}, in the time zone {zone}, in buckets of {length}")
}

fn history(history: &TimeSeries, metric: &Metric) -> String {
    let full = history.grid().step().count_in(metric.window);
    let counts = [history.len(), history.missing(), full];
    let [buckets, missing, full] = counts.map(write_count);
    let [from, to] = [history.time(0), history.next_time()].map(write_minute);
    format!(
        "{buckets} buckets from {from} to {to}, {missing} without data; a full window has {full}"
    )
}

fn tell_clipped(page: &mut Page, workings: &Workings, notation: Notation) {
    let clipped = clipped_values(workings);
    let shown = &clipped[clipped.len().saturating_sub(CLIPPED_TOLD)..];
    let told = match clipped.len() {
        0 => "nothing; no value of the history was an outlier".to_string(),
        1 => "1 value counted as one nearer to what its past suggested".to_string(),
        count => {
            let count = write_count(count);
            format!("{count} values counted as ones nearer to what their past suggested")
        }
    };
    let latest = if shown.len() < clipped.len() {
        ", the latest of them"
    } else {
        ""
    };
    page.entry("clipped", &format!("{told}{latest}"));
    for clipped in shown {
        let time = write_minute(clipped.time);
        let [value, counted_as] =
            [clipped.value, clipped.counted_as].map(|value| notation.write(value));
        page.below(&format!("{time}  {value} as {counted_as}"));
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
    let signed = |value| format!("+{}", notation.write(value)).replace("+-", "-");
    // A figure, and what it stands for.
    let contributions = forecast.derivation.contributions.iter().map(|part| {
        let figure = match part.role {
            Role::Level => notation.write(part.value),
            _ => signed(part.value),
        };
        (figure, name(part.role, forecast, metric))
    });
    let cut = cut(forecast).map(|cut| {
        let name = "cut to the values there can be (min, max)";
        (signed(cut), name.to_string())
    });
    let parts: Vec<(String, String)> = contributions.chain(cut).collect();
    let widths = parts.iter().map(|(figure, _)| figure.len());
    let width = widths.max().unwrap_or(0);
    for (figure, name) in parts {
        page.below(&format!("{figure:>width$}  {name}"));
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
    let (now, usual) = (forecast.distribution.scale, forecast.derivation.usual_error);
    let [below, above] = [now.below, now.above].map(|size| notation.write(size));
    let ratios = [now.below / usual.below, now.above / usual.above];
    let [times_below, times_above] = ratios.map(write_times);
    let errors = write_count(forecast.derivation.errors);
    format!(
        "about {below} below or {above} above here and now, {times_below} and {times_above} times as much as usual; learnt from {errors} errors on values the model had not seen"
    )
}

fn tell_limits(page: &mut Page, forecast: &Forecast, evaluation: &Evaluation) {
    let limits = &forecast.derivation.limits;
    let widest = limits.iter().map(|limits| limits.level.to_string().len());
    let width = widest.max().unwrap_or(0);
    let notation = forecast.band.notation();
    let headings = ["limits"].into_iter().chain(std::iter::repeat(""));
    for (limits, heading) in limits.iter().zip(headings) {
        let level = limits.level.to_string();
        let [lower, upper] = [limits.band.lower, limits.band.upper].map(|end| notation.write(end));
        let judged_by = if limits.level == evaluation.level {
            ", by which it was judged"
        } else {
            ""
        };
        let told = format!("{level:>width$}  {lower} to {upper}{judged_by}");
        page.entry(heading, &told);
    }
}
