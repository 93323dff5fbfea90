//! A window that is made of what was kept and what is new is the one that a whole read makes, or it is
//! read as a whole.

use std::fs;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use tempfile::TempDir;

use super::*;
use crate::config::{Rows, TimeMeaning};
use crate::series::sample::{PARIS, time};
use crate::series::{Aggregate, LocalClock, Missing, local_time};
use crate::source::history::Lookback;

/// A row as a server keeps it, by the clock of Paris.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Minutes after the start of all rows.
    minute: i64,
    value: Option<f64>,
}

/// Two weeks of rows.
struct Shop {
    start: DateTime<Tz>,
    rows: Vec<Row>,
    metric: Metric,
    cache: WindowCache,
    database: DatabaseSettings,
    clock: &'static str,
    _folder: TempDir,
}

impl Shop {
    fn new(start: DateTime<Tz>, rows: Vec<Row>) -> Self {
        let mut metric = Metric::of_file("sales");
        metric.step = Some("1h".parse().expect("a step"));
        metric.window = Some(Duration::from_hours(5 * 24));
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            start,
            rows,
            metric,
            cache: WindowCache {
                folder: folder.path().to_path_buf(),
                reading: Reading::Newest,
                shard: Shard::WHOLE,
            },
            database: DatabaseSettings::default(),
            clock: "Local Europe/Paris",
            _folder: folder,
        }
    }

    /// One row an hour.
    fn of_hours() -> Self {
        let row = |hour: i64| Row {
            minute: hour * 60,
            value: Some(f64::from(u32::try_from(hour % 7).expect("small")) / 3.0),
        };
        Self::new(hour(0), (0..14 * 24).map(row).collect())
    }

    fn file(&self) -> PathBuf {
        self.cache.folder.join("sales.window")
    }

    fn wanted(&self, as_of: DateTime<Tz>) -> History {
        let step = self.metric.step.expect("a step");
        let lookback = Lookback::Beyond(Duration::ZERO);
        let aggregate = self.metric.aggregate;
        History::new(&self.metric, aggregate, step, as_of, lookback, None).expect("a history")
    }

    /// The history as of a time, and of which slots rows were read to get it.
    fn read(&self, as_of: DateTime<Tz>, cache: Option<&WindowCache>) -> Read {
        let cache = cache.map(|cache| cache.of(&self.metric, &self.database, PARIS));
        let mut lengths = Vec::new();
        let history = fill(self.wanted(as_of), cache.as_ref(), self.clock, |history| {
            let slots = history.slots();
            lengths.push(slots.end() - slots.start() + 1);
            self.send_rows(history, as_of);
            Ok(())
        });
        Read {
            history: history.expect("a history"),
            lengths,
        }
    }

    fn send_rows(&self, history: &mut History, now: DateTime<Tz>) {
        let mut clock = LocalClock::Until(now);
        let times = history.times();
        let (from, to) = (
            times.start.naive_local(),
            local_time::latest_local_time(times.end),
        );
        for row in &self.rows {
            let local = (self.start + TimeDelta::minutes(row.minute)).naive_local();
            if !(from..to).contains(&local) {
                continue;
            }
            match clock.instant(local) {
                Some(time) => history.add(Some(time), row.value),
                None => history.add_unclear(local_time::first_pass(local, PARIS), 1),
            }
        }
    }

    fn check(&self, as_of: DateTime<Tz>) -> Read {
        self.read(as_of, Some(&self.cache))
    }
}

struct Read {
    history: History,
    /// How many slots each read was of.
    lengths: Vec<i64>,
}

impl Read {
    fn is_whole(&self) -> bool {
        self.lengths.last().is_some_and(|length| *length > 100)
    }

    fn assert_same(&self, whole: &Self) {
        let (ours, theirs) = (&self.history, &whole.history);
        assert_eq!(ours.slots(), theirs.slots());
        assert_eq!(ours.buckets.row_counts, theirs.buckets.row_counts);
        let [ours, theirs] = [ours, theirs].map(|history| history.buckets.by_slot());
        let [ours, theirs] = [ours, theirs].map(|slots| slots.into_iter().flatten());
        assert!(are_same(ours.clone(), theirs.clone()));
    }
}

/// In weeks without a change of the clocks.
fn hour(hours: i64) -> DateTime<Tz> {
    time("2026-11-02 00:00") + TimeDelta::hours(hours)
}

#[test]
fn a_check_reads_what_is_new_and_a_day_before() {
    let shop = Shop::of_hours();
    assert_eq!(shop.check(hour(250)).lengths, [121]);
    let warm = shop.check(hour(252));
    // A day before the last read, and two hours since.
    assert_eq!(warm.lengths, [26]);
    warm.assert_same(&shop.read(hour(252), None));
    let later = shop.check(hour(256));
    assert_eq!(later.lengths, [28]);
    later.assert_same(&shop.read(hour(256), None));
}

