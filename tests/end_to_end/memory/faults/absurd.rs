//! Files of the state that are whole, and hold what no bandwatch ever wrote: every value in them becomes
//! every odd one. The suite tries some of these, spread evenly; `BANDWATCH_ODD_VALUES=100000 tests/run
//! odd_value` tries them all.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;

/// How many the suite tries.
const TRIED: usize = 80;

/// One of a file: where in it, and what is written there.
struct Change {
    file: PathBuf,
    place: String,
    value: Value,
}

fn odd_values() -> Vec<Value> {
    let numbers = [
        json!(0),
        json!(-1),
        json!(1e308),
        json!(-1e308),
        json!(5e-324),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
    ];
    let texts = [
        "",
        "\u{0}\u{202e}\n",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "+262142-12-31T23:59:59Z",
        "2026-11-22T12:00:00Z",
        "high",
        "nobody@example.com",
    ];
    let mut values = vec![json!(null), json!(true), json!([]), json!({}), json!([[]])];
    values.extend(numbers);
    values.extend(texts.map(Value::from));
    values.push("x".repeat(100_000).into());
    values
}

/// The places of all values in it, as JSON pointers (RFC 6901).
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        let place = format!("{at}/{key}");
        found.push(place.clone());
        places(value, &place, found);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| inner(key, value)),
        Value::Array(array) => {
            let numbered = array.iter().enumerate();
            numbered.for_each(|(index, value)| inner(&index.to_string(), value));
        }
        _ => {}
    }
}

/// The first line of a file of the state: the checksum is FNV-1a's.
fn with_head(body: &Value) -> String {
    let body = body.to_string();
    let checksum = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("bandwatch 1 {checksum:016x}\n{body}\n")
}

fn body(file: &str) -> Value {
    let (_, body) = file.split_once('\n').expect("a head");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn no_odd_value_in_a_whole_file_is_a_bug_and_what_was_to_be_told_is_told_after_it() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story
        .run_with("12:06", &["silence", "sales", "--for", "1m"])
        .assert_status(0);
    story.sell("12:05", 900.0);
    story.run_without_mail("12:10");
    let files: Vec<(PathBuf, String)> = story
        .files()
        .into_iter()
        .filter(|file| Path::new(file).extension().is_some_and(|end| end == "json"))
        .map(|file| story.memory().join(file))
        .map(|path| (path.clone(), fs::read_to_string(&path).expect("a file")))
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    let mut changes = Vec::new();
    for (file, text) in &files {
        let mut found = Vec::new();
        places(&body(text), "", &mut found);
        for place in found {
            changes.extend(odd_values().into_iter().map(|value| Change {
                file: file.clone(),
                place: place.clone(),
                value,
            }));
        }
    }
    let asked = std::env::var("BANDWATCH_ODD_VALUES").ok();
    let tried = asked.map_or(TRIED, |number| number.parse().expect("a number"));
    // By an odd number of odd values all of them have their turn.
    let stride = match changes.len() / tried {
        0 | 1 => 1,
        stride => stride | 1,
    };
    let mut bugs = Vec::new();
    for change in changes.iter().step_by(stride) {
        for (path, text) in &files {
            let mut body = body(text);
            if *path == change.file {
                *body.pointer_mut(&change.place).expect("a place") = change.value.clone();
            }
            fs::write(path, with_head(&body)).expect("a file");
        }
        let told = format!(
            "{:?} {} = {:.80}",
            change.file,
            change.place,
            change.value.to_string()
        );
        for arguments in [&["status"][..], &[]] {
            let run = story.run_at(moment("12:11"), arguments);
            let is_bug = |text: &str| {
                ["panicked", "a bug in bandwatch"]
                    .iter()
                    .any(|sign| text.contains(sign))
            };
            if run.status > 1 || is_bug(&run.stderr) || is_bug(&run.stdout) {
                bugs.push(format!("{told}: {run:?}"));
            }
        }
        for file in story.files() {
            if file.contains("unreadable") {
                fs::remove_file(story.memory().join(file)).expect("a file");
            }
        }
    }
    assert!(bugs.is_empty(), "{}", bugs.join("\n"));
    for (path, text) in &files {
        fs::write(path, text).expect("a file");
    }
    story.play("12:10", &[0.0, 0.0, 0.0]);
    assert_eq!(story.inbox(FIRST).last().map(String::as_str), Some("Over"));
}
