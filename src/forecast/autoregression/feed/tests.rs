//! The evidence of a run against Page's sum.

use super::*;

#[test]
fn the_evidence_of_a_run_is_pages_cumulative_sum() {
    // s = 0
    // for d in (.5, 2, -1, .25, -3, 4): s = max(0, s + d); print(s)
    let beyond_allowance = [0.5, 2.0, -1.0, 0.25, -3.0, 4.0];
    let expected = [0.5, 2.5, 1.5, 1.75, 0.0, 4.0];
    let mut run = Run::none(10);
    for ((slot, beyond), expected) in (10..).zip(beyond_allowance).zip(expected) {
        run = run.followed_by(slot, true, threshold::ALLOWANCE + beyond);
        assert!((run.evidence - expected).abs() < 1e-12, "{run:?}");
    }
    assert_eq!(run.since, 15, "begins anew once nothing is left of it");
}

#[test]
fn a_value_on_the_other_side_begins_another_run() {
    let far = threshold::ALLOWANCE + 3.0;
    let run = Run::none(0)
        .followed_by(0, true, far)
        .followed_by(1, true, far);
    assert_eq!((run.since, run.is_above), (0, true));
    let other = run.followed_by(2, false, far);
    assert_eq!((other.since, other.is_above), (2, false));
    assert!((other.evidence - 3.0).abs() < 1e-12, "{other:?}");
}
