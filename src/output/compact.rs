//! Numbers with the digits that anybody will ever be shown, for files that are to stay small.

use serde::{Serialize, Serializer};

const DIGITS: usize = 8;

fn rounded(number: f64) -> f64 {
    let text = format!("{number:.*e}", DIGITS - 1);
    text.parse().unwrap_or(number)
}

/// For `#[serde(serialize_with)]`.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub fn short<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    rounded(*number).serialize(serializer)
}

/// For `#[serde(serialize_with)]`.
#[expect(clippy::ref_option, reason = "serde hands over a reference")]
pub fn short_option<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(rounded).serialize(serializer)
}
