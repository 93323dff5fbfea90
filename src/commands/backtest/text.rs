//! A backtest for people: a few lines that say how the metric would have fared.

use std::cmp::Reverse;
use std::path::Path;

use chrono::TimeDelta;

use super::summary::Summary;
use crate::commands::coverage::float;
use crate::commands::report::{
    RUNNING_TOTAL, explain_blind, write_answer, write_count, write_minute, write_outage, write_page,
};
use crate::config::time_delta;
use crate::detect::Evaluation;
use crate::forecast::Side;
use crate::output::{separate_thousands, write_lasting};
use crate::series::Steps;

/// From this share on a side that cannot fire is told.
const BLIND_SHARE: f64 = 0.1;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NO_BAR: char = '·';
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The summary, line by line, and where the picture is.
pub fn write(summary: &Summary, picture: Option<&Path>) -> String {
    let entries = [
        ("judged", Some(judged(summary))),
        ("values", values(summary)),
        ("events", events(summary)),
        ("answers", answers(summary)),
        ("undecided", undecided(summary)),
        ("coverage", coverage(summary)),
        ("breaches", breaches(summary)),
        ("incidents", incidents(summary)),
        ("mails", mails(summary)),
        ("budget", budget(summary)),
        ("by hour", by_hour(summary)),
        ("by weekday", by_weekday(summary)),
        ("blind", blindness(summary, Side::Low)),
        ("blind", blindness(summary, Side::High)),
        ("outage", outage(summary)),
        ("hint", hint(summary)),
        ("picture", picture.map(|path| path.display().to_string())),
    ];
    let entries = entries.into_iter();
    let entries = entries.filter_map(|(heading, text)| Some((heading, text?)));
    write_page(&summary.metric.name, entries)
}

fn outage(summary: &Summary) -> Option<String> {
    write_outage(summary.metric, summary.replay.points.last()?)
}

fn values(summary: &Summary) -> Option<String> {
    let newest = summary.replay.points.last()?;
    newest
        .reference
        .total_since
        .map(|_| RUNNING_TOTAL.to_string())
}

/// The events of the period.
fn events(summary: &Summary) -> Option<String> {
    const MOST: usize = 5;
    let zone = summary.replay.zone;
    let occurrences = summary.occurrences();
    let told = occurrences.iter().take(MOST).map(|occurrence| {
        let (event, period) = (occurrence.event, occurrence.period);
        let [from, to] = [period.start, period.end].map(|time| time.with_timezone(&zone));
        let effect = occurrence.participle(time_delta(summary.metric.window(summary.replay.step)));
        let name = &event.name;
        let [from, to] = [from, to].map(write_minute);
        format!("{name} {effect} from {from} to {to}")
    });
    let mut told: Vec<String> = told.collect();
    let more = occurrences.len().saturating_sub(MOST);
    told.extend((more > 0).then(|| format!("and {} more", write_count(more))));
    (!told.is_empty()).then(|| told.join("; "))
}

