//! What is told of an incident.

use super::*;

#[test]
fn an_opening_says_what_the_evaluation_alone_says() {
    let opening = breach(Side::High, AlertKind::Firing, 1843.2).compose();
    let alone = preview("Sales", Verdict::Breach(Side::High), 1843.2);
    assert_eq!(opening.subject(), alone.subject());
    assert_eq!(opening.text(), alone.text());
}

#[test]
fn each_kind_has_a_subject_of_its_own() {
    let low = |kind| breach(Side::Low, kind, 12.0).since("10:00");
    let high = |kind| breach(Side::High, kind, 1843.2).since("10:00");
    for (sample, subject) in [
        (
            high(AlertKind::Firing),
            "[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            low(AlertKind::Firing),
            "[Low] Sales 12 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            high(AlertKind::Repeat),
            "[Still high] Sales for 4 h 10 min: 1,843 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            low(AlertKind::Repeat),
            "[Still low] Sales for 4 h 10 min: 12 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            high(AlertKind::Escalated),
            "[High, worse] Sales 1,843 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            low(AlertKind::Escalated),
            "[Low, worse] Sales 12 at 14:05 CET, usually 912 to 1,298",
        ),
        (
            high(AlertKind::Firing).over("10:35", 1100.0),
            "[Over] Sales is back to normal after 35 min",
        ),
    ] {
        assert_eq!(sample.compose().subject(), subject);
    }
}

#[test]
fn of_values_that_are_whole_the_figures_are_whole_or_tell_something() {
    let mut sample = breach(Side::High, AlertKind::Firing, 3.0);
    sample.metric.unit = Some("orders".to_string());
    sample.alert.evaluation = Some(Evaluation {
        band: Band::new(0.0, 0.004, 0.7),
        is_whole: true,
        ..stored(Verdict::Breach(Side::High), 3.0)
    });
    let email = sample.compose();
    assert_eq!(email.subject(), "[High] Sales 3 at 14:05 CET, usually 0");
    assert_says(
        &email,
        &[
            "3 orders at 14:05 CET (expected: fewer than 0.1 orders); usually 0 orders.",
            "+3 orders",
        ],
    );
    assert!(!email.text().contains("0.00"), "{}", email.text());
}

#[test]
fn a_sum_says_of_how_long_it_is() {
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2);
    sample.metric.aggregate = Some(Aggregate::Sum);
    let said =
        "Sales is unusually high: 1,843 EUR from 14:05 to 14:10 CET, 67 % higher than expected";
    assert_says(&sample.compose(), &[said]);
}

#[test]
fn an_incident_that_began_earlier_says_since_when() {
    let sample = breach(Side::High, AlertKind::Firing, 1843.2).since("13:55");
    assert_says(
        &sample.compose(),
        &[
            "1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR.",
            "High since 13:55 CET, for 15 min.",
            "High since",
            "Sunday 22 November 2026, 13:55 CET (Europe/Paris), for 15 min",
        ],
    );
    let lasting = breach(Side::Low, AlertKind::Repeat, 12.0).since("2026-11-21 14:00");
    assert_says(
        &lasting.compose(),
        &[
            "Sales is still unusually low: 12 EUR at 14:05 CET, 99 % lower than expected",
            "Low since 2026-11-21 14:00 CET, for 1 d",
        ],
    );
}

#[test]
fn what_grew_worse_says_so() {
    let mut sample = breach(Side::High, AlertKind::Escalated, 2843.2).since("13:55");
    sample.told_at = Some(at("14:00"));
    assert_says(
        &sample.compose(),
        &[
            "High Sales Volume, Worse",
            "Sales is even higher than in the last message (14:00 CET): 2,843 EUR at 14:05 CET, 158 % higher than expected",
            "High since",
        ],
    );
}

#[test]
fn one_that_turned_says_what_it_was_before() {
    let mut sample = breach(Side::Low, AlertKind::Firing, 12.0);
    sample.alert.turned_from = Some(at("13:20"));
    assert_says(
        &sample.compose(),
        &["It was high since 13:20 CET before, and turned."],
    );
}

