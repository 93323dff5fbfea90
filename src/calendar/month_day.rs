//! A day that each month has, as pay days and month ends are: counted from the start of the month or from
//! its end, and on weekends moved to a working day.

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// A day of each month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthDay {
    pub place: MonthPlace,
    pub on_weekends: OnWeekends,
}

/// Where in a month a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthPlace {
    /// The day of this number.
    Day(u32),
    /// So many days before the last.
    BeforeLast(u32),
}

/// What becomes of a day that is a Saturday or a Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnWeekends {
    Stays,
    WorkingDayBefore,
    WorkingDayAfter,
}

impl MonthDay {
    /// Those that every month has, the last three by their distance from the end, the simple ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        let places = (1..=28).map(MonthPlace::Day);
        let places = places.chain((0..3).map(MonthPlace::BeforeLast));
        let ways = [
            OnWeekends::Stays,
            OnWeekends::WorkingDayBefore,
            OnWeekends::WorkingDayAfter,
        ];
        ways.into_iter().flat_map(move |on_weekends| {
            places.clone().map(move |place| Self { place, on_weekends })
        })
    }

    /// Its date in the month of a date; that may be in the month before or after, as it is moved.
    pub fn in_month_of(self, date: NaiveDate) -> Option<NaiveDate> {
        let first = date.with_day(1)?;
        let day = match self.place {
            MonthPlace::Day(day) => first.with_day(day)?,
            MonthPlace::BeforeLast(days) => {
                let next = first.checked_add_months(Months::new(1))?;
                next.checked_sub_days(Days::new(u64::from(days) + 1))?
            }
        };
        let into_weekend = match day.weekday() {
            Weekday::Sat => 0,
            Weekday::Sun => 1,
            _ => return Some(day),
        };
        match self.on_weekends {
            OnWeekends::Stays => Some(day),
            OnWeekends::WorkingDayBefore => day.checked_sub_days(Days::new(into_weekend + 1)),
            OnWeekends::WorkingDayAfter => day.checked_add_days(Days::new(2 - into_weekend)),
        }
    }

    /// Its dates from one date to another, in order.
    pub fn dates(self, from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let before = from.checked_sub_months(Months::new(1)).unwrap_or(from);
        let months = (0..).map_while(move |month| {
            let date = before.with_day(1)?.checked_add_months(Months::new(month))?;
            // Of the month after, a day may be moved into this one.
            let is_near = date <= to.checked_add_days(Days::new(2)).unwrap_or(to);
            is_near.then_some(date)
        });
        let dates = months.filter_map(move |month| self.in_month_of(month));
        dates.filter(move |date| (from..=to).contains(date))
    }
}

/// "the 25th, on weekends the working day before".
impl fmt::Display for MonthDay {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self.place {
            MonthPlace::Day(day) => {
                let suffix = match (day % 10, day) {
                    (_, 11..=13) => "th",
                    (1, _) => "st",
                    (2, _) => "nd",
                    (3, _) => "rd",
                    _ => "th",
                };
                write!(formatter, "the {day}{suffix}")?;
            }
            MonthPlace::BeforeLast(0) => formatter.write_str("the last day of the month")?,
            MonthPlace::BeforeLast(days) => {
                write!(formatter, "the last day of the month but {days}")?;
            }
        }
        formatter.write_str(match self.on_weekends {
            OnWeekends::Stays => "",
            OnWeekends::WorkingDayBefore => ", on weekends the working day before",
            OnWeekends::WorkingDayAfter => ", on weekends the working day after",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn dates(place: MonthPlace, on_weekends: OnWeekends, from: &str, to: &str) -> Vec<String> {
        let day = MonthDay { place, on_weekends };
        let dates = day.dates(date(from), date(to));
        dates.map(|date| date.to_string()).collect()
    }

    #[test]
    fn a_day_of_the_month_moves_off_the_weekend() {
        // The 25th of January, April, July and October 2026: Sunday, Saturday, Saturday, Sunday.
        let month = |way, month: u32| {
            let from = format!("2026-{month:02}-20");
            dates(
                MonthPlace::Day(25),
                way,
                &from,
                &format!("2026-{month:02}-28"),
            )
        };
        for (number, before, after) in [(1, 23, 26), (4, 24, 27), (2, 25, 25), (10, 23, 26)] {
            let on = |day: u32| [format!("2026-{number:02}-{day}")];
            assert_eq!(month(OnWeekends::Stays, number), on(25));
            assert_eq!(month(OnWeekends::WorkingDayBefore, number), on(before));
            assert_eq!(month(OnWeekends::WorkingDayAfter, number), on(after));
        }
    }

    #[test]
    fn the_end_of_a_month_is_counted_back_from_its_last_day() {
        let last = |days, way| {
            dates(
                MonthPlace::BeforeLast(days),
                way,
                "2024-02-01",
                "2024-04-30",
            )
        };
        assert_eq!(
            last(0, OnWeekends::WorkingDayBefore),
            ["2024-02-29", "2024-03-29", "2024-04-30"]
        );
        assert_eq!(
            last(1, OnWeekends::Stays),
            ["2024-02-28", "2024-03-30", "2024-04-29"]
        );
    }

    #[test]
    fn a_day_may_be_moved_into_the_month_beside_it() {
        // The 1st of August 2026 is a Saturday, the last of May a Sunday.
        let first = MonthPlace::Day(1);
        let found = dates(
            first,
            OnWeekends::WorkingDayBefore,
            "2026-07-02",
            "2026-07-31",
        );
        assert_eq!(found, ["2026-07-31"]);
        let last = MonthPlace::BeforeLast(0);
        let found = dates(
            last,
            OnWeekends::WorkingDayAfter,
            "2026-06-01",
            "2026-06-29",
        );
        assert_eq!(found, ["2026-06-01"]);
    }

    #[test]
    fn a_day_of_the_month_is_told_in_words() {
        let told: Vec<String> = MonthDay::all().map(|day| day.to_string()).collect();
        assert_eq!(told.len(), 93);
        assert_eq!(told[..4], ["the 1st", "the 2nd", "the 3rd", "the 4th"]);
        assert_eq!([&told[10], &told[21]], ["the 11th", "the 22nd"]);
        assert_eq!(told[28], "the last day of the month");
        assert_eq!(told[30], "the last day of the month but 2");
        assert_eq!(
            told[31 + 24],
            "the 25th, on weekends the working day before"
        );
    }
}
