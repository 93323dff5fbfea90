//! What is made of kept and new rows of many series is what a whole read of all of them makes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use chrono_tz::Tz;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::config::{DatabaseSettings, Group, Metric};
use crate::series::sample::{PARIS, time};
use crate::source::cache::{WindowCache, are_same};
use crate::source::history::Lookback;

/// The values of two weeks of hours by the name of the store.
type Rows = BTreeMap<String, BTreeMap<i64, f64>>;

struct Shop {
    rows: Rows,
    metric: Metric,
    cache: WindowCache,
    _folder: TempDir,
}

/// What was handed over, and what was read for it.
struct Look {
    series: BTreeMap<String, SeriesHistory>,
    /// Of all series or of one, and how many slots.
    reads: Vec<(Option<String>, i64)>,
}

impl Shop {
    fn new(stores: u32) -> Self {
        let mut metric = Metric::of_file("sales");
        metric.step = Some("1h".parse().expect("a step"));
        metric.window = Some(Duration::from_hours(5 * 24));
        metric.group = Some(Box::new(Group {
            columns: vec!["store".into()],
            ..Group::of_nothing()
        }));
        let folder = tempfile::tempdir().expect("a folder");
        let values = |store: u32| {
            let value = move |hour: u32| (i64::from(hour), f64::from(hour * 7 + 1 + store));
            (0..14 * 24).map(value)
        };
        Self {
            rows: (0..stores)
                .map(|store| (format!("s{store}"), values(store).collect()))
                .collect(),
            metric,
            cache: WindowCache {
                folder: folder.path().to_path_buf(),
                reading: Reading::Newest,
                shard: Shard::WHOLE,
            },
            _folder: folder,
        }
    }

    fn look(&self, hours: i64, cache: Option<&WindowCache>) -> Look {
        let as_of = hour(hours);
        let database = DatabaseSettings::default();
        let cache = cache.map(|cache| cache.of(&self.metric, &database, PARIS));
        let step = self.metric.step.expect("a step");
        let lookback = Lookback::Beyond(Duration::ZERO);
        let empty =
            History::new(&self.metric, None, step, as_of, lookback, None).expect("a history");
        let (mut series, mut reads) = (BTreeMap::new(), Vec::new());
        let read = |empty: &History, wanted: Wanted, take: &mut Take| {
            let slots = empty.slots();
            let one = match wanted {
                Wanted::All => None,
                Wanted::One(key) => Some(key.write()),
            };
            reads.push((one.clone(), slots.end() - slots.start() + 1));
            for (store, rows) in &self.rows {
                let key = SeriesKey::new(&["store".to_string()], [Some(store.clone())]);
                let mut history = empty.clone();
                for (at, value) in rows {
                    history.add(Some(hour(*at)), Some(*value));
                }
                let is_wanted = one.as_ref().is_none_or(|one| *one == key.write());
                if is_wanted && !history.is_empty() {
                    let title = Some(format!("Store {store}"));
                    take(SeriesHistory {
                        key,
                        title,
                        history,
                    })?;
                }
            }
            Ok(())
        };
        let count = fill_series(&empty, cache.as_ref(), "a clock", read, &mut |found| {
            let before = series.insert(found.key.write(), found);
            assert!(before.is_none(), "handed over twice");
            Ok(())
        });
        assert_eq!(count.expect("a count"), series.len());
        Look { series, reads }
    }

    fn check(&self, hours: i64) -> Look {
        self.look(hours, Some(&self.cache))
    }

    fn assert_whole(&self, look: &Look, hours: i64) {
        let whole = self.look(hours, None);
        assert_eq!(
            look.series.keys().collect::<Vec<_>>(),
            whole.series.keys().collect::<Vec<_>>()
        );
        for (found, wanted) in look.series.values().zip(whole.series.values()) {
            assert_eq!(found.title, wanted.title);
            let [ours, theirs] = [found, wanted].map(|series| {
                let slots = series.history.buckets.by_slot();
                slots.expect("slots").iter()
            });
            assert!(are_same(ours, theirs), "{}", found.key.write());
            assert_eq!(found.history.slots(), wanted.history.slots());
        }
    }

    fn archive(&self) -> PathBuf {
        self.cache.folder.join("sales.windows")
    }
}

fn hour(hours: i64) -> chrono::DateTime<Tz> {
    time("2026-11-02 00:00") + TimeDelta::hours(hours)
}