#[test]
fn an_end_is_green_and_says_how_long_it_was_and_what_ended_it() {
    let sample = breach(Side::High, AlertKind::Firing, 1843.2).since("13:55");
    let email = sample.over("14:30", 1100.0).compose();
    assert_says(
        &email,
        &[
            "Back to Normal: Sales Volume",
            "Sales is back to normal after 35 min: 1,100 EUR at 14:05 CET; usually 912 to 1,298 EUR. High from 13:55 to 14:30 CET.",
            "from 13:55 to 14:30 CET, 35 min",
            "912 to 1,298 EUR (95 %)",
            "Nothing: it is over.",
            "History used",
        ],
    );
    assert!(html(&email).contains("background-color:#26733f"));
    assert_eq!(html(&email).matches("<img").count(), 2);
}

#[test]
fn an_opening_that_comes_after_the_end_says_so() {
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2).over("14:30", 1100.0);
    sample.kind = AlertKind::Firing;
    let email = sample.compose();
    assert!(
        email
            .subject()
            .starts_with("[High] Sales 1,843 at 14:05 CET")
    );
    assert_says(
        &email,
        &[
            "It was high from 14:05 to 14:30 CET, 25 min",
            ", and is over.",
        ],
    );
    // What is missing in all is that of all its buckets.
    sample.alert.course = Some(Course::sample(Witness::Breach, at("14:10"), -2100.0));
    assert_says(
        &sample.compose(),
        &["25 min, 2,100 EUR more than usual in all, and is over."],
    );
}

#[test]
fn without_what_led_to_it_the_figures_are_those_that_were_stored() {
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2);
    sample.alert.evaluation = Some(stored(Verdict::Breach(Side::High), 1843.2));
    sample.plots.clear();
    let email = sample.compose();
    assert_eq!(
        email.subject(),
        "[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298"
    );
    assert_says(
        &email,
        &[
            "1,843 EUR",
            "912 to 1,298 EUR (95 %)",
            "+741 EUR (67 % higher)",
            "741 EUR more than usual so far",
            "Sunday 22 November 2026, 14:05 CET (Europe/Paris), a bucket of 5 min",
        ],
    );
    assert!(!html(&email).contains("<img") && !email.text().contains("History used"));
}

#[test]
fn the_newest_evaluation_lends_its_workings_to_its_own_bucket_alone() {
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2);
    let mut earlier = stored(Verdict::Breach(Side::High), 1500.0);
    sample.alert.evaluation = Some(earlier.clone());
    sample.newest = Some(evaluation(Verdict::Breach(Side::High), 1500.0));
    assert_says(&sample.compose(), &["1,500 EUR", "History used"]);
    earlier.bucket = Bucket {
        start: at("13:15"),
        end: at("13:20"),
    };
    sample.alert.evaluation = Some(earlier);
    assert_says(&sample.compose(), &["13:15 CET"]);
    assert!(!sample.compose().text().contains("History used"));
}

/// A low value inside its band, of an incident that a witness opened.
fn witnessed(witness: Witness, kind: AlertKind) -> Sample {
    let mut sample = breach(Side::Low, kind, 1010.0).since("08:10");
    sample.alert.evaluation = Some(evaluation(Verdict::Normal, 1010.0));
    sample.alert.course = Some(Course::sample(witness, at("14:10"), 41_200.0));
    sample
}

#[test]
fn a_total_that_opened_an_incident_is_told_with_what_is_usual_and_what_is_missing() {
    let total = Witness::Total {
        minutes: 360,
        seen: 164_800.0,
        usual: 206_000.0,
    };
    let mail = witnessed(total, AlertKind::Firing).compose();
    assert_eq!(mail.subject(), "[Low] Sales 20 % lower in the last 6 h");
    assert_says(
        &mail,
        &[
            "The last 6 h of Sales add up to 164,800 EUR, where 206,000 EUR is usual at this time of the week (20 % lower).",
            "Low since 08:10 CET, for 6 h: 41,200 EUR less than usual so far.",
        ],
    );
}

#[test]
fn what_lasts_is_told_by_what_it_lacks_so_far_and_no_more_by_its_opening() {
    let total = Witness::Total {
        minutes: 360,
        seen: 150_000.0,
        usual: 206_000.0,
    };
    let still = witnessed(total, AlertKind::Repeat).compose();
    assert_says(
        &still,
        &[
            "[Still low] Sales for 6 h: 20 % lower than usual",
            "Sales is still 20 % lower than usual. Low since 08:10 CET, for 6 h: 41,200 EUR less than usual so far.",
        ],
    );
    let worse = witnessed(total, AlertKind::Escalated).compose();
    assert_says(
        &worse,
        &[
            "[Low, worse] Sales 20 % lower in the last 1 h",
            "Sales is worse: 20 % lower in the last 1 h.",
        ],
    );
    for mail in [still, worse] {
        assert!(!mail.text().contains("add up to"), "{}", mail.text());
    }
}

