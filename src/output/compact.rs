//! Numbers with the digits that anybody will ever be shown, and times as seconds, for files that are to stay small.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};

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

/// A time as the second since 1970. One that has a part of a second, as those of earlier versions, is text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredTime {
    Second(i64),
    Text(DateTime<Utc>),
}

impl From<DateTime<Utc>> for StoredTime {
    fn from(time: DateTime<Utc>) -> Self {
        if time.timestamp_subsec_nanos() == 0 {
            Self::Second(time.timestamp())
        } else {
            Self::Text(time)
        }
    }
}

impl TryFrom<StoredTime> for DateTime<Utc> {
    type Error = String;

    fn try_from(stored: StoredTime) -> Result<Self, String> {
        match stored {
            StoredTime::Text(time) => Ok(time),
            StoredTime::Second(second) => {
                Self::from_timestamp(second, 0).ok_or_else(|| format!("{second} is no time"))
            }
        }
    }
}

/// For `#[serde(with)]`.
pub mod second {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::{DateTime, Deserialize, Serialize, StoredTime, Utc};

    pub fn serialize<S: Serializer>(
        time: &DateTime<Utc>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        StoredTime::from(*time).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        let stored = StoredTime::deserialize(deserializer)?;
        stored.try_into().map_err(D::Error::custom)
    }
}

/// The same of what may be unknown.
pub mod second_option {
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    use super::{DateTime, Deserialize, Serialize, StoredTime, Utc};

    #[expect(clippy::ref_option, reason = "serde hands over a reference")]
    pub fn serialize<S: Serializer>(
        time: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(StoredTime::from).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let stored = Option::<StoredTime>::deserialize(deserializer)?;
        stored
            .map(DateTime::try_from)
            .transpose()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Times {
        #[serde(with = "second")]
        at: DateTime<Utc>,
        #[serde(
            default,
            with = "second_option",
            skip_serializing_if = "Option::is_none"
        )]
        until: Option<DateTime<Utc>>,
    }

    #[test]
    fn a_time_takes_little_room_and_loses_nothing_and_an_older_text_is_read() {
        let read = |text: &str| serde_json::from_str::<Times>(text);
        let old = read(r#"{"at":"2026-11-22T12:00:00Z","until":"2026-11-22T12:05:00.25Z"}"#);
        let old = old.expect("times");
        let text = serde_json::to_string(&old).expect("text");
        assert_eq!(
            text,
            r#"{"at":1795348800,"until":"2026-11-22T12:05:00.250Z"}"#
        );
        assert_eq!(read(&text).expect("times"), old);
        assert_eq!(read(r#"{"at":0}"#).expect("times").until, None);
        for garbage in [
            r#"{"at":9e18}"#,
            r#"{"at":9223372036854775807}"#,
            r#"{"at":"noon"}"#,
            "{}",
        ] {
            assert!(read(garbage).is_err(), "{garbage}");
        }
    }
}