#[test]
fn a_look_reads_what_is_new_of_all_series_at_once() {
    let shop = Shop::new(3);
    assert_eq!(shop.check(250).reads, [(None, 121)]);
    let warm = shop.check(252);
    assert_eq!(warm.reads, [(None, 26)]);
    shop.assert_whole(&warm, 252);
    let names: Vec<_> = fs::read_dir(&shop.cache.folder)
        .expect("a folder")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_series_that_is_new_or_changed_before_what_is_read_is_read_alone() {
    let mut shop = Shop::new(3);
    shop.check(250);
    let values = shop.rows["s1"].clone();
    shop.rows.insert("s7".into(), values);
    shop.rows.get_mut("s2").expect("a store").insert(229, 0.5);
    let warm = shop.check(251);
    let alone = |store: &str| (Some(format!("{{store={store}}}")), 121);
    assert_eq!(warm.reads, [(None, 25), alone("s2"), alone("s7")]);
    shop.assert_whole(&warm, 251);
    assert_eq!(shop.check(252).reads, [(None, 25)]);
}

#[test]
fn a_series_without_new_rows_is_handed_over_until_its_last_row_leaves_the_window() {
    let mut shop = Shop::new(2);
    shop.check(250);
    shop.rows
        .get_mut("s1")
        .expect("a store")
        .retain(|hour, _| *hour < 200);
    let gone: Vec<usize> = (251..330)
        .map(|hours| {
            let look = shop.check(hours);
            shop.assert_whole(&look, hours);
            look.series.len()
        })
        .collect();
    assert!(gone.starts_with(&[2]) && gone.ends_with(&[1]));
}

#[test]
fn many_series_that_changed_are_read_with_all() {
    let mut shop = Shop::new(37);
    shop.check(250);
    let changed = shop.rows.iter_mut().skip(2);
    changed.for_each(|(_, rows)| {
        rows.insert(229, 0.5);
    });
    let warm = shop.check(251);
    assert_eq!(warm.reads, [(None, 25), (None, 121)]);
    shop.assert_whole(&warm, 251);
}

#[test]
fn a_shard_keeps_its_own_series_alone() {
    let mut shop = Shop::new(8);
    shop.cache.shard = Shard::parse("1/2").expect("a shard");
    shop.check(250);
    let warm = shop.check(251);
    assert_eq!(warm.reads, [(None, 25)]);
    let own = |key: &String| shop.cache.shard.holds(&format!("sales{key}"));
    let (own, others): (Vec<_>, Vec<_>) = warm.series.into_iter().partition(|(key, _)| own(key));
    let length = |series: &SeriesHistory| series.history.buckets.by_slot().map(BTreeMap::len);
    assert!(!own.is_empty() && own.iter().all(|(_, series)| length(series) == Some(121)));
    assert!(!others.is_empty() && others.iter().all(|(_, series)| length(series) == Some(25)));
    assert!(shop.cache.folder.join("sales.1-of-2.windows").exists());
}

#[test]
fn a_look_that_is_cut_short_leaves_what_was_kept_as_it_was() {
    let shop = Shop::new(3);
    shop.check(250);
    let before = fs::read(shop.archive()).expect("a file");
    let database = DatabaseSettings::default();
    let cache = shop.cache.of(&shop.metric, &database, PARIS);
    let step = shop.metric.step.expect("a step");
    let lookback = Lookback::Beyond(Duration::ZERO);
    let empty =
        History::new(&shop.metric, None, step, hour(251), lookback, None).expect("a history");
    let read = |_: &History, _: Wanted, _: &mut Take| anyhow::bail!("the deadline");
    let look = fill_series(&empty, Some(&cache), "a clock", read, &mut |_| Ok(()));
    assert!(look.is_err());
    let names: Vec<_> = fs::read_dir(&shop.cache.folder)
        .expect("a folder")
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(fs::read(shop.archive()).expect("a file"), before);
}

#[test]
fn a_file_that_is_cut_or_changed_anywhere_harms_no_look() {
    let shop = Shop::new(2);
    shop.check(250);
    let bytes = fs::read(shop.archive()).expect("a file");
    let places = (0..bytes.len()).step_by(37);
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        for bytes in [&bytes[..place], &changed[..]] {
            fs::write(shop.archive(), bytes).expect("written");
            shop.assert_whole(&shop.check(251), 251);
        }
    }
}

/// What may happen to the rows between two looks.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Rows of a store since so many hours before now are gone.
    Lose { store: usize, hours: i64 },
    /// A store begins, or comes again, so many hours before now.
    Begin { store: usize, hours: i64 },
    Correct {
        store: usize,
        hours: i64,
        value: f64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let store = 0..6_usize;
    prop_oneof![
        (store.clone(), 0..200_i64).prop_map(|(store, hours)| Event::Lose { store, hours }),
        (store.clone(), 0..300_i64).prop_map(|(store, hours)| Event::Begin { store, hours }),
        // What is older than what is read again is seen with the daily read.
        (store, 0..20_i64, -9.0..9.0).prop_map(|(store, hours, value)| Event::Correct {
            store,
            hours,
            value
        }),
    ]
}

proptest! {
    #[test]
    fn looks_one_after_the_other_find_what_whole_reads_find(
        steps in vec((1..6_i64, vec(event(), 0..3)), 1..8)
    ) {
        let mut shop = Shop::new(4);
        let mut now = 240;
        shop.check(now);
        for (hours, events) in steps {
            now += hours;
            for event in events {
                match event {
                    // Only rows that were not there yet may be missing.
                    Event::Lose { store, hours } => {
                        let from = now - hours.min(20);
                        if let Some(rows) = shop.rows.get_mut(&format!("s{store}")) {
                            rows.retain(|at, _| *at < from);
                        }
                    }
                    Event::Begin { store, hours } => {
                        let rows = (now - hours..336).map(|hour| (hour, 2.0));
                        shop.rows.entry(format!("s{store}")).or_insert_with(|| rows.collect());
                    }
                    Event::Correct { store, hours, value } => {
                        if let Some(rows) = shop.rows.get_mut(&format!("s{store}")) {
                            rows.insert(now - hours, value);
                        }
                    }
                }
            }
            let look = shop.check(now);
            shop.assert_whole(&look, now);
        }
    }
}
