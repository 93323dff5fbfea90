//! An instant as it is remembered: in UTC, to the second, written as RFC 3339.

use std::ops::Deref;

use chrono::{DateTime, SecondsFormat, SubsecRound, TimeZone, Utc};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp(DateTime<Utc>);

impl<Zone: TimeZone> From<DateTime<Zone>> for Stamp {
    fn from(time: DateTime<Zone>) -> Self {
        Self(time.to_utc().trunc_subsecs(0))
    }
}

impl Deref for Stamp {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        stamp.0.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

impl TryFrom<String> for Stamp {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        DateTime::parse_from_rfc3339(&text)
            .map(Self::from)
            .map_err(|error| format!("{text:?} is no time: {error}"))
    }
}
