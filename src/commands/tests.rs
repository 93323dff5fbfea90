//! One of many buckets that cannot be judged.

use chrono::{DateTime, Utc};

use super::*;
use crate::series::sample;

#[test]
fn a_bug_that_one_bucket_brings_to_light_leaves_it_undecided() {
    let series = sample::series("1d", &[1.0, 2.0, 3.0]);
    // A time that no wall clock shows.
    let newest = DateTime::<Utc>::MAX_UTC.with_timezone(&sample::PARIS);
    let window = sample::window(series, Some(newest));
    let evaluation = evaluate_past(
        window,
        &Metric::of_file("sales"),
        &crate::detect::Answers::default(),
    );
    let reason = evaluation.reason().expect("a reason");
    assert_eq!(
        reason,
        "judge a bucket: a bug in bandwatch, please report it"
    );
    assert_eq!(evaluation.value, Some(3.0));
}
