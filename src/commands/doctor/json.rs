//! The findings as one object.

use serde_json::{Value, json};

use super::check::{Check, Condition, Which};

/// `src/commands/README.md` explains the fields.
pub fn object(checks: &[Check]) -> Value {
    let count = |condition| {
        let checks = checks.iter();
        checks.filter(|check| check.condition == condition).count()
    };
    json!({
        "failed": count(Condition::Failed),
        "warnings": count(Condition::Warning),
        "checks": checks.iter().map(check_object).collect::<Vec<_>>(),
    })
}

fn check_object(check: &Check) -> Value {
    let [metric, channel, recipient] = match &check.which {
        Which::Only => [None; 3],
        Which::Metric(name) => [Some(name), None, None],
        Which::Channel(name) => [None, Some(name), None],
        Which::Recipient(name) => [None, None, Some(name)],
    };
    json!({
        "check": check.link.word().replace(' ', "_"),
        "metric": metric,
        "channel": channel,
        "recipient": recipient,
        "state": check.condition.word(),
        "text": check.text,
        "advice": check.advice,
    })
}
