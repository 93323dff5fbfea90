//! A clock that is wrong, and a clock that changes because the law says so.

use chrono::{NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Europe::Paris;

use crate::memory::story::{Story, moment, usual};
use crate::scene::FIRST;
use crate::source::shop::{noise, times};
use crate::support::MailServerSetup;

#[test]
fn a_clock_set_back_an_hour_tells_nothing_twice() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0, 500.0, 500.0, 0.0, 0.0, 500.0]);
    let told = ["High", "Over", "High"];
    story.assert_told(&told);
    for minute in (0..60).step_by(4) {
        let at = moment("11:31") + TimeDelta::minutes(minute);
        let run = story.run_at(at, &[]);
        run.assert_status(0);
        assert_eq!(run.stdout, "", "at {at}");
    }
    story.assert_told(&told);
    story.play("12:30", &[0.0, 0.0]);
    story.assert_told(&[&told[..], &["Over"]].concat());
}

#[test]
fn a_clock_an_hour_ahead_sees_no_data_and_loses_nothing() {
    let story = Story::new();
    story.run_well("12:00");
    story.run_well("13:05");
    story.assert_told(&["No data"]);
    story.play("12:00", &[500.0]);
    story.assert_told(&["No data", "Data again", "High"]);
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&["No data", "Data again", "High", "Over"]);
}

#[test]
fn a_clock_an_hour_ahead_where_an_empty_bucket_is_zero_judges_what_comes_after_all() {
    let mut story = Story::new();
    story.metric = "aggregate = \"sum\"\ndelay = \"0s\"\nstale_after = \"2h\"\n".into();
    story.run_well("12:00");
    story.run_well("13:00");
    story.assert_told(&["Low"]);
    story.play("12:00", &[0.0, 0.0]);
    story.assert_told(&["Low", "Over"]);
    story.play("12:10", &[500.0]);
    story.assert_told(&["Low", "Over", "High"]);
}

#[test]
fn a_mail_that_waits_is_not_held_up_by_a_clock_that_was_set_back() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.run_without_mail("12:05");
    story.run("11:05").assert_status(0);
    story.assert_told(&["High"]);
}

#[test]
fn the_order_of_mails_that_wait_is_not_that_of_a_clock_that_was_set_back() {
    let mut story = Story::new();
    story.run_well("12:00");
    let port = story.smtp_port;
    story.smtp_port = 1;
    // Too early by the clock that is right: no row came for an hour.
    story.run("13:00").assert_status(1);
    story.sell("12:00", 0.0);
    story.run("12:05");
    story.smtp_port = port;
    for minute in ["12:06", "12:07", "12:08"] {
        story.run(minute).assert_status(0);
    }
    story.assert_told(&["No data", "Data again"]);
}

/// A shop in Paris whose customers keep to the wall clock, an hour before its clocks change.
struct Night {
    story: Story,
    instants: bool,
}

impl Night {
    fn before(change: &str, column: &str) -> Self {
        let mut story = Story::without_rows(MailServerSetup::default());
        story.timezone = "Europe/Paris";
        story.database.execute(&format!(
            "CREATE TABLE sales (at {column} NOT NULL, amount DOUBLE NOT NULL)"
        ));
        let instants = column == "TIMESTAMP";
        let night = Self { story, instants };
        let last = (moment(change) - TimeDelta::minutes(65)).to_string();
        let rows: Vec<_> = times(&last, 5, 4 * 288 + 12)
            .map(|at| {
                (
                    night.written(at),
                    usual_then(at) + (20.0 * noise(at)).round(),
                )
            })
            .collect();
        night
            .story
            .database
            .insert_rows("sales", "at", "amount", &rows);
        night
    }

    /// As the column has it.
    fn written(&self, at: NaiveDateTime) -> NaiveDateTime {
        if self.instants { at } else { wall_clock(at) }
    }

    /// Buckets from that time on, by UTC, each with a run.
    #[track_caller]
    fn play(&self, from: NaiveDateTime, buckets: &[f64]) {
        for (step, more) in (0..).zip(buckets) {
            let at = from + TimeDelta::minutes(5 * step);
            let row = (self.written(at), usual_then(at) + more);
            self.story
                .database
                .insert_rows("sales", "at", "amount", &[row]);
            let run = self.story.run_at(at + TimeDelta::minutes(5), &[]);
            run.assert_status(0);
            assert_eq!(run.stderr, "", "at {at}");
        }
    }
}

/// What is sold then.
fn usual_then(at: NaiveDateTime) -> f64 {
    usual(wall_clock(at))
}

fn wall_clock(at: NaiveDateTime) -> NaiveDateTime {
    Utc.from_utc_datetime(&at)
        .with_timezone(&Paris)
        .naive_local()
}

/// An incident that begins ten minutes before the change and ends 25 minutes after it.
const INCIDENT: [f64; 24] = {
    let mut buckets = [0.0; 24];
    let mut index = 10;
    while index < 17 {
        buckets[index] = 500.0;
        index += 1;
    }
    buckets
};

/// An hour before the clocks change and one after.
#[track_caller]
fn assert_told(change: &str, column: &str, labels: &[&str]) {
    let night = Night::before(change, column);
    let from = moment(change) - TimeDelta::hours(1);
    night.story.run_at(from, &[]).assert_status(0);
    night.play(from, &INCIDENT);
    night.story.assert_told(labels);
    let over = night.story.mails(FIRST).pop().expect("a mail");
    assert_eq!(over.news(), "[Over] Sales is back to normal after 35 min");
}

#[test]
fn an_incident_lasts_as_long_as_it_lasts_when_the_clocks_go_forward() {
    for column in ["TIMESTAMP", "DATETIME"] {
        assert_told("2026-03-29 01:00", column, &["High", "Over"]);
    }
}

#[test]
fn an_incident_lasts_as_long_as_it_lasts_when_the_clocks_go_back() {
    assert_told("2026-10-25 01:00", "TIMESTAMP", &["High", "Over"]);
}

#[test]
fn readings_of_a_repeated_hour_are_no_data_and_no_end_of_an_incident() {
    let night = Night::before("2026-10-25 01:00", "DATETIME");
    let from = moment("2026-10-25 00:00");
    night.story.run_at(from, &[]).assert_status(0);
    night.play(from, &INCIDENT);
    night.play(moment("2026-10-25 02:00"), &[0.0; 3]);
    night
        .story
        .assert_told(&["High", "No data", "Data again", "Over"]);
}
