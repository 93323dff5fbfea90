//! Which part explains an incident: found in real rows, mailed, and never a reason for no mail.

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::{Value, json};

use super::shop::{AT, HOURS, NEWEST, Shop, noise, time, times};
use crate::memory::story::{Story, moment, usual};
use crate::scene::FIRST;
use crate::support::{Database, MailServerSetup, Run};

const COUNTRIES: [&str; 5] = ["DE", "FR", "IT", "ES", "NL"];

/// Sells the amounts of these buckets, shared by five countries and two products; `left` is what of it each
/// country has.
fn sell(
    database: &Database,
    buckets: impl Iterator<Item = NaiveDateTime>,
    left: impl Fn(&str) -> f64,
) {
    let mut rows = Vec::new();
    for at in buckets {
        for (seconds, country) in (0..).step_by(10).zip(COUNTRIES) {
            for (more, product) in [(0, "A"), (1, "B")] {
                let at = at + TimeDelta::seconds(seconds + more);
                let amount = left(country) * (usual(at) / 10.0 + 2.0 * noise(at));
                rows.push(format!("('{at}', {amount:.2}, '{country}', '{product}')"));
            }
        }
    }
    for rows in rows.chunks(5000) {
        database.execute(&format!("INSERT INTO sales VALUES {}", rows.join(",")));
    }
}

/// A shop with ordinary sales up to 12:00, of which a column explains incidents.
fn story(explain_by: &str) -> Story {
    let mut story = Story::without_rows(MailServerSetup::default());
    story.database.execute(
        "CREATE TABLE sales (at DATETIME, amount DECIMAL(12,2), country VARCHAR(40), product VARCHAR(40), KEY (at))",
    );
    let buckets = (0..4 * 288 + 12).map(|step| moment("11:55") - TimeDelta::minutes(5 * step));
    sell(&story.database, buckets, |_| 1.0);
    story.metric = format!(
        "unit = \"EUR\"\naggregate = \"sum\"\ndelay = \"0s\"\nexplain_by = [{explain_by}]\n"
    );
    story.run_well("12:00");
    story
}

/// In the bucket of 12:00 one country has a fifth of what is usual.
fn let_germany_fall(story: &Story) {
    let left = |country: &str| if country == "DE" { 0.2 } else { 1.0 };
    sell(&story.database, std::iter::once(moment("12:00")), left);
}

#[track_caller]
fn opening_to(story: &Story, recipient: &str) -> String {
    let mails = story.mails(recipient);
    let mail = mails.first().expect("a mail");
    assert!(mail.subject.starts_with("[Low] Sales"), "{}", mail.subject);
    mail.text.clone().expect("a text")
}