#[test]
fn after_an_outage_the_rows_of_all_of_it_and_of_a_day_before_are_read() {
    let mut shop = Shop::of_hours();
    shop.metric.window = Some(Duration::from_hours(8 * 24));
    let cache = shop.cache.of(&shop.metric, &shop.database, PARIS);
    let day = |hours| cache.day(hour(hours).to_utc());
    let first = (240..300).find(|hours| day(*hours) == day(hours + 15));
    let first = first.expect("an hour");
    shop.check(hour(first));
    let warm = shop.check(hour(first + 15));
    assert_eq!(warm.lengths, [24 + 15]);
    warm.assert_same(&shop.read(hour(first + 15), None));
}

#[test]
fn what_is_corrected_within_the_day_is_seen_at_once_and_what_is_older_with_the_daily_read() {
    let mut shop = Shop::of_hours();
    shop.check(hour(250));
    shop.rows[248].value = Some(99.0);
    let warm = shop.check(hour(251));
    assert_eq!(warm.lengths, [25]);
    warm.assert_same(&shop.read(hour(251), None));
    shop.rows[180].value = Some(77.0);
    let value = |read: &Read, row: i64| {
        let slot = read.history.grid().slot(hour(row));
        read.history.buckets.by_slot().expect("slots")[&slot].value
    };
    assert!(value(&shop.check(hour(252)), 180) < 9.0);
    // Each metric has a time of the day of its own.
    let whole = (253..277).map(|time| shop.check(hour(time)));
    let whole: Vec<Read> = whole.filter(Read::is_whole).collect();
    let [daily] = &whole[..] else {
        panic!("{} whole reads", whole.len());
    };
    assert!((value(daily, 180) - 77.0).abs() < 1e-9);
}

#[test]
fn a_young_series_is_read_as_a_whole_as_it_may_yet_be_filled_in_from_behind() {
    let mut shop = Shop::of_hours();
    shop.rows.retain(|row| row.minute >= 180 * 60);
    for hours in [245, 246, 256] {
        assert!(shop.check(hour(hours)).is_whole(), "{hours}");
    }
    // One of them may be the daily read.
    let is_whole = [257, 258].map(|hours| shop.check(hour(hours)).is_whole());
    assert!(is_whole.contains(&false));
}

#[test]
fn a_change_at_the_far_end_of_what_is_read_again_brings_a_whole_read() {
    for change in [
        |row: &mut Row| row.value = None,
        |row: &mut Row| row.minute += 60,
    ] {
        let mut shop = Shop::of_hours();
        shop.check(hour(250));
        change(&mut shop.rows[228]);
        let read = shop.check(hour(251));
        assert_eq!(read.lengths, [25, 121]);
        read.assert_same(&shop.read(hour(251), None));
    }
}

#[test]
fn a_query_whose_rows_depend_on_where_it_begins_is_read_as_a_whole() {
    let mut shop = Shop::of_hours();
    shop.metric.aggregate = Some(Aggregate::Last);
    let running_total = |as_of: DateTime<Tz>, cache: Option<&WindowCache>| {
        let cache = cache.map(|cache| cache.of(&shop.metric, &shop.database, PARIS));
        let history = fill(shop.wanted(as_of), cache.as_ref(), "", |history| {
            let times = history.times();
            let mut total = 0.0;
            for row in &shop.rows {
                let time = shop.start + TimeDelta::minutes(row.minute);
                if times.contains(&time) {
                    total += row.value.unwrap_or_default();
                    history.add(Some(time), Some(total));
                }
            }
            Ok(())
        });
        Read {
            history: history.expect("a history"),
            lengths: Vec::new(),
        }
    };
    running_total(hour(250), Some(&shop.cache));
    running_total(hour(251), Some(&shop.cache)).assert_same(&running_total(hour(251), None));
}

type Change = fn(&mut Shop);

#[test]
fn all_is_read_where_anything_is_not_as_it_was() {
    let changes: [(&str, Change); 11] = [
        ("name", |shop| shop.metric.name = "other".into()),
        ("rows", |shop| {
            shop.metric.rows = Rows::File {
                time_column: Some("at".into()),
                value_column: None,
            };
        }),
        ("time", |shop| shop.metric.time = Some(TimeMeaning::Utc)),
        ("step", |shop| shop.metric.step = "30m".parse().ok()),
        ("aggregate", |shop| {
            shop.metric.aggregate = Some(Aggregate::Max);
        }),
        ("window", |shop| {
            shop.metric.window = Some(Duration::from_hours(119));
        }),
        ("missing", |shop| shop.metric.missing = Missing::Zero),
        ("reread", |shop| {
            shop.metric.reread = Duration::from_hours(48);
        }),
        ("database", |shop| shop.database.database = "other".into()),
        ("clock", |shop| shop.clock = "Local +01:00"),
        ("no cache", |shop| shop.cache.reading = Reading::All),
    ];
    for (what, change) in changes {
        let mut shop = Shop::of_hours();
        shop.check(hour(250));
        change(&mut shop);
        assert!(shop.check(hour(251)).is_whole(), "{what}");
    }
    let shop = Shop::of_hours();
    shop.check(hour(250));
    assert!(shop.check(hour(249)).is_whole(), "a clock that went back");
}

