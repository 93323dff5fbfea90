//! The series of one metric: each has a life of its own, and all are read at once.

use chrono::TimeDelta;
use serde_json::Value;

use super::windows::again;
use crate::memory::story::{Story, moment, usual};
use crate::scene::FIRST;
use crate::support::Run;

/// A table of all stores, in which each sells as the one of the other stories does.
struct Stores {
    story: Story,
    names: Vec<String>,
}

impl Stores {
    /// That are called `store1`, `store2` and so on.
    fn new(count: usize, lines: &str) -> Self {
        let mut story = Story::new();
        story.metric = format!("group_by = [\"store\"]\n{lines}");
        let sql = |text: &str| story.database.execute(text);
        sql("RENAME TABLE sales TO one");
        sql(
            "CREATE TABLE sales (store VARCHAR(200) CHARACTER SET utf8mb4 NULL, called VARCHAR(50), at DATETIME NOT NULL, amount DOUBLE, KEY (store, at))",
        );
        let stores = Self {
            names: (1..=count).map(|number| format!("store{number}")).collect(),
            story,
        };
        for name in &stores.names {
            stores.open(name);
        }
        stores
    }

    /// Gives a store the history that all have.
    fn open(&self, name: &str) {
        self.story.database.execute(&format!(
            "INSERT INTO sales SELECT '{name}', 'Shop of {name}', at, amount FROM one"
        ));
    }

    /// What all stores sell in a bucket; some of them so much more than usual.
    fn sell(&self, at: &str, more: &[(&str, f64)]) {
        let at = moment(at);
        for name in &self.names {
            let more = more.iter().find(|(store, _)| store == name);
            let amount = usual(at) + more.map_or(0.0, |(_, more)| *more);
            self.story.database.execute(&format!(
                "INSERT INTO sales VALUES ('{name}', 'Shop of {name}', '{at}', {amount:?})"
            ));
        }
    }

    /// The same, and a run when it closes, which must go well.
    #[track_caller]
    fn play(&self, at: &str, more: &[(&str, f64)]) -> Run {
        self.sell(at, more);
        let run = self.story.run_at(moment(at) + TimeDelta::minutes(5), &[]);
        run.assert_status(0);
        assert_eq!(run.stderr, "", "nothing went wrong");
        run
    }

    /// The subjects of the first recipient's mails.
    fn subjects(&self) -> Vec<String> {
        let mails = self.story.mails(FIRST).into_iter();
        mails.map(|mail| mail.news().to_owned()).collect()
    }

    fn status_of(&self, at: &str, name: &str) -> Option<Value> {
        let status = self.story.status(at);
        let metrics = status["metrics"].as_array().expect("a list");
        metrics
            .iter()
            .find(|metric| metric["metric"] == name)
            .cloned()
    }

    fn series(&self, at: &str) -> Vec<String> {
        let status = self.story.status(at);
        let metrics = status["metrics"].as_array().expect("a list");
        let series = metrics.iter().filter(|metric| !metric["key"].is_null());
        series
            .map(|metric| metric["key"]["store"].as_str().unwrap_or("NULL").to_owned())
            .collect()
    }
}

#[test]
fn of_thirty_stores_those_with_an_incident_are_told_each_once() {
    let stores = Stores::new(30, "");
    stores.story.run_well("12:00");
    stores.story.assert_told(&[]);
    stores.play(
        "12:00",
        &[("store3", 500.0), ("store7", 500.0), ("store19", -500.0)],
    );
    let told = || {
        let mut inbox = stores.story.inbox(FIRST);
        inbox.sort();
        inbox
    };
    assert_eq!(told(), ["High", "High", "Low"]);
    let mut subjects = stores.subjects();
    subjects.sort();
    for (subject, title) in subjects
        .iter()
        .zip(["store store3", "store store7", "store store19"])
    {
        assert!(
            subject.contains(&format!("Sales ({title})")),
            "{subjects:?}"
        );
    }
    stores.play("12:05", &[]);
    stores.play("12:10", &[]);
    assert_eq!(told(), ["High", "High", "Low", "Over", "Over", "Over"]);
    assert_eq!(stores.series("12:16").len(), 30);
}

#[test]
fn all_series_are_read_at_once_and_none_where_nothing_is_new() {
    let stores = Stores::new(20, "");
    let sent = || stores.story.database.read_by_reader().sent;
    let before = sent();
    stores.story.run_well("12:00");
    // Four days and the judged bucket, of each store a row; and what the server is asked besides.
    let once = 20 * (4 * 288 + 1);
    let first = sent() - before;
    assert!((once..once + 20).contains(&first), "{first}");
    stores.story.run_well("12:01");
    let second = sent() - before - first;
    assert!(second < 5, "{second}");
    stores.play("12:00", &[]);
    // The new bucket of each, and a day before it.
    let new = 20 * (288 + 1);
    let third = sent() - before - first - second;
    assert!((new..new + 20).contains(&third), "{third}");
}

