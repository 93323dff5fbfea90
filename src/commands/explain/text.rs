//! An explanation for people: the verdict as the check words it, and under it a line for each step
//! that led there.

use std::path::Path;

use super::rarity::write_rarity;
use super::{Parts, Told, clipped_values, cut};
use crate::commands::report::{
    RUNNING_TOTAL, blind_sides, write_count, write_deviation, write_events, write_ignored,
    write_line, write_minute, write_outage, write_page, write_rows, write_totals,
};
use crate::config::Metric;
use crate::detect::{Evaluation, FEWEST_DAYS, MonthDayEffect, MonthDays, Workings};
use crate::forecast::{Forecast, ModelChoice, Role, Season, SeasonChoice, buckets_to_adapt};
use crate::notify::email::{write_part, write_parts};
use crate::output::{MINUS, write_length, write_time, write_times};
use crate::series::{Steps, TimeSeries, Window};

/// So many of the clipped values are told, the latest ones.
const CLIPPED_TOLD: usize = 5;
/// Leads to the place below a text, and to the one of figures, a little further in.
const BELOW: &str = "\n              ";
const FIGURES: &str = "\n                ";

/// The page.
pub fn write(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    told: &Told,
    parts: &Parts,
    picture: Option<&Path>,
) -> String {
    let window = &workings.window;
    let mut entries = vec![("as of", as_of(window)), ("rows", write_rows(window))];
    if let Some(cleaned) = &workings.cleaned {
        entries.push(("history", history(&cleaned.history, metric)));
    }
    if let Some(forecast) = &workings.forecast {
        entries.extend([
            ("clipped", clipped(forecast, workings)),
            ("seasons", seasons(&forecast.seasons)),
            ("month", month(workings, metric)),
            ("incident", incident(forecast, metric, window)),
            ("expected", expected(forecast, workings, metric)),
            ("error", error(forecast)),
            ("limits", limits(forecast, evaluation)),
        ]);
    }
    let events = write_events(metric, Some(window.step()), window.as_of).into_iter();
    let events = events.chain(write_ignored(window));
    entries.extend(events.map(|text| ("event", text)));
    entries.extend(told.levels.iter().map(|text| ("level", text.clone())));
    entries.extend(told.answers.iter().map(|text| ("answer", text.clone())));
    let score = evaluation.score.map(|score| rarity(score, window));
    let total = window.total_since.map(|_| RUNNING_TOTAL.to_string());
    entries.extend(total.map(|text| ("values", text)));
    entries.extend(score.map(|text| ("score", text)));
    entries.extend(write_deviation(evaluation).map(|text| ("deviation", text)));
    let totals = write_totals(evaluation);
    if !totals.is_empty() {
        entries.push(("totals", totals.join(FIGURES)));
    }
    entries.extend(write_breakdown(metric, evaluation, window, parts).map(|text| ("parts", text)));
    entries.extend(write_outage(metric, evaluation).map(|text| ("outage", text)));
    entries.extend(blind_sides(&metric.method, evaluation).map(|text| ("blind", text)));
    entries.extend(picture.map(|path| ("picture", picture_line(path, workings))));
    write_page(&write_line(metric, evaluation), entries.into_iter())
}

/// The picture takes the values apart by another method than the forecast, whose sum is above.
fn picture_line(path: &Path, workings: &Workings) -> String {
    let path = path.display();
    match &workings.forecast {
        Some(_) => format!(
            "{path}{BELOW}its trend, seasons and remainder are by MSTL, for the eye: not the parts of the sum above"
        ),
        None => path.to_string(),
    }
}

fn write_breakdown(
    metric: &Metric,
    evaluation: &Evaluation,
    window: &Window,
    parts: &Parts,
) -> Option<String> {
    let breakdown = match parts {
        Parts::Found(breakdown) => breakdown.as_ref()?,
        Parts::Failed(why) => return Some(why.clone()),
    };
    let told = write_parts(metric, breakdown, evaluation.bucket, window.as_of);
    let told = told.unwrap_or_else(|| "none stands out".to_string());
    let rows = breakdown.columns.iter().flat_map(|column| {
        let rows = column
            .parts
            .iter()
            .map(|part| write_part(metric, breakdown, part));
        rows.map(|row| format!("{FIGURES}{} {row}", column.column))
    });
    Some(format!("{told}{}", rows.collect::<String>()))
}

