//! Which parts of a metric explain an incident: asked once, in the run that releases it, and kept with the
//! alert, so that every mail of it tells the same. The mail goes without it where there is no answer in time.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};

use super::Run;
use super::gather::Results;
use crate::config::{Deadline, Metric};
use crate::detect::{Breakdown, Comparison, Evaluation};
use crate::incident::Alert;
use crate::output::within;
use crate::source::Source;

/// The mails wait for so much of the time that is left, at most.
const SHARE: usize = 4;
/// Of more incidents, those farthest out are explained: the others are rows of a digest.
const MOST_EXPLAINED: usize = 10;
/// For an answer that is just about to be there.
const GRACE: Duration = Duration::from_millis(200);

impl Run<'_> {
    /// Looks for the parts that explain each incident that people may hear of from now on.
    pub(super) fn explain_incidents(
        &mut self,
        source: &Source,
        watched: &[Metric],
        results: &Results,
    ) {
        let explained = watched
            .iter()
            .filter(|metric| !metric.rows.explain_by().is_empty());
        let mut released: Vec<(&Metric, f64, Comparison)> = explained
            .filter_map(|metric| {
                let newest = results.get(&metric.name)?.evaluation()?;
                let distance = newest.deviation.map_or(0.0, f64::abs);
                Some((metric, distance, self.comparison(metric, newest)?))
            })
            .collect();
        released.sort_by(|one, other| other.1.total_cmp(&one.1));
        released.truncate(MOST_EXPLAINED);
        let share = self.context.deadline.share_of(SHARE, "explain_by");
        let mut left = released.len();
        for (metric, _, comparison) in released {
            let found = self.break_down(
                metric,
                comparison,
                source,
                share.share_of(left, "explain_by"),
            );
            left -= 1;
            match found {
                Ok(breakdown) => {
                    let now = self.now;
                    let known = self.state.contents_mut().metrics.get_mut(&metric.name);
                    let alerts = known.into_iter().flat_map(|known| &mut known.alerts);
                    let new = alerts.filter(|alert| is_new(alert, now));
                    if let Some(alert) = new.max_by_key(|alert| alert.is_open()) {
                        alert.breakdown = breakdown;
                    }
                }
                Err(error) => self.failures.push(error.context(metric.name.clone())),
            }
        }
    }

    /// What is to be compared, if an incident was just released.
    fn comparison(&self, metric: &Metric, newest: &Evaluation) -> Option<Comparison> {
        let has_parts = !metric.rows.explain_by().is_empty();
        let alerts = self.known(metric).filter(|_| has_parts)?.alerts.iter();
        let new = alerts.filter(|alert| is_new(alert, self.now));
        // Of an incident that turned, the side on which people act.
        let alert = new.max_by_key(|alert| alert.is_open())?;
        Comparison::new(newest.window()?, alert.judged_time()?)
    }

    /// On a thread and a session of its own, as any wait may have no end.
    fn break_down(
        &self,
        metric: &Metric,
        comparison: Comparison,
        source: &Source,
        deadline: Deadline,
    ) -> Result<Option<Breakdown>> {
        let (mut source, now) = (source.fresh(), self.context.now);
        source.read_by(deadline);
        let asked = metric.clone();
        let answer = within(deadline.left() + GRACE, move || {
            let columns = source.parts(&asked, &comparison, now)?;
            Ok(comparison.explain(columns))
        });
        answer
            .unwrap_or_else(|| Err(anyhow!("no answer in {}", deadline.purpose())))
            .context("explain_by")
    }
}

fn is_new(alert: &Alert, now: DateTime<Utc>) -> bool {
    alert.side().is_some() && alert.released == Some(now) && alert.breakdown.is_none()
}
