//! `[[event]]` tables.

use super::*;
use crate::calendar::Occurrence;

const TWO_METRICS: &str =
    "timezone = \"Europe/Paris\"\n[[metric]]\nname = \"sales\"\n[[metric]]\nname = \"orders\"\n";

fn events(table: &str) -> Result<Config> {
    parse(&format!("{TWO_METRICS}[[event]]\nname = \"Sale\"\n{table}"))
}

/// The events of the metrics at a time.
fn told(config: &Config, time: &str) -> Vec<String> {
    let time = crate::series::parse_time(time, config.zone).expect("a time");
    let metrics = config.metrics.iter();
    let told = metrics.flat_map(|metric| {
        let line = |at: Occurrence| format!("{} {}", metric.name, at.event.name);
        metric
            .events
            .at(time.to_utc())
            .map(line)
            .collect::<Vec<_>>()
    });
    told.collect()
}

#[test]
fn a_dated_quiet_time_is_a_muted_event_of_its_metric() {
    let config = |quiet: &str| {
        parse(&format!(
            "timezone = \"Europe/Paris\"\n[[metric]]\nname = \"sales\"\nquiet = [\"Sun 02:00-04:00\", {quiet:?}]\n[[metric]]\nname = \"orders\"\n"
        ))
    };
    for (quiet, time, expected) in [
        (
            "2026-12-24 to 2026-12-26",
            "2026-12-26 23:59",
            &["sales quiet"][..],
        ),
        ("2026-12-24 to 2026-12-26", "2026-12-27 00:00", &[]),
        (
            "2026-12-24 18:00-23:00",
            "2026-12-24 22:59",
            &["sales quiet"],
        ),
    ] {
        let config = config(quiet).expect(quiet);
        assert_eq!(told(&config, time), expected, "{quiet}, {time}");
        assert_eq!(config.metrics[0].policy.quiet.len(), 1);
    }
    let error = format!("{:#}", config("2026-12-24 18:00").expect_err("no end"));
    assert!(
        error.contains("metric[0].quiet: \"2026-12-24 18:00\" has no end"),
        "{error}"
    );
}

#[test]
fn an_event_is_about_its_metrics_at_its_times() {
    for (table, time, expected) in [
        (
            "effect = \"mute\"\nfrom = \"2026-11-27\"",
            "2026-11-27 23:59",
            &["sales Sale", "orders Sale"][..],
        ),
        (
            "effect = \"ignore\"\nfrom = \"2026-11-27\"\nto = \"2026-11-30\"\nmetrics = [\"orders\"]",
            "2026-11-30 12:00",
            &["orders Sale"],
        ),
        // TOML's own dates.
        (
            "effect = \"ignore\"\nfrom = 2026-11-27\nto = 2026-11-27T12:00:00\nmetrics = [\"sales\"]",
            "2026-11-27 11:59",
            &["sales Sale"],
        ),
        (
            "effect = \"ignore\"\nfrom = 2024-12-24\nto = 2024-12-26\nevery = \"year\"\nmetrics = [\"sales\"]",
            "2026-12-26 08:00",
            &["sales Sale"],
        ),
        (
            "effect = \"mute\"\ndates = [\"2025-11-28\", \"2026-11-27 08:00 to 2026-11-28 02:00\"]\nmetrics = [\"sales\"]",
            "2026-11-28 01:00",
            &["sales Sale"],
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-11-27\"",
            "2026-11-28 00:00",
            &[],
        ),
    ] {
        let config = events(table).expect(table);
        assert_eq!(told(&config, time), expected, "{table}");
    }
}

#[test]
fn the_entries_of_a_calendar_are_events_by_their_own_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20241225\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260714\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    std::fs::write(folder.path().join("holidays.ics"), calendar).expect("written");
    let text = format!(
        "{TWO_METRICS}[[event]]\nname = \"Holidays\"\neffect = \"ignore\"\ncalendar = \"holidays.ics\"\nmetrics = [\"sales\"]\n"
    );
    std::fs::write(folder.path().join("config.toml"), text).expect("written");
    let config = Config::load(&folder.path().join("config.toml")).expect("a configuration");
    assert_eq!(told(&config, "2026-12-25 12:00"), ["sales Christmas"]);
    assert_eq!(told(&config, "2026-07-14 12:00"), ["sales Holidays"]);
}

#[test]
fn an_event_that_makes_no_sense_is_refused_with_what_is_wrong() {
    for (table, why) in [
        ("from = \"2026-11-27\"", "missing field `effect`"),
        (
            "effect = \"forget\"\nfrom = \"2026-11-27\"",
            "unknown variant `forget`",
        ),
        (
            "effect = \"mute\"",
            "event[0] (Sale): from: missing; or dates, or calendar",
        ),
        (
            "effect = \"mute\"\nto = \"2026-11-27\"",
            "to: goes with from",
        ),
        (
            "effect = \"mute\"\nevery = \"year\"\ndates = [\"2026-11-27\"]",
            "every: goes with from",
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-11-27 10:00\"",
            "has no end",
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-11-31\"",
            "\"2026-11-31\" is not a date or time",
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-11-27\"\nto = \"2026-11-26\"",
            "ends before it begins",
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-11-27\"\nevery = \"week\"",
            "unknown variant `week`",
        ),
        (
            "effect = \"mute\"\nfrom = \"2026-01-01\"\nto = \"2026-03-01\"\nevery = \"month\"",
            "every: lasts for longer",
        ),
        ("effect = \"mute\"\ndates = []", "dates: none"),
        (
            "effect = \"mute\"\nfrom = 2026-11-27\ndates = [2026-11-27]",
            "only one of them",
        ),
        (
            "effect = \"mute\"\nfrom = 2026-11-27\nmetrics = [\"sails\"]",
            "\"sails\" is no metric; there are: sales, orders",
        ),
        (
            "effect = \"mute\"\ncalendar = \"nowhere.ics\"",
            "calendar = \"nowhere.ics\": cannot be read",
        ),
    ] {
        let error = format!("{:#}", events(table).expect_err(table));
        assert!(
            error.contains(why) && !error.contains('\n'),
            "{table}: {error}"
        );
    }
}
