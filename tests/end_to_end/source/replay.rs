//! A backtest, and an explanation, of rows in the database.

use super::shop::{HOURLY, HOURS, Shop, wave};
use chrono::{TimeDelta, Timelike, Utc};
use serde_json::Value;

/// Three windows of hours up to the last full one.
fn shop() -> Shop {
    let mut shop = Shop::empty();
    shop.timezone = "UTC";
    let now = Utc::now().naive_utc();
    let newest = now
        .with_minute(0)
        .and_then(|time| time.with_second(0))
        .expect("a time")
        - TimeDelta::hours(1);
    let newest = newest.format("%Y-%m-%d %H:%M:%S").to_string();
    shop.sales("DATETIME", "DOUBLE", &wave(&newest, 60, 3 * HOURS));
    shop.configure(&shop.mysql(), &[("sales", HOURLY)]);
    shop
}

#[test]
fn an_explanation_of_a_table_says_what_its_check_said() {
    let shop = shop();
    let at = (Utc::now() - TimeDelta::hours(7)).to_rfc3339();
    let told = |command: &[&str]| -> Value {
        let flags = ["--format", "json", "--at", &at];
        let run = shop.workspace.run(&[command, &flags].concat());
        run.assert_status(0);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let (checked, explained) = (told(&[]), told(&["explain"]));
    let fields = checked.as_object().expect("an object");
    assert!(fields["expected"].is_f64(), "{checked}");
    for (name, value) in fields {
        assert_eq!(&explained[name], value, "{name}");
    }
}

#[test]
fn by_default_a_backtest_of_a_table_judges_another_window() {
    let shop = shop();
    let told = |flags: &[&str]| -> Value {
        let run = shop
            .workspace
            .run(&[&["backtest", "--format", "json"], flags].concat());
        run.assert_status(0);
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let judged = |told: &Value| told["judged"].as_u64().expect("a count");
    // An hour may end meanwhile.
    assert!((95..=97).contains(&judged(&told(&[]))));
    let two_days = told(&["--last", "2d"]);
    assert!((47..=48).contains(&judged(&two_days)), "{two_days}");
}