#[test]
fn what_is_told_of_windows_that_were_kept_is_what_is_told_of_a_whole_read() {
    let query = "[[metric]]\nname = \"asked\"\nquery = \"SELECT at, amount, store FROM sales WHERE at >= :from AND at < :to\"\n\
                 group_by = [\"store\"]\nevery = \"5m\"\nwindow = \"4d\"\n";
    let top = "aggregate = \"sum\"\ndelay = \"0s\"\ntop = 4\n";
    for (lines, more) in [("", query), (top, "")] {
        let mut stores = Stores::new(6, lines);
        stores.story.more_metrics = more.into();
        stores.story.run_well("12:00");
        // One is new, one is gone, and one is not as it was.
        stores.open("store7");
        let execute = |sql: &str| stores.story.database.execute(sql);
        let at = moment("12:00") - TimeDelta::hours(22);
        execute("DELETE FROM sales WHERE store = 'store5'");
        execute(&format!(
            "UPDATE sales SET amount = amount + 1 WHERE store = 'store2' AND at = '{at}'"
        ));
        stores.sell("12:00", &[("store3", 500.0)]);
        let told = |arguments: &[&str]| {
            let run = again(&stores.story, "12:05", arguments);
            let lines = run.stdout.lines();
            let told = lines.map(|line| {
                let mut told: Value = serde_json::from_str(line).expect("a JSON object");
                told["as_of"].take();
                told
            });
            told.collect::<Vec<_>>()
        };
        let kept = told(&["--format", "json"]);
        assert_eq!(kept, told(&["--format", "json", "--no-cache"]));
        assert!(
            kept.iter().any(|told| told["verdict"] == "high"),
            "{kept:?}"
        );
    }
}

#[test]
fn many_at_once_are_one_digest_with_the_worst_first() {
    let stores = Stores::new(60, "title_column = \"called\"\n");
    stores.story.run_well("12:00");
    let more: Vec<(&str, f64)> = stores
        .names
        .iter()
        .zip(0_u32..)
        .map(|(name, number)| (name.as_str(), 400.0 + f64::from(number)))
        .collect();
    stores.play("12:00", &more);
    stores.story.assert_told(&["60 alerts"]);
    let mail = stores.story.mails(FIRST).remove(0);
    let text = mail.text.expect("a text");
    let place = |name: &str| {
        text.find(&format!("Sales (Shop of {name})"))
            .expect("a row")
    };
    assert!(place("store60") < place("store59") && place("store59") < place("store20"));
    assert!(text.contains("And 10 more."), "{text}");
    assert!(text.len() < 20_000, "{}", text.len());
}

#[test]
fn a_new_store_is_watched_by_itself_and_no_mail_says_that_it_cannot_be_judged_yet() {
    let mut stores = Stores::new(3, "unwell_after = \"1m\"\n");
    stores.story.run_well("12:00");
    stores.names.push("new".to_owned());
    for at in ["12:00", "12:05", "12:10"] {
        stores.play(at, &[]);
    }
    assert!(stores.status_of("12:16", "sales{store=new}").is_some());
    stores.story.assert_told(&[]);
    // One that comes with a history is judged at once.
    stores.open("old");
    stores.names.push("old".to_owned());
    stores.play("12:15", &[("old", 500.0)]);
    stores.story.assert_told(&["High"]);
}

#[test]
fn a_store_that_vanishes_lacks_data_once_and_is_forgotten() {
    let mut stores = Stores::new(3, "forget_after = \"1h\"\n");
    stores.story.run_well("12:00");
    stores.names.retain(|name| name != "store2");
    for at in ["12:00", "12:05", "12:10", "12:15", "12:20"] {
        stores.play(at, &[]);
    }
    stores.story.assert_told(&["No data"]);
    assert!(stores.subjects()[0].contains("Sales (store store2)"));
    assert_eq!(stores.series("12:26").len(), 3);
    for at in ["12:25", "12:30", "12:50", "12:55", "13:00", "13:05"] {
        stores.play(at, &[]);
    }
    stores.story.assert_told(&["No data"]);
    assert_eq!(stores.series("13:11"), ["store1", "store3"]);
}

