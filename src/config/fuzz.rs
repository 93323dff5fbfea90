//! Whatever stands in the file is either a configuration or refused in one line.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Everything a configuration is asked for.
fn use_it(text: &str) {
    let used = Config::parse(text, Path::new(""), &|_| None).and_then(|config| {
        config.chosen(&[])?;
        let _ = config.metrics.iter().map(Metric::file_name).count();
        config.database()?;
        config.web_channels()?;
        config.mail()
    });
    if let Err(error) = used {
        let told = format!("{error:#}");
        assert!(
            !told.contains('\n') && !told.is_empty(),
            "{told:?} of {text:?}"
        );
    }
}

/// The lines of the example, those that are commented out included.
fn lines() -> Vec<String> {
    let example = include_str!("../../config.example.toml").lines();
    let lines = example.map(|line| match line.strip_prefix("# ") {
        Some(key) if key.contains(" = ") || key.starts_with("[[") => key.to_string(),
        _ => line.to_string(),
    });
    lines.filter(|line| !line.starts_with('#')).collect()
}

/// Values of every type, many of them too large, too small or too odd.
fn value() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "\"\"",
        "[]",
        "{}",
        "nan",
        "inf",
        "-inf",
        "-0.0",
        "1e308",
        "5e-324",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999",
        "2026-11-22T14:05:00Z",
        "\"99999999999999d\"",
        "\"584942417355y\"",
        "\"0s\"",
        "\"1ns\"",
        "\"100 of 100\"",
        "\"4294967296 of 4294967296\"",
        "[\"Sun 24:00-00:00\"]",
        "[\"Mon-Sun 00:00-24:00\", \"Sun-Mon,Tue 23:59-00:00\"]",
        "[\"1d\", \"7d\", \"1s\", \"3650d\", \"2d\"]",
        "\"999999999/day\"",
        "\"0.0000001/month\"",
        "[1, [2, [3, {a = [4]}]]]",
    ]);
    let lengths = (any::<u64>(), select(vec!["s", "m", "h", "d", "y", "ms"]));
    prop_oneof![
        odd.prop_map(str::to_string),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| format!("{value:?}").replace("NaN", "nan")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap_or_default()),
        lengths.prop_map(|(count, unit)| format!("\"{count}{unit}\"")),
        vec(any::<String>(), 0..3).prop_map(|texts| format!("{texts:?}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8 * ProptestConfig::default().cases))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        use_it(&text);
    }

    #[test]
    fn no_value_of_any_key_makes_it_panic(changes in vec((any::<Index>(), value()), 1..4)) {
        let mut lines = lines();
        for (place, value) in changes {
            let place = place.index(lines.len());
            if let Some((key, _)) = lines[place].split_once(" = ") {
                lines[place] = format!("{key} = {value}");
            }
        }
        use_it(&lines.join("\n"));
    }

    #[test]
    fn no_damage_makes_it_panic(
        places in vec((any::<Index>(), any::<char>()), 1..6),
        cut in any::<Index>(),
    ) {
        let mut letters: Vec<char> = lines().join("\n").chars().collect();
        for (place, letter) in places {
            let place = place.index(letters.len());
            letters[place] = letter;
        }
        letters.truncate(letters.len() / 2 + cut.index(letters.len()));
        use_it(&letters.into_iter().collect::<String>());
    }
}
