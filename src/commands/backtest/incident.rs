//! Breaches to incidents: a run of breaches of the same side is one thing that went wrong, and one
//! alert. A normal verdict ends it; an undecided one, or none, neither ends nor begins anything.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::forecast::Side;

/// What a point adds to the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Breach(Side),
    Normal,
    Unknown,
}

/// A run of breaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incident {
    pub side: Side,
    /// The start of its first bucket.
    pub first: DateTime<Tz>,
    /// The start of its last bucket.
    pub last: DateTime<Tz>,
}

impl Incident {
    /// From its first bucket to the end of its last one.
    pub fn length(&self, step: TimeDelta) -> TimeDelta {
        self.last - self.first + step
    }
}

/// The runs of points in their order.
pub fn incidents(points: impl Iterator<Item = (DateTime<Tz>, Standing)>) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    let mut open = None;
    for (time, standing) in points {
        match (standing, open, incidents.last_mut()) {
            (Standing::Breach(side), Some(open), Some(incident)) if open == side => {
                incident.last = time;
            }
            (Standing::Breach(side), _, _) => {
                open = Some(side);
                incidents.push(Incident {
                    side,
                    first: time,
                    last: time,
                });
            }
            (Standing::Normal, _, _) => open = None,
            (Standing::Unknown, _, _) => {}
        }
    }
    incidents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::parse_time;

    /// One point a letter, each five minutes after the one before: `h`igh, `l`ow, `n`ormal, `?`.
    fn found(letters: &str) -> String {
        let begin = parse_time("2026-11-22 00:00", Tz::UTC).expect("a time");
        let five = TimeDelta::minutes(5);
        let points = (0..).zip(letters.chars()).map(|(index, letter)| {
            let standing = match letter {
                'h' => Standing::Breach(Side::High),
                'l' => Standing::Breach(Side::Low),
                'n' => Standing::Normal,
                _ => Standing::Unknown,
            };
            (begin + five * index, standing)
        });
        let told = incidents(points).into_iter().map(|incident| {
            let minutes = incident.length(five).num_minutes();
            format!("{:?} {minutes}", incident.side)
        });
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_run_of_breaches_counts_once() {
        assert_eq!(found("nhhhnnlln"), "High 15, Low 10");
        assert_eq!(found("nnn"), "");
        assert_eq!(found(""), "");
    }

    #[test]
    fn a_normal_point_between_two_breaches_makes_them_two_incidents() {
        assert_eq!(found("hnh"), "High 5, High 5");
    }

    #[test]
    fn the_other_side_is_another_incident() {
        assert_eq!(found("hhlh"), "High 10, Low 5, High 5");
    }

    #[test]
    fn an_undecided_point_neither_ends_nor_begins_one() {
        assert_eq!(found("?h??h?n?"), "High 20");
    }
}
