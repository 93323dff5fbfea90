//! The findings for people: a line each, and how many there are.

use super::check::{Check, Condition, Which};
use crate::output::{Colour, Painted, with_advice};

/// Their colours.
pub const CONDITIONS: [Painted; 4] = [
    ("WARNING", Colour::Blue),
    ("FAILED", Colour::Orange),
    ("NOT CHECKED", Colour::Grey),
    ("OK", Colour::Grey),
];

pub fn write(checks: &[Check]) -> String {
    let widest = checks.iter().map(|check| name(check).chars().count()).max();
    let width = widest.unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let told = with_advice(&check.text, check.advice.as_deref().unwrap_or_default());
        let (name, heading) = (name(check), check.condition.heading());
        text += &format!("{name:<width$}  {heading:<11}  {told}\n");
    }
    let count = |condition| {
        let checks = checks.iter();
        checks.filter(|check| check.condition == condition).count()
    };
    let failed = count(Condition::Failed);
    let warnings = match count(Condition::Warning) {
        1 => "1 warning".to_string(),
        count => format!("{count} warnings"),
    };
    let skipped = match count(Condition::NotChecked) {
        0 => String::new(),
        count => format!(", {count} not checked"),
    };
    text + &format!(
        "{} checks: {failed} failed, {warnings}{skipped}\n",
        checks.len()
    )
}

fn name(check: &Check) -> String {
    let link = check.link.word();
    match &check.which {
        Which::Only => link.to_string(),
        Which::Metric(name) => format!("{name}: {link}"),
        Which::Channel(name) | Which::Recipient(name) => format!("{link} {name}"),
    }
}