#[test]
fn an_end_by_what_is_usual_does_not_say_that_the_value_is_inside_its_band() {
    let mut sample = witnessed(Witness::Cusum { buckets: 37 }, AlertKind::Resolved);
    sample.alert.end = Some(End::Over {
        until: at("14:05"),
        evaluation: Some(Box::new(evaluation(Verdict::Breach(Side::High), 1843.2))),
    });
    let mail = sample.compose();
    assert_says(
        &mail,
        &[
            "[Over] Sales is back to normal after 5 h 55 min",
            "1,843 EUR at 14:05 CET, where 1,800 EUR would be usual.",
            "The forecast had followed the incident, so its band is not back yet.",
        ],
    );
    for told in ["inside its band", "Deviation", "67 % higher"] {
        assert!(!mail.text().contains(told), "{told}: {}", mail.text());
    }
}

#[test]
fn a_fall_within_a_rush_is_told_against_the_level_of_the_rush() {
    let fall = Witness::Fall { expected: 2_525.0 };
    let mut sample = witnessed(fall, AlertKind::Firing);
    sample.alert.turned_from = Some(at("07:00"));
    let mail = sample.compose();
    assert_eq!(
        mail.subject(),
        "[Low] Sales 1,010 at 14:05 CET, 60 % lower than its level before"
    );
    assert_says(
        &mail,
        &[
            "Sales fell: 1,010 EUR at 14:05 CET, 60 % lower than its level before.",
            "41,200 EUR less than before so far. It was high since 07:00 CET before, and turned.",
            "2,525 EUR",
        ],
    );
    assert!(!mail.text().contains("Deviation"), "{}", mail.text());
}

#[test]
fn the_band_is_not_said_to_hide_a_drop_that_is_told() {
    for (side, is_told) in [(Side::Low, false), (Side::High, true)] {
        let mut sample = breach(side, AlertKind::Firing, 0.0);
        let evaluation = sample.alert.evaluation.as_mut().expect("an evaluation");
        evaluation.low_possible = Some(false);
        let text = sample.compose().text().clone();
        assert_eq!(text.contains("would not show as Low"), is_told, "{text}");
    }
}

#[test]
fn of_a_total_where_nothing_is_usual_no_share_is_told() {
    let total = Witness::Total {
        minutes: 60,
        seen: 40.0,
        usual: 0.0,
    };
    let mail = witnessed(total, AlertKind::Firing).compose();
    assert_says(
        &mail,
        &["add up to 40 EUR, where 0 EUR is usual at this time of the week."],
    );
    assert!(!mail.text().contains("inf"), "{}", mail.text());
}

#[test]
fn many_small_deviations_are_told_by_their_number() {
    let cusum = Witness::Cusum { buckets: 37 };
    assert_says(
        &witnessed(cusum, AlertKind::Firing).compose(),
        &["37 buckets in a row of Sales were, taken together, too low for chance."],
    );
}

#[test]
fn of_a_mean_no_sum_is_told() {
    let mut sample = witnessed(Witness::Breach, AlertKind::Repeat);
    sample.metric.aggregate = Some(Aggregate::Avg);
    assert!(!sample.compose().text().contains("less than usual"));
}

#[test]
fn a_new_level_is_accepted_and_not_called_over() {
    let mut sample = witnessed(Witness::Breach, AlertKind::Resolved);
    sample.alert.end = Some(End::Accepted {
        until: at("14:10"),
        evaluation: Box::new(evaluation(Verdict::Normal, 660.0)),
        ratio: 0.6,
    });
    let mail = sample.compose();
    assert_eq!(
        mail.subject(),
        "[New level] Sales 40 % lower, since 08:10 CET, accepted as the new normal"
    );
    assert_says(
        &mail,
        &[
            "accepted as the new normal: about 160,000 EUR less than usual a day.",
            "Values kept this level for 6 h, so from now on it counts as normal.",
        ],
    );
}
