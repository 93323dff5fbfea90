//! The findings as one object.

use schemars::JsonSchema;
use serde::Serialize;

use super::check::{Check, Condition, Which};

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorObject {
    failed: usize,
    warnings: usize,
    checks: Vec<CheckedObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CheckedObject {
    check: String,
    metric: Option<String>,
    channel: Option<String>,
    recipient: Option<String>,
    state: Condition,
    text: String,
    advice: Option<String>,
}

pub fn object(checks: &[Check]) -> DoctorObject {
    let count = |condition| {
        let checks = checks.iter();
        checks.filter(|check| check.condition == condition).count()
    };
    DoctorObject {
        failed: count(Condition::Failed),
        warnings: count(Condition::Warning),
        checks: checks.iter().map(check_object).collect(),
    }
}

fn check_object(check: &Check) -> CheckedObject {
    let [metric, channel, recipient] = match &check.which {
        Which::Only => [None; 3],
        Which::Metric(name) => [Some(name), None, None],
        Which::Channel(name) => [None, Some(name), None],
        Which::Recipient(name) => [None, None, Some(name)],
    };
    CheckedObject {
        check: check.link.word().replace(' ', "_"),
        metric: metric.cloned(),
        channel: channel.cloned(),
        recipient: recipient.cloned(),
        state: check.condition,
        text: check.text.clone(),
        advice: check.advice.clone(),
    }
}
