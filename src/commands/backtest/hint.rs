//! What another level would have meant: the scores tell at which levels each point would have been a
//! breach, so the incidents of any level can be told without judging again.

use schemars::JsonSchema;
use serde::Serialize;

use super::mails::replay_mails_at;
use super::replay::Replay;
use crate::config::Metric;
use crate::forecast::Level;

/// Levels worth proposing, lowest first.
const LADDER: [f64; 20] = [
    0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.997, 0.998, 0.999, 0.9995, 0.9997, 0.9998, 0.9999,
    0.999_95, 0.999_97, 0.999_98, 0.999_99, 0.999_995, 0.999_999,
];

/// A level, and the incidents a week it would have meant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Hint {
    pub level: f64,
    pub incidents_per_week: f64,
}

/// Less than this share of what somebody wants is not about that.
const FAR_SHORT: f64 = 0.5;
/// How many alerts somebody may want, a week.
const WISHES: [f64; 2] = [7.0, 1.0];

/// For about one incident a day, and about one a week: the lowest level of the ladder with no more
/// than that (or the highest there is), as far as the period is long enough to tell. Nothing where even
/// the lowest level falls far short of a wish: daily values cannot make an alert a day.
pub fn hints(replay: &Replay, metric: &Metric, weeks: f64) -> Vec<Hint> {
    let levels = LADDER.into_iter().filter_map(Level::new);
    let ladder: Vec<Hint> = levels
        .map(|level| Hint {
            level: level.share(),
            incidents_per_week: replay_mails_at(level, replay, metric).rate(weeks),
        })
        .collect();
    let grant = |wish: f64| {
        let is_granted = |hint: &Hint| hint.incidents_per_week <= wish;
        let place = ladder.iter().position(is_granted);
        let hint = place.map_or(ladder.last(), |place| ladder.get(place))?;
        let falls_short = place == Some(0) && hint.incidents_per_week < FAR_SHORT * wish;
        (!falls_short).then_some(*hint)
    };
    let wishes = WISHES.into_iter().filter(|wish| wish * weeks >= 1.0);
    let mut hints: Vec<Hint> = wishes.filter_map(grant).collect();
    hints.dedup();
    hints
}