#[test]
fn where_all_stores_stop_one_mail_tells_it() {
    let stores = Stores::new(7, "");
    stores.play("12:00", &[]);
    for at in ["12:10", "12:20", "12:25", "12:30"] {
        stores.story.run_well(at);
    }
    stores.story.assert_told(&["No data"]);
    assert!(
        stores.subjects()[0].contains("No data] Sales:"),
        "{:?}",
        stores.subjects()
    );
    stores.play("12:30", &[]);
    stores.story.assert_told(&["No data", "Data again"]);
}

#[test]
fn a_silence_is_of_one_store_or_of_all() {
    let stores = Stores::new(4, "");
    stores.story.run_well("12:00");
    let silence = |name: &str| {
        let arguments = ["silence", name, "--for", "12m"];
        stores.story.run_with("12:00", &arguments).assert_status(0);
    };
    silence("sales{store=store1}");
    stores.play("12:00", &[("store1", 500.0), ("store2", 500.0)]);
    stores.story.assert_told(&["High"]);
    assert!(stores.subjects()[0].contains("store2"));
    let arguments = ["silence", "sales", "--for", "1h"];
    stores.story.run_with("12:06", &arguments).assert_status(0);
    stores.play("12:05", &[("store3", 500.0)]);
    stores.story.assert_told(&["High"]);
    let quiet = stores
        .status_of("12:11", "sales{store=store4}")
        .expect("a series");
    assert!(quiet["silent_until"].is_string());
    stores
        .story
        .run_with("12:11", &["unsilence", "sales"])
        .assert_status(0);
}

#[test]
fn commands_take_the_name_of_a_series() {
    let stores = Stores::new(3, "");
    stores.story.run_well("12:00");
    stores.play("12:00", &[("store2", 500.0)]);
    let series = "sales{store=store2}";
    let run = |arguments: &[&str]| stores.story.run_with("12:06", arguments);
    for arguments in [
        &["ack", "sales"][..],
        &["was", series, "real"],
        &["explain", "--metric", series, "--at", "2026-11-22 12:05"],
        &[
            "backtest", "--metric", series, "--last", "1h", "--window", "3d",
        ],
        &["status", "--metric", series],
        &["report"],
    ] {
        let run = run(arguments);
        run.assert_status(0);
        assert!(run.stdout.contains("store2"), "{run:?}");
    }
    assert!(stores.status_of("12:06", series).expect("a series")["acknowledged"].is_object());
    for arguments in [
        &["explain", "--metric", "sales", "--at", "2026-11-22 12:05"][..],
        &["backtest", "--metric", "sales"],
        &["was", "sales", "fine"],
    ] {
        let run = run(arguments);
        run.assert_status(2);
        assert!(
            run.stderr
                .contains("name one in quotation marks, as 'sales{store=...}'"),
            "{run:?}"
        );
    }
    // The verdict of one is that of all.
    let one = run(&["--metric", series, "-v"]);
    one.assert_status(0);
    assert!(
        one.stdout.contains(series) && !one.stdout.contains("store1"),
        "{one:?}"
    );
}

/// In three fifths of five seconds two of these can be read at most.
#[test]
fn what_the_deadline_cuts_off_is_looked_at_first_by_the_next_run() {
    let mut story = Story::new();
    let sql = |text: &str| story.database.execute(text);
    sql("RENAME TABLE sales TO one");
    sql("CREATE TABLE sales (store INT, at DATETIME, amount DOUBLE, PRIMARY KEY (store, at))");
    for store in 1..=5 {
        sql(&format!(
            "INSERT INTO sales SELECT {store}, at, amount FROM one"
        ));
    }
    story.metric =
        "group_by = [\"store\"]\nwhere = \"at <> '2026-11-21 06:00' OR SLEEP(1.1) = 0\"\n".into();
    story.top = "deadline = \"5s\"\n".into();
    let mut known = 0;
    for at in ["12:00", "12:01", "12:02", "12:03", "12:04"] {
        let run = story.run(at);
        run.assert_status(1);
        let lines: Vec<&str> = run.stderr.lines().collect();
        let told = "series were judged, and the others not reached; the next run goes on there";
        assert!(lines.len() == 1 && lines[0].contains(told), "{run:?}");
        let status = story.status(at);
        let metrics = status["metrics"].as_array().expect("a list");
        let series = metrics.iter().filter(|metric| metric["key"].is_object());
        let now = series.count();
        assert!(now > known, "{now} after {known}: {run:?}");
        known = now;
        if known == 5 {
            return;
        }
    }
    panic!("{known} of 5 were looked at");
}

