//! From what was read of a metric or a series to what there is to say of it.

use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use super::task::Standing;
use crate::calendar::Period;
use crate::commands::{evaluate_newest, evaluate_past};
use crate::config::Metric;
use crate::detect::{Answers, Verdict, no_data};
use crate::incident::CheckResult;
use crate::series::{Step, Window};
use crate::source::Fetched;

/// Judges what closed; sends what is found of all but the last bucket, and returns the last result.
pub fn judge(
    fetched: Fetched,
    metric: &Metric,
    standing: &Standing,
    send: impl Fn(CheckResult) -> Result<()>,
) -> Result<CheckResult> {
    let answers = &standing.answers;
    let window = match fetched {
        Fetched::New(history, missed) => {
            // Where an empty bucket counts as zero, those after the last row do not end a lack of data.
            let latest = history.latest(metric);
            let lacks_after = latest.newest.filter(|_| no_data(&latest).is_some());
            let is_lacking = |time: &DateTime<Tz>| lacks_after.is_some_and(|newest| *time > newest);
            for time in missed.into_iter().filter(|time| !is_lacking(time)) {
                let evaluation = evaluate_past(history.window_at(time, metric), metric, answers);
                // That data was missing some time ago is no news once there is some.
                if !matches!(evaluation.verdict, Verdict::NoData { .. }) {
                    send(CheckResult::Evaluated(evaluation))?;
                }
            }
            return conclude(latest, metric, answers);
        }
        Fetched::Nothing(Some(window)) => window,
        Fetched::Nothing(None) => return Ok(CheckResult::NothingNew(None)),
    };
    if no_data(&window).is_some() {
        return conclude(window, metric, answers);
    }
    let shown = standing
        .shows_window
        .then(|| evaluate_newest(window, metric, answers));
    Ok(CheckResult::NothingNew(shown.transpose()?))
}

pub fn conclude(window: Window, metric: &Metric, answers: &Answers) -> Result<CheckResult> {
    let is_ignored = window.ignored.is_newest;
    let evaluation = evaluate_newest(window, metric, answers)?;
    // That there is nothing to judge by is no news while an event is to be ignored.
    Ok(if is_ignored && evaluation.reason().is_some() {
        CheckResult::NothingNew(None)
    } else {
        CheckResult::Evaluated(evaluation)
    })
}

/// Where no row came since, the newest data is as old as it was, and that alone may make it stale.
pub fn may_be_stale(metric: &Metric, standing: &Standing, now: DateTime<Tz>) -> bool {
    standing.newest_data.is_some_and(|newest| {
        let (start, end) = (newest.end, now.to_utc());
        let step = Step::of_bucket(newest, now.timezone());
        let ignored = metric.time_left_out(Period { start, end }, step);
        metric.may_be_stale(end - start - ignored, newest.length())
    })
}
