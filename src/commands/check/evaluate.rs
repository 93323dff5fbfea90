//! Reads and evaluates each metric, bucket by bucket since the one evaluated last, on a thread of its
//! own. Each metric has its share of the time: what is left, divided by the metrics left. One that takes
//! longer, be it for a slow query, a locked table, a server that says a letter a minute or a long
//! computation, is left to itself, with its thread and its session, and the next one begins with others.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::calendar::Period;
use crate::commands::{evaluate_newest, evaluate_past};
use crate::config::{Deadline, Metric};
use crate::detect::{Answers, Verdict, no_data};
use crate::incident::CheckResult;
use crate::output::{contain, write_error};
use crate::series::{Bucket, Step, Window};
use crate::source::{Fetched, Source};

/// One metric to check, and where to go on from.
#[derive(Debug, Clone)]
pub struct Task {
    pub metric: Metric,
    /// The bucket that was evaluated last.
    pub evaluated: Option<Bucket>,
    pub newest_data: Option<Bucket>,
    /// What people said of it.
    pub answers: Answers,
    /// Whether its newest window is wanted even if nothing closed since: somebody is to be shown it.
    pub shows_window: bool,
    /// The time to judge at, if it is not now.
    pub as_of: Option<DateTime<Tz>>,
    pub now: DateTime<Tz>,
}

/// For what is just about to be there, a wait that ended with its deadline included.
const GRACE: Duration = Duration::from_millis(200);

/// Works through the tasks in their order, and hands over what is found of each metric: results, and then
/// a `None`. Tasks that the deadline does not let begin are returned.
pub fn evaluate_all(
    tasks: Vec<Task>,
    source: &Source,
    deadline: Deadline,
    mut take: impl FnMut(&Metric, Option<CheckResult>),
) -> Vec<Task> {
    let mut waiting = VecDeque::from(tasks);
    let mut idle: Option<Worker> = None;
    while !waiting.is_empty() && deadline.has_time_left() {
        let Some(worker) = idle.take().or_else(|| Worker::start(source, deadline)) else {
            break;
        };
        let purpose = "this metric, its share of the time for reading,";
        let share = deadline.share_of(waiting.len(), purpose);
        let Some(task) = waiting.pop_front() else {
            break;
        };
        let metric = task.metric.clone();
        let end = Instant::now() + share.left() + GRACE;
        // If nobody takes it, nobody answers either.
        let _ = worker.tasks.send((task, share));
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match worker.results.recv_timeout(left) {
                Ok(Some(result)) => take(&metric, Some(result)),
                Ok(None) => {
                    idle = Some(worker);
                    break;
                }
                Err(_) => {
                    let (what, purpose) = (share.waited_for(), share.purpose());
                    let purpose = purpose.trim_end_matches(',');
                    let why = format!("{what}: stopped waiting after {purpose} (key deadline)");
                    take(&metric, Some(CheckResult::Failed(why)));
                    break;
                }
            }
        }
        take(&metric, None);
    }
    if let Some(worker) = idle {
        worker.take_leave(deadline);
    }
    waiting.into()
}

/// A thread that reads and evaluates, and what goes to it and comes from it.
struct Worker {
    tasks: Sender<(Task, Deadline)>,
    /// Of each task its results, and then a `None`.
    results: Receiver<Option<CheckResult>>,
}

impl Worker {
    /// Once it has its session with the server, or knows that there is none; `None` if that takes too long.
    fn start(source: &Source, deadline: Deadline) -> Option<Self> {
        let mut source = source.fresh();
        let (tasks, received) = channel::<(Task, Deadline)>();
        let (sender, results) = channel();
        thread::spawn(move || {
            source.connect_ahead();
            let _ = sender.send(None);
            for (task, share) in received {
                source.read_by(share);
                let send = |result| sender.send(Some(result)).context("nobody waits for it");
                // A bug that one metric's data bring to light must not blind the others.
                let result = contain("check", || check(&task, &mut source, send));
                let result =
                    result.unwrap_or_else(|error| CheckResult::Failed(write_error(&error)));
                if send(result).is_err() || sender.send(None).is_err() {
                    return;
                }
            }
        });
        let is_ready = results.recv_timeout(deadline.left() + GRACE).is_ok();
        is_ready.then_some(Self { tasks, results })
    }

    /// Lets it take leave of the server before the run goes on, whose end may come at once.
    fn take_leave(self, deadline: Deadline) {
        drop(self.tasks);
        let _ = self.results.recv_timeout(deadline.left().min(GRACE));
    }
}

/// Sends what is found of the buckets that no run came to look at, and returns the last result.
fn check(
    task: &Task,
    source: &mut Source,
    send: impl Fn(CheckResult) -> Result<()>,
) -> Result<CheckResult> {
    let (metric, now) = (&task.metric, task.now);
    let evaluate = |window| evaluate_newest(window, metric, &task.answers);
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
            // Where an empty bucket counts as zero, those after the last row do not end a lack of data.
            let latest = history.latest(metric);
            let lacks_after = latest.newest.filter(|_| no_data(&latest).is_some());
            let is_lacking = |time: &DateTime<Tz>| lacks_after.is_some_and(|newest| *time > newest);
            for time in missed.into_iter().filter(|time| !is_lacking(time)) {
                let evaluation =
                    evaluate_past(history.window_at(time, metric), metric, &task.answers);
                // That data was missing some time ago is no news once there is some.
                if !matches!(evaluation.verdict, Verdict::NoData { .. }) {
                    send(CheckResult::Evaluated(evaluation))?;
                }
            }
            return conclude(latest);
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
        let step = Step::of_bucket(newest, task.now.timezone());
        let ignored = task.metric.time_left_out(Period { start, end }, step);
        task.metric
            .may_be_stale(end - start - ignored, newest.length())
    })
}
