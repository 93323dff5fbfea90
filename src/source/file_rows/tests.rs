use super::*;
use crate::series::sample::time;
use crate::source::Source;

/// One of the series of a file.
#[derive(Debug, PartialEq)]
struct Found {
    name: String,
    title: String,
    values: Vec<f64>,
}

fn metric(lines: &str) -> Metric {
    toml::from_str(&format!("name = \"s\"\nevery = \"5m\"\n{lines}")).expect(lines)
}

fn source(text: &str) -> (tempfile::NamedTempFile, Source) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    let source = Source::File(file.path().to_path_buf());
    (file, source)
}

fn series(text: &str, lines: &str) -> Result<Vec<Found>> {
    let (metric, (_file, mut source)) = (metric(lines), source(text));
    let now = time("2026-11-22 14:05");
    let mut found = Vec::new();
    let request = SeriesRequest::new(&metric, now, None);
    source.each_series(&metric, &request, now, |one| {
        let window = one.history.latest(&metric);
        found.push(Found {
            name: metric.series_name(&one.key),
            title: one.title.unwrap_or_default(),
            values: window.series.values().iter().flatten().copied().collect(),
        });
        Ok(())
    })?;
    Ok(found)
}

fn names(text: &str, lines: &str) -> Vec<String> {
    let found = series(text, lines).expect(lines).into_iter();
    found.map(|series| series.name).collect()
}

/// Four buckets of each key, of which each sells so much in one, with the keys in another order each time.
fn rows(keys: &[(&str, f64)]) -> String {
    let mut text = "at,k,called,sold\n".to_string();
    for minute in [0, 5, 10, 15] {
        let mut keys = keys.to_vec();
        let by = minute % keys.len();
        keys.rotate_left(by);
        for (key, sold) in keys {
            text += &format!("2026-11-22 10:{minute:02},{key},Shop {minute},{sold}\n");
        }
    }
    text
}

const GROUPED: &str = "group_by = [\"k\"]\nvalue_column = \"sold\"\n";

#[test]
fn rows_in_any_order_are_the_series_of_their_keys() {
    let long = "ü".repeat(70);
    let text = rows(&[
        ("b", 1.0),
        ("", 2.0),
        ("🍎", 3.0),
        ("\"a,\"\"b\"", 4.0),
        (&long, 5.0),
    ]);
    let titled = format!("{GROUPED}title_column = \"called\"");
    let found = series(&text, &titled).expect("series");
    // The mark is that of `printf ü...ü | sha256sum`, as the server's SHA2 makes it.
    let of_long = SeriesKey::known_value(&long).into_owned();
    let of_long = format!("s{{k=\"{}\"~{}}}", "ü".repeat(60), &of_long[120..]);
    let expected = [
        ("s{k=NULL}", 2.0),
        ("s{k=\"a,\\\"b\"}", 4.0),
        ("s{k=b}", 1.0),
        (&of_long, 5.0),
        ("s{k=\"🍎\"}", 3.0),
    ];
    let expected = expected.map(|(name, value)| Found {
        name: name.to_string(),
        title: "Shop 15".to_string(),
        values: vec![value; 4],
    });
    assert_eq!(found, expected);
}

#[test]
fn the_largest_are_watched_and_of_equal_ones_the_first() {
    let text = rows(&[("a", 1.0), ("b", -3.0), ("c", 2.0), ("d", 2.0)]);
    let text = text + "2026-01-01 10:00,a,,1000\n";
    for (lines, expected) in [
        ("top = 2", &["s{k=b}", "s{k=c}"][..]),
        (
            "top = 3\nexclude = [\"b\"]",
            &["s{k=a}", "s{k=c}", "s{k=d}"],
        ),
        ("include = [\"b\", \"*c*\"]", &["s{k=b}", "s{k=c}"]),
        ("include = [\"x\"]", &[]),
    ] {
        assert_eq!(
            names(&text, &format!("{GROUPED}{lines}")),
            expected,
            "{lines}"
        );
    }
}

#[test]
fn the_columns_of_keys_are_neither_times_nor_values() {
    let text = "store,day,until,pieces\n1,2026-11-21,2026-12-01,5\n2,2026-11-21,2026-12-01,6\n1,2026-11-22,2026-12-01,7\n";
    let found = names(text, "group_by = [\"store\", \"until\"]");
    assert_eq!(
        found,
        ["s{store=1,until=2026-12-01}", "s{store=2,until=2026-12-01}"]
    );
    for (lines, told) in [
        (
            "group_by = [\"shop\"]",
            "there is no column group_by = \"shop\"; there are \"store\"",
        ),
        (
            "group_by = [\"DAY\"]\ntime_column = \"day\"\nvalue_column = \"pieces\"",
            "\"day\" is the column of the time or the value",
        ),
    ] {
        let error = format!("{:#}", series(text, lines).expect_err(lines));
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn the_passes_of_the_repeated_hour_are_told_apart_by_the_order_of_each_key() {
    let times = ["01:55", "02:30", "02:55", "02:00", "02:30", "03:00"];
    let text: String = ["a", "b"]
        .iter()
        .flat_map(|key| {
            times
                .iter()
                .map(move |time| format!("2026-10-25 {time},{key},1\n"))
        })
        .collect();
    let text = format!("at,k,sold\n{text}");
    for one in series(&text, GROUPED).expect("series") {
        assert_eq!(one.values.len(), times.len(), "{one:?}");
    }
}

#[test]
fn one_series_is_read_as_it_is_read_among_all() {
    let text = rows(&[("a", 1.0), ("b", 2.0)]) + "2026-11-22 10:20,a,,1\n";
    let metric = metric(GROUPED);
    let (_file, mut source) = source(&text);
    let latest = |source: &mut Source, key: &str| {
        let key = metric.key_of(&format!("s{{k={key}}}")).expect("a key");
        let own = metric.of_series(&key, None, 1);
        source.latest(&own, None, time("2026-11-22 14:05"))
    };
    let window = latest(&mut source, "b").expect("a window");
    assert_eq!(window.newest, Some(time("2026-11-22 10:15")));
    assert_eq!(window.as_of, time("2026-11-22 10:25"));
    let error = format!("{:#}", latest(&mut source, "ab").expect_err("none"));
    let told =
        "there is no series s{k=ab}: no row that was read has its key; near it: s{k=a}, s{k=b}";
    assert!(error.ends_with(told), "{error}");
}
