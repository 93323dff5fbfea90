//! One of many buckets that cannot be judged.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::series::{Ignored, RowCounts, sample};

#[test]
fn a_bug_that_one_bucket_brings_to_light_leaves_it_undecided() {
    let series = sample::series("1d", &[1.0, 2.0, 3.0]);
    let window = Window {
        as_of: series.next_time(),
        // A time that no wall clock shows.
        newest: Some(DateTime::<Utc>::MAX_UTC.with_timezone(&sample::PARIS)),
        series,
        row_counts: RowCounts::default(),
        stale_after: TimeDelta::days(1),
        ignored: Ignored::default(),
        recurring: Vec::new(),
        total_since: None,
        hint: None,
    };
    let evaluation = evaluate_past(window, &Metric::of_file("sales"));
    let reason = evaluation.reason().expect("a reason");
    assert_eq!(
        reason,
        "judge a bucket: a bug in bandwatch, please report it"
    );
    assert_eq!(evaluation.value, Some(3.0));
}
