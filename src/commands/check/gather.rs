//! What is found of the metrics, taken into what is known of them as it comes. Of a metric with many series
//! nearly everything is let go at once: what a verdict was made from is kept of the few that people are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use anyhow::Error;
use indicatif::ProgressBar;

use super::Run;
use super::series::{forgotten_before, has_no_data, without_workings};
use super::task::{Found, Others, SeriesFound, SeriesLook, SeriesOutcome};
use crate::cli::CheckFormat;
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::incident::CheckResult;
use crate::notify::{EvaluationObject, evaluation_object};
use crate::output::write_error;
use crate::series::key::SeriesKey;
use crate::series::{Bucket, Window};
use crate::source::TooManySeries;

/// Of so many series at most is kept what their verdicts were made from, for pictures: of those that are
/// farthest out.
const MOST_SHOWN: usize = 24;

/// The last result of each metric and series of a run, by its name.
pub type Results = BTreeMap<String, CheckResult>;

/// What was found in one run.
#[derive(Default)]
pub struct Gathered {
    pub results: Results,
    /// Series as programs read them, by their names: no more than that is kept of them.
    pub objects: HashMap<String, EvaluationObject>,
    /// The look at the series of each metric.
    looks: BTreeMap<String, Look>,
    shown: Shown,
    progress: Option<ProgressBar>,
}

/// What verdicts were made from, of those that are farthest out.
#[derive(Default)]
struct Shown {
    workings: HashMap<String, Arc<Workings>>,
    /// The nearest to its band first.
    order: BinaryHeap<Reverse<(u64, String)>>,
}

/// The look at the series of one metric, as far as it is.
#[derive(Default)]
struct Look {
    /// How many were known before.
    known: usize,
    /// All that were judged.
    names: BTreeSet<String>,
    /// Those that are new, or have no data: they are taken in when all are there.
    waiting: Vec<Judged>,
    lacking: usize,
    /// Of those that are gone the one whose data is newest.
    gone: Option<Box<Evaluation>>,
    failed: usize,
    first_failure: String,
    reached: Reached,
}

/// Up to which series all are done. They are read in one order, and judged on many cores: one may be done
/// before another that was read earlier.
#[derive(Default)]
struct Reached {
    count: usize,
    last: Option<SeriesKey>,
    /// Those that are done after one that is not, by their places.
    ahead: BTreeMap<usize, SeriesKey>,
}

/// A series that was judged.
struct Judged {
    key: SeriesKey,
    title: Option<String>,
    results: Vec<CheckResult>,
    newest_data: Option<Bucket>,
}

impl Gathered {
    pub fn with_progress(progress: ProgressBar) -> Self {
        Self {
            progress: Some(progress),
            ..Self::default()
        }
    }

    /// What people may be shown has again what it was made from.
    pub fn finish(mut self) -> (Results, HashMap<String, EvaluationObject>) {
        if let Some(progress) = &self.progress {
            progress.finish_and_clear();
        }
        for (name, workings) in self.shown.workings {
            if let Some(
                CheckResult::Evaluated(evaluation) | CheckResult::NothingNew(Some(evaluation)),
            ) = self.results.get_mut(&name)
            {
                evaluation.workings = Some(workings);
            }
        }
        (self.results, self.objects)
    }
}

impl Shown {
    fn add(&mut self, name: &str, evaluation: &Evaluation) {
        let Some(workings) = &evaluation.workings else {
            return;
        };
        // Numbers that are not negative have the order of their bits.
        let distance = evaluation
            .deviation
            .map_or(0, |deviation| deviation.abs().to_bits());
        self.workings.insert(name.to_string(), workings.clone());
        self.order.push(Reverse((distance, name.to_string())));
        if self.order.len() > MOST_SHOWN
            && let Some(Reverse((_, nearest))) = self.order.pop()
        {
            self.workings.remove(&nearest);
        }
    }
}

