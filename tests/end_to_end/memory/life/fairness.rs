//! Metrics that take for ever, beside others that do not.

use crate::memory::story::{Story, metric};
use crate::support::workspace::wait_for;

/// With a second table and metric, `visits`, and little time.
fn two_metrics() -> Story {
    let mut story = Story::new();
    story.top = "deadline = \"5s\"\n".into();
    story.metric = "unwell_after = \"2h\"\nstale_after = \"6h\"\n".into();
    story.create_table("visits");
    story
        .database
        .execute("INSERT INTO visits SELECT * FROM sales");
    story.more_metrics = metric("visits", "visits", &story.metric);
    story.run_well("12:00");
    story
}

/// Three buckets and runs, in each of which one of the two metrics is judged while somebody else has the
/// table of the other.
#[track_caller]
fn assert_judged_beside(locked: &str, judged: &str) {
    let story = two_metrics();
    let index = usize::from(judged == "visits");
    for (bucket, run) in [("12:00", "12:05"), ("12:05", "12:10"), ("12:10", "12:15")] {
        for table in ["sales", "visits"] {
            let row = format!("REPLACE INTO {table} VALUES ('2026-11-22 {bucket}:00', 1001.0)");
            story.database.execute(&row);
        }
        story
            .database
            .execute(&format!("LOCK TABLES {locked} WRITE"));
        let run = story.run(run);
        story.database.execute("UNLOCK TABLES");
        run.assert_status(1);
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(
            lines.len() == 1 && lines[0].starts_with(&format!("bandwatch: {locked}: ")),
            "{run:?}"
        );
        let metric = &story.status("12:16")["metrics"][index];
        let expected = format!("2026-11-22T{bucket}:00+00:00");
        assert_eq!(
            (&metric["metric"], &metric["last"]["time"]),
            (&judged.into(), &expected.into())
        );
    }
}

#[test]
fn a_metric_is_judged_in_every_run_though_the_table_of_the_one_after_it_is_locked() {
    assert_judged_beside("visits", "sales");
}

#[test]
fn a_metric_is_judged_in_every_run_though_the_table_of_the_one_before_it_is_locked() {
    assert_judged_beside("sales", "visits");
}

#[test]
fn of_ten_metrics_the_seven_quick_ones_are_judged_in_every_run_and_no_slow_query_goes_on() {
    let mut story = Story::new();
    story.top = "deadline = \"10s\"\n".into();
    let slow = |number: usize| [1, 4, 8].contains(&number);
    let metrics = (1..10).map(|number| {
        let lines = if slow(number) {
            "where = \"SLEEP(1) = 0\"\n"
        } else {
            ""
        };
        metric(&format!("metric{number}"), "sales", lines)
    });
    story.more_metrics = metrics.collect();
    for (bucket, at) in [("11:55", "12:00"), ("12:00", "12:05"), ("12:05", "12:10")] {
        story.sell(bucket, 0.0);
        story.run(at).assert_status(1);
        let status = story.status(at);
        let metrics = status["metrics"].as_array().expect("a list");
        let judged: Vec<usize> = (0..metrics.len())
            .filter(|number| {
                let expected = format!("2026-11-22T{bucket}:00+00:00");
                metrics[*number]["last"]["time"] == expected
            })
            .collect();
        assert_eq!(judged, [0, 2, 3, 5, 6, 7, 9], "at {at}");
    }
    let count = format!(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{}'",
        story.database.read_only_user().user
    );
    wait_for("the server to stop the queries", || {
        story.database.query_one::<u64>(&count) == 0
    });
}
