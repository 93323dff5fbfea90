//! The sides on which nothing can fire, and what would help: a watch that cannot bark must say so.

use crate::detect::Evaluation;
use crate::forecast::{Direction, Method, Sensitivity};

/// A line for each side that was asked about and cannot fire now.
pub fn blind_sides(method: &Method, evaluation: &Evaluation) -> Vec<String> {
    let low = evaluation.low_possible == Some(false);
    let high = evaluation.high_possible == Some(false);
    let low = low.then(|| explain_blind_low(method, "now"));
    let high = high.then(|| explain_blind_high(method, "now"));
    low.into_iter().chain(high).collect()
}

/// Why Low cannot fire, when that is so ("now"), and what would help.
pub fn explain_blind_low(method: &Method, when: &str) -> String {
    let place = method.range.min().map_or(
        "zero is inside, and no value of the history is negative (set min if one can be)"
            .to_string(),
        |min| format!("the lower limit is at min = {min}"),
    );
    let remedies = remedies(method, "high");
    format!("Low cannot fire {when}: {place}; {remedies}")
}

/// The same of High.
pub fn explain_blind_high(method: &Method, when: &str) -> String {
    let place = method.range.max().map_or(String::new(), |max| {
        format!(": the upper limit is at max = {max}")
    });
    let remedies = remedies(method, "low");
    format!("High cannot fire {when}{place}; {remedies}")
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
