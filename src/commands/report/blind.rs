//! The sides on which nothing can fire, and what would help: a watch that cannot bark must say so.

use crate::detect::Evaluation;
use crate::forecast::{Direction, Method, Side};

/// A line for each side that was asked about and cannot fire now.
pub fn blind_sides(method: &Method, evaluation: &Evaluation) -> impl Iterator<Item = String> {
    let sides = [
        (Side::Low, evaluation.low_possible),
        (Side::High, evaluation.high_possible),
    ];
    let blind = sides.into_iter().filter(|(_, can)| *can == Some(false));
    blind.map(|(side, _)| explain_blind(side, method, "now"))
}

/// Why a side cannot fire, when that is so ("now"), and what would help.
pub fn explain_blind(side: Side, method: &Method, when: &str) -> String {
    let place = match (side, method.range.min(), method.range.max()) {
        (Side::Low, Some(min), _) => format!(": the lower limit is at min = {min}"),
        (Side::Low, None, _) => {
            ": zero is inside, and no value of the history is negative (set min if one can be)"
                .to_string()
        }
        (Side::High, _, Some(max)) => format!(": the upper limit is at max = {max}"),
        (Side::High, _, None) => String::new(),
    };
    let (side, other_side) = match side {
        Side::Low => ("Low", "high"),
        Side::High => ("High", "low"),
    };
    let remedies = match method.direction {
        Direction::Both => format!(
            "aggregate longer (every), set a lower level, or watch the other side alone (direction = \"{other_side}\")"
        ),
        Direction::High | Direction::Low => {
            "aggregate longer (every), or set a lower level".to_string()
        }
    };
    format!("{side} cannot fire {when}{place}; {remedies}")
}
