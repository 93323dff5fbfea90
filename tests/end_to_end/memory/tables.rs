//! The state in tables, shared by runs on several machines; and shards of the series.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};

use chrono::{NaiveDateTime, TimeDelta};

use super::story::{Story, metric, moment, usual};
use crate::scene::{FIRST, SECOND};
use crate::source::shop::{noise, times};
use crate::support::mail_server::Stage;
use crate::support::workspace::wait_for;
use crate::support::{Fault, MailServerSetup, Run, clock};

/// As if all the time were over for which runs hold what they took.
const LATER: &str = "UPDATE bandwatch_state SET held_until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND";

/// Keeps the state in tables, which are there.
pub fn keep_in_tables(story: &mut Story) {
    keep_in_tables_not_made(story);
    story.run_with("12:00", &["create-tables"]).assert_status(0);
}

fn keep_in_tables_not_made(story: &mut Story) {
    let file = story.workspace.path().join("state-password");
    std::fs::write(&file, story.database.password()).expect("a file");
    write!(
        story.more_metrics,
        "[state]\nuser = {:?}\npassword_file = {:?}\n",
        story.database.user(),
        file.display().to_string()
    )
    .expect("a String takes any text");
}

pub fn let_time_pass(story: &Story) {
    story.database.execute(LATER);
}

fn story() -> Story {
    let mut story = Story::new();
    keep_in_tables(&mut story);
    story.run_well("12:00");
    story
}

/// With so many stores, a series each.
fn stores(count: usize) -> Story {
    let mut story = Story::without_rows(MailServerSetup::default());
    story.database.execute(
        "CREATE TABLE sales (at DATETIME, store INT, amount DOUBLE NOT NULL, PRIMARY KEY (store, at))",
    );
    for store in 0..count {
        let table = format!("store{store}");
        story.create_table(&table);
        let rows: Vec<_> = times("2026-11-22 11:55:00", 5, 4 * 288 + 12)
            .map(|time| (time, usual(time) + (20.0 * noise(time)).round()))
            .collect();
        story.database.insert_rows(&table, "at", "amount", &rows);
        story.database.execute(&format!(
            "INSERT INTO sales SELECT at, {store}, amount FROM {table}"
        ));
    }
    story.metric = "group_by = [\"store\"]\n".into();
    story.smtp = "digest_over = 1000\n".into();
    story.recipients = vec![FIRST];
    story
}

/// A bucket of all stores, some of them with so much more.
fn sell(story: &Story, count: usize, at: NaiveDateTime, struck: &[usize], more: f64) {
    for store in 0..count {
        let more = if struck.contains(&store) { more } else { 0.0 };
        story.database.execute(&format!(
            "REPLACE INTO sales VALUES ('{at}', {store}, {:?})",
            usual(at) + more
        ));
    }
}

fn begin(story: &Story, at: NaiveDateTime, arguments: &[&str]) -> Child {
    let mut command: Command = story.begin_with(at, arguments);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn end(run: Child) -> (i32, String) {
    let process = run.id();
    let ended = run.wait_with_output().expect("it ends");
    clock::forget(process);
    let told = [ended.stdout, ended.stderr].concat();
    let told = String::from_utf8_lossy(&told).into_owned();
    (ended.status.code().unwrap_or(-1), told)
}

/// The subjects of all mails, sorted.
fn subjects(story: &Story) -> Vec<String> {
    let received = story.server.received();
    let mut subjects: Vec<String> = received.iter().map(|mail| mail.parse().subject).collect();
    subjects.sort();
    subjects
}

fn shards(count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("{number}/{count}"))
        .collect()
}

#[test]
fn what_is_kept_in_tables_is_told_once_and_so_is_its_end() {
    let story = story();
    story.play("12:00", &[500.0, 500.0]);
    story.assert_told(&["High"]);
    let acknowledged = story.run_with("12:11", &["ack", "sales"]);
    acknowledged.assert_status(0);
    assert!(
        acknowledged.stdout.contains("no repeats"),
        "{}",
        acknowledged.stdout
    );
    let status = story.status("12:11");
    assert!(
        status["state_dir"]
            .as_str()
            .expect("a place")
            .starts_with("the tables of ")
    );
    assert!(status["metrics"][0]["acknowledged"].is_object());
    story.play("12:10", &[0.0, 0.0]);
    story.assert_told(&["High", "Over"]);
    let answered = story.run_with("12:21", &["was", "sales", "fine"]);
    assert!(
        answered.stdout.contains("was fine"),
        "{}",
        answered.printed()
    );
    let report = story.run_with("12:21", &["report"]);
    report.assert_status(0);
    assert!(report.stdout.contains("fine"), "{}", report.stdout);
    assert!(!story.memory().exists(), "no file is kept besides");
}

