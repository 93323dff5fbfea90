//! The words for the parts that explain a difference. Their names come out of a database, so they are cut,
//! and marked where they are more than a word.

use chrono::DateTime;
use chrono_tz::Tz;

use super::message::Fact;
use super::obstacle::capitalised;
use crate::config::Metric;
use crate::detect::{Breakdown, ColumnParts, Part};
use crate::forecast::Side;
use crate::output::{Notation, isolate, shorten, write_extent, write_lasting, write_when};
use crate::series::Bucket;

/// Of a name no more characters are told, and of a column's in the table of facts.
const NAME: usize = 40;
const COLUMN: usize = 20;
/// What is nearer to all of a difference is all of it.
const ALL: std::ops::RangeInclusive<f64> = 0.97..=1.03;

/// "Of the 41,200.00 EUR missing, 38,900.00 are country DE; no product stands out.", beside what is told of
/// a bucket; `None` where nothing stands out.
pub fn write_parts(
    metric: &Metric,
    breakdown: &Breakdown,
    told: Bucket,
    now: DateTime<Tz>,
) -> Option<String> {
    if !breakdown.has_standing_out() {
        return None;
    }
    let amount = write_difference(metric, breakdown);
    let amount = match breakdown.side() {
        Side::Low => format!("{amount} missing"),
        Side::High => format!("{amount} more than expected"),
    };
    let [start, end] =
        [breakdown.start, breakdown.end].map(|time| time.with_timezone(&now.timezone()));
    let (begin, tense) = if breakdown.end != told.end {
        let time = if end - start <= told.length() {
            write_when(start, told.length(), now)
        } else {
            write_extent(start, end, told.length(), now)
        };
        (
            format!("{}, of the {amount}", capitalised(&time)),
            Tense::Past,
        )
    } else if breakdown.start == told.start {
        (format!("Of the {amount}"), Tense::Present)
    } else {
        let length = write_lasting(start, end - start, told.length());
        (
            format!("Of the {amount} in the last {length}"),
            Tense::Present,
        )
    };
    Some(format!("{begin}, {}.", clauses(breakdown, tense)))
}

/// "of that, 38,900.00 are country DE; no product stands out", where the difference was told just before.
pub fn write_parts_of_that(breakdown: &Breakdown) -> Option<String> {
    let is_told = breakdown.has_standing_out();
    is_told.then(|| format!("of that, {}", clauses(breakdown, Tense::Present)))
}

/// How much is missing, or too much: "41,200.00 EUR".
pub fn write_difference(metric: &Metric, breakdown: &Breakdown) -> String {
    with_unit(metric, breakdown.difference())
}

/// The parts of the column that explains most, a row for each, if any stands out.
pub fn part_facts(metric: &Metric, breakdown: &Breakdown) -> Vec<Fact> {
    let leading = breakdown.columns.first();
    let leading = leading.filter(|_| breakdown.has_standing_out());
    let rows = leading.into_iter().flat_map(|column| {
        let name = shorten(&column.column, COLUMN);
        let rows = column.parts.iter();
        rows.map(move |part| Fact::new(&name, write_part(metric, breakdown, part)))
    });
    rows.collect()
}

/// "DE: 12,100.00 EUR, where 51,000.00 EUR was expected, 94 % of the difference"
pub fn write_part(metric: &Metric, breakdown: &Breakdown, part: &Part) -> String {
    let [seen, expected] = [part.seen, part.expected].map(|sum| with_unit(metric, sum));
    let (value, share) = (write_value(part), (100.0 * breakdown.share(part)).round());
    let share = if share.abs() < 10_000.0 {
        // Never "-0".
        let share = (share + 0.0).to_string().replace('-', "−");
        format!(", {share} % of the difference")
    } else {
        String::new()
    };
    format!("{value}: {seen}, where {expected} was expected{share}")
}

#[derive(Clone, Copy)]
enum Tense {
    Present,
    Past,
}

/// What the columns have to say.
fn clauses(breakdown: &Breakdown, tense: Tense) -> String {
    let columns = breakdown.columns.iter();
    let clauses = columns.map(|column| clause(breakdown, column, tense));
    clauses.collect::<Vec<_>>().join("; ")
}

/// What one column has to say.
fn clause(breakdown: &Breakdown, column: &ColumnParts, tense: Tense) -> String {
    let name = shorten(&column.column, NAME);
    let parts: Vec<&Part> = column.standing_out().collect();
    let explained: f64 = parts.iter().map(|part| breakdown.explained(part)).sum();
    let figure = |amount: f64| Notation::for_value(breakdown.difference()).write(amount);
    let names: Vec<String> = parts
        .iter()
        .map(|part| format!("{name} {}", write_value(part)))
        .collect();
    let (is, are) = match tense {
        Tense::Present => ("is", "are"),
        Tense::Past => ("was", "were"),
    };
    let (more, less) = match breakdown.side() {
        Side::Low => ("less", "more"),
        Side::High => ("more", "less"),
    };
    let others = explained - breakdown.difference();
    let all = and(&names);
    match (explained / breakdown.difference(), parts.len()) {
        (_, 0) => match tense {
            Tense::Present => format!("no {name} stands out"),
            Tense::Past => format!("no {name} stood out"),
        },
        (share, _) if ALL.contains(&share) => format!("all {is} {all}"),
        (share, 1) if share > 1.0 => format!(
            "all {is} {all} ({} {more}, {} {less} elsewhere)",
            figure(explained),
            figure(others)
        ),
        (share, _) if share > 1.0 => format!(
            "all {is} {all} (together {} {more}, {} {less} elsewhere)",
            figure(explained),
            figure(others)
        ),
        _ => {
            let amounts = parts
                .iter()
                .zip(&names)
                .enumerate()
                .map(|(place, (part, name))| {
                    let are = if place == 0 {
                        format!(" {are}")
                    } else {
                        String::new()
                    };
                    format!("{}{are} {name}", figure(breakdown.explained(part)))
                });
            and(&amounts.collect::<Vec<_>>())
        }
    }
}

/// A word as it is, anything else in quotation marks.
fn write_value(part: &Part) -> String {
    let Some(value) = &part.value else {
        return "(none)".to_string();
    };
    let is_word = |text: &str| {
        let plain = |letter: char| letter.is_alphanumeric() || "_-".contains(letter);
        !text.is_empty() && text.chars().all(plain)
    };
    let value = shorten(value, NAME);
    if is_word(value.trim_end_matches('…')) {
        isolate(&value)
    } else {
        isolate(&format!("\"{value}\""))
    }
}

/// "one, two and three"
fn and(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn with_unit(metric: &Metric, amount: f64) -> String {
    let amount = metric.notation_of(amount).write(amount);
    match &metric.unit {
        Some(unit) => format!("{amount} {}", isolate(unit)),
        None => amount,
    }
}
