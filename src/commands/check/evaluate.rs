//! Reads and evaluates each metric, bucket by bucket since the one evaluated last, on a thread of its
//! own. A name that does not resolve, or a server that says a letter a minute, holds up that thread
//! alone: what it did not reach in time fails as such, and mail goes out all the same.

use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use crate::calendar::Period;
use crate::commands::{evaluate_newest, evaluate_past};
use crate::config::Metric;
use crate::detect::{Verdict, no_data};
use crate::incident::CheckResult;
use crate::output::{contain, write_error};
use crate::series::{Bucket, Window};
use crate::source::{Fetched, Source};

/// One metric to check, and where to go on from.
#[derive(Debug, Clone)]
pub struct Task {
    pub metric: Metric,
    /// The bucket that was evaluated last.
    pub evaluated: Option<Bucket>,
    pub newest_data: Option<Bucket>,
    /// Whether its newest window is wanted even if nothing closed since: somebody is to be shown it.
    pub shows_window: bool,
    /// The time to judge at, if it is not now.
    pub as_of: Option<DateTime<Tz>>,
    pub now: DateTime<Tz>,
}

/// Begins to work through the tasks. Of each come its results, and then a `None`.
pub fn begin(tasks: Vec<Task>, mut source: Source) -> Receiver<Option<CheckResult>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for (number, task) in tasks.into_iter().enumerate() {
            if number > 0 && sender.send(None).is_err() {
                return;
            }
            // Nobody listens after the deadline.
            let send = |result| drop(sender.send(Some(result)));
            // A bug that one metric's data bring to light must not blind the others.
            let result = contain("check", || check(&task, &mut source, send));
            send(result.unwrap_or_else(|error| CheckResult::Failed(write_error(&error))));
        }
        // Take leave of the server before the run goes on, whose end may come at once.
        drop(source);
        let _ = sender.send(None);
    });
    receiver
}

/// Sends what is found of the buckets that no run came to look at, and returns the last result.
fn check(task: &Task, source: &mut Source, send: impl Fn(CheckResult)) -> Result<CheckResult> {
    let (metric, now) = (&task.metric, task.now);
    let evaluate = |window| evaluate_newest(window, metric);
    let conclude = |window: Window| {
        let is_ignored = window.ignored.is_newest;
        let evaluation = evaluate(window)?;
        // That there is nothing to judge by is no news while an event is to be ignored.
        Ok(if is_ignored && evaluation.reason().is_some() {
            CheckResult::NothingNew(None)
        } else {
            CheckResult::Evaluated(evaluation)
        })
    };
    if task.as_of.is_some_and(|time| time != now) {
        return conclude(source.latest(metric, task.as_of, now)?);
    }
    let window = match source.fetch_new(metric, task.evaluated, now)? {
        Fetched::New(history, missed) => {
            for time in missed {
                let evaluation = evaluate_past(history.window_at(time, metric), metric);
                // That data was missing some time ago is no news once there is some.
                if !matches!(evaluation.verdict, Verdict::NoData { .. }) {
                    send(CheckResult::Evaluated(evaluation));
                }
            }
            return conclude(history.latest(metric));
        }
        Fetched::Nothing(Some(window)) => window,
        Fetched::Nothing(None) if task.shows_window || may_be_stale(task) => {
            source.latest(metric, task.as_of, now)?
        }
        Fetched::Nothing(None) => return Ok(CheckResult::NothingNew(None)),
    };
    if no_data(&window).is_some() {
        return conclude(window);
    }
    let shown = task.shows_window.then(|| evaluate(window));
    Ok(CheckResult::NothingNew(shown.transpose()?))
}

/// Where no row came since, the newest data is as old as it was, and that alone may make it stale.
fn may_be_stale(task: &Task) -> bool {
    task.newest_data.is_some_and(|newest| {
        let (start, end) = (newest.end, task.now.to_utc());
        let ignored = task.metric.time_left_out(Period { start, end });
        task.metric
            .may_be_stale(end - start - ignored, newest.length())
    })
}