#[test]
fn a_silence_in_tables_is_heeded_by_the_next_run() {
    let story = story();
    let silenced = story.run_with("12:01", &["silence", "sales", "--for", "1h"]);
    assert!(
        silenced.stdout.contains("is silent until"),
        "{}",
        silenced.printed()
    );
    story.play("12:00", &[500.0]);
    story.assert_told(&[]);
    story
        .run_with("12:06", &["unsilence", "sales"])
        .assert_status(0);
    story.run_well("12:07");
    story.assert_told(&["High"]);
}

#[test]
fn without_its_tables_a_run_says_how_to_make_them_and_judges_nothing() {
    let mut story = Story::new();
    keep_in_tables_not_made(&mut story);
    let refused = story.run("12:00");
    refused.assert_status(1);
    assert!(
        refused.stderr.contains("bandwatch create-tables"),
        "{}",
        refused.stderr
    );
    story.assert_told(&[]);
    let sql = story.run_with("12:00", &["create-tables", "--dry-run"]);
    sql.assert_status(0);
    // Whoever may make them runs what was printed.
    let statements = sql.stdout.split_inclusive(";\n");
    statements.for_each(|statement| story.database.execute(statement));
    story.run_well("12:00");
    story.run_with("12:00", &["create-tables"]).assert_status(0);
    assert_eq!(story.state("12:01")["state"], "ok");
}

#[test]
fn an_account_that_may_only_read_is_told_which_rights_it_needs() {
    let mut story = story();
    let reader = story.database.read_only_user();
    let file = story.workspace.path().join("reader-password");
    std::fs::write(&file, &reader.password).expect("a file");
    story.more_metrics = format!(
        "[state]\nuser = {:?}\npassword_file = {:?}\n",
        reader.user,
        file.display().to_string()
    );
    let refused = story.run("12:05");
    refused.assert_status(1);
    assert!(
        refused
            .stderr
            .contains("needs the rights SELECT, INSERT, UPDATE and DELETE"),
        "{}",
        refused.stderr
    );
}

#[test]
fn that_the_tables_cannot_be_reached_is_mailed_once_and_so_is_that_they_can() {
    let mut story = story();
    let reachable = story.more_metrics.clone();
    story.more_metrics = format!("{reachable}hosts = [\"127.0.0.1:1\"]\n");
    story.sell("12:00", 500.0);
    for at in ["12:05", "12:10", "12:15", "12:20"] {
        story.run(at).assert_status(1);
    }
    let told = story.mails(FIRST);
    assert_eq!(told.len(), 1, "{:?}", story.inbox(FIRST));
    assert!(
        told[0].subject.contains("Cannot write its state"),
        "{}",
        told[0].subject
    );
    story.more_metrics = reachable;
    story.sell("12:15", 500.0);
    story.run_well("12:21");
    assert_eq!(story.inbox(SECOND).len(), 3, "{:?}", story.inbox(SECOND));
    story.run_well("12:22");
    assert_eq!(story.inbox(SECOND).len(), 3);
}

#[test]
fn another_server_of_the_cluster_is_used_where_one_is_gone() {
    let mut story = story();
    let hosts = format!(
        "hosts = [\"127.0.0.1:1\", \"127.0.0.1:{}\"]\n",
        story.database.port()
    );
    story.more_metrics += &hosts;
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"]);
}

#[test]
fn of_two_runs_at_the_same_second_exactly_one_tells() {
    let story = story();
    let mut at = moment("12:00");
    for more in [500.0, 0.0, 0.0, 0.0] {
        story.sell_at(at, more);
        at += TimeDelta::minutes(5);
        let runs = [(); 3].map(|()| begin(&story, at, &[]));
        for (status, told) in runs.map(end) {
            assert_eq!(status, 0, "{told}");
        }
    }
    story.assert_told(&["High", "Over"]);
}

#[test]
fn what_a_killed_run_held_is_taken_over_once_its_time_is_over() {
    let mut story = Story::with(MailServerSetup {
        faults: vec![Fault::StallAt(Stage::Data)],
        ..Default::default()
    });
    keep_in_tables(&mut story);
    story.smtp_port = 1;
    story.run_well("12:00");
    story.smtp_port = story.server.port();
    story.sell("12:00", 500.0);
    let mut run = begin(&story, moment("12:05"), &[]);
    let pending = "SELECT COUNT(*) FROM bandwatch_state WHERE told LIKE '%pending%'";
    wait_for("the notification to be written down", || {
        story.database.query_one::<u32>(pending) > 0
    });
    run.kill().expect("a child can be killed");
    end(run);
    let left: i64 = story.database.query_one(
        "SELECT MIN(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), held_until)) FROM bandwatch_state WHERE token <> ''",
    );
    // The deadline of fifty seconds, and a little more.
    assert!((30..=56).contains(&left), "{left}");
    let other = story.run_with("12:06", &["--verbose"]);
    other.assert_status(0);
    assert!(
        other.stdout.contains("another run is still at work"),
        "{}",
        other.printed()
    );
    let answer = story.run_with("12:06", &["ack", "sales"]);
    answer.assert_status(1);
    assert!(
        answer.stderr.contains("a run is at work on sales"),
        "{}",
        answer.stderr
    );
    let_time_pass(&story);
    let acknowledged = story.run_with("12:07", &["ack", "sales"]);
    assert!(
        acknowledged.stdout.contains("no repeats"),
        "{}",
        acknowledged.printed()
    );
}

