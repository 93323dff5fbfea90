//! Reads and evaluates each metric, bucket by bucket since the one evaluated last, on threads of their own: a
//! few at once, each with a session with the server. Each metric has its share of the time: what is left,
//! divided by the metrics left. One that takes longer, be it for a slow query, a locked table, a server that
//! says a letter a minute or a long computation, is left to itself, with its thread and its session, and the
//! next one begins with others.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, anyhow, ensure};

use super::judge::{conclude, judge, may_be_stale};
use super::series::check_series;
use super::task::{Found, SeriesLook, Task};
use crate::config::{Deadline, Metric};
use crate::detect::Evaluation;
use crate::incident::CheckResult;
use crate::output::{contain, write_error};
use crate::series::Window;
use crate::source::{Fetched, Source, UnknownSeries};

/// For what is just about to be there, a wait that ended with its deadline included.
const GRACE: Duration = Duration::from_millis(200);
/// What is found waits until it is taken; more of it waits to be found.
const MOST_WAITING: usize = 16;

/// Works through the tasks in their order, so many at once, and hands over what is found of each metric, up to
/// [`Found::Done`]. Tasks that the deadline does not let begin are returned.
pub fn evaluate_all(
    tasks: Vec<Task>,
    source: &Source,
    deadline: Deadline,
    mut connections: usize,
    mut take: impl FnMut(&Metric, Found),
) -> Vec<Task> {
    let mut waiting = VecDeque::from(tasks);
    let (sender, messages) = sync_channel(MOST_WAITING);
    let mut workers: Vec<Worker> = Vec::new();
    let mut started = 0;
    loop {
        let free = workers.iter().filter(|worker| worker.is_free()).count();
        if deadline.has_time_left() && waiting.len() > free && workers.len() < connections {
            workers.push(Worker::start(started, source, deadline, sender.clone()));
            started += 1;
            continue;
        }
        for worker in workers.iter_mut().filter(|worker| worker.task.is_none()) {
            let together = waiting.len().div_ceil(connections.max(1));
            // One that had no session in all the time there was has to say why.
            if (deadline.has_time_left() || worker.is_new)
                && let Some(task) = waiting.pop_front()
            {
                worker.begin(task, together);
            }
        }
        let mut ends = workers.iter().filter_map(Worker::end);
        let Some(first) = ends.next() else {
            break;
        };
        let end = ends.fold(first, Instant::min);
        let left = end.saturating_duration_since(Instant::now());
        match messages.recv_timeout(left) {
            Ok((id, Message::Refused)) if workers.len() > 1 => {
                // The others do its work: those that have a session, or may get one yet.
                workers.retain(|worker| worker.id != id);
                connections = workers.len();
            }
            Ok((id, message)) => hand_over(id, message, &mut workers, &mut take),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let now = Instant::now();
        let is_late = |worker: &Worker| worker.end().is_some_and(|end| end <= now);
        if workers.iter().any(is_late) {
            // What was found in time counts.
            for (id, message) in messages.try_iter().take(MOST_WAITING) {
                hand_over(id, message, &mut workers, &mut take);
            }
        }
        let mut are_lost = false;
        workers.retain(|worker| {
            if is_late(worker) {
                are_lost |= worker.give_up(&mut take);
            }
            !is_late(worker)
        });
        if are_lost {
            // No session could be had in all that time.
            break;
        }
    }
    drop(messages);
    for worker in workers {
        worker.take_leave(deadline);
    }
    waiting.into()
}

/// What comes of a worker that was given up is of no use any more.
fn hand_over(
    id: usize,
    message: Message,
    workers: &mut [Worker],
    take: &mut impl FnMut(&Metric, Found),
) {
    if let Some(worker) = workers.iter_mut().find(|worker| worker.id == id) {
        worker.take(message, take);
    }
}

/// A thread that reads and evaluates, and what goes to it.
struct Worker {
    id: usize,
    tasks: Sender<(Task, Deadline)>,
    /// Closed when the thread has ended.
    end: Receiver<()>,
    deadline: Deadline,
    /// Whether it had no task yet.
    is_new: bool,
    /// What it works at; `None` while it waits.
    task: Option<Work>,
}

enum Work {
    /// It begins its session with the server, or learns that there is none.
    Connecting { end: Instant },
    Checking {
        metric: Box<Metric>,
        share: Deadline,
        begun: Instant,
        end: Instant,
    },
}

enum Message {
    Ready,
    /// It has no session, which is what it would say of each task.
    Refused,
    Found(Box<Found>),
    Done,
}

impl Worker {
    fn start(
        id: usize,
        source: &Source,
        deadline: Deadline,
        sender: SyncSender<(usize, Message)>,
    ) -> Self {
        let deadline = deadline.of_another_thread();
        let mut source = source.fresh();
        source.read_all_by(deadline);
        let (tasks, received) = channel();
        let (ended, end) = channel();
        thread::spawn(move || {
            work(&received, source, |message| {
                sender.send((id, message)).context("nobody waits for it")
            });
            // The session has ended with the source: the server has heard of it.
            drop::<Sender<()>>(ended);
        });
        Self {
            id,
            tasks,
            end,
            deadline,
            is_new: true,
            task: Some(Work::Connecting {
                end: Instant::now() + deadline.left() + GRACE,
            }),
        }
    }

    /// Whether it can begin a task, now or once it has its session.
    fn is_free(&self) -> bool {
        !matches!(self.task, Some(Work::Checking { .. }))
    }

    fn end(&self) -> Option<Instant> {
        self.task.as_ref().map(|work| match work {
            Work::Connecting { end } | Work::Checking { end, .. } => *end,
        })
    }

    /// Begins a task, one of so many that it has time for.
    fn begin(&mut self, task: Task, together: usize) {
        let purpose = "this metric, its share of the time for reading,";
        let share = self.deadline.share_of(together, purpose);
        let begun = Instant::now();
        self.is_new = false;
        self.task = Some(Work::Checking {
            metric: Box::new(task.metric.clone()),
            share,
            begun,
            end: begun + share.left() + GRACE,
        });
        // If nobody takes it, nobody answers either.
        let _ = self.tasks.send((task, share));
    }

    fn take(&mut self, message: Message, take: &mut impl FnMut(&Metric, Found)) {
        match (message, &self.task) {
            (Message::Found(found), Some(Work::Checking { metric, .. })) => take(metric, *found),
            (Message::Done, Some(Work::Checking { metric, begun, .. })) => {
                take(metric, Found::Done(begun.elapsed()));
                self.task = None;
            }
            _ => self.task = None,
        }
    }

    /// Tells of the task that took too long; or that it never came to one.
    fn give_up(&self, take: &mut impl FnMut(&Metric, Found)) -> bool {
        let Some(Work::Checking {
            metric,
            share,
            begun,
            ..
        }) = &self.task
        else {
            return true;
        };
        let (what, purpose) = (share.waited_for(), share.purpose());
        let purpose = purpose.trim_end_matches(',');
        let why = format!("{what}: stopped waiting after {purpose} (key deadline)");
        take(
            metric,
            if metric.group.is_some() {
                Found::Look(Box::new(SeriesLook::Cut(anyhow!(why))))
            } else {
                Found::Result(Box::new(CheckResult::Failed(why)))
            },
        );
        take(metric, Found::Done(begun.elapsed()));
        false
    }

    /// Lets it take leave of the server before the run goes on, whose end may come at once.
    fn take_leave(self, deadline: Deadline) {
        drop(self.tasks);
        let _ = self.end.recv_timeout(deadline.left().min(GRACE));
    }
}

/// Works at what is received, until nobody wants anything any more.
fn work(
    received: &Receiver<(Task, Deadline)>,
    mut source: Source,
    send: impl Fn(Message) -> Result<()> + Sync,
) {
    let connected = source.connect_ahead();
    if send(connected.map_or(Message::Refused, |()| Message::Ready)).is_err() {
        return;
    }
    for (task, share) in received {
        source.read_by(share);
        let found = |found| send(Message::Found(Box::new(found)));
        let result = |result| found(Found::Result(Box::new(result)));
        // A bug that one metric's data bring to light must not blind the others.
        let checked = contain("check", || {
            if let Some(series) = &task.series {
                check_series(&task, series, &mut source, found)
            } else {
                result(check(&task, &mut source, result)?)
            }
        });
        let failed = |error: Error| match error.downcast::<UnknownSeries>() {
            Ok(unknown) => found(Found::Unknown(unknown)),
            Err(error) => result(CheckResult::Failed(write_error(&error))),
        };
        if checked.or_else(failed).is_err() || send(Message::Done).is_err() {
            return;
        }
    }
}

/// Sends what is found of the buckets that no run came to look at, and returns the last result.
fn check(
    task: &Task,
    source: &mut Source,
    send: impl Fn(CheckResult) -> Result<()>,
) -> Result<CheckResult> {
    let (metric, now, standing) = (&task.metric, task.now, &task.standing);
    if task.as_of.is_some_and(|time| time != now) {
        let window = source.latest(metric, task.as_of, now)?;
        let result = conclude(window, metric, &standing.answers)?;
        check_existence(&result, task)?;
        return Ok(result);
    }
    let fetched = match source.fetch_new(metric, standing.evaluated, now)? {
        Fetched::Nothing(None) if standing.shows_window || may_be_stale(metric, standing, now) => {
            Fetched::Nothing(Some(source.latest(metric, task.as_of, now)?))
        }
        fetched => fetched,
    };
    let result = judge(fetched, metric, standing, send)?;
    check_existence(&result, task)?;
    Ok(result)
}

/// A series that somebody named may be none.
fn check_existence(result: &CheckResult, task: &Task) -> Result<()> {
    let window = result.evaluation().and_then(Evaluation::window);
    let has_rows = window.is_none_or(Window::has_rows);
    let is_new = task.metric.series.is_some() && !task.standing.is_known;
    ensure!(
        has_rows || !is_new,
        UnknownSeries::without_rows(&task.metric.name)
    );
    Ok(())
}
