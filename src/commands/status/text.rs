//! The status as a page for people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{MetricStatus, Status};
use crate::commands::report::{
    write_acknowledgement, write_against, write_answers, write_events, write_levels,
};
use crate::config::Metric;
use crate::incident::{Alert, Condition};
use crate::output::owner::{command_as, this_user, user_name};
use crate::output::{write_time, write_when};

/// So many of the answers are told, the latest ones.
const MOST_ANSWERS: usize = 3;

/// One line a metric, and what is wrong below it.
pub fn write(status: &Status) -> String {
    let runs = &status.state.runs;
    let known = |at: Option<DateTime<Utc>>| at.map_or("never".to_string(), |at| status.time(at));
    let mut lines = vec![
        format!("state     {}", status.place()),
        format!(
            "last run  {}, the last good one {}",
            known(runs.last),
            known(runs.last_good)
        ),
    ];
    let is_named = |metric: &Metric| metric.series.is_none() || status.metrics.len() == 1;
    let mut usual: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for metric in status.metrics() {
        let of_metric = of_metric(status, &metric);
        if is_named(metric.metric) {
            // Of one with many series the sum stands below.
            let is_plain = metric.metric.group.is_some() && of_metric.len() == 1;
            let has_series = metric.known.evaluated().is_some();
            lines.extend(of_metric.into_iter().filter(|_| !(is_plain && has_series)));
            continue;
        }
        // Of many series those are told that are not as usual.
        let [ok, all] = usual.entry(metric.metric.metric_name()).or_default();
        *all += 1;
        if metric.word == "ok" && of_metric.len() == 1 {
            *ok += 1;
        } else {
            lines.extend(of_metric);
        }
    }
    let usual = usual.iter();
    lines.extend(usual.map(|(name, [ok, all])| format!("{name}  {ok} of {all} series OK")));
    for waiting in status.outbox() {
        let pending = waiting.pending;
        let why = pending.error.as_deref().unwrap_or("not tried yet");
        lines.push(format!(
            "waiting   {:?} to {}, written {}, tried {}, again from {}: {why}",
            waiting.subject,
            waiting.to,
            status.time(pending.since),
            times(pending.attempts),
            status.time(pending.not_before)
        ));
    }
    for lost in &status.state.contents().log.lost {
        lines.push(format!(
            "lost      {:?} to {}, written {}: {}",
            lost.subject,
            lost.to,
            status.time(lost.since),
            lost.why
        ));
    }
    for file in status.state.unreadable() {
        lines.push(format!(
            "unreadable  {}: {}",
            file.path.display(),
            file.error
        ));
    }
    lines.join("\n") + "\n"
}

fn of_metric(status: &Status, of: &MetricStatus) -> Vec<String> {
    let (name, known) = (&of.metric.name, &of.known);
    let since = of
        .since
        .map(|since| format!(" since {}", status.time(since)));
    let last = known.latest().and_then(|last| {
        let (start, now) = (status.zoned(last.bucket.start), status.context.now);
        let when = write_when(start, last.bucket.length(), now);
        Some(format!("; {}", write_against(last, &when)?))
    });
    let mut lines = vec![format!(
        "{name}  {}{}{}",
        of.word.to_uppercase(),
        since.unwrap_or_default(),
        last.unwrap_or_default()
    )];
    let told_at = |alert: &Alert| Some(status.time(status.told_at(of.metric, alert)?));
    let told = known.incident().and_then(told_at);
    lines.extend(told.map(|told| format!("  told      {told}")));
    for (word, condition) in [
        ("no data  ", Condition::NoData),
        ("frozen   ", Condition::Frozen),
        ("unwell   ", Condition::CheckFailed),
        ("undecided", Condition::Undecided),
    ] {
        lines.extend(known.open_alert(condition).map(|alert| {
            let told = told_at(alert).map(|told| format!("told {told}"));
            let told = told.unwrap_or("not told yet".to_string());
            let (since, why) = (status.time(alert.since), &alert.reason);
            format!("  {word} since {since} ({told}): {why}")
        }));
    }
    let now = status.context.now;
    let open = known.alerts.iter().filter(|alert| alert.is_open());
    let mut acknowledged: Vec<String> = open
        .filter_map(|alert| status.acknowledgement(of.metric, alert))
        .map(|answer| format!("  known     {}", write_acknowledgement(answer, now)))
        .collect();
    acknowledged.dedup();
    lines.extend(acknowledged);
    let answers = write_answers(known, now).into_iter().rev();
    let answers = answers.take(MOST_ANSWERS);
    lines.extend(answers.map(|answer| format!("  answer    {answer}")));
    for silence in of.silence.iter().chain(&of.silences_to_come) {
        let because = silence.because.as_ref();
        let because = because.map_or(String::new(), |because| format!(": {because}"));
        let until = status.time(silence.until);
        let from = silence.from.filter(|from| *from > status.context.now);
        let from = from.map_or(String::new(), |from| format!("from {} ", status.time(from)));
        lines.push(format!("  silent    {from}until {until}{because}"));
    }
    let levels = write_levels(known, status.context.now).into_iter();
    lines.extend(levels.map(|level| format!("  level     {level}")));
    let events = write_events(of.metric, None, status.context.now).into_iter();
    lines.extend(events.map(|event| format!("  event     {event}")));
    if of.metric.policy.is_quiet(status.context.now) {
        lines.push("  quiet     by the configuration".to_string());
    }
    lines
}

impl Status<'_> {
    /// Where the state is, and whose; or why there may be another.
    fn place(&self) -> String {
        let dir = self.state.place();
        let user = this_user().map_or(String::new(), user_name);
        match self.state.owner() {
            Some(owner) => format!("{dir} (of the user {owner})"),
            None if !self.state.is_of_one_user() => dir.to_string(),
            None => format!(
                "{dir} (not there yet for {user}; the runs of another user may keep theirs elsewhere: {})",
                command_as("USER")
            ),
        }
    }

    /// As people write it.
    fn time(&self, time: DateTime<Utc>) -> String {
        write_time(self.zoned(time), self.context.now)
    }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_string(),
        count => format!("{count} times"),
    }
}
