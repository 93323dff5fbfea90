//! What is told where nothing can be judged.

use crate::detect::Verdict;
use crate::forecast::Side;
use crate::incident::{Matter, Stage};
use crate::notify::email::news::sample::{assert_says, lack, over};
use crate::notify::email::sample::{evaluation, html, message};

type Make = fn(String) -> Matter;

const NO_DATA: Make = |why| Matter::NoData { why };
const UNWELL: Make = |why| Matter::Unwell { why };
const UNDECIDED: Make = |why| Matter::Undecided { why };

#[test]
fn each_lack_and_stage_has_a_subject_of_its_own() {
    for (make, stage, expected) in [
        (
            NO_DATA,
            Stage::Opened,
            "[No data] Sales: no data since 10:05 CET",
        ),
        (
            NO_DATA,
            Stage::Lasting,
            "[Still no data] Sales: no data since 10:05 CET, for 4 h 6 min",
        ),
        (
            NO_DATA,
            over("10:40"),
            "[Data again] Sales: after 35 min without",
        ),
        (UNWELL, Stage::Opened, "[Cannot check] Sales: it is so"),
        (
            UNWELL,
            Stage::Lasting,
            "[Still cannot check] Sales for 4 h 6 min: it is so",
        ),
        (UNWELL, over("10:40"), "[Checked again] Sales: after 35 min"),
        (UNDECIDED, Stage::Opened, "[Cannot judge] Sales: it is so"),
        (
            UNDECIDED,
            Stage::Lasting,
            "[Still cannot judge] Sales for 4 h 6 min: it is so",
        ),
        (UNDECIDED, over("10:40"), "[Judged again] Sales"),
    ] {
        let told = lack(make("it is so".into()), stage).since("10:05");
        assert_eq!(told.announce().subject(), expected);
    }
}

#[test]
fn a_lack_is_grey_and_says_that_silence_is_no_good_sign() {
    for (make, state, since, remedy) in [
        (
            NO_DATA,
            "Sales has had no data since 14:05 CET",
            "No data since",
            "still runs",
        ),
        (
            UNWELL,
            "Sales could not be checked since 14:05 CET, for 6 min: it is so.",
            "Not checked since",
            "every run",
        ),
        (
            UNDECIDED,
            "Sales could not be judged since 14:05 CET, for 6 min: it is so.",
            "Not judged since",
            "grows by itself",
        ),
    ] {
        let writing = lack(make("it is so.".into()), Stage::Opened).announce();
        assert_says(
            &writing,
            &[
                state,
                since,
                "Sunday 22 November 2026, 14:05 CET (Europe/Paris), for 6 min",
                "it is so.",
                "no rise or drop of Sales is noticed, and no alert of it comes",
                "What to do: ",
                remedy,
            ],
        );
        assert!(html(&writing).contains("background-color:#5e5c64"));
    }
}

#[test]
fn what_was_seen_last_is_told_where_it_is_known() {
    let mut told = lack(NO_DATA("it is so".into()), Stage::Opened).since("14:10");
    told.evaluation = Some(evaluation(Verdict::Breach(Side::High), 1843.2));
    assert_says(
        &told.announce(),
        &["Seen last", "1,843.20 EUR at 14:05 CET"],
    );
}

#[test]
fn the_end_of_a_lack_is_green_and_says_how_long_nothing_was_watched() {
    for (make, said) in [
        (
            NO_DATA,
            "Sales has data again, after 35 min without (from 10:05 to 10:40 CET).",
        ),
        (
            UNWELL,
            "Sales is checked again, after 35 min (from 10:05 to 10:40 CET).",
        ),
        (
            UNDECIDED,
            "Sales is judged again, after 35 min (from 10:05 to 10:40 CET).",
        ),
    ] {
        let mut told = lack(make("it was so".into()), over("10:40")).since("10:05");
        told.evaluation = Some(evaluation(Verdict::Normal, 1100.0));
        let writing = told.announce();
        assert_says(
            &writing,
            &[
                said,
                "it was so",
                "In between nothing was watched",
                "1,100.00 EUR",
                "912.10 to 1,297.80 EUR (95 %)",
            ],
        );
        assert!(html(&writing).contains("background-color:#26733f"));
    }
}

#[test]
fn a_long_reason_is_cut_in_the_subject_and_whole_in_the_mail() {
    let why = format!("no answer from {}", "größter-Server.example, ".repeat(40));
    let told = lack(UNWELL(why.clone()), Stage::Opened);
    let writing = told.announce();
    let subject = writing.subject();
    assert!(
        subject.chars().count() <= 110 && subject.ends_with("größter-Server.example…"),
        "{subject}"
    );
    assert_says(&writing, &[why.trim_end()]);
    let raw = message(&writing, "ops@example.com");
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
    let mut told = lack(UNWELL(why.into()), Stage::Opened);
    told.metric.title = "<b>&\"x\r\nTo: me\u{85}".into();
    let writing = told.announce();
    assert_eq!(
        writing.subject(),
        "[Cannot check] <b>&\"x  To: me : ERROR 1064 Bcc: all@example.com near '<b>&\"x' and  on"
    );
    assert!(!html(&writing).contains("<b>"));
    assert!(!writing.text().contains("\nBcc") && !writing.text().contains("\nTo"));
    let raw = message(&writing, "ops@example.com");
    let parsed = mail_parser::MessageParser::default()
        .parse(&raw)
        .expect("a mail");
    assert!(parsed.bcc().is_none());
    assert_eq!(parsed.subject(), Some(writing.subject()));
}
