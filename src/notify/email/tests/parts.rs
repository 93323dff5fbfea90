//! What is told of the parts that explain an incident.

use super::*;
use crate::detect::{Breakdown, ColumnParts, Part};

fn part(value: Option<&str>, seen: f64, expected: f64) -> Part {
    Part {
        value: value.map(str::to_string),
        seen,
        expected,
        stands_out: false,
    }
}

fn standing_out(value: Option<&str>, seen: f64, expected: f64) -> Part {
    Part {
        stands_out: true,
        ..part(value, seen, expected)
    }
}

/// Of the bucket of 14:05.
fn breakdown(seen: f64, expected: f64, columns: &[(&str, &[Part])]) -> Breakdown {
    let columns = columns.iter().map(|(column, parts)| ColumnParts {
        column: (*column).to_string(),
        parts: parts.to_vec(),
    });
    Breakdown {
        start: at("14:05"),
        end: at("14:10"),
        seen,
        expected,
        columns: columns.collect(),
    }
}

fn mail(breakdown: Breakdown, kind: AlertKind) -> Email {
    let side = breakdown.side();
    let value = if side == Side::Low { 12.0 } else { 1843.2 };
    let mut sample = breach(side, kind, value);
    sample.alert.breakdown = Some(breakdown);
    sample.compose()
}

fn opening(breakdown: Breakdown) -> Email {
    mail(breakdown, AlertKind::Firing)
}

/// Its sentence about parts.
fn sentence(breakdown: Breakdown) -> String {
    let text = opening(breakdown).text();
    let mut lines = text.lines();
    let summary = lines.find_map(|line| line.split_once("; usually 912 to 1,298 EUR. "));
    let (_, rest) = summary.expect("two sentences");
    let end = rest.find(" Low since").or(rest.find(" High since"));
    rest[..end.expect("a third sentence")].to_string()
}

fn germany() -> Breakdown {
    let countries = [
        standing_out(Some("DE"), 1100.0, 40_000.0),
        part(Some("FR"), 5900.0, 6000.0),
        part(None, 2900.0, 2800.0),
    ];
    let products = [part(Some("A"), 4900.0, 25_500.0)];
    breakdown(
        9800.0,
        51_000.0,
        &[("country", &countries), ("product", &products)],
    )
}

#[test]
fn an_opening_says_in_its_second_sentence_which_part_it_is_and_in_its_table_how_much_of_it() {
    let email = opening(germany());
    assert_says(
        &email,
        &[
            "usually 912 to 1,298 EUR. Of the 41,200 EUR missing, 38,900 are country DE; no product stands out.",
            "DE: 1,100 EUR, where 40,000 EUR was expected, 94 % of the difference",
            "FR: 5,900 EUR, where 6,000 EUR was expected, 0 % of the difference",
            "(none): 2,900 EUR, where 2,800 EUR was expected, 0 % of the difference",
        ],
    );
    let text = email.text();
    assert!(!text.contains("A: "), "of the first column alone: {text}");
}

#[test]
fn repeats_tell_the_same_of_the_time_it_was_and_other_later_mails_nothing() {
    let mut earlier = germany();
    (earlier.start, earlier.end) = (at("12:00"), at("12:05"));
    let later = mail(earlier.clone(), AlertKind::Repeat);
    assert_says(
        &later,
        &["At 12:00 CET, of the 41,200 EUR missing, 38,900 were country DE; no product stood out."],
    );
    let text = later.text();
    assert!(!text.contains("of the difference"), "{text}");
    // What made it worse may be another.
    let worse = mail(earlier.clone(), AlertKind::Escalated).text();
    assert!(!worse.contains("country"), "{worse}");
    earlier.start = at("06:05");
    assert_says(
        &mail(earlier.clone(), AlertKind::Repeat),
        &["From 06:05 to 12:05 CET, of the 41,200 EUR missing, "],
    );
    let mut over = breach(Side::Low, AlertKind::Firing, 12.0).over("14:30", 1100.0);
    over.alert.breakdown = Some(earlier);
    assert!(!over.compose().text().contains("country"));
}

