//! How far something reaches in time, in the zone of the reader.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::figures::write_moment;
use crate::output::{write_length, write_span, write_time};

/// From its beginning to its end, or as far as it is known to reach.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    since: DateTime<Tz>,
    until: DateTime<Tz>,
    now: DateTime<Tz>,
}

impl Extent {
    pub fn new(since: DateTime<Utc>, until: DateTime<Utc>, now: DateTime<Tz>) -> Self {
        Self {
            since: since.with_timezone(&now.timezone()),
            until: until.with_timezone(&now.timezone()),
            now,
        }
    }

    /// "13:55 CET"
    pub fn since(&self) -> String {
        write_time(self.since, self.now)
    }

    /// "35 min"
    pub fn length(&self) -> String {
        write_length(self.until - self.since)
    }

    /// "13:55 to 14:30 CET"
    pub fn span(&self) -> String {
        write_span(self.since, self.until, self.now)
    }

    /// "since 13:55 CET, for 35 min"
    pub fn so_far(&self) -> String {
        format!("since {}, for {}", self.since(), self.length())
    }

    /// "Sunday 22 November 2026, 13:55 CET (Europe/Paris), for 35 min"
    pub fn since_in_full(&self) -> String {
        format!("{}, for {}", write_moment(self.since), self.length())
    }

    /// "13:55 to 14:30 CET, 35 min"
    pub fn in_full(&self) -> String {
        format!("{}, {}", self.span(), self.length())
    }
}