/// What people said of incidents, which is replayed as from when they said it.
fn answers(summary: &Summary) -> Option<String> {
    let now = summary.replay.time(summary.replay.points.last()?);
    let told = summary.replay.said.answers.iter();
    let told: Vec<String> = told
        .map(|answer| write_answer(answer, false, now))
        .collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn judged(summary: &Summary) -> String {
    let points = &summary.replay.points;
    let ends = points.first().zip(points.last());
    let period = ends.map_or(String::new(), |(first, last)| {
        let (from, to) = (write_point(summary, first), write_point(summary, last));
        format!(" from {from} to {to}")
    });
    let stride = match summary.replay.stride {
        1 => String::new(),
        stride => format!(", one in {stride}"),
    };
    let step = summary.replay.step;
    let full = match (summary.metric.window, step.per_day()) {
        (None, None) => "up to",
        _ => "the",
    };
    format!(
        "{} points of {}{stride}{period}, each from {full} {} before it",
        write_count(summary.judged),
        Steps { step, count: 1 },
        Steps {
            step,
            count: step.count_in(summary.metric.window(step))
        },
    )
}

fn write_point(summary: &Summary, point: &Evaluation) -> String {
    write_minute(summary.replay.time(point))
}

fn undecided(summary: &Summary) -> Option<String> {
    let mut points = summary.replay.points.iter();
    let (point, reason) = points.find_map(|point| Some((point, point.reason()?)))?;
    let count = write_count(summary.judged - summary.decided);
    let time = write_point(summary, point);
    Some(format!("{count} of them; the first at {time}: {reason}"))
}

fn coverage(summary: &Summary) -> Option<String> {
    let coverage = summary.coverage?;
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let basis = coverage.blocks.map_or_else(
        || "points to be independent, which is too narrow if misses cluster".to_string(),
        |blocks| {
            let length = summary.block;
            format!("{blocks} blocks of {length} to be independent")
        },
    );
    Some(format!(
        "{} % inside a band of {}; {} to {} % with 95 % confidence, taking {basis}",
        percent(coverage.share),
        summary.replay.level,
        percent(coverage.lower),
        percent(coverage.upper)
    ))
}

fn breaches(summary: &Summary) -> Option<String> {
    let (high, low) = (write_count(summary.high), write_count(summary.low));
    (summary.decided > 0).then(|| format!("{high} above, {low} below"))
}

fn incidents(summary: &Summary) -> Option<String> {
    if summary.decided == 0 {
        return None;
    }
    let incidents = &summary.told.incidents;
    // The first of those that lasted longest.
    let backwards = incidents.iter().rev();
    let longest = backwards.max_by_key(|(since, until)| **until - **since);
    let longest = longest.map_or(String::new(), |(since, until)| {
        let bucket = summary.replay.step.mean_length();
        let begin = since.with_timezone(&summary.replay.zone);
        let length = write_lasting(begin, *until - *since, bucket);
        let since = write_minute(begin);
        format!("; the longest {length} from {since}")
    });
    let weekly = || format!(", {}", frequency(summary, summary.incidents_per_week));
    let weekly = tells_of_weeks(summary).then(weekly).unwrap_or_default();
    let (count, partial) = (write_count(incidents.len()), partial(summary));
    Some(format!("{count} mailed{partial}{weekly}{longest}"))
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
    let kinds = kinds.into_iter();
    let kinds: Vec<String> = kinds
        .map(|(kind, count)| format!("{} {}", write_count(count), kind.replace('_', " ")))
        .collect();
    let (all, kinds) = (write_count(mails.len()), kinds.join(", "));
    (!mails.is_empty()).then(|| format!("{all} to each recipient: {kinds}"))
}

/// The budget, and what was measured of it.
fn budget(summary: &Summary) -> Option<String> {
    let budget = summary.metric.policy.budget?;
    let measured = if summary.decided > 0 && tells_of_weeks(summary) {
        let incidents = frequency(summary, summary.incidents_per_week);
        let incidents = incidents.replacen(' ', " incidents ", 1);
        format!(
            "measured: {incidents}{}, real ones among them",
            partial(summary)
        )
    } else {
        "too little was judged to measure it".to_string()
    };
    let excess = summary.excess.as_ref().map(|excess| {
        let rates = [excess.opened_per_week, excess.stricter_per_week];
        let [opened, stricter] = rates.map(|rate| frequency(summary, rate));
        format!(
            "; unless they were real, this series does not keep it: it keeps {opened}, and with \"{}\" it would have been {stricter}",
            excess.stricter
        )
    });
    let excess = excess.unwrap_or_default();
    Some(format!("max_false_alerts = {budget}; {measured}{excess}"))
}

fn partial(summary: &Summary) -> &'static str {
    match summary.replay.stride {
        1 => "",
        _ => ", of the points judged alone",
    }
}

/// "0.21 a week", of weeks and months "1.3 a year".
fn frequency(summary: &Summary, per_week: f64) -> String {
    const WEEKS_IN_YEAR: f64 = 365.25 / 7.0;
    match summary.replay.step.per_year() {
        Some(_) => format!("{} a year", rate(per_week * WEEKS_IN_YEAR)),
        None => format!("{} a week", rate(per_week)),
    }
}

/// Of a shorter period a week would be guesswork.
fn tells_of_weeks(summary: &Summary) -> bool {
    summary.replay.span() >= TimeDelta::days(1)
}

fn by_hour(summary: &Summary) -> Option<String> {
    let counts = summary.by_hour?;
    let most = counts.into_iter().max().filter(|most| *most > 0)?;
    let hour = counts.iter().position(|count| *count == most)?;
    let bars: String = counts.iter().map(|count| bar(*count, most)).collect();
    let most = write_count(most);
    Some(format!("{bars} 0 to 23 h; most at {hour} h: {most}"))
}

fn by_weekday(summary: &Summary) -> Option<String> {
    let counts = summary.by_weekday.filter(|counts| *counts != [0; 7])?;
    let days = WEEKDAYS.iter().zip(counts.map(write_count));
    let days: Vec<String> = days.map(|(day, count)| format!("{day} {count}")).collect();
    Some(days.join(", "))
}

/// The smallest bar stands for one, so that nothing that happened is invisible.
fn bar(count: usize, most: usize) -> char {
    match count {
        0 => NO_BAR,
        count => BARS[(count * BARS.len()).div_ceil(most).clamp(1, BARS.len()) - 1],
    }
}

/// A line of one side, from a share of the points on.
fn blindness(summary: &Summary, side: Side) -> Option<String> {
    let blind = match side {
        Side::Low => summary.low_impossible,
        Side::High => summary.high_impossible,
    };
    let share = float(blind) / float(summary.decided.max(1));
    let when = format!("at {:.1} % of the points", share * 100.0);
    (share >= BLIND_SHARE).then(|| explain_blind(side, &summary.metric.method, &when))
}

fn hint(summary: &Summary) -> Option<String> {
    let level = summary.replay.level.share();
    let hints = summary.hints.iter();
    let others = hints.filter(|hint| (hint.level - level).abs() > 1e-9);
    let told = others.map(|hint| {
        let (level, rate) = (hint.level, rate(hint.incidents_per_week));
        format!("level {level} would have meant {rate} alerts a week")
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(", "))
}

fn rate(per_week: f64) -> String {
    separate_thousands(&format!("{per_week:.1}"))
}