#[test]
fn rows_of_no_known_bucket_and_days_are_not_kept() {
    let shop = Shop::of_hours();
    let cache = shop.cache.of(&shop.metric, &shop.database, PARIS);
    let history = fill(
        shop.wanted(hour(250)),
        Some(&cache),
        shop.clock,
        |history| {
            history.add(None, Some(1.0));
            Ok(())
        },
    );
    assert_eq!(
        history.expect("a history").buckets.row_counts.unclear_time,
        1
    );
    assert!(!shop.file().exists());
    let mut shop = Shop::of_hours();
    shop.metric.step = Some("1d".parse().expect("a step"));
    shop.check(hour(250));
    assert!(!shop.file().exists());
}

#[test]
fn a_file_cut_or_changed_anywhere_is_as_good_as_none() {
    let shop = Shop::of_hours();
    let whole = shop.check(hour(250));
    let path = shop.file();
    let bytes = fs::read(&path).expect("a file");
    let known = file::read(&path).expect("a window");
    assert_eq!(known.head.read_at, hour(250).to_utc());
    let buckets = whole.history.buckets.by_slot().expect("slots");
    assert!(are_same(known.slots(i64::MIN..=i64::MAX), buckets.iter()));
    let is_refused = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        file::read(&path).is_none()
    };
    for length in 0..bytes.len() {
        assert!(is_refused(&bytes[..length]), "{length}");
    }
    assert!(is_refused(&[&bytes[..], b"\n"].concat()));
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << (place % 8);
        assert!(is_refused(&changed), "{place}");
    }
    let read = shop.check(hour(251));
    assert!(read.is_whole());
    assert!(!shop.check(hour(252)).is_whole(), "it is written anew");
}

#[test]
fn a_link_in_place_of_the_file_is_not_followed_and_what_is_old_is_removed() {
    let shop = Shop::of_hours();
    shop.check(hour(250));
    let elsewhere = shop.cache.folder.join("elsewhere");
    fs::rename(shop.file(), &elsewhere).expect("renamed");
    std::os::unix::fs::symlink(&elsewhere, shop.file()).expect("a link");
    let before = fs::read(&elsewhere).expect("a file");
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(31 * 24);
    let old = fs::File::create(shop.cache.folder.join("gone.window")).expect("a file");
    old.set_modified(long_ago).expect("a time");
    assert!(shop.check(hour(251)).is_whole());
    assert_eq!(fs::read(&elsewhere).expect("a file"), before);
    assert!(!shop.file().is_symlink());
    assert!(!shop.cache.folder.join("gone.window").exists());
}

/// Some rows an hour or none, in any order, some without a number.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![
        8 => any::<i16>().prop_map(|value| f64::from(value) / 7.0),
        1 => select(vec![f64::NAN, f64::INFINITY, f64::MAX, -0.0]),
    ];
    let row = (0..14 * 24 * 60_i64, of(value)).prop_map(|(minute, value)| Row { minute, value });
    vec(row, 0..400)
}

fn aggregate() -> impl Strategy<Value = Option<Aggregate>> {
    select(vec![
        None,
        Some(Aggregate::Sum),
        Some(Aggregate::Count),
        Some(Aggregate::Avg),
        Some(Aggregate::Min),
        Some(Aggregate::Max),
        Some(Aggregate::Last),
    ])
}

proptest! {
    #[test]
    fn kept_and_new_buckets_make_what_a_whole_read_makes(
        rows in rows(),
        aggregate in aggregate(),
        begin in 122..300_i64,
        checks in vec((1..1500_i64, of((0..1440_i64, any::<i16>()))), 1..6),
    ) {
        // The clocks go back in it.
        let start = time("2026-10-19 00:00");
        let mut shop = Shop::new(start, rows);
        shop.metric.aggregate = aggregate;
        let mut minute = begin * 60;
        let at = |minute: i64| start + TimeDelta::minutes(minute);
        // What is not written yet is not read.
        let all = shop.rows.clone();
        let mut changed: Vec<Row> = Vec::new();
        for (minutes, correction) in std::iter::once((0, None)).chain(checks) {
            minute += minutes;
            let written = |row: &&Row| row.minute <= minute;
            if let Some((age, value)) = correction {
                // Rows of the last day before the check before are corrected, or come late.
                changed.push(Row { minute: minute - minutes - age, value: Some(value.into()) });
            }
            shop.rows = all.iter().chain(&changed).filter(written).copied().collect();
            shop.check(at(minute)).assert_same(&shop.read(at(minute), None));
        }
    }
}
