//! What is told of an incident.

use crate::detect::Verdict;
use crate::incident::{Matter, Side, Stage};
use crate::notify::email::news::sample::{Told, assert_says, breach, finding, over, stamp};
use crate::notify::email::sample::{html, writing};

fn subject(told: &Told) -> String {
    told.announce().subject().to_string()
}

#[test]
fn an_opening_is_told_as_if_nothing_were_remembered() {
    let (told, direct) = (
        breach(Side::High, Stage::Opened, 1843.2).announce(),
        writing("Sales", Verdict::Breach(Side::High), 1843.2),
    );
    let without_contact = |text: String| text.split("Questions?").next().map(str::to_string);
    assert_eq!(told.subject(), direct.subject());
    assert_eq!(without_contact(told.text()), without_contact(direct.text()));
    assert_eq!(without_contact(html(&told)), without_contact(html(&direct)));
}

#[test]
fn each_stage_has_a_subject_of_its_own() {
    for (side, stage, value, expected) in [
        (
            Side::High,
            Stage::Opened,
            1843.2,
            "[High] Sales 1,843.20 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::Low,
            Stage::Opened,
            12.0,
            "[Low] Sales 12.00 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::High,
            Stage::Lasting,
            1843.2,
            "[Still high] Sales for 4 h 10 min: 1,843.20 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::Low,
            Stage::Lasting,
            12.0,
            "[Still low] Sales for 4 h 10 min: 12.00 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::High,
            Stage::Worse,
            1843.2,
            "[High, worse] Sales 1,843.20 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::Low,
            Stage::Worse,
            12.0,
            "[Low, worse] Sales 12.00 at 14:05 CET, expected 912.10 to 1,297.80",
        ),
        (
            Side::High,
            over("10:35"),
            1100.0,
            "[Over] Sales is back inside its band after 35 min",
        ),
    ] {
        assert_eq!(
            subject(&breach(side, stage, value).since("10:00")),
            expected
        );
    }
}

#[test]
fn an_incident_that_began_earlier_says_since_when() {
    let told = breach(Side::High, Stage::Opened, 1843.2).since("13:55");
    assert_says(
        &told.announce(),
        &[
            "1,843.20 EUR, where 1,102.40 EUR was expected.",
            "It has been high since 13:55 CET, for 15 min.",
            "High since",
            "Sunday 22 November 2026, 13:55 CET (Europe/Paris), for 15 min",
        ],
    );
    let lasting = breach(Side::Low, Stage::Lasting, 12.0).since("2026-11-21 14:00");
    assert_says(
        &lasting.announce(),
        &[
            "Sales at 14:05 CET is still below its band",
            "It has been low since 2026-11-21 14:00 CET, for 1 d",
        ],
    );
}

#[test]
fn what_grew_worse_says_so() {
    let told = breach(Side::High, Stage::Worse, 2843.2).since("13:55");
    assert_says(
        &told.announce(),
        &[
            "Even Higher Sales Volume",
            "is above its band, clearly farther than was told: 2,843.20 EUR",
            "High since",
        ],
    );
}

#[test]
fn one_that_turned_says_what_it_was_before() {
    let mut told = breach(Side::Low, Stage::Opened, 12.0);
    told.notice.matter = Matter::Breach {
        side: Side::Low,
        finding: finding(12.0),
        turned_from: Some(stamp("13:20")),
    };
    assert_says(
        &told.announce(),
        &["It was high since 13:20 CET before, and turned."],
    );
}

#[test]
fn an_end_is_green_and_says_how_long_it_was_and_what_ended_it() {
    let told = breach(Side::High, over("14:30"), 1100.0).since("13:55");
    let writing = told.announce();
    assert_says(
        &writing,
        &[
            "Back to Normal: Sales Volume",
            "Sales is back inside its band after 35 min (High from 13:55 to 14:30 CET): at 14:05 CET 1,100.00 EUR, where 1,102.40 EUR was expected.",
            "13:55 to 14:30 CET, 35 min",
            "912.10 to 1,297.80 EUR (95 %)",
            "History used",
        ],
    );
    assert!(html(&writing).contains("background-color:#26733f"));
    assert_eq!(html(&writing).matches("<img").count(), 2);
}

#[test]
fn without_its_judgement_the_figures_are_those_of_the_notice() {
    let mut told = breach(Side::High, Stage::Opened, 1843.2);
    told.evaluation = None;
    told.pictures = None;
    let writing = told.announce();
    assert_eq!(
        writing.subject(),
        "[High] Sales 1,843.20 at 14:05 CET, expected 912.10 to 1,297.80"
    );
    assert_says(
        &writing,
        &[
            "1,843.20 EUR",
            "912.10 to 1,297.80 EUR",
            "+740.80 (+67 %), 3.8 times the distance to the limit",
            "Sunday 22 November 2026, 14:05 CET (Europe/Paris), a bucket of 5 min",
        ],
    );
    assert!(!html(&writing).contains("<img"));
}

#[test]
fn a_judgement_of_another_bucket_lends_no_figures() {
    let mut told = breach(Side::High, over("13:10"), 1843.2).since("13:00");
    let earlier = crate::incident::Finding {
        time: stamp("13:15"),
        end: stamp("13:20"),
        ..finding(1000.0)
    };
    told.notice.matter = Matter::Breach {
        side: Side::High,
        finding: earlier,
        turned_from: None,
    };
    assert_says(&told.announce(), &["1,000.00 EUR", "13:15 CET"]);
    assert!(!told.announce().text().contains("1,843.20"));
}
