//! The sides on which nothing can fire, and what would help: a watch that cannot bark must say so.

use crate::forecast::{Method, Sensitivity};
use crate::judgement::Judgement;
use crate::verdict::Direction;

/// A line for each side that was asked about and cannot fire now.
pub fn blind_sides(method: &Method, judgement: &Judgement) -> Vec<String> {
    let mut lines = Vec::new();
    if judgement.low_is_possible(method) == Some(false) {
        let place = method.range.min().map_or(
            "zero is inside, and no value of the history is negative".to_string(),
            |min| format!("the lower limit is at min = {min}"),
        );
        let remedies = remedies(method, "high");
        lines.push(format!("Low cannot fire now: {place}; {remedies}"));
    }
    if judgement.high_is_possible(method) == Some(false)
        && let Some(max) = method.range.max()
    {
        let remedies = remedies(method, "low");
        lines.push(format!(
            "High cannot fire now: the upper limit is at max = {max}; {remedies}"
        ));
    }
    lines
}

fn remedies(method: &Method, other_side: &str) -> String {
    let narrower = match method.sensitivity {
        Sensitivity::Level(_) => "set a lower level",
        Sensitivity::Budget(_) => "allow more with max_false_alerts",
    };
    match method.direction {
        Direction::Both => format!(
            "aggregate longer (every), {narrower}, or watch the other side alone (direction = \"{other_side}\")"
        ),
        Direction::High | Direction::Low => format!("aggregate longer (every), or {narrower}"),
    }
}
