//! A day that each month has, as pay days and month ends are: counted from the start of the month or from
//! its end, and on weekends moved to a working day.

use std::fmt;

use chrono::{Datelike, Months, TimeDelta};

use crate::series::Grid;

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
    Day(i64),
    /// So many days before the last.
    BeforeLast(i64),
}

/// A month by the numbers of its days, counted from [`Grid::EPOCH`], which is a Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    pub first: i64,
    pub days: i64,
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

    /// The number of its day in a month; that may be one of the month before or after, as it is moved.
    pub fn in_month(self, month: Month) -> i64 {
        let day = month.first
            + match self.place {
                MonthPlace::Day(day) => day - 1,
                MonthPlace::BeforeLast(days) => month.days - 1 - days,
            };
        let into_weekend = day.rem_euclid(7) - 5;
        match self.on_weekends {
            OnWeekends::WorkingDayBefore if into_weekend >= 0 => day - into_weekend - 1,
            OnWeekends::WorkingDayAfter if into_weekend >= 0 => day - into_weekend + 2,
            _ => day,
        }
    }
}

impl Month {
    /// The months of the days from one to another, and those from which a day may be moved into them.
    pub fn around(from: i64, to: i64) -> Vec<Self> {
        const FARTHEST_MOVE: i64 = 2;
        let epoch = Grid::EPOCH.date_naive();
        let date = |day: i64| epoch.checked_add_signed(TimeDelta::try_days(day)?);
        let first = date(from - FARTHEST_MOVE).and_then(|date| date.with_day(1));
        let firsts = (0..).map_while(|months| first?.checked_add_months(Months::new(months)));
        let numbers = firsts.map(|first| (first - epoch).num_days());
        let numbers = numbers.take_while(|first| *first <= to + FARTHEST_MOVE);
        let month = |first: i64| {
            let days = date(first)?.num_days_in_month();
            Some(Self {
                first,
                days: i64::from(days),
            })
        };
        numbers.filter_map(month).collect()
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
    use chrono::NaiveDate;

    use super::*;

    fn number(text: &str) -> i64 {
        let date: NaiveDate = text.parse().expect("a date");
        (date - Grid::EPOCH.date_naive()).num_days()
    }

    fn dates(place: MonthPlace, on_weekends: OnWeekends, from: &str, to: &str) -> Vec<String> {
        let day = MonthDay { place, on_weekends };
        let (from, to) = (number(from), number(to));
        let numbers = Month::around(from, to).into_iter();
        let numbers = numbers.map(|month| day.in_month(month));
        let dates = numbers.filter(|number| (from..=to).contains(number));
        let date = |number| Grid::EPOCH.date_naive() + TimeDelta::days(number);
        dates.map(|number| date(number).to_string()).collect()
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
