//! What a run is asked for: a time of the past, some of the metrics.

use chrono::{TimeDelta, Utc};

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, healthy, time, wave};

#[test]
fn a_time_of_the_past_is_judged_by_the_window_before_it() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 60, 10 * 24));
    let past = "2026-11-19 14:05";
    let judged = shop.judge(HOURLY, past);
    assert_eq!(judged["time"], "2026-11-19T13:00:00+01:00");
    assert_eq!(judged["as_of"], "2026-11-19T14:05:00+01:00");
    assert_eq!(judged["value"], healthy(time("2026-11-19 13:00:00")));
    assert_eq!(judged["history_from"], "2026-11-15T13:00:00+01:00");
    assert_eq!(judged["rows"], HOURS);
    // What came later is not known yet.
    shop.sql("UPDATE sales SET amount = 1e9 WHERE at >= '2026-11-19 14:00:00'");
    assert_eq!(shop.judge(HOURLY, past), judged);
}

#[test]
fn without_a_time_the_last_hour_that_has_ended_is_judged() {
    let mut shop = Shop::empty();
    shop.timezone = "UTC";
    let this_hour = || Utc::now().format("%Y-%m-%d %H:00:00").to_string();
    let before = this_hour();
    shop.sales("DATETIME", "DOUBLE", &wave(&before, 60, HOURS + 1));
    shop.configure(&shop.mysql(), &[("sales", HOURLY)]);
    let run = shop.workspace.run(&["--dry-run", "--format", "json"]);
    run.assert_status(0);
    let judged: serde_json::Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    // An hour may have ended meanwhile.
    let ended = [before, this_hour()].map(|hour| time(&hour) - TimeDelta::hours(1));
    assert!(
        ended.iter().any(|hour| {
            judged["time"] == hour.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
                && judged["value"] == healthy(*hour)
        }),
        "{judged} in {ended:?}"
    );
}

#[test]
fn only_the_metrics_asked_for_are_judged() {
    let shop = Shop::healthy();
    let bad = HOURLY.replace("\"sales\"", "\"sails\"");
    shop.configure(
        &shop.mysql(),
        &[("one", HOURLY), ("bad", &bad), ("three", HOURLY)],
    );
    let names = |flags: &[&str]| -> Vec<String> {
        let run = shop.run_at(AT, &[&["--format", "json"], flags].concat());
        run.assert_status(0);
        run.stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object a line"))
            .map(|entry| entry["metric"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&["--metric", "three"]), ["three"]);
    assert_eq!(
        names(&["--metric", "three", "--metric", "one"]),
        ["one", "three"]
    );
}