#[test]
fn a_series_that_nobody_has_seen_is_an_error_and_is_not_remembered() {
    let stores = Stores::new(3, "");
    stores.story.run_well("12:00");
    let unknown = "sales{store=store33}";
    for (arguments, why) in [
        (
            &["--metric", unknown][..],
            "no row that was read has its key",
        ),
        (
            &["explain", "--metric", unknown, "--at", "2026-11-22 12:00"],
            "no row that was read has its key",
        ),
        (
            &["backtest", "--metric", unknown],
            "no row that was read has its key",
        ),
        (&["silence", unknown, "--for", "1h"], "no run has seen it"),
        (&["accept", unknown], "no run has seen it"),
        (&["ack", unknown], "no run has seen it"),
        (&["was", unknown, "real"], "no run has seen it"),
    ] {
        let run = stores.story.run_with("12:01", arguments);
        run.assert_status(1);
        let told = format!("there is no series {unknown}: {why}; near it: sales{{store=store3}}");
        assert!(run.stderr.contains(&told), "{run:?}");
        assert_eq!(stores.series("12:01").len(), 3, "{arguments:?}");
    }
    // Nor where nobody can tell.
    let mut story = stores.story;
    let port = std::mem::replace(&mut story.mysql_port, 1);
    story
        .run_with("12:02", &["--metric", unknown])
        .assert_status(1);
    story.mysql_port = port;
    let status = story.status("12:02").to_string();
    assert!(!status.contains("store33"), "{status}");
}

#[test]
fn each_missed_bucket_of_a_store_whose_rows_come_late_is_judged_by_a_whole_window() {
    // Two seasons of it are all of the window.
    let mut stores = Stores::new(2, "seasons = [\"2d\"]\nstale_after = \"2h\"\n");
    stores.story.run_well("12:00");
    let late = stores.names.pop().expect("a store");
    for at in ["12:00", "12:05", "12:10", "12:15"] {
        stores.play(at, &[]);
    }
    stores.story.assert_told(&[]);
    stores.names = vec![late.clone()];
    for (at, more) in [
        ("12:00", 500.0),
        ("12:05", 0.0),
        ("12:10", 0.0),
        ("12:15", 0.0),
    ] {
        stores.sell(at, &[(&late, more)]);
    }
    stores.names.push("store1".to_owned());
    stores.play("12:20", &[]);
    stores.story.assert_told(&["High", "Over"]);
}

#[test]
fn what_closed_before_all_stores_stopped_is_judged() {
    let stores = Stores::new(3, "");
    stores.story.run_well("12:00");
    stores.sell("12:00", &[("store2", 500.0)]);
    stores.sell("12:05", &[]);
    stores.sell("12:10", &[]);
    stores.sell("12:15", &[]);
    // Nobody runs it until all is silent.
    stores.story.run_well("12:50");
    let mut told = stores.story.inbox(FIRST);
    told.sort();
    assert_eq!(told, ["High", "No data", "Over"]);
}

#[test]
fn a_store_may_move_in_and_out_of_the_largest_without_a_word() {
    let stores = Stores::new(2, "top = 1\n");
    stores.story.run_well("12:00");
    assert_eq!(stores.series("12:00"), ["store1"]);
    let grow = |name: &str| {
        stores.story.database.execute(&format!(
            "UPDATE sales SET amount = amount + 1 WHERE store = '{name}' AND at = '2026-11-19 12:00'"
        ));
    };
    for (largest, buckets) in [
        ("store2", ["12:00", "12:05"]),
        ("store1", ["12:10", "12:15"]),
    ] {
        grow(largest);
        grow(largest);
        for at in buckets {
            stores.play(at, &[]);
        }
        let series = format!("sales{{store={largest}}}");
        let judged = stores.status_of("12:21", &series).expect("a series");
        let last = judged["last"]["time"].as_str().expect("a time").to_owned();
        assert!(last.contains(buckets[1]), "{judged}");
    }
    assert_eq!(stores.series("12:21").len(), 2);
    stores.story.assert_told(&[]);
}

#[test]
fn an_open_incident_of_one_store_is_that_of_the_run() {
    let stores = Stores::new(3, "");
    stores.story.run_well("12:00");
    stores.play("12:00", &[("store2", 500.0)]);
    let run = |arguments: &[&str]| stores.story.run_with("12:06", arguments);
    run(&["--exit-code"]).assert_status(3);
    let told = run(&["--format", "nagios"]);
    told.assert_status(2);
    let critical = "BANDWATCH CRITICAL: sales{store=store2} high since ";
    assert!(told.stdout.starts_with(critical), "{told:?}");
    stores.play("12:05", &[]);
    stores.play("12:10", &[]);
    let run = |arguments: &[&str]| stores.story.run_with("12:16", arguments);
    run(&["--exit-code"]).assert_status(0);
    let told = run(&["--format", "nagios"]);
    told.assert_status(0);
    assert!(told.stdout.starts_with("BANDWATCH OK: "), "{told:?}");
}
