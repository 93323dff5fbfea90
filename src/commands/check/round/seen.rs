//! One metric of a round: what was seen of it, and what that gave to tell.

use crate::commands::check::look::{Lookout, Sight};
use crate::commands::outcome::Outcome;
use crate::config::Metric;
use crate::context::Plan;
use crate::detect::Evaluation;
use crate::incident::{Moment, Notice, Sighting, Stage, Stamp, Voice, Watch};
use crate::notify::packing::Tiding;
use crate::notify::post::Attempt;
use crate::state::Store;

#[derive(Debug)]
pub struct Seen<'a> {
    pub metric: &'a Metric,
    told: Vec<Told>,
    newest: Option<Sight>,
    failure: Option<String>,
}

/// A notice, with what there is to show of it.
#[derive(Debug)]
struct Told {
    notice: Notice,
    evaluation: Option<Evaluation>,
}

impl<'a> Seen<'a> {
    /// Takes in one sight after the other. What was judged is kept only where there is something to
    /// tell of it: after a long absence there are many.
    pub fn by(
        lookout: &mut Lookout,
        metric: &'a Metric,
        watch: &mut Watch,
        plan: &Plan,
        voice: Voice,
    ) -> Self {
        let moment = Moment {
            now: Stamp::from(plan.now),
            rules: &metric.rules,
            voice,
        };
        let mut seen = Self {
            metric,
            told: Vec::new(),
            newest: None,
            failure: None,
        };
        while let Some(sight) = lookout.next() {
            watch.newest_data = sight.newest_data().or(watch.newest_data);
            if let Sighting::Failed { why } = &sight.sighting {
                seen.failure = Some(why.clone());
            }
            for notice in watch.see(sight.sighting.clone(), moment) {
                seen.tell(Told {
                    notice,
                    evaluation: sight.evaluation.clone(),
                });
            }
            seen.newest = Some(sight);
            if lookout.is_over() {
                break;
            }
        }
        seen
    }

    /// Of an incident several of whose buckets are seen at once, how it went on in between is no news
    /// beside how it stands.
    fn tell(&mut self, told: Told) {
        let is_outdone = |earlier: &Told| {
            earlier.notice.thread == told.notice.thread
                && matches!(earlier.notice.stage, Stage::Worse | Stage::Lasting)
        };
        self.told.retain(|earlier| !is_outdone(earlier));
        self.told.push(told);
    }

    pub fn tidings(&self) -> impl Iterator<Item = Tiding<'_>> {
        self.told.iter().map(|told| Tiding {
            metric: self.metric,
            notice: &told.notice,
            evaluation: told.evaluation.as_ref(),
        })
    }

    /// What came of it, with the mails that tell of it.
    pub fn outcome(self, plan: &Plan, store: &Store, attempts: Vec<Attempt>) -> Outcome<'a> {
        let watch = store.memory.watches.get(&self.metric.name);
        let latest = watch.and_then(|watch| watch.latest);
        let mut outcome = Outcome::of(self.metric);
        let deliveries = attempts.into_iter().map(|attempt| attempt.delivery);
        outcome.deliveries = deliveries.collect();
        outcome.is_in_breach = latest.is_some_and(|latest| latest.side.is_some());
        if let Some(why) = self.failure {
            outcome.failures.add(why);
            return outcome;
        }
        match self.newest {
            Some(sight) if sight.sighting != Sighting::NothingNew => {
                outcome.evaluation = sight.evaluation;
            }
            _ => {
                outcome.unchanged_since = watch
                    .and_then(|watch| watch.judged)
                    .map(|bucket| bucket.start.with_timezone(&plan.now.timezone()));
            }
        }
        outcome
    }
}
