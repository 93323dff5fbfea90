//! A backtest for people: a few lines that say how the metric would have fared.

use std::cmp::Reverse;
use std::path::Path;

use chrono::TimeDelta;

use super::coverage::{Basis, float};
use super::replay::Replay;
use super::summary::Summary;
use crate::commands::report::{explain_blind_high, explain_blind_low, write_count};
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::{Method, Sensitivity};
use crate::output::{separate_thousands, write_length};

/// From this share on a side that cannot fire is told.
const BLIND_SHARE: f64 = 0.1;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NO_BAR: char = '·';
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The summary, line by line, and where the picture is.
pub fn write(
    replay: &Replay,
    summary: &Summary,
    metric: &Metric,
    picture: Option<&Path>,
) -> String {
    let method = &metric.method;
    let lines = [
        Some(judged(replay, summary, metric)),
        undecided(replay, summary),
        coverage(replay, summary),
        breaches(summary),
        incidents(replay, summary),
        mails(summary),
        budget(replay, summary, method),
        by_hour(summary),
        by_weekday(summary),
        blindness(summary, summary.low_impossible, method, explain_blind_low),
        blindness(summary, summary.high_impossible, method, explain_blind_high),
        hint(replay, summary),
        picture.map(|path| format!("picture     {}", path.display())),
    ];
    let lines = lines
        .into_iter()
        .flatten()
        .map(|line| format!("  {line}\n"));
    std::iter::once(format!("{}\n", metric.name))
        .chain(lines)
        .collect()
}

fn judged(replay: &Replay, summary: &Summary, metric: &Metric) -> String {
    let ends = replay.points.first().zip(replay.points.last());
    let period = ends.map_or(String::new(), |(first, last)| {
        let (from, to) = (write_point(replay, first), write_point(replay, last));
        format!(" from {from} to {to}")
    });
    let stride = match replay.stride {
        1 => String::new(),
        stride => format!(", one in {stride}"),
    };
    format!(
        "judged      {} points of {}{stride}{period}, each from the {} before it",
        write_count(summary.judged),
        write_length(replay.step.delta()),
        TimeDelta::from_std(metric.window).map_or(String::new(), write_length)
    )
}

fn write_point(replay: &Replay, point: &Evaluation) -> String {
    replay.time(point).format("%Y-%m-%d %H:%M %Z").to_string()
}

fn undecided(replay: &Replay, summary: &Summary) -> Option<String> {
    let mut points = replay.points.iter();
    let (point, reason) = points.find_map(|point| Some((point, point.reason()?)))?;
    let count = write_count(summary.judged - summary.decided);
    let time = write_point(replay, point);
    Some(format!(
        "undecided   {count} of them; the first at {time}: {reason}"
    ))
}

fn coverage(replay: &Replay, summary: &Summary) -> Option<String> {
    let coverage = summary.coverage?;
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let basis = match coverage.basis {
        Basis::Blocks(blocks) => format!(
            "taking {blocks} blocks of {} to be independent",
            write_length(summary.block)
        ),
        Basis::Points => {
            "taking points to be independent, which is too narrow if misses cluster".to_string()
        }
    };
    Some(format!(
        "coverage    {} % inside a band of {}; {} to {} % with 95 % confidence, {basis}",
        percent(coverage.share),
        replay.level,
        percent(coverage.lower),
        percent(coverage.upper)
    ))
}

fn breaches(summary: &Summary) -> Option<String> {
    (summary.decided > 0).then(|| {
        let (high, low) = (write_count(summary.high), write_count(summary.low));
        format!("breaches    {high} above, {low} below")
    })
}

fn incidents(replay: &Replay, summary: &Summary) -> Option<String> {
    if summary.decided == 0 {
        return None;
    }
    let longest = summary.longest_incident().map_or(String::new(), |longest| {
        let since = longest.since.with_timezone(&replay.zone);
        let (length, since) = (
            write_length(longest.length()),
            since.format("%Y-%m-%d %H:%M %Z"),
        );
        format!("; the longest {length} from {since}")
    });
    let (count, partial) = (write_count(summary.told.incidents.len()), partial(replay));
    let rate = if tells_of_weeks(replay) {
        format!(", {} a week", rate(summary.incidents_per_week))
    } else {
        String::new()
    };
    Some(format!(
        "incidents   {count} mailed{partial}{rate}{longest}"
    ))
}