#[test]
fn a_run_that_lost_what_it_held_stops_telling() {
    let mut story = Story::with(MailServerSetup {
        faults: vec![Fault::LateAt(Stage::Message)],
        ..Default::default()
    });
    keep_in_tables(&mut story);
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    let run = begin(&story, moment("12:05"), &[]);
    wait_for("the first mail", || !story.server.received().is_empty());
    // As if it had been stopped for so long that another took over.
    story
        .database
        .execute("UPDATE bandwatch_state SET token = 'another'");
    end(run);
    assert_eq!(story.server.received().len(), 1);
    let_time_pass(&story);
    story.run("12:06");
    // The first was accepted, which nobody could note: it comes again as the same mail.
    let received = story.server.received();
    assert_eq!(received.len(), 3);
    let ids: BTreeSet<_> = received
        .iter()
        .map(|mail| {
            (
                mail.to.clone(),
                mail.parse().header("Message-ID").map(str::to_owned),
            )
        })
        .collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[test]
fn four_shards_tell_what_one_run_tells() {
    const COUNT: usize = 12;
    let (one, mut shared) = (stores(COUNT), stores(COUNT));
    keep_in_tables(&mut shared);
    let mut at = moment("12:00");
    one.run_at(at, &[]).assert_status(0);
    for shard in shards(4) {
        shared.run_at(at, &["--shard", &shard]).assert_status(0);
    }
    for more in [500.0, 0.0, 0.0] {
        for story in [&one, &shared] {
            sell(story, COUNT, at, &[1, 4, 7], more);
        }
        at += TimeDelta::minutes(5);
        one.run_at(at, &[]).assert_status(0);
        let shards = shards(4);
        let runs: Vec<Child> = shards
            .iter()
            .map(|shard| begin(&shared, at, &["--shard", shard]))
            .collect();
        for (status, told) in runs.into_iter().map(end) {
            assert_eq!(status, 0, "{told}");
        }
    }
    assert_eq!(subjects(&one).len(), 6);
    assert_eq!(subjects(&shared), subjects(&one));
}

#[test]
fn three_shards_become_four_and_nothing_is_told_twice_or_lost() {
    const COUNT: usize = 12;
    let mut story = stores(COUNT);
    keep_in_tables(&mut story);
    let mut at = moment("12:00");
    let run = |at, shard: &str| {
        let run: Run = story.run_at(at, &["--shard", shard]);
        run.assert_status(0);
    };
    for shard in shards(3) {
        run(at, &shard);
    }
    // The nodes change one after the other, so both counts are at work for a while.
    for (more, shards) in [
        (500.0, shards(3)),
        (500.0, [shards(3), shards(4)].concat()),
        (500.0, [shards(4), shards(3)].concat()),
        (0.0, shards(4)),
        (0.0, shards(4)),
        (0.0, shards(4)),
    ] {
        sell(&story, COUNT, at, &[0, 3, 5, 8, 11], more);
        at += TimeDelta::minutes(5);
        let runs: Vec<Child> = shards
            .iter()
            .map(|shard| begin(&story, at, &["--shard", shard]))
            .collect();
        for (status, told) in runs.into_iter().map(end) {
            assert_eq!(status, 0, "{told}");
        }
    }
    let subjects = subjects(&story);
    // What is over is told under the subject of what began.
    let begun = subjects
        .iter()
        .filter(|subject| subject.starts_with("[High"));
    assert_eq!(begun.count(), 5, "{subjects:#?}");
    assert_eq!(subjects.len(), 10, "{subjects:#?}");
    let different: BTreeSet<&String> = subjects.iter().collect();
    assert_eq!(different.len(), 10, "{subjects:#?}");
}

#[test]
fn shards_on_files_have_a_state_dir_of_their_own() {
    let mut story = Story::new();
    story.more_metrics = metric("other", "sales", "");
    let (first, second) = ("1/2", "2/2");
    story
        .run_with("12:00", &["--shard", first])
        .assert_status(0);
    let refused = story.run_with("12:01", &["--shard", second]);
    refused.assert_status(2);
    assert!(
        refused
            .stderr
            .contains("is that of shard 1/2, and this is 2/2"),
        "{}",
        refused.stderr
    );
    let judged = |story: &Story| -> Vec<String> {
        let status = story.status("12:02");
        let metrics = status["metrics"].as_array().expect("a list").iter();
        let known = metrics.filter(|metric| metric["state"] != "unknown");
        known.map(|metric| metric["metric"].to_string()).collect()
    };
    let mut all = judged(&story);
    let dir = story.workspace.path().join("second");
    story.top = format!("state_dir = {:?}", dir.display().to_string());
    story
        .run_with("12:01", &["--shard", second])
        .assert_status(0);
    all.extend(judged(&story));
    all.sort();
    assert_eq!(all, ["\"other\"", "\"sales\""]);
}