impl Reached {
    fn note(&mut self, place: usize, key: SeriesKey) {
        self.ahead.insert(place, key);
        while let Some(key) = self.ahead.remove(&self.count) {
            self.last = Some(key);
            self.count += 1;
        }
    }
}

impl Look {
    /// What could not be done of it.
    fn failure(&self, ended: &SeriesLook) -> Option<String> {
        match ended {
            SeriesLook::Cut(error) if self.names.is_empty() => Some(write_error(error)),
            SeriesLook::Cut(error) => Some(format!(
                "{} series were judged, and the others not reached; the next run goes on there: {}",
                self.names.len(),
                write_error(error)
            )),
            _ if self.failed > 1 => Some(format!(
                "{} series could not be judged, such as {}",
                self.failed, self.first_failure
            )),
            _ if self.failed == 1 => Some(self.first_failure.clone()),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Takes in what was found of a metric.
    pub(super) fn take(&mut self, gathered: &mut Gathered, metric: &Metric, found: Found) {
        match found {
            Found::Result(result) => match *result {
                CheckResult::Failed(why) if metric.group.is_some() => {
                    self.end_look(gathered, metric, SeriesLook::Cut(Error::msg(why)));
                }
                result => {
                    // What cannot be read of a series that nobody has seen is no series yet.
                    if !matches!(result, CheckResult::Failed(_)) || !self.is_new_series(metric) {
                        self.update(metric, &result);
                    }
                    gathered.results.insert(metric.name.clone(), result);
                }
            },
            Found::Unknown(unknown) => {
                let known = self.state.contents().series_of(metric.metric_name());
                let unknown = unknown.among(known.map(|(name, _)| name.clone()));
                let failed = CheckResult::Failed(unknown.to_string());
                gathered.results.insert(metric.name.clone(), failed);
            }
            Found::Series(found) => self.take_series(gathered, metric, *found),
            Found::Look(look) => self.end_look(gathered, metric, *look),
            Found::Done(_) if self.is_new_series(metric) => {}
            Found::Done(took) => self.state.runs.note_look(&metric.name, self.now, took),
        }
    }

    /// Whether it is a series that no run has seen.
    fn is_new_series(&self, metric: &Metric) -> bool {
        metric.series.is_some() && self.known(metric).is_none()
    }

    fn take_series(&mut self, gathered: &mut Gathered, metric: &Metric, found: SeriesFound) {
        let name = metric.series_name(&found.key);
        if let Some(progress) = &gathered.progress {
            progress.inc(1);
        }
        let contents = self.state.contents();
        let known = contents.metrics.get(&name);
        let looks = gathered.looks.entry(metric.name.clone());
        let look = looks.or_insert_with(|| Look {
            known: contents.count_series(&metric.name),
            ..Look::default()
        });
        look.reached.note(found.place, found.key.clone());
        let results = match found.outcome {
            SeriesOutcome::Judged(results) => results,
            SeriesOutcome::Gone(evaluation) => {
                let known = look.gone.as_ref().map(|gone| gone.bucket.end);
                if known.is_none_or(|end| end < evaluation.bucket.end) {
                    look.gone = Some(evaluation);
                }
                return;
            }
            SeriesOutcome::Failed(why) => {
                if look.failed == 0 {
                    look.first_failure = format!("{name}: {why}");
                }
                look.failed += 1;
                look.names.insert(name);
                return;
            }
        };
        look.names.insert(name.clone());
        let lacks_data = results.last().is_some_and(has_no_data);
        look.lacking += usize::from(lacks_data);
        let latest = results.last().and_then(CheckResult::evaluation);
        let window = latest.and_then(Evaluation::window);
        let newest_data = window.and_then(|window| Some(window.bucket(window.newest?)));
        let is_shown = latest.is_some_and(Evaluation::is_breach)
            || lacks_data
            || known.is_some_and(|known| !known.alerts.is_empty());
        if let Some(evaluation) = latest.filter(|_| is_shown) {
            gathered.shown.add(&name, evaluation);
        }
        if let (CheckFormat::Json, Some(evaluation)) = (self.args.format, latest) {
            let named = metric.of_series(&found.key, found.title.as_deref(), 1);
            let zone = window.map(Window::zone).unwrap_or_default();
            let object = evaluation_object(&named, Some(evaluation), zone);
            gathered.objects.insert(name, object);
        }
        let is_known = known.is_some();
        let count = look.known;
        let judged = Judged {
            key: found.key,
            title: found.title,
            results: results.into_iter().map(without_workings).collect(),
            newest_data,
        };
        if is_known && !lacks_data {
            self.take_in(&mut gathered.results, metric, judged, count);
        } else {
            look.waiting.push(judged);
        }
    }

    /// Takes the results of one of so many series into what is known of it.
    fn take_in(&mut self, results: &mut Results, metric: &Metric, judged: Judged, count: usize) {
        let series = metric.of_series(&judged.key, judged.title.as_deref(), count);
        let mut last = None;
        for result in judged.results {
            self.update(&series, &result);
            last = Some(result);
        }
        let contents = self.state.contents_mut();
        if let (Some(known), Some(newest)) =
            (contents.metrics.get_mut(&series.name), judged.newest_data)
        {
            known.note_newest_data(newest);
        }
        if let Some(title) = judged.title {
            let notes = contents.series.entry(metric.name.clone()).or_default();
            notes.titles.insert(series.name.clone(), title);
        }
        if let Some(last) = last {
            results.insert(series.name, last);
        }
    }

    /// The look at the series of a metric is over: what waited for that is taken in, and what holds for all of
    /// them is noted.
    fn end_look(&mut self, gathered: &mut Gathered, metric: &Metric, ended: SeriesLook) {
        let mut look = gathered.looks.remove(&metric.name).unwrap_or_default();
        let mut waiting = std::mem::take(&mut look.waiting);
        if let SeriesLook::Cut(error) = &ended
            && error.is::<TooManySeries>()
        {
            // Nobody meant to watch these.
            waiting.clear();
            look = Look::default();
        }
        let (results, now) = (&mut gathered.results, self.now);
        let known = self.state.contents().series_of(&metric.name);
        let unseen = known
            .filter(|(name, _)| !look.names.contains(*name))
            .count();
        let others = match &ended {
            SeriesLook::Whole { others, .. } => *others,
            SeriesLook::NothingNew | SeriesLook::Cut(_) => {
                let notes = self.state.contents().series.get(&metric.name);
                let of_other_shards = notes.map_or(0, |notes| notes.elsewhere);
                Others {
                    of_other_shards,
                    busy: 0,
                }
            }
        };
        let elsewhere = others.of_other_shards + others.busy;
        let count = look.names.len() + unseen + elsewhere;
        // What happened to all of them at once, as far as they were reached, happened to their source.
        let all_lack = look.lacking > 1 && look.lacking == look.names.len();
        let mut newest_lack: Option<Evaluation> = None;
        for mut judged in waiting {
            let name = metric.series_name(&judged.key);
            let lacks_data = judged.results.last().is_some_and(has_no_data);
            let is_known = self.state.contents().metrics.contains_key(&name);
            if lacks_data && (all_lack || !is_known) {
                let evaluation = judged.results.last().and_then(CheckResult::evaluation);
                let is_newer = |than: &Evaluation| {
                    newest_lack
                        .as_ref()
                        .is_none_or(|lack| lack.bucket.end < than.bucket.end)
                };
                newest_lack = evaluation
                    .filter(|one| is_newer(one))
                    .cloned()
                    .or(newest_lack.take());
                // What closed before it stopped was judged all the same.
                judged.results.pop();
                if judged.results.is_empty() {
                    continue;
                }
            }
            self.take_in(results, metric, judged, count);
        }
        let failure = look.failure(&ended);
        let notes = self.state.contents_mut().series.entry(metric.name.clone());
        match (&ended, &look.reached.last) {
            (SeriesLook::Cut(_), Some(last)) => {
                notes.or_default().after = Some(metric.series_name(last));
            }
            (SeriesLook::Cut(_) | SeriesLook::NothingNew, _) => {}
            (SeriesLook::Whole { .. }, _) => {
                let notes = notes.or_default();
                (notes.after, notes.elsewhere) = (None, elsewhere);
            }
        }
        let failure = failure.map(CheckResult::Failed);
        let SeriesLook::Whole {
            last: bucket,
            of_none,
            ..
        } = ended
        else {
            let of_all = failure.unwrap_or(CheckResult::NothingNew(None));
            self.update(metric, &of_all);
            results.insert(metric.name.clone(), of_all);
            return;
        };
        let has_data = look.names.len() > look.lacking;
        // Where no series has data, it is their source that is gone.
        if has_data {
            self.forget_unseen(metric, &look.names);
        }
        // Where others have all series there are, this one has nothing to miss.
        let has_none = look.names.is_empty() && elsewhere > 0;
        let of_all = if let Some(failure) = failure {
            failure
        } else if has_data || has_none || (!all_lack && look.lacking > 0) {
            CheckResult::NothingNew(None)
        } else {
            let gone = look.gone.map(|gone| *gone);
            let lack = newest_lack.or(gone).map(CheckResult::Evaluated);
            lack.unwrap_or(*of_none)
        };
        self.update(metric, &of_all);
        let contents = self.state.contents_mut();
        let known = contents.metrics.entry(metric.name.clone()).or_default();
        // What could not be judged is tried again, and what another run is at work on may be left to this one.
        if look.failed == 0 && others.busy == 0 {
            known.note_look_at_series(bucket, (has_data || has_none).then_some(now));
        }
        results.insert(metric.name.clone(), of_all);
    }

    /// All series were looked at but these known ones. Without data for long enough they are forgotten, and what
    /// is open of them ends without a word.
    fn forget_unseen(&mut self, metric: &Metric, seen: &BTreeSet<String>) {
        let forgotten = forgotten_before(metric, self.now);
        let contents = self.state.contents_mut();
        let known = contents.series_of(&metric.name);
        let unseen = known
            .map(|(name, _)| name)
            .filter(|name| !seen.contains(*name));
        let unseen: Vec<String> = unseen.cloned().collect();
        for name in unseen {
            let Some(known) = contents.metrics.get(&name) else {
                continue;
            };
            let newest = known.newest_data();
            if newest.is_none_or(|newest| newest.end < forgotten) {
                contents.metrics.remove(&name);
                if let Some(notes) = contents.series.get_mut(&metric.name) {
                    notes.titles.remove(&name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_goes_on_after_the_last_series_before_which_all_are_done() {
        let mut reached = Reached::default();
        let mut note = |place: usize| {
            let key = SeriesKey::new(&["k".to_string()], [Some(place.to_string())]);
            reached.note(place, key);
            reached.last.as_ref().map(SeriesKey::in_words)
        };
        assert_eq!(note(1), None);
        assert_eq!(note(0).as_deref(), Some("k 1"));
        assert_eq!(note(3).as_deref(), Some("k 1"));
        assert_eq!(note(2).as_deref(), Some("k 3"));
    }

    #[test]
    fn what_keeps_single_series_from_being_judged_is_told_with_one_of_them() {
        let look = |failed| Look {
            failed,
            first_failure: "s{k=1}: why".to_string(),
            ..Look::default()
        };
        let told = |failed| look(failed).failure(&SeriesLook::NothingNew);
        assert_eq!(told(0), None);
        assert_eq!(told(1).as_deref(), Some("s{k=1}: why"));
        let several = "3 series could not be judged, such as s{k=1}: why";
        assert_eq!(told(3).as_deref(), Some(several));
    }
}