/// The mails of each kind, the most frequent first.
fn mails(summary: &Summary) -> Option<String> {
    let mails = &summary.told.mails;
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for mail in mails {
        match kinds.iter_mut().find(|(kind, _)| *kind == mail.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((mail.kind, 1)),
        }
    }
    kinds.sort_by_key(|(_, count)| Reverse(*count));
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, mails)| format!("{} {}", write_count(mails), kind.replace('_', " ")))
        .collect();
    (!kinds.is_empty()).then(|| {
        let (all, kinds) = (write_count(mails.len()), kinds.join(", "));
        format!("mails       {all} to each recipient: {kinds}")
    })
}

/// The budget, and what was measured of it.
fn budget(replay: &Replay, summary: &Summary, method: &Method) -> Option<String> {
    let Sensitivity::Budget(budget) = method.sensitivity else {
        return None;
    };
    let level = replay.level.share();
    let measured = if summary.decided > 0 && tells_of_weeks(replay) {
        let (rate, partial) = (rate(summary.incidents_per_week), partial(replay));
        format!("measured: {rate} incidents a week{partial}, real ones among them")
    } else {
        "too little was judged to measure it".to_string()
    };
    Some(format!(
        "budget      max_false_alerts = {budget}, which makes the level {level}; {measured}"
    ))
}

fn partial(replay: &Replay) -> &'static str {
    match replay.stride {
        1 => "",
        _ => ", of the points judged alone",
    }
}

/// Of a shorter period a week would be guesswork.
fn tells_of_weeks(replay: &Replay) -> bool {
    replay.span() >= TimeDelta::days(1)
}

fn by_hour(summary: &Summary) -> Option<String> {
    let counts = summary.by_hour?;
    let (most, hour) = peak(&counts)?;
    let bars: String = counts.iter().map(|count| bar(*count, most)).collect();
    Some(format!(
        "by hour     {bars} 0 to 23 h; most at {hour} h: {}",
        write_count(most)
    ))
}

fn by_weekday(summary: &Summary) -> Option<String> {
    let counts = summary.by_weekday?;
    peak(&counts)?;
    let days = WEEKDAYS.iter().zip(counts);
    let days: Vec<String> = days
        .map(|(day, breaches)| format!("{day} {}", write_count(breaches)))
        .collect();
    Some(format!("by weekday  {}", days.join(", ")))
}

/// The largest count and the first place that has it; None where all are 0.
fn peak(counts: &[usize]) -> Option<(usize, usize)> {
    let most = counts.iter().copied().max().filter(|most| *most > 0)?;
    let place = counts.iter().position(|count| *count == most)?;
    Some((most, place))
}

/// The smallest bar stands for one, so that nothing that happened is invisible.
fn bar(count: usize, most: usize) -> char {
    match count {
        0 => NO_BAR,
        count => BARS[(count * BARS.len()).div_ceil(most).clamp(1, BARS.len()) - 1],
    }
}

/// A line of one side, from a share of the points on.
fn blindness(
    summary: &Summary,
    blind: usize,
    method: &Method,
    explain: fn(&Method, &str) -> String,
) -> Option<String> {
    let share = float(blind) / float(summary.decided.max(1));
    (share >= BLIND_SHARE).then(|| {
        let when = format!("at {:.1} % of the points", share * 100.0);
        format!("blind       {}", explain(method, &when))
    })
}

fn hint(replay: &Replay, summary: &Summary) -> Option<String> {
    let others = summary
        .hints
        .iter()
        .filter(|hint| (hint.level - replay.level.share()).abs() > 1e-9);
    let told: Vec<String> = others
        .map(|hint| {
            format!(
                "level {} would have meant {} alerts a week",
                hint.level,
                rate(hint.incidents_per_week)
            )
        })
        .collect();
    (!told.is_empty()).then(|| format!("hint        {}", told.join(", ")))
}

fn rate(per_week: f64) -> String {
    separate_thousands(&format!("{per_week:.1}"))
}