fn as_of(window: &Window) -> String {
    let (now, step) = (window.as_of, window.step());
    let length = Steps { step, count: 1 };
    let (time, zone) = (now.format("%Y-%m-%d %H:%M:%S %Z"), now.timezone());
    format!("{time}, in the time zone {zone}, in buckets of {length}")
}

fn history(history: &TimeSeries, metric: &Metric) -> String {
    let step = history.grid().step();
    let full = step.count_in(metric.window(step));
    let counts = [history.len(), history.missing(), full];
    let [buckets, missing, full] = counts.map(write_count);
    let [from, to] = [history.time(0), history.next_time()].map(write_minute);
    format!(
        "{buckets} buckets from {from} to {to}, {missing} without data; a full window has {full}"
    )
}

fn clipped(forecast: &Forecast, workings: &Workings) -> String {
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
    let notation = forecast.band.notation();
    let figures = shown.iter().map(|clipped| {
        let time = write_minute(clipped.time);
        let figures = [clipped.value, clipped.counted_as];
        let [value, counted_as] = figures.map(|figure| notation.write(figure));
        format!("{FIGURES}{time}  {value} as {counted_as}")
    });
    format!("{told}{latest}{}", figures.collect::<String>())
}

fn seasons(seasons: &[Season]) -> String {
    if seasons.is_empty() {
        return "none".to_string();
    }
    let told = seasons.iter().map(|season| {
        let share = season.strength.max(0.0) * 100.0;
        format!("{}: {share:.0} %", season.length)
    });
    let told = told.collect::<Vec<_>>().join(", ");
    format!("{told}, by the share of the ups and downs that earlier turns explain")
}

/// The days of the month that stand out, or why none is known.
fn month(workings: &Workings, metric: &Metric) -> String {
    let MonthDays {
        effects,
        is_long_enough,
        ..
    } = &workings.month_days;
    let told = effects.iter().map(|effect| {
        let count = write_count(effect.occurrences);
        format!("{}, learnt from {count} of them", month_day(effect))
    });
    let told = told.collect::<Vec<_>>().join(BELOW);
    if !told.is_empty() {
        told
    } else if *is_long_enough {
        "no day of it, such as a pay day, stands out".to_string()
    } else if metric.method.seasons != SeasonChoice::Found {
        "days of it, such as pay days, are not looked for, as seasons are set".to_string()
    } else {
        format!(
            "days of it, such as pay days, are found in a window of {FEWEST_DAYS} days or more, of buckets of a day at most{BELOW}until then: an [[event]] with effect = \"learn\" and every = \"month\""
        )
    }
}

/// What the present day is.
fn present_days(month_days: &MonthDays) -> String {
    let present = month_days.effects.iter().filter(|effect| effect.is_present);
    let told: Vec<String> = present.map(month_day).collect();
    format!("the day of the month: {}", told.join("; "))
}

/// "the 25th, on weekends the working day before: +18 %".
fn month_day(effect: &MonthDayEffect) -> String {
    let percent = (effect.factor.ratio - 1.0) * 100.0;
    let sign = if percent < 0.0 { MINUS } else { "+" };
    format!("{}: {sign}{:.0} %", effect.day, percent.abs())
}

fn incident(forecast: &Forecast, metric: &Metric, window: &Window) -> String {
    let (step, adapt_after) = (window.step(), metric.method.adapt_after);
    let patience = if step.per_day().is_some() {
        write_length(adapt_after)
    } else {
        let buckets = buckets_to_adapt(adapt_after, step.mean_length());
        let count = usize::try_from(buckets).unwrap_or(usize::MAX);
        Steps { step, count }.to_string()
    };
    match forecast.held_since {
        None => "none; the expectation follows the last values".to_string(),
        Some(since) => format!(
            "since {}: the expectation does not follow the values from then on, until they are back or have lasted {patience} (adapt_after)",
            write_time(since, window.as_of)
        ),
    }
}

