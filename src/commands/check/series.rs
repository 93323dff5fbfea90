//! Reads the series of one metric in one go, and evaluates one after the other on all cores while the rows of
//! the next ones come in. What is in memory are the few that are on their way.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};

use super::judge::{conclude, judge, may_be_stale};
use super::task::{
    Found, Others, SeriesFound, SeriesLook, SeriesOutcome, SeriesTask, Standing, Task,
};
use crate::config::Metric;
use crate::detect::Verdict;
use crate::incident::CheckResult;
use crate::output::{contain, write_error};
use crate::source::{SeriesHistory, SeriesNews, SeriesRequest, Source};

/// So many whose pictures are still to be shown are read anew, where nothing else is.
const MOST_SHOWN: usize = 5;

/// Sends what is found of each series, and then how it ended.
pub fn check_series(
    task: &Task,
    series: &SeriesTask,
    source: &mut Source,
    send: impl Fn(Found) -> Result<()> + Sync,
) -> Result<()> {
    let (metric, now) = (&task.metric, task.now);
    let is_now = task.as_of.is_none_or(|time| time == now);
    if let Some(last) = series.looked_at.filter(|_| is_now) {
        let is_read = match source.news_of_series(metric, last, now)? {
            SeriesNews::Closed => true,
            SeriesNews::NoRows => any_may_be_stale(task, series),
            SeriesNews::Nothing => false,
        };
        if !is_read {
            show(task, series, source, &send)?;
            return send(Found::Look(Box::new(SeriesLook::NothingNew)));
        }
    }
    // One whose rows come late was judged up to an older bucket than the others: its missed buckets need the
    // whole window before them too.
    let evaluated = series.known.values().filter_map(|known| known.evaluated);
    let oldest = evaluated
        .chain(series.looked_at)
        .min_by_key(|bucket| bucket.end);
    let request = SeriesRequest {
        after: series.after.clone(),
        are_new: series.known.is_empty(),
        ..SeriesRequest::new(metric, task.as_of.unwrap_or(now), oldest.filter(|_| is_now))
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let (sender, receiver) = sync_channel::<(usize, SeriesHistory)>(cores);
    let receiver = Mutex::new(receiver);
    let is_wanted = AtomicBool::new(true);
    let mut others = Others::default();
    let mut count = 0;
    let read = thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((place, history)) = next(&receiver) {
                    // Whoever reads waits until what it read is taken, even if nobody wants it any more.
                    if !is_wanted.load(Relaxed) {
                        continue;
                    }
                    let found = evaluate(place, history, task, series);
                    if send(Found::Series(Box::new(found))).is_err() {
                        is_wanted.store(false, Relaxed);
                    }
                }
            });
        }
        let read = source.each_series(metric, &request, now, |history| {
            ensure!(is_wanted.load(Relaxed), "nobody waits for it");
            let name = metric.series_name(&history.key);
            if !task.share.has(&name) {
                let other = if task.share.shard.holds(&name) {
                    &mut others.busy
                } else {
                    &mut others.of_other_shards
                };
                *other += usize::from(!is_gone(&history, task));
                return Ok(());
            }
            let taken = sender.send((count, history)).ok();
            count += 1;
            taken.context("nobody evaluates it")
        });
        drop(sender);
        read
    });
    send(Found::Look(Box::new(match read {
        Ok(empty) => {
            let of_none = conclude(empty.latest(metric), metric, &task.standing.answers)?;
            SeriesLook::Whole {
                last: empty.last_bucket(),
                of_none: Box::new(of_none),
                others,
            }
        }
        Err(error) => SeriesLook::Cut(error),
    })))
}

/// Whether data may have become too old of any series of which that was not yet seen.
fn any_may_be_stale(task: &Task, series: &SeriesTask) -> bool {
    let mut known = series.known.values().filter(|known| !known.lacks_data);
    !task.standing.lacks_data && known.any(|known| may_be_stale(&task.metric, known, task.now))
}

