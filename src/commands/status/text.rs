//! The status as a page for people.

use chrono::DateTime;
use chrono_tz::Tz;

use super::{MetricStatus, Obstacle, Status};
use crate::commands::report::write_against;
use crate::forecast::Band;
use crate::output::write_time;

/// One line a metric, and what is wrong below it.
pub fn write(status: &Status, now: DateTime<Tz>) -> String {
    let time = |text: &str| time(text, now);
    let known = |text: &Option<String>| text.as_deref().map_or("never".to_string(), time);
    let mut lines = vec![
        format!("state     {}", status.state_dir),
        format!(
            "last run  {}, the last good one {}",
            known(&status.last_run),
            known(&status.last_good_run)
        ),
    ];
    for metric in &status.metrics {
        lines.extend(of_metric(metric, now));
    }
    for waiting in &status.outbox {
        let why = waiting.why.as_deref().unwrap_or("not tried yet");
        lines.push(format!(
            "waiting   {:?} to {}, written {}, tried {} times, again from {}: {why}",
            waiting.subject,
            waiting.to,
            time(&waiting.created),
            waiting.attempts,
            time(&waiting.not_before)
        ));
    }
    for lost in &status.lost {
        lines.push(format!(
            "lost      {:?} to {}, written {}: {}",
            lost.subject,
            lost.to,
            time(&lost.created),
            lost.why
        ));
    }
    for file in &status.unreadable {
        lines.push(format!("unreadable  {}: {}", file.path, file.why));
    }
    lines.join("\n") + "\n"
}

fn of_metric(metric: &MetricStatus, now: DateTime<Tz>) -> Vec<String> {
    let time = |text: &str| time(text, now);
    let since = metric.since.as_deref();
    let since = since.map_or(String::new(), |since| format!(" since {}", time(since)));
    let last = metric.last.as_ref().and_then(|last| {
        let band = Band::new(last.lower?, last.expected?, last.upper?)?;
        let told = write_against(last.value?, &band, parse(&last.time, now)?, now);
        Some(format!("; {told}"))
    });
    let (name, state) = (&metric.metric, metric.state.to_uppercase());
    let mut lines = vec![format!(
        "{name}  {state}{since}{}",
        last.unwrap_or_default()
    )];
    if let Some(told) = &metric.told_at {
        lines.push(format!("  told      {}", time(told)));
    }
    let obstacles = [
        ("no data  ", &metric.no_data),
        ("unwell   ", &metric.unwell),
        ("undecided", &metric.undecided),
    ];
    for (word, obstacle) in obstacles {
        let obstacle = obstacle.as_ref();
        lines.extend(obstacle.map(|obstacle| of_obstacle(word, obstacle, now)));
    }
    if let Some(until) = &metric.silent_until {
        let because = metric.silent_because.as_deref();
        let because = because.map_or(String::new(), |because| format!(": {because}"));
        lines.push(format!("  silent    until {}{because}", time(until)));
    }
    if metric.quiet {
        lines.push("  quiet     by the configuration".to_string());
    }
    lines
}

fn of_obstacle(word: &str, obstacle: &Obstacle, now: DateTime<Tz>) -> String {
    let told = match &obstacle.told_at {
        Some(told) => format!("told {}", time(told, now)),
        None => "not told yet".to_string(),
    };
    let (since, why) = (time(&obstacle.since, now), &obstacle.why);
    format!("  {word} since {since} ({told}): {why}")
}

/// A time of the status as people write it.
fn time(text: &str, now: DateTime<Tz>) -> String {
    parse(text, now).map_or(text.to_string(), |time| write_time(time, now))
}

fn parse(text: &str, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&now.timezone()))
}
