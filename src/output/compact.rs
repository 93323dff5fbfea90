//! Numbers with the digits that anybody will ever be shown, for files that are to stay small.

use serde::{Serialize, Serializer};

const DIGITS: usize = 8;

/// A number with so many digits.
pub fn round_digits(number: f64, digits: usize) -> f64 {
    let text = format!("{number:.*e}", digits.saturating_sub(1));
    text.parse().unwrap_or(number)
}

/// For `#[serde(serialize_with)]`.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub fn short<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    round_digits(*number, DIGITS).serialize(serializer)
}

/// For `#[serde(serialize_with)]`.
#[expect(clippy::ref_option, reason = "serde hands over a reference")]
pub fn short_option<S: Serializer>(number: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    let rounded = number.map(|number| round_digits(number, DIGITS));
    rounded.serialize(serializer)
}