fn next(receiver: &Mutex<Receiver<(usize, SeriesHistory)>>) -> Option<(usize, SeriesHistory)> {
    let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    receiver.recv().ok()
}

fn evaluate(place: usize, history: SeriesHistory, task: &Task, series: &SeriesTask) -> SeriesFound {
    let (key, title) = (history.key.clone(), history.title.clone());
    // A bug that one series brings to light must not blind the others.
    let outcome = contain("check", || evaluate_history(history, task, series));
    let outcome = outcome.unwrap_or_else(|error| SeriesOutcome::Failed(write_error(&error)));
    SeriesFound {
        place,
        key,
        title,
        outcome,
    }
}

fn evaluate_history(
    series_history: SeriesHistory,
    task: &Task,
    series: &SeriesTask,
) -> Result<SeriesOutcome> {
    let metric = &task.metric;
    let unknown = Standing::default();
    let standing = series.known.get(&series_history.key);
    let is_old = is_gone(&series_history, task);
    let is_now = task.as_of.is_none_or(|time| time == task.now);
    let last = standing
        .and_then(|known| known.evaluated)
        .filter(|_| is_now);
    let mut results = Vec::new();
    let earlier = std::cell::RefCell::new(&mut results);
    let fetched = series_history.fetched(metric, last);
    let send = |result: CheckResult| {
        earlier.borrow_mut().push(without_workings(result));
        Ok(())
    };
    let result = judge(fetched, metric, standing.unwrap_or(&unknown), send)?;
    // What is not missed yet, as it comes but once a month, is not gone.
    if is_old
        && has_no_data(&result)
        && let CheckResult::Evaluated(evaluation) = &result
    {
        return Ok(SeriesOutcome::Gone(Box::new(evaluation.without_workings())));
    }
    results.push(result);
    Ok(SeriesOutcome::Judged(results))
}

/// Whether its last data is so old that it is watched no more.
fn is_gone(history: &SeriesHistory, task: &Task) -> bool {
    let forgotten = forgotten_before(&task.metric, history.as_of().to_utc());
    let newest = history.newest_end();
    newest.is_none_or(|end| end.to_utc() < forgotten)
}

/// Data that ended before then is of a series that is no more.
pub fn forgotten_before(metric: &Metric, now: DateTime<Utc>) -> DateTime<Utc> {
    let forget_after = metric.group.as_ref().map(|group| group.forget_after);
    let before = forget_after.and_then(|length| now.checked_sub_signed(length));
    before.unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// What many results take in memory is for the most part what they were made from.
pub fn without_workings(result: CheckResult) -> CheckResult {
    match result {
        CheckResult::Evaluated(evaluation) => CheckResult::Evaluated(evaluation.without_workings()),
        CheckResult::NothingNew(Some(evaluation)) => {
            CheckResult::NothingNew(Some(evaluation.without_workings()))
        }
        other => other,
    }
}

pub fn has_no_data(result: &CheckResult) -> bool {
    let evaluation = result.evaluation();
    evaluation.is_some_and(|evaluation| matches!(evaluation.verdict, Verdict::NoData { .. }))
}

/// Reads the series again whose pictures somebody is still to be shown.
fn show(
    task: &Task,
    series: &SeriesTask,
    source: &mut Source,
    send: &impl Fn(Found) -> Result<()>,
) -> Result<()> {
    let shown = series.known.iter().filter(|(_, known)| known.shows_window);
    for (place, (key, standing)) in shown.take(MOST_SHOWN).enumerate() {
        let metric = task.metric.of_series(key, None, 1);
        let window = source.latest(&metric, None, task.now)?;
        let evaluation = crate::commands::evaluate_newest(window, &metric, &standing.answers)?;
        send(Found::Series(Box::new(SeriesFound {
            place,
            key: key.clone(),
            title: None,
            outcome: SeriesOutcome::Judged(vec![CheckResult::NothingNew(Some(evaluation))]),
        })))?;
    }
    Ok(())
}
