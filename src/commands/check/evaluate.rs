//! Reads and evaluates each metric, bucket by bucket since the one evaluated last, on a thread of its
//! own. A name that does not resolve, or a server that says a letter a minute, holds up that thread
//! alone: what it did not reach in time fails as such, and mail goes out all the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::{Deadline, Metric};
use crate::detect::{Evaluation, Verdict, evaluate, no_data};
use crate::forecast::Level;
use crate::incident::CheckResult;
use crate::output::one_line;
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
}

/// The results of all tasks, as they come in.
#[derive(Debug)]
pub struct Results {
    /// `None` after the last result of a task.
    receiver: Receiver<Option<CheckResult>>,
    deadline: Deadline,
    /// Why nothing more comes.
    end: Option<String>,
}

impl Results {
    /// Begins to work through the tasks.
    pub fn begin(
        tasks: Vec<Task>,
        mut source: Source,
        now: DateTime<Tz>,
        deadline: Deadline,
    ) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            for (number, task) in tasks.into_iter().enumerate() {
                if number > 0 && sender.send(None).is_err() {
                    return;
                }
                // Nobody listens after the deadline.
                let send = |result| drop(sender.send(Some(result)));
                let result = check_unharmed(&task, &mut source, now, send);
                send(
                    result.unwrap_or_else(|error| {
                        CheckResult::Failed(one_line(&format!("{error:#}")))
                    }),
                );
            }
            // Take leave of the server before the run goes on, whose end may come at once.
            drop(source);
            let _ = sender.send(None);
        });
        Self {
            receiver,
            deadline,
            end: None,
        }
    }

    /// The next result of the task whose turn it is; `None` once that was all. A task that is not
    /// reached by the deadline fails.
    pub fn next(&mut self) -> Option<CheckResult> {
        /// For what is just about to be there, a wait that ended with the deadline included.
        const GRACE: Duration = Duration::from_millis(200);
        if self.end.is_none() {
            match self.receiver.recv_timeout(self.deadline.left() + GRACE) {
                Ok(result) => return result,
                Err(_) => {
                    self.end = Some(format!(
                        "{}: stopped waiting; reading and judging may take three fifths of the deadline (key deadline)",
                        self.deadline.waited_for()
                    ));
                }
            }
        }
        self.end.clone().map(CheckResult::Failed)
    }

    /// Whether the deadline has passed: no task gets any further.
    pub fn is_over(&self) -> bool {
        self.end.is_some()
    }
}

/// A bug that one metric's data bring to light must not blind the others.
fn check_unharmed(
    task: &Task,
    source: &mut Source,
    now: DateTime<Tz>,
    send: impl Fn(CheckResult),
) -> Result<CheckResult> {
    let checking = AssertUnwindSafe(|| check(task, source, now, send));
    catch_unwind(checking)
        .unwrap_or_else(|_| bail!("a bug in bandwatch stopped the check, please report it"))
}

/// Sends what is found of the buckets that no run came to look at, and returns the last result.
fn check(
    task: &Task,
    source: &mut Source,
    now: DateTime<Tz>,
    send: impl Fn(CheckResult),
) -> Result<CheckResult> {
    let metric = &task.metric;
    let evaluate = |window| evaluate(window, &metric.method);
    if task.as_of.is_some_and(|time| time != now) {
        let window = source.latest(metric, task.as_of, now)?;
        return Ok(CheckResult::Evaluated(evaluate(window)?));
    }
    let window = match source.fetch_new(metric, task.evaluated, now)? {
        Fetched::New(history, missed) => {
            for time in missed {
                let evaluation = evaluate_missed(history.window_at(time, metric), metric);
                // That data was missing some time ago is no news once there is some.
                if !matches!(evaluation.verdict, Verdict::NoData { .. }) {
                    send(CheckResult::Evaluated(evaluation));
                }
            }
            return Ok(CheckResult::Evaluated(evaluate(history.latest(metric))?));
        }
        Fetched::Nothing(Some(window)) => window,
        Fetched::Nothing(None) if task.shows_window || may_be_stale(task, now) => {
            source.latest(metric, task.as_of, now)?
        }
        Fetched::Nothing(None) => return Ok(CheckResult::NothingNew(None)),
    };
    if no_data(&window).is_some() {
        return Ok(CheckResult::Evaluated(evaluate(window)?));
    }
    let shown = task.shows_window.then(|| evaluate(window));
    Ok(CheckResult::NothingNew(shown.transpose()?))
}

/// A bucket that no run came to look at. One that cannot be judged must not keep the later ones from it.
fn evaluate_missed(window: Window, metric: &Metric) -> Evaluation {
    evaluate(window.clone(), &metric.method).unwrap_or_else(|error| {
        let verdict = Verdict::Undecided(one_line(&format!("{error:#}")));
        Evaluation::without_forecast(window, Level::default(), verdict, None)
    })
}

/// Where no row came since, the newest data is as old as it was, and that alone may make it stale.
fn may_be_stale(task: &Task, now: DateTime<Tz>) -> bool {
    let newest = task.newest_data.or(task.evaluated);
    newest.is_some_and(|newest| {
        let age = now.to_utc() - newest.end;
        task.metric.may_be_stale(age, newest.length())
    })
}