#[test]
fn an_opening_names_the_part_that_explains_it_and_says_the_same_whenever_it_comes() {
    let mut story = story("\"product\", \"country\"");
    let_germany_fall(&story);
    story.run_without_mail("12:05");
    // What the rows say later is no matter.
    story.database.execute("UPDATE sales SET country = product");
    story.run_well("12:06");
    story.assert_told(&["Low"]);
    let text = opening_to(&story, FIRST);
    assert!(
        text.contains("less than usual so far; of that, all is country DE; no product stands out."),
        "{text}"
    );
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("country: "))
        .collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(
        rows[0].contains(" DE: ") && rows[0].contains(" % of the difference"),
        "{text}"
    );
    let others = story.recipients[1..].iter();
    assert!(others.clone().count() > 0);
    for recipient in others {
        assert_eq!(opening_to(&story, recipient), text);
    }
    let run = story.run_with("12:07", &["--format", "json"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("one object");
    assert_eq!(told["parts"]["columns"][0]["parts"][0]["value"], "DE");
    assert_eq!(told["parts"]["from"], "2026-11-22T12:00:00+00:00");
}

/// The run that cannot read the parts says so once, and the opening goes without them.
#[track_caller]
fn run_without_parts(story: &Story) -> Run {
    let run = story.run("12:05");
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(
        run.stderr.starts_with("bandwatch: sales: explain_by: "),
        "{run:?}"
    );
    story.assert_told(&["Low"]);
    assert!(!opening_to(story, FIRST).contains("country"));
    run
}

#[test]
fn where_all_fall_alike_no_part_is_named() {
    let story = story("\"country\", \"product\"");
    sell(&story.database, std::iter::once(moment("12:00")), |_| 0.5);
    story.run_well("12:05");
    story.assert_told(&["Low"]);
    let text = opening_to(&story, FIRST);
    assert!(
        !text.contains("country") && !text.contains("product"),
        "{text}"
    );
}

#[test]
fn a_column_that_is_not_there_is_told_once_and_the_mail_goes_without_it() {
    let story = story("\"country\", \"contry\"");
    let why = "explain_by: Unknown column 'contry'";
    let run = story.run_with("12:01", &["--dry-run", "--format", "json"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("one object");
    let hint = told["hint"].as_str().expect("a hint");
    assert!(
        hint.contains(why) && hint.contains("metric.explain_by"),
        "{hint}"
    );
    let_germany_fall(&story);
    let run = run_without_parts(&story);
    assert!(run.stderr.contains("Unknown column 'contry'"), "{run:?}");
    story.run_well("12:06");
    story.assert_told(&["Low"]);
}

#[test]
fn a_column_that_another_session_has_locked_delays_no_mail_beyond_its_share() {
    let mut story = story("\"country\"");
    story.top = "deadline = \"8s\"\n".into();
    let lock = story.database.name.clone();
    story.database.execute("RENAME TABLE sales TO all_sales");
    story.database.execute(&format!(
        "CREATE VIEW sales AS SELECT at, amount, IF(GET_LOCK('{lock}', 100), country, NULL) AS country FROM all_sales"
    ));
    let left = |country: &str| if country == "DE" { 0.2 } else { 1.0 };
    story
        .database
        .execute("RENAME TABLE sales TO view_of_sales, all_sales TO sales");
    sell(&story.database, std::iter::once(moment("12:00")), left);
    story
        .database
        .execute("RENAME TABLE sales TO all_sales, view_of_sales TO sales");
    assert_eq!(
        story
            .database
            .query_one::<u8>(&format!("SELECT GET_LOCK('{lock}', 0)")),
        1
    );
    run_without_parts(&story);
}

/// Rows of three countries, sixty an hour of each and a few more; in the newest hour one has ten.
fn count_sales(
    shop: &Shop,
    table: &str,
    columns: &str,
    row: impl Fn(NaiveDateTime, &str) -> String,
) {
    shop.sql(&format!("CREATE TABLE {table} ({columns})"));
    let newest = time(NEWEST);
    let mut rows = Vec::new();
    for hour in times(NEWEST, 60, HOURS) {
        for country in ["DE", "FR", "NULL"] {
            let more = (3.0
                * (1.0
                    + noise(hour + TimeDelta::seconds(country.len().try_into().expect("short")))))
            .round();
            let count = if hour == newest && country == "DE" {
                10.0
            } else {
                60.0 + more
            };
            let mut second = 0;
            while f64::from(second) < count {
                rows.push(row(hour + TimeDelta::seconds(second.into()), country));
                second += 1;
            }
        }
    }
    for rows in rows.chunks(5000) {
        shop.sql(&format!("INSERT INTO {table} VALUES {}", rows.join(",")));
    }
}

fn quoted(country: &str) -> String {
    if country == "NULL" {
        country.to_owned()
    } else {
        format!("'{country}'")
    }
}

#[test]
fn parts_are_those_of_the_rows_that_count_whatever_names_and_clock_they_have() {
    let shop = Shop::empty();
    let utc = |at: NaiveDateTime| at - TimeDelta::hours(1);
    count_sales(
        &shop,
        "local_times",
        "at DATETIME, country VARCHAR(9)",
        |at, country| format!("('{at}', {})", quoted(country)),
    );
    count_sales(
        &shop,
        "instants",
        "at TIMESTAMP NULL, country ENUM('DE', 'FR')",
        |at, country| format!("('{}', {})", utc(at), quoted(country)),
    );
    count_sales(
        &shop,
        "numbers",
        "at BIGINT, `a ``key`` ? :from` VARBINARY(9), INDEX (at)",
        |at, country| format!("({}, {})", utc(at).and_utc().timestamp(), quoted(country)),
    );
    let mut all = Vec::new();
    for (table, column) in [
        ("local_times", "country"),
        ("instants", "country"),
        ("numbers", "a `key` ? :from"),
    ] {
        let lines = format!(
            "table = \"{table}\"\ntime_column = \"at\"\nevery = \"1h\"\nwindow = \"4d\"\naggregate = \"count\"\ndelay = \"0s\"\nexplain_by = [\"{column}\"]"
        );
        let judged = shop.judge(&lines, AT);
        assert_eq!(judged["verdict"], "low", "{table}");
        let [column] = judged["parts"]["columns"]
            .as_array()
            .expect("columns")
            .as_slice()
        else {
            panic!("one column: {judged}");
        };
        let parts = column["parts"].as_array().expect("parts");
        let named: Vec<&Value> = parts
            .iter()
            .filter(|part| part["stands_out"] == true)
            .collect();
        assert_eq!(
            (named.len(), &named[0]["value"]),
            (1, &json!("DE")),
            "{judged}"
        );
        assert_eq!(named[0]["seen"], 10.0);
        assert!(parts.iter().any(|part| part["value"].is_null()), "{judged}");
        all.push(column["parts"].clone());
        let chosen = shop.judge(
            &format!("{lines}\nwhere = \"`{}` = 'DE'\"", column_name(column)),
            AT,
        );
        let parts = chosen["parts"]["columns"][0]["parts"]
            .as_array()
            .expect("parts");
        assert_eq!(parts.len(), 1, "{chosen}");
        assert_eq!(parts[0]["stands_out"], false, "it is the whole");
    }
    assert!(all.iter().all(|parts| *parts == all[0]), "{all:?}");
}

/// As SQL has it between backticks.
fn column_name(column: &Value) -> String {
    let name = column["column"].as_str().expect("a name");
    name.replace('`', "``")
}

#[test]
fn of_many_parts_those_that_changed_are_found_and_explain_shows_them() {
    let shop = Shop::empty();
    shop.sql("CREATE TABLE sales (at DATETIME, amount DOUBLE, product VARCHAR(300))");
    let rows = times(NEWEST, 60, HOURS).flat_map(|hour| {
        (0..120).map(move |number| {
            let at = hour + TimeDelta::seconds(number);
            let is_out = number == 77 && hour == time(NEWEST);
            let amount = if is_out {
                9000.0
            } else {
                100.0 + 5.0 * noise(at)
            };
            format!("('{at}', {amount:?}, CONCAT('<b>no. {number}\\u202e', REPEAT('x', 250)))")
        })
    });
    let rows: Vec<String> = rows.collect();
    for rows in rows.chunks(5000) {
        shop.sql(&format!("INSERT INTO sales VALUES {}", rows.join(",")));
    }
    let lines = "table = \"sales\"\ntime_column = \"at\"\nvalue_column = \"amount\"\nevery = \"1h\"\nwindow = \"4d\"\naggregate = \"sum\"\ndelay = \"0s\"\nexplain_by = [\"product\"]";
    shop.configure(&shop.mysql(), &[("sales", lines)]);
    let run = shop.workspace.run(&["explain", "--at", AT]);
    run.assert_status(0);
    let told = run
        .stdout
        .lines()
        .find(|line| line.contains("  parts  "))
        .expect("parts");
    assert!(
        told.contains(" more than expected, all is product \"<b>no. 77"),
        "{told}"
    );
    let run = shop
        .workspace
        .run(&["explain", "--at", AT, "--format", "json"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("one object");
    let first = &told["parts"]["columns"][0]["parts"][0];
    assert_eq!(first["seen"], 9000.0, "{told}");
    assert_eq!(
        first["value"].as_str().map(|value| value.chars().count()),
        Some(200)
    );
}

#[test]
fn the_parts_of_one_of_many_series_explain_it() {
    let mut story = story("\"country\"");
    story.metric += "group_by = [\"product\"]\n";
    story.run_well("12:01");
    let_germany_fall(&story);
    story.run_well("12:05");
    story.assert_told(&["Low", "Low"]);
    for (mail, product) in story.mails(FIRST).iter().zip(["A", "B"]) {
        let title = format!("Sales (product {product})");
        assert!(mail.subject.contains(&title), "{}", mail.subject);
        let text = mail.text.as_deref().expect("a text");
        assert!(text.contains("of that, all is country DE"), "{text}");
    }
}
