//! A database that cannot be asked: each time told in one line, after a while by mail, and made up for.

use std::net::TcpListener;
use std::time::Duration;

use crate::memory::story::Story;
use crate::support::proxy::Proxy;

/// With an incident in the bucket of 12:00 that nobody can see: the fault is told by each run, by one
/// mail when it has lasted, and what happened meanwhile once it is over.
#[track_caller]
fn assert_told_and_made_up_for(
    mut story: Story,
    strike: impl FnOnce(&mut Story),
    mend: impl FnOnce(&mut Story),
    facts: &[&str],
) {
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    strike(&mut story);
    for minute in ["12:05", "12:14"] {
        assert_fails(&story, minute, facts);
        story.assert_told(&[]);
        let state = story.state(minute);
        assert_eq!(state["state"], "ok");
        assert_eq!(state["last"]["time"], "2026-11-22T11:55:00+00:00");
        assert_eq!(state["unwell"]["since"], "2026-11-22T12:05:00+00:00");
    }
    for minute in ["12:16", "12:17"] {
        assert_fails(&story, minute, facts);
        story.assert_told(&["Cannot check"]);
    }
    mend(&mut story);
    story.run_well("12:18");
    story.run_well("12:19");
    story.assert_told(&["Cannot check", "Checked again", "High"]);
}

#[track_caller]
fn assert_fails(story: &Story, at: &str, facts: &[&str]) {
    let run = story.run(at);
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("bandwatch: sales: "), "{run:?}");
    for fact in facts {
        assert!(run.stderr.contains(fact), "no {fact:?} in {run:?}");
    }
    assert_eq!(run.stdout, "");
    assert!(run.elapsed < Duration::from_secs(10), "{run:?}");
}

#[test]
fn a_database_that_refuses_connections_is_told_and_made_up_for() {
    let story = Story::new();
    let port = story.mysql_port;
    let refused = ["connect to 127.0.0.1:1", "refused"];
    assert_told_and_made_up_for(
        story,
        |story| story.mysql_port = 1,
        |story| story.mysql_port = port,
        &refused,
    );
}

#[test]
fn a_database_that_never_answers_is_told_and_made_up_for() {
    let mut story = Story::new();
    story.mysql = "connect_timeout = \"1s\"\nquery_timeout = \"1s\"\n".into();
    let black_hole = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let silent = black_hole.local_addr().expect("a bound port").port();
    let port = story.mysql_port;
    assert_told_and_made_up_for(
        story,
        |story| story.mysql_port = silent,
        |story| story.mysql_port = port,
        &["no answer in time"],
    );
}

#[test]
fn a_database_that_says_a_byte_now_and_then_is_told_and_made_up_for() {
    let mut story = Story::new();
    story.top = "deadline = \"4s\"\n".into();
    let proxy = Proxy::to(story.mysql_port);
    story.mysql_port = proxy.port();
    assert_told_and_made_up_for(
        story,
        |_| proxy.pause_before_each_byte(Duration::from_millis(50)),
        |_| proxy.pause_before_each_byte(Duration::ZERO),
        &["deadline"],
    );
}

#[test]
fn a_query_that_takes_too_long_is_told_and_made_up_for() {
    let mut story = Story::new();
    story.mysql = "query_timeout = \"1s\"\n".into();
    assert_told_and_made_up_for(
        story,
        |story| story.metric = "where = \"SLEEP(2) = 0\"\n".into(),
        |story| story.metric.clear(),
        &["mysql.query_timeout"],
    );
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_the_rows_is_told_and_made_up_for() {
    let mut story = Story::new();
    let proxy = Proxy::to(story.mysql_port);
    story.mysql_port = proxy.port();
    assert_told_and_made_up_for(
        story,
        |_| proxy.hang_up_after(8000),
        |_| proxy.hang_up_after(u64::MAX),
        &["127.0.0.1"],
    );
}

#[test]
fn a_connection_may_break_after_any_byte() {
    let mut story = Story::new();
    let proxy = Proxy::to(story.mysql_port);
    story.mysql_port = proxy.port();
    story.run_well("12:00");
    let before = proxy.passed();
    story.play("12:00", &[0.0]);
    let whole = proxy.passed() - before;
    story.sell("12:05", 500.0);
    // Near the beginning each byte may mean something else; further on there are only rows.
    let places = (0..40).map(|step| step * step * whole / 1700);
    for place in places {
        proxy.hang_up_after(place);
        let run = story.run("12:10");
        run.assert_status(1);
        assert_eq!(run.stderr.lines().count(), 1, "after {place}: {run:?}");
        assert_eq!(story.state("12:10")["state"], "ok");
    }
    proxy.hang_up_after(u64::MAX);
    story.run_well("12:10");
    story.assert_told(&["High"]);
}

#[test]
fn a_wrong_password_is_told_and_made_up_for() {
    let story = Story::new();
    let password = story.mysql_password.clone();
    assert_told_and_made_up_for(
        story,
        |story| story.mysql_password = "not-the-password".into(),
        |story| story.mysql_password = password,
        &["Access denied", "mysql.password_file"],
    );
}

#[test]
fn a_table_that_is_gone_is_told_and_made_up_for() {
    assert_told_and_made_up_for(
        Story::new(),
        |story| story.database.execute("RENAME TABLE sales TO elsewhere"),
        |story| story.database.execute("RENAME TABLE elsewhere TO sales"),
        &["doesn't exist", "metric.table"],
    );
}

#[test]
fn a_column_that_is_gone_is_told_and_made_up_for() {
    let alter = |story: &Story, change: &str| {
        story
            .database
            .execute(&format!("ALTER TABLE sales RENAME COLUMN {change}"));
    };
    assert_told_and_made_up_for(
        Story::new(),
        |story| alter(story, "amount TO total"),
        |story| alter(story, "total TO amount"),
        &["Unknown column", "amount"],
    );
}

#[test]
fn a_column_that_holds_no_numbers_any_more_is_told_and_made_up_for() {
    let alter = |story: &Story, kind: &str| {
        story
            .database
            .execute(&format!("ALTER TABLE sales MODIFY amount {kind}"));
    };
    assert_told_and_made_up_for(
        Story::new(),
        |story| alter(story, "VARCHAR(40)"),
        |story| alter(story, "DOUBLE"),
        &["amount"],
    );
}

#[test]
fn a_right_that_was_taken_away_is_told_and_made_up_for() {
    let story = Story::new();
    let name = story.database.name.clone();
    let reader = story.database.read_only_user().user.clone();
    assert_told_and_made_up_for(
        story,
        |story| {
            let revoke = format!("REVOKE SELECT ON {name}.* FROM '{reader}'@'%'");
            story.database.execute(&revoke);
        },
        |story| {
            let grant = format!("GRANT SELECT ON {name}.* TO '{reader}'@'%'");
            story.database.execute(&grant);
        },
        &["denied"],
    );
}

#[test]
fn a_server_that_takes_no_writes_is_no_trouble() {
    let story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.database.execute("SET GLOBAL read_only = 1");
    let run = story.run("12:05");
    story.database.execute("SET GLOBAL read_only = 0");
    run.assert_status(0);
    story.assert_told(&["High"]);
}
