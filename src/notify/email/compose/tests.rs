//! What a mail of one evaluation says.

use super::*;
use crate::forecast::Side;
use crate::notify::email::PreviewImages;
use crate::notify::email::sample::{evaluation, html, message, metric, writing};

#[test]
fn the_subject_says_it_all() {
    assert_eq!(
        writing("Sales", Verdict::Breach(Side::High), 1843.2).subject(),
        "[High] Sales 1,843.20 at 14:05 CET, expected 912.10 to 1,297.80"
    );
    assert_eq!(
        writing("Sales", Verdict::Breach(Side::Low), 12.0).subject(),
        "[Low] Sales 12.00 at 14:05 CET, expected 912.10 to 1,297.80"
    );
    let undecided = Verdict::Undecided("every value of the history is 3, so nothing says how much change is usual; some variation is needed".into());
    assert!(
        writing("Sales", undecided, 12.0)
            .subject()
            .starts_with("[Undecided] Sales: every value of the history is 3")
    );
}

#[test]
fn high_is_blue_and_low_is_orange_under_the_heading_people_know() {
    let high = html(&writing("Sales", Verdict::Breach(Side::High), 1843.2));
    assert!(high.contains(">High Sales Volume</h1>") && high.contains("background-color:#1a5fb4"));
    let low = html(&writing("Sales Volume", Verdict::Breach(Side::Low), 12.0));
    assert!(low.contains(">Low Sales Volume</h1>") && low.contains("background-color:#c64600"));
}

#[test]
fn both_parts_say_everything() {
    let writing = writing("Sales", Verdict::Breach(Side::High), 1843.2);
    for said in [
        "1,843.20 EUR",
        "1,102.40 EUR",
        "912.10 to 1,297.80 EUR (95 %)",
        "+740.80 (+67 %), 3.8 times the distance to the limit",
        "Sunday 22 November 2026, 14:05 CET (Europe/Paris)",
        "2 d 2 h, 600 values, 0 missing",
        "Outliers clipped",
    ] {
        assert!(
            writing.text().contains(said),
            "{said:?} is not in\n{}",
            writing.text()
        );
        assert!(
            html(&writing).contains(said),
            "{said:?} is not in\n{}",
            html(&writing)
        );
    }
    assert!(
        html(&writing).contains(">Last 24 hours</h2>")
            && html(&writing).contains(">Last 48 hours</h2>")
    );
    assert!(
        html(&writing).contains("Data team &#60;data@example.com&#62; &#38; co"),
        "{}",
        html(&writing)
    );
    assert!(writing.text().contains("Data team <data@example.com> & co"));
}

#[test]
fn a_title_of_markup_stays_text() {
    let html = html(&writing("<b>&\"x", Verdict::Breach(Side::High), 1843.2));
    assert!(
        !html.contains("<b>") && html.contains("High &#60;b&#62;&#38;&#34;x Volume"),
        "{html}"
    );
    assert_eq!(
        html.matches("<html").count(),
        html.matches("</html>").count()
    );
    for tag in [
        "table", "tr", "td", "th", "p", "h1", "h2", "style", "head", "body", "strong",
    ] {
        let opened =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_page_for_a_browser_has_its_pictures_beside_it() {
    let images = PreviewImages {
        day: "a #1.png",
        two_days: "b.png",
    };
    let writing = writing("Sales", Verdict::Breach(Side::High), 1843.2);
    let page = writing.page_with(images).expect("a page");
    assert!(
        page.contains("src=\"a %231.png\"")
            && page.contains("src=\"b.png\"")
            && !page.contains("cid:")
    );
}

#[test]
fn an_alert_goes_out_even_if_its_pictures_cannot_be_drawn() {
    let writing = compose(
        &metric("Sales"),
        &evaluation(Verdict::Breach(Side::High), 1843.2),
        None,
        None,
    );
    assert!(html(&writing).contains("High Sales Volume") && !html(&writing).contains("<img"));
    assert!(message(&writing, "ops@example.com").is_ascii());
}
