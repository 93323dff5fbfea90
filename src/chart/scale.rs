//! Which numbers a picture must hold: an old spike must not press everything else flat, so a scale may leave
//! out a few values that lie far off.

use chrono::DateTime;
use chrono_tz::Tz;

use super::Point;

/// What a scale must hold.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// Every number.
    Whole,
    /// Every number but a few outside their band that lie far off; from a time on, every one.
    Body { since: DateTime<Tz> },
}

/// The lowest and the highest number to be drawn, and whether there are others beyond them.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub low: f64,
    pub high: f64,
    pub cuts_below: bool,
    pub cuts_above: bool,
}

/// At most this share of the numbers is left out, and one at least may be of this many.
const FEW: f64 = 0.04;
const LEAST_COUNT: usize = 10;
/// What is left out lies farther off than the rest is high.
const FAR_OFF: f64 = 1.0;

/// None where there is no number at all.
pub fn ends(points: &[Point], scale: Scale) -> Option<Ends> {
    let of_band = |point: &Point| {
        let band = point.band.into_iter();
        band.flat_map(|band| [band.lower, band.expected, band.upper])
            .collect::<Vec<_>>()
    };
    let numbers = |point: &Point| of_band(point).into_iter().chain(point.value);
    let whole = range(points.iter().flat_map(numbers))?;
    let Scale::Body { since } = scale else {
        return Some(whole);
    };
    let is_inside = |point: &Point| {
        let value = point.value.zip(point.band);
        value.is_some_and(|(value, band)| (band.lower..=band.upper).contains(&value))
    };
    let newest = points.last().map(|point| point.time);
    let is_kept = |point: &&Point| point.time >= since || Some(point.time) == newest;
    let kept = points.iter().filter(is_kept).flat_map(numbers);
    let usual = points.iter().filter(|point| is_inside(point));
    let usual = usual.filter_map(|point| point.value);
    let values = points.iter().filter_map(|point| point.value).collect();
    let bands = points.iter().flat_map(of_band).collect();
    let most = most(values).into_iter().chain(most(bands));
    let body = range(kept.chain(usual).chain(most))?;
    let far = (body.high - body.low) * FAR_OFF;
    let (cuts_above, cuts_below) = (
        far > 0.0 && whole.high - body.high > far,
        far > 0.0 && body.low - whole.low > far,
    );
    Some(Ends {
        low: if cuts_below { body.low } else { whole.low },
        high: if cuts_above { body.high } else { whole.high },
        cuts_below,
        cuts_above,
    })
}

fn range(numbers: impl Iterator<Item = f64>) -> Option<Ends> {
    numbers.fold(None, |ends, number| {
        let (low, high) = ends.map_or((number, number), |ends: Ends| (ends.low, ends.high));
        Some(Ends {
            low: number.min(low),
            high: number.max(high),
            cuts_below: false,
            cuts_above: false,
        })
    })
}

/// Without the few that are lowest and highest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count"
)]
fn most(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let few = (numbers.len() as f64 * FEW) as usize;
    let few = few.max(usize::from(numbers.len() >= LEAST_COUNT));
    let end = numbers.len() - few;
    numbers.get(few..end).map_or(Vec::new(), <[f64]>::to_vec)
}
