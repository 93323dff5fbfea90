//! A database that cannot be asked: one line each time, nothing forgotten, and made up for once it is
//! back. What the lines say is shown in `source`, and the mails about it in `life::lack`.

use std::io::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};

use crate::memory::story::{Story, moment};
use crate::support::proxy::Proxy;
use crate::support::workspace::LONG;

/// The run at that time fails for this reason, and what was known stays.
#[track_caller]
fn assert_fails(story: &Story, at: NaiveDateTime, why: &str) {
    let before = story.state_at(at)["last"].clone();
    let run = story.run_at(at, &[]);
    run.assert_status(1);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.starts_with("bandwatch: sales: "), "{run:?}");
    assert!(run.stderr.contains(why), "no {why:?} in {run:?}");
    let state = story.state_at(at);
    assert_eq!(state["last"], before, "{why}");
    assert!(!state["unwell"].is_null(), "{why}");
}

/// What keeps the database from being asked.
struct Fault {
    why: &'static str,
    begin: fn(&mut Story, &Original),
    end: fn(&mut Story, &Original),
}

/// What a story had before the first fault.
struct Original {
    port: u16,
    password: String,
    schema: String,
    reader: String,
    silent: u16,
}

const FAULTS: [Fault; 8] = [
    Fault {
        why: "refused",
        begin: |story, _| story.mysql_port = 1,
        end: |story, original| story.mysql_port = original.port,
    },
    Fault {
        why: "no answer in time",
        begin: |story, original| {
            story.mysql = "query_timeout = \"1s\"\n".into();
            story.mysql_port = original.silent;
        },
        end: |story, original| {
            story.mysql.clear();
            story.mysql_port = original.port;
        },
    },
    Fault {
        why: "mysql.query_timeout",
        begin: |story, _| {
            story.mysql = "query_timeout = \"1s\"\n".into();
            story.metric = "where = \"SLEEP(2) = 0\"\n".into();
        },
        end: |story, _| {
            story.mysql.clear();
            story.metric.clear();
        },
    },
    Fault {
        why: "Access denied",
        begin: |story, _| story.mysql_password = "not-the-password".into(),
        end: |story, original| story.mysql_password.clone_from(&original.password),
    },
    Fault {
        why: "doesn't exist",
        begin: |story, _| story.database.execute("RENAME TABLE sales TO elsewhere"),
        end: |story, _| story.database.execute("RENAME TABLE elsewhere TO sales"),
    },
    Fault {
        why: "Unknown column",
        begin: |story, _| alter(story, "RENAME COLUMN amount TO total"),
        end: |story, _| alter(story, "RENAME COLUMN total TO amount"),
    },
    Fault {
        why: "must be a number",
        begin: |story, _| alter(story, "MODIFY amount VARCHAR(40)"),
        end: |story, _| alter(story, "MODIFY amount DOUBLE"),
    },
    Fault {
        why: "denied",
        begin: |story, original| {
            let (schema, reader) = (&original.schema, &original.reader);
            let revoke = format!("REVOKE SELECT ON {schema}.* FROM '{reader}'@'%'");
            story.database.execute(&revoke);
        },
        end: |story, original| {
            let (schema, reader) = (&original.schema, &original.reader);
            let grant = format!("GRANT SELECT ON {schema}.* TO '{reader}'@'%'");
            story.database.execute(&grant);
        },
    },
];

fn alter(story: &Story, change: &str) {
    story
        .database
        .execute(&format!("ALTER TABLE sales {change}"));
}

#[test]
fn whatever_keeps_the_database_from_being_asked_is_told_and_made_up_for() {
    let mut story = Story::new();
    let black_hole = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let original = Original {
        port: story.mysql_port,
        password: story.mysql_password.clone(),
        schema: story.database.name.clone(),
        reader: story.database.read_only_user().user.clone(),
        silent: black_hole.local_addr().expect("a bound port").port(),
    };
    story.run_well("12:00");
    let mut at = moment("12:00");
    let mut told = Vec::new();
    // High and low in turns, so that each is an incident of its own.
    let breaches = [(500.0, "High"), (-500.0, "Low")].into_iter().cycle();
    for (fault, (more, label)) in FAULTS.into_iter().zip(breaches) {
        // A breach that nobody can see.
        story.sell_at(at, more);
        at += TimeDelta::minutes(5);
        (fault.begin)(&mut story, &original);
        assert_fails(&story, at, fault.why);
        story.assert_told(&told);
        (fault.end)(&mut story, &original);
        story.run_at(at, &[]).assert_status(0);
        told.push(label);
        story.assert_told(&told);
    }
}

#[test]
fn a_database_that_says_a_byte_now_and_then_is_given_up_at_the_deadline() {
    let mut story = Story::new();
    let proxy = Proxy::to(story.mysql_port);
    story.mysql_port = proxy.port();
    story.run_well("12:00");
    story.top = "deadline = \"1s\"\n".into();
    story.mysql = format!("connect_timeout = {LONG:?}\nquery_timeout = {LONG:?}\n");
    proxy.pause_before_each_byte(Duration::from_millis(50));
    assert_fails(&story, moment("12:01"), "deadline");
}

#[test]
fn a_mail_that_waits_goes_out_while_no_mysql_answers_in_place_of_the_server() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.run_without_mail("12:05");
    story.assert_told(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    story.mysql_port = listener.local_addr().expect("a bound port").port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            // A packet with nothing in it, of which the driver reads the first byte.
            client.and_then(|mut client| client.write_all(&[0, 0, 0, 0]))?;
        }
        std::io::Result::Ok(())
    });
    assert_fails(
        &story,
        moment("12:06"),
        "does not keep to the protocol of MySQL",
    );
    story.assert_told(&["High"]);
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
