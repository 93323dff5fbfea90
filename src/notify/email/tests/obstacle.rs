//! What is told where nothing can be judged.

use super::*;
use Condition::{CheckFailed, NoData, Undecided};

#[test]
fn each_obstacle_and_kind_has_a_subject_of_its_own() {
    for (condition, opened, lasting, over) in [
        (
            NoData,
            "[No data] Sales: no data since 10:05 CET",
            "[Still no data] Sales: no data since 10:05 CET, for 4 h 6 min",
            "[Data again] Sales: after 35 min without",
        ),
        (
            CheckFailed,
            "[Cannot check] Sales: it is so",
            "[Still cannot check] Sales for 4 h 6 min: it is so",
            "[Checked again] Sales: after 35 min",
        ),
        (
            Undecided,
            "[Cannot judge] Sales: it is so",
            "[Still cannot judge] Sales for 4 h 6 min: it is so",
            "[Judged again] Sales",
        ),
    ] {
        let sample = |kind| obstacle(condition, kind, "it is so").since("10:05");
        assert_eq!(sample(AlertKind::Firing).compose().subject(), opened);
        assert_eq!(sample(AlertKind::Repeat).compose().subject(), lasting);
        let ended = sample(AlertKind::Firing).over("10:40", 1100.0);
        assert_eq!(ended.compose().subject(), over);
    }
}

#[test]
fn an_obstacle_is_grey_and_says_that_nothing_is_noticed() {
    for (condition, state, since, until, remedy) in [
        (
            NoData,
            "Sales has had no data since 14:05 CET",
            "No data since",
            "Until data comes again, no alert can come for a rise or a drop.",
            "still works",
        ),
        (
            CheckFailed,
            "It is so. Sales could not be checked since 14:05 CET, for 6 min.",
            "Not checked since",
            "Until it can be checked again, no alert can come for a rise or a drop.",
            "every run",
        ),
        (
            Undecided,
            "Sales could not be judged since 14:05 CET, for 6 min: it is so.",
            "Not judged since",
            "Until it can be judged again, no alert can come for a rise or a drop.",
            "grows by itself",
        ),
    ] {
        let email = obstacle(condition, AlertKind::Firing, "it is so.").compose();
        assert_says(
            &email,
            &[
                state,
                since,
                "Sunday 22 November 2026, 14:05 CET (Europe/Paris), for 6 min",
                "it is so.",
                until,
                "What to do:",
                remedy,
            ],
        );
        assert!(html(&email).contains("background-color:#5e5c64"));
    }
}

#[test]
fn an_empty_bucket_that_counts_as_zero_was_not_seen() {
    let mut sample = obstacle(NoData, AlertKind::Firing, "it is so").since("14:05");
    let mut newest = evaluation(Verdict::Normal, 0.0);
    let workings = newest.workings.as_mut().expect("workings");
    Arc::make_mut(workings).window.newest = Some(local("2026-11-22 14:00"));
    sample.newest = Some(newest);
    assert_says(
        &sample.compose(),
        &["The last value was 99 EUR at 14:00 CET."],
    );
}

#[test]
fn what_was_seen_last_is_told_where_it_is_known() {
    let mut sample = obstacle(NoData, AlertKind::Firing, "it is so").since("14:10");
    sample.newest = Some(evaluation(Verdict::Breach(Side::High), 1843.2));
    assert_says(
        &sample.compose(),
        &[
            "Seen last",
            "1,843 EUR at 14:05 CET",
            "The last value was 1,843 EUR at 14:05 CET.",
        ],
    );
}

#[test]
fn the_end_of_an_obstacle_is_green_and_says_how_long_nothing_was_watched() {
    for (condition, said) in [
        (
            NoData,
            "Sales has data again, after 35 min without (from 10:05 to 10:40 CET).",
        ),
        (
            CheckFailed,
            "Sales is checked again, after 35 min (from 10:05 to 10:40 CET).",
        ),
        (
            Undecided,
            "Sales is judged again, after 35 min (from 10:05 to 10:40 CET).",
        ),
    ] {
        let opened = obstacle(condition, AlertKind::Firing, "it was so").since("10:05");
        let mut ended = opened.over("10:40", 1100.0);
        ended.newest = Some(evaluation(Verdict::Normal, 1100.0));
        let email = ended.compose();
        assert_says(
            &email,
            &[
                said,
                "it was so",
                "In between nothing was watched",
                "1,100 EUR",
                "912 to 1,298 EUR (95 %)",
            ],
        );
        assert!(html(&email).contains("background-color:#26733f"));
    }
}

#[test]
fn a_long_reason_is_cut_in_the_subject_and_whole_in_the_mail() {
    let why = format!("no answer from {}", "größter-Server.example, ".repeat(40));
    let email = obstacle(CheckFailed, AlertKind::Firing, &why).compose();
    let subject = email.subject();
    assert!(
        subject.chars().count() <= 110 && subject.ends_with("größter-Server.example…"),
        "{subject}"
    );
    assert_says(&email, &[why.trim_end()]);
    let raw = message(&email, "ops@example.com");
    assert!(
        raw.is_ascii()
            && raw
                .split(|byte| *byte == b'\n')
                .all(|line| line.len() < 998)
    );
}

#[test]
fn a_reason_of_several_lines_stays_on_one_and_makes_no_markup() {
    let why = "ERROR 1064\r\nBcc: all@example.com\n\n  near '<b>&\"x'\u{2028}and \u{7}on";
    let mut sample = obstacle(CheckFailed, AlertKind::Firing, why);
    sample.metric.title = "<b>&\"x\r\nTo: me\u{85}".into();
    let email = sample.compose();
    assert_eq!(
        email.subject(),
        "[Cannot check] <b>&\"x  To: me: ERROR 1064 Bcc: all@example.com near '<b>&\"x' and \\u0007on"
    );
    assert!(!html(&email).contains("<b>"));
    assert!(!email.text().contains("\nBcc") && !email.text().contains("\nTo"));
    let raw = message(&email, "ops@example.com");
    let parsed = mail_parser::MessageParser::default()
        .parse(&raw)
        .expect("a mail");
    assert!(parsed.bcc().is_none());
    assert_eq!(parsed.subject(), Some(email.subject()));
}

#[test]
fn beside_what_was_seen_last_stands_what_there_was_a_week_before() {
    let values: Vec<_> = (0..2185).map(|step| Some(f64::from(step))).collect();
    let series = sample::series_from("2026-11-15 00:00", "5m", &values);
    let mut newest = evaluation(Verdict::Normal, 0.0);
    let workings = newest.workings.as_mut().expect("workings");
    Arc::make_mut(workings).window = window(series, Some(local("2026-11-22 14:00")));
    let mut sample = obstacle(NoData, AlertKind::Firing, "it is so").since("14:05");
    sample.newest = Some(newest);
    assert_says(
        &sample.compose(),
        &["The last value was 2,184 EUR at 14:00 CET (a week before: 168 EUR)."],
    );
}
