//! What is printed of findings.

use std::time::Duration;

use super::check::Which;
use super::*;
use crate::commands::report::tests::assert_documented;

fn findings() -> Vec<Check> {
    let of_sales = Which::Metric("sales".to_string());
    vec![
        Check::ok(Link::Database, "it answers"),
        Check::warning(Link::Index, "none is used", "CREATE INDEX").of(of_sales),
        Check::failed(Link::MailServer, &anyhow!("cannot be\ntalked to")),
        Check::not_checked(Link::Login, "as the above failed"),
    ]
}

#[test]
fn a_finding_is_a_line_with_what_to_do_and_the_last_line_counts_them() {
    assert_eq!(
        text::write(&findings()),
        "\
database      OK           it answers
sales: index  WARNING      none is used; CREATE INDEX
mail server   FAILED       cannot be talked to
login         NOT CHECKED  as the above failed
4 checks: 1 failed, 1 warning, 1 not checked
"
    );
}

#[test]
fn the_fields_of_the_object_are_those_that_are_documented() {
    let object = serde_json::to_value(json::object(&findings())).expect("JSON");
    let fields = object.as_object().expect("an object");
    assert_documented(fields.keys().map(String::as_str), "doctor field");
    let check = object["checks"][2].as_object().expect("an object");
    assert_documented(
        check.keys().map(String::as_str),
        "field of a doctor's check",
    );
    assert_eq!(check["check"], "mail_server");
}

#[test]
fn what_a_part_told_before_the_deadline_is_kept_and_that_there_was_more_is_told() {
    let (sender, receiver) = channel();
    let findings = |part| Findings {
        part,
        sender: sender.clone(),
    };
    let mail = findings(Part::Mail);
    mail.add(Check::ok(Link::MailServer, "it answers"));
    for part in Part::ALL {
        if part != Part::Mail {
            findings(part).end();
        }
    }
    let checks = collect(&receiver, Deadline::after(Duration::from_millis(50)));
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.link, check.condition))
        .collect();
    let link = Link::MailServer;
    assert_eq!(told, [(link, Condition::Ok), (link, Condition::Failed)]);
    assert!(
        checks[1].text.contains("not done by the deadline of 50ms"),
        "{checks:?}"
    );
}