fn expected(forecast: &Forecast, workings: &Workings, metric: &Metric) -> String {
    let notation = forecast.band.notation();
    let signed = |value| match notation.write(value) {
        figure if figure.starts_with(MINUS) => figure,
        figure => format!("+{figure}"),
    };
    // A figure, and what it stands for.
    let contributions = forecast.contributions.iter().map(|part| {
        let figure = match part.role {
            Role::Level => notation.write(part.value),
            _ => signed(part.value),
        };
        let name = match part.role {
            Role::MonthDay => present_days(&workings.month_days),
            role => name(role, forecast, metric),
        };
        (figure, name)
    });
    let cut = cut(forecast).map(|cut| {
        let name = "cut to the values there can be (min, max)";
        (signed(cut), name.to_string())
    });
    let parts: Vec<(String, String)> = contributions.chain(cut).collect();
    let widths = parts.iter().map(|(figure, _)| figure.chars().count());
    let width = widths.max().unwrap_or(0);
    let parts = parts.iter();
    let parts: String = parts
        .map(|(figure, name)| format!("{FIGURES}{figure:>width$}  {name}"))
        .collect();
    let expected = notation.write_expected(forecast.band.expected);
    format!("{expected}, the sum of{parts}")
}

fn name(role: Role, forecast: &Forecast, metric: &Metric) -> String {
    match role {
        Role::Level if metric.method.model == ModelChoice::Mstl => {
            "the level: the trend, smoothed and continued".to_string()
        }
        #[cfg(feature = "prophet")]
        Role::Level if metric.method.model == ModelChoice::Prophet => {
            "the level: the trend of Prophet".to_string()
        }
        Role::Level => "the level: the median of the history, and a constant".to_string(),
        Role::Event => "what earlier occurrences of the event had more than expected".to_string(),
        Role::MonthDay => "the day of the month".to_string(),
        Role::PastErrors => "what is left of the last errors".to_string(),
        Role::Recent(1) => "the last value, by its distance from the level".to_string(),
        Role::Recent(values) => format!("the last {values} values, by their distance from it"),
        Role::Season(number) => forecast.seasons.get(number).map_or_else(
            || "a season".to_string(),
            |season| format!("the season of {}", season.length),
        ),
    }
}

fn error(forecast: &Forecast) -> String {
    let notation = forecast.band.notation();
    let (now, usual) = (forecast.distribution.scale, forecast.usual_error);
    let [below, above] = [now.below, now.above].map(|size| notation.write(size));
    let ratios = [now.below / usual.below, now.above / usual.above];
    let [times_below, times_above] = ratios.map(write_times);
    let errors = write_count(forecast.errors);
    format!(
        "about {below} below or {above} above here and now, {times_below} and {times_above} times as much as usual; learnt from {errors} errors on values the model had not seen"
    )
}

fn limits(forecast: &Forecast, evaluation: &Evaluation) -> String {
    let limits = forecast.limits.iter();
    let levels = limits.clone().map(|limits| limits.level.to_string());
    let width = levels.map(|level| level.len()).max().unwrap_or(0);
    let notation = forecast.band.notation();
    let lines = limits.map(|limits| {
        let level = limits.level.to_string();
        let [lower, upper] = [limits.band.lower, limits.band.upper].map(|end| notation.write(end));
        let judged_by = if limits.level == evaluation.level {
            ", by which it was judged"
        } else {
            ""
        };
        format!("{level:>width$}  {lower} to {upper}{judged_by}")
    });
    lines.collect::<Vec<_>>().join(BELOW)
}

fn rarity(score: f64, window: &Window) -> String {
    let rarity = write_rarity(score, window.step());
    if score < 0.001 {
        format!("{score:.2e}: values this far out come {rarity}")
    } else {
        format!("{score:.3}: values this far out come {rarity}")
    }
}