#[test]
fn each_way_in_which_parts_explain_a_difference_has_its_sentence() {
    let of = |parts: &[Part]| {
        let seen = parts.iter().map(|part| part.seen).sum();
        let expected = parts.iter().map(|part| part.expected).sum();
        sentence(breakdown(seen, expected, &[("country", parts)]))
    };
    let usual = part(Some("FR"), 300.0, 300.0);
    let de = |seen| standing_out(Some("DE"), seen, 200.0);
    let it = |seen| standing_out(Some("IT"), seen, 200.0);
    for (parts, told) in [
        (
            vec![de(100.0), usual.clone()],
            "Of the 100 EUR missing, all is country DE.",
        ),
        (
            vec![de(400.0), part(Some("FR"), 400.0, 300.0)],
            "Of the 300 EUR more than expected, 200 are country DE.",
        ),
        (
            vec![de(80.0), it(140.0), part(Some("FR"), 260.0, 300.0)],
            "Of the 220 EUR missing, 120 are country DE and 60 country IT.",
        ),
        (
            vec![de(0.0), part(Some("FR"), 400.0, 300.0)],
            "Of the 100 EUR missing, all is country DE (200 less, 100 more elsewhere).",
        ),
        (
            vec![de(500.0), it(300.0), part(Some("FR"), 100.0, 300.0)],
            "Of the 200 EUR more than expected, all is country DE and country IT (together 400 more, 200 less elsewhere).",
        ),
        (
            vec![de(100.0), it(150.0), usual],
            "Of the 150 EUR missing, all is country DE and country IT.",
        ),
    ] {
        assert_eq!(of(&parts), told);
    }
}

#[test]
fn where_no_part_stands_out_nothing_is_said_of_parts() {
    let parts = [part(Some("DE"), 250.0, 500.0)];
    let alike = breakdown(500.0, 1000.0, &[("country", &parts)]);
    let without = breach(Side::Low, AlertKind::Firing, 12.0).compose();
    assert_eq!(opening(alike).text(), without.text());
}

#[test]
fn of_a_total_the_time_is_told() {
    let mut total = germany();
    total.start = at("08:10");
    assert_eq!(
        sentence(total),
        "Of the 41,200 EUR missing in the last 6 h, 38,900 are country DE; no product stands out."
    );
}

#[test]
fn what_a_column_holds_is_text_and_stays_in_its_place() {
    for (value, told) in [
        ("New York", "\"New York\""),
        ("", "\"\""),
        ("(none)", "\"(none)\""),
        ("Süd-West_2", "Süd-West_2"),
        ("a\nBcc: x@example.com", "\"a Bcc: x@example.com\""),
        ("\u{202e}ED\u{1b}[31m", "\"\\u202eED\\u001b[31m\""),
    ] {
        let parts = [standing_out(Some(value), 0.0, 100.0)];
        let breakdown = breakdown(0.0, 100.0, &[("country", &parts)]);
        let expected = format!("Of the 100 EUR missing, all is country {told}.");
        assert_eq!(sentence(breakdown), expected);
    }
    let long = "x".repeat(200);
    let parts = [standing_out(Some(&long), 0.0, 100.0)];
    let told = sentence(breakdown(0.0, 100.0, &[("country", &parts)]));
    let cut = format!("country {}….", "x".repeat(39));
    assert!(told.ends_with(&cut), "{told}");
    let parts = [standing_out(Some("<script>alert(1)</script>"), 0.0, 100.0)];
    let page = html(&opening(breakdown(0.0, 100.0, &[("<b>", &parts)])));
    assert!(
        !page.contains("<script>") && !page.contains("<b>"),
        "{page}"
    );
}

#[test]
fn of_what_is_missing_so_far_the_parts_are_told_in_the_same_sentence() {
    let parts = [standing_out(Some("DE"), 0.0, 1090.0)];
    let so_far = breakdown(12.0, 1102.0, &[("country", &parts)]);
    assert_says(
        &opening(so_far),
        &[
            "Low since 14:05 CET, for 5 min: 1,090 EUR less than usual so far; of that, all is country DE.",
        ],
    );
}

#[test]
fn a_digest_says_it_in_the_row_of_the_metric() {
    let mut sales = named("Sales", Side::Low, -5.0);
    sales.alert.breakdown = Some(germany());
    let orders = named("Orders", Side::High, 2.0);
    let notifications = [sales.notification(), orders.notification()];
    let digest = compose_digest(&notifications, |_| &[], &letterhead());
    assert_says(&digest, &["38,900 are country DE; no product stands out."]);
}
