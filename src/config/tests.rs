//! What is refused and in which words, and what is taken where nothing is said.

mod channels;
mod environment;
mod events;
mod example;

use chrono::TimeDelta;

use std::time::Duration;

use super::*;
use crate::forecast::clean::Outliers;
use crate::forecast::{Direction, Increments, Level, Method, ModelChoice, Range, SeasonChoice};
use crate::series::Step;

const METRIC: &str = "[[metric]]\nname = \"sales\"\ntable = \"sales\"\ntime_column = \"at\"\nvalue_column = \"amount\"\n";

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("tests/data"), &|_| None)
}

fn refusal(text: &str) -> String {
    let refused = parse(text).and_then(|config| {
        config.database()?;
        config.mail().map(|_| config)
    });
    format!("{:#}", refused.expect_err(text))
}

fn with(line: &str) -> String {
    format!("{METRIC}{line}\n")
}

#[test]
fn what_is_wrong_is_named_with_line_key_value_and_what_is_allowed() {
    for (text, told) in [
        (
            "timezon = \"UTC\"\n",
            "line 1: timezon: unknown field `timezon`, expected one of `timezone`, `plots_dir`",
        ),
        (
            "\ntimezone = \"Mars/Base\"\n",
            "line 2: timezone: \"Mars/Base\" is not a time zone; allowed: a name of the IANA list",
        ),
        (
            "deadline = \"soon\"\n",
            "line 1: deadline: \"soon\" is not a length of time from 1s to 3650d; allowed: such as \"50s\"",
        ),
        (
            "deadline = \"0s\"\n",
            "line 1: deadline: \"0s\" is not a length of time",
        ),
        (
            "deadline = 50\n",
            "line 1: deadline: invalid type: integer `50`, expected a string",
        ),
        (
            "[mysql]\nport = 70000\n",
            "line 2: mysql.port: 70000 is not a port; allowed: 1 to 65535",
        ),
        (
            "[smtp]\nport = 0\n",
            "line 2: smtp.port: 0 is not a port; allowed: 1 to 65535",
        ),
        (
            "[smtp]\nhost = \"\"\n",
            "line 2: smtp.host: \"\" is not a host; allowed: such as",
        ),
        (
            "[smtp]\nhost = \"localhost:2587\"\n",
            "line 2: smtp.host: \"localhost:2587\" is not a host; the port has a key of its own (port)",
        ),
        (
            "[smtp]\nhost = \"smtp://mail.example\"\n",
            "line 2: smtp.host: \"smtp://mail.example\" is not a host, but an address of the web or a path",
        ),
        (
            "[mysql]\nhost = \"[::1]:3306\"\n",
            "line 2: mysql.host: \"[::1]:3306\" is not a host; an IPv6 address stands here without brackets",
        ),
        (
            "[smtp]\nhello_name = \"my host\"\n",
            "line 2: smtp.hello_name: \"my host\" is no name to greet a server by; allowed: such as",
        ),
        (
            "[smtp]\nhello_name = \"[10.0.0]\"\n",
            "line 2: smtp.hello_name: \"[10.0.0]\" is no name",
        ),
        (
            "[mysql]\ntls = \"maybe\"\n",
            "line 2: mysql.tls: unknown variant `maybe`, expected one of `verify`, `verify-ca`, `encrypt`, `prefer`, `off`",
        ),
        (
            "[smtp]\nrecipients = []\n",
            "line 2: smtp.recipients: the list is empty; allowed: one address or more",
        ),
        (
            "[smtp]\nrecipients = [\"a@b.example\", \"nobody\"]\n",
            "line 2: smtp.recipients: \"nobody\" is not a mail address; allowed: such as \"ops@example.com\"",
        ),
        (
            "[smtp]\nfrom = \"x\\r\\nBcc: a@b.example\"\n",
            "line 2: smtp.from: \"x\\r\\nBcc: a@b.example\" is not a mail address",
        ),
        ("timezone = \"UTC\n", "line 1: invalid basic string"),
        ("", "metric: none; at least one [[metric]] table is needed"),
    ] {
        let refusal = refusal(text);
        assert!(
            refusal.starts_with(told),
            "{text:?}\n  said: {refusal}\n  not:  {told}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_metric_is_named_with_its_place_in_the_list() {
    for (line, told) in [
        (
            "every = \"7m\"",
            "line 6: metric[0].every: \"7m\" is not a step; allowed: whole seconds that divide a day evenly",
        ),
        (
            "level = 1.0",
            "line 6: metric[0].level: 1 is out of range; allowed: a number from 0.5 to 0.999999, such as 0.95",
        ),
        (
            "outliers.k = -1.0",
            "line 6: metric[0].outliers.k: -1 is out of range; allowed: a number from 0 to 1000",
        ),
        (
            "outliers.q = 1",
            "line 6: metric[0].outliers.q: unknown field `q`, expected `k` or `scope`",
        ),
        (
            "aggregate = \"median\"",
            "line 6: metric[0].aggregate: unknown variant `median`, expected one of `sum`, `count`, `avg`, `min`, `max`, `last`",
        ),
        (
            "missing = \"interpolate\"",
            "line 6: metric[0].missing: unknown variant `interpolate`, expected `gap` or `zero`",
        ),
        (
            "direction = \"up\"",
            "line 6: metric[0].direction: unknown variant `up`, expected one of `both`, `high`, `low`",
        ),
        (
            "delay = \"-5m\"",
            "line 6: metric[0].delay: \"-5m\" is not a delay of up to 366d; allowed: such as \"0s\"",
        ),
        (
            "title = \"two\\nlines\"",
            "line 6: metric[0].title: \"two\\nlines\" is not allowed; allowed: 1 to 200 characters on one line",
        ),
        (
            "unit = \"two\\nlines\"",
            "line 6: metric[0]: unit: \"two\\nlines\" is not allowed; allowed: 1 to 200 characters on one line",
        ),
        (
            "link = \"javascript:alert(1)\"",
            "line 6: metric[0].link: \"javascript:alert(1)\" is not a web address; allowed: such as \"https://",
        ),
        (
            "note = \"\"",
            "line 6: metric[0].note: \"\" is not allowed; allowed: 1 to 1000 characters",
        ),
        (
            "recipients = []",
            "line 6: metric[0].recipients: the list is empty",
        ),
        (
            "query = \"SELECT 1\"",
            "line 6: metric[0]: query: table is set too; allowed: one of the two",
        ),
        (
            "colour = \"red\"",
            "line 6: metric[0].colour: unknown field `colour`",
        ),
    ] {
        let refusal = refusal(&with(line));
        assert!(
            refusal.starts_with(told),
            "{line:?}\n  said: {refusal}\n  not:  {told}"
        );
    }
}

#[test]
fn a_metric_has_no_unit_if_that_is_empty_and_its_note_is_one_line() {
    let config = parse(&with(
        "unit = \"\"\nnote = \"\"\"\nCall the shop.\nThen wait.\n\"\"\"",
    ));
    let metric = &config.expect("a configuration").metrics[0];
    assert_eq!(metric.unit, None);
    assert_eq!(metric.note.as_deref(), Some("Call the shop. Then wait."));
}

#[test]
fn a_method_is_as_the_keys_say() {
    let method = |lines: &str| {
        let parsed = parse(&with(lines)).map(|mut config| config.metrics.remove(0).method);
        parsed.expect("a method")
    };
    let days = |days| TimeDelta::days(days);
    assert_eq!(
        method(
            "every = \"5m\"\nmodel = \"mstl\"\nseasons = [\"1d\", \"7d\"]\nadapt_after = \"6h\"\nmin = 0\nmax = 99.5\nlevel = 0.99\ndirection = \"low\""
        ),
        Method {
            increments: Increments::Found,
            outliers: Outliers::default(),
            model: ModelChoice::Mstl,
            seasons: SeasonChoice::Given(vec![days(1), days(7)]),
            adapt_after: TimeDelta::hours(6),
            range: Range::new(Some(0.0), Some(99.5)).expect("a range"),
            level: Level::new(0.99).expect("a level"),
            direction: Direction::Low,
        }
    );
    assert_eq!(method(""), Method::default());
    assert_eq!(
        method("seasons = []").seasons,
        SeasonChoice::Given(Vec::new())
    );
    // That no step is known for yet, a budget is not refused by.
    method("max_false_alerts = \"100/day\"");
}

#[test]
fn a_method_that_does_not_go_together_is_refused_in_one_line() {
    for (lines, told) in [
        (
            "model = \"magic\"",
            "model: \"magic\" is no model; allowed: auto, autoregression, mstl, prophet",
        ),
        (
            "outliers.scope = \"local\"",
            "outliers.scope: unknown variant `local`, expected `seasonal` or `global`",
        ),
        (
            "seasons = [\"1h\", \"2h\", \"3h\", \"4h\", \"5h\"]",
            "seasons = [\"1h\", \"2h\", \"3h\", \"4h\", \"5h\"]: allowed: at most 4",
        ),
        (
            "seasons = [\"7d\", \"1d\"]",
            "seasons = [\"7d\", \"1d\"]: allowed: each once, the shortest first",
        ),
        (
            "seasons = [\"1d\", \"1d\"]",
            "seasons = [\"1d\", \"1d\"]: allowed: each once, the shortest first",
        ),
        (
            "seasons = [\"15d\"]",
            "seasons = [\"15d\"]: allowed: at most half the window, \"14d\"",
        ),
        (
            "seasons = [\"soon\"]",
            "seasons[0]: \"soon\" is not a length of time",
        ),
        (
            "every = \"1h\"\nseasons = [\"90m\"]",
            "seasons: 1h 30m with a step of 1h; allowed: a whole number of steps, two or more",
        ),
        (
            "every = \"1h\"\nadapt_after = \"30m\"",
            "adapt_after = \"30m\": allowed: from one step to half the window, \"1h\" to \"14d\"",
        ),
        (
            "adapt_after = \"15d\"",
            "adapt_after = \"15d\": allowed: from one step to half the window, \"1s\" to \"14d\"",
        ),
        ("min = nan", "min = NaN: allowed: a finite number"),
        (
            "min = 10\nmax = 1",
            "min = 10: with max = 1, allowed: a number below 1",
        ),
        (
            "max_false_alerts = \"often\"",
            "max_false_alerts: \"often\" is not a number of alerts in a time; allowed: a number above 0",
        ),
        (
            "aggregate = \"avg\"\nexplain_by = [\"country\"]",
            "explain_by = [\"country\"]: goes with table and aggregate = \"sum\" or \"count\"; allowed: these, or no such key",
        ),
        (
            "explain_by = [\"country\"]",
            "explain_by = [\"country\"]: goes with table and aggregate",
        ),
        (
            "aggregate = \"sum\"\nincrements = true\nexplain_by = [\"country\"]",
            "explain_by = [\"country\"]: a running total has no parts",
        ),
        (
            "aggregate = \"sum\"\nexplain_by = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]",
            "explain_by = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]: allowed: the names of 1 to 5 columns",
        ),
        (
            "aggregate = \"sum\"\nexplain_by = [\"\"]",
            "explain_by = [\"\"]: allowed: the names of 1 to 5 columns",
        ),
        (
            "aggregate = \"sum\"\nexplain_by = [\"a\", \"a\"]",
            "explain_by = [\"a\", \"a\"]: allowed: each column once",
        ),
        (
            "every = \"1d\"\nmax_false_alerts = \"1/day\"",
            "max_false_alerts = \"1/day\": with every = \"1d\", allowed: at most \"0.2/day\"",
        ),
    ] {
        let refusal = refusal(&with(lines));
        assert!(
            refusal.contains(&format!("metric[0].{told}"))
                || refusal.contains(&format!("metric[0]: {told}")),
            "{lines:?}\n  said: {refusal}\n  not:  {told}"
        );
        assert!(!refusal.contains('\n'), "{refusal}");
    }
}

#[test]
fn what_tells_series_apart_is_refused_if_it_cannot() {
    for (lines, told) in [
        (
            "top = 5",
            "top: goes with group_by; allowed: group_by with the columns that tell series apart",
        ),
        (
            "group_by = [\"a\"]\ntop = 20001",
            "top = 20001: allowed: 1 to 20000",
        ),
        (
            "group_by = [\"a\", \"a\"]",
            "group_by = [\"a\", \"a\"]: allowed: each column once",
        ),
        (
            "group_by = [\"at\"]",
            "group_by = [\"at\"]: at is the column of the time, the value or the title",
        ),
        (
            "group_by = [\"a\", \"b\"]\nexclude = [\"DE\"]",
            "exclude: \"DE\" names no key; allowed: 2 values with commas between them",
        ),
    ] {
        let refusal = refusal(&with(lines));
        assert!(refusal.contains(told), "{refusal}");
    }
}

#[test]
fn a_series_is_a_metric_with_its_share_of_the_budget() {
    let text = with("group_by = [\"store_id\"]\nmax_false_alerts = \"1/week\"");
    let config = parse(&text).expect("a configuration");
    let (metric, key) = config.find("sales{store_id=42}").expect("a series");
    let series = metric.of_series(&key.expect("a key"), None, 500);
    assert_eq!(series.name, "sales{store_id=42}");
    assert_eq!(series.title, "Sales (store 42)");
    let budget = series.policy.budget.expect("a budget");
    assert_eq!(budget.to_string(), "0.002/week");
    assert!(config.find("sales{shop=42}").is_none());
    let taken = format!(
        "{text}{}",
        METRIC.replacen("sales", "sales{store_id=42}", 1)
    );
    let refusal = refusal(&taken);
    assert!(
        refusal.contains("a series of \"sales\" may be called so"),
        "{refusal}"
    );
}

#[test]
fn keys_that_do_not_go_together_are_told_with_the_line_of_the_one_to_change() {
    let first = METRIC.replace("sales", "visits");
    for (text, told) in [
        (
            "[[metric]]\nname = \"sales\"\nmax_false_alerts = \"9/day\"\nevery = \"1d\"\n",
            "line 3: metric[0]: max_false_alerts = \"9/day\": with every = \"1d\"",
        ),
        (
            &format!("{first}\n{METRIC}window = \"\"\"\nsoon\"\"\"\nevery = \"5m\"\n"),
            "line 12: metric[1].window: ",
        ),
        (
            &format!("{first}\n{METRIC}every = \"5m\"\nwindow = \"1d\"\n"),
            "line 13: metric[1]: window = \"1d\": with every = \"5m\", allowed: at least \"2d\"",
        ),
        (
            "metric = [{ name = \"a\" }, {\n name = \"b\",\n min = 2, max = 1 }]\n",
            "line 3: metric[1]: min = 2: with max = 1",
        ),
        (
            &format!("{first}\n[[metric]]\nname = \"sales\"\ntable = \"sales\"\n"),
            "line 7: metric[1]: time_column: missing",
        ),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(told), "{refusal}\n  not: {told}");
    }
}

#[test]
fn only_a_table_of_sums_or_counts_has_parts() {
    for rows in [
        "query = \"SELECT t, v FROM s WHERE t >= :from AND t < :to\"\n",
        "",
    ] {
        let text = format!(
            "[[metric]]\nname = \"sales\"\n{rows}aggregate = \"sum\"\nexplain_by = [\"country\"]\n"
        );
        let refusal = refusal(&text);
        assert!(
            refusal.contains("explain_by = [\"country\"]: goes with table"),
            "{refusal}"
        );
    }
    let config = parse(&with(
        "aggregate = \"count\"\nexplain_by = [\"country\", \"product\"]",
    ));
    let config = config.expect("a configuration");
    assert_eq!(config.metrics[0].rows.explain_by(), ["country", "product"]);
}

#[test]
fn a_window_that_can_never_do_is_refused_where_the_step_is_known() {
    for (lines, told) in [
        (
            "every = \"5m\"\nwindow = \"1d\"",
            "window = \"1d\": with every = \"5m\", allowed: at least \"2d\"",
        ),
        (
            "every = \"1w\"\nwindow = \"28d\"",
            "window = \"28d\": with every = \"7d\", allowed: at least \"280d\"",
        ),
        (
            "every = \"1mo\"\nwindow = \"365d\"",
            "window = \"365d\": with every = \"1mo\", allowed: at least \"24mo\"",
        ),
        (
            "every = \"1s\"",
            "window = \"28d\": with every = \"1s\", allowed: at most 530000 buckets",
        ),
        ("where = \" \"", "where = \"\": allowed: a condition in SQL"),
    ] {
        let refusal = refusal(&with(lines));
        assert!(
            refusal.contains(told),
            "{lines:?}\n  said: {refusal}\n  not:  {told}"
        );
    }
    assert!(parse(&with("every = \"1d\"\nwindow = \"14d\"")).is_ok());
    assert!(
        parse(&with(
            "every = \"1mo\"\nwindow = \"24mo\"\nseasons = [\"12mo\"]"
        ))
        .is_ok()
    );
}

#[test]
fn what_is_not_set_suits_the_step() {
    let step = |text: &str| text.parse::<Step>().expect("a step");
    let metric = |lines: &str| {
        let parsed = parse(&with(lines)).expect("a configuration");
        parsed.metrics[0].clone()
    };
    let read_from_rows = metric("aggregate = \"sum\"\nmissing = \"gap\"");
    for (every, window, delay, stale_after) in [
        ("5m", 28, TimeDelta::minutes(5), TimeDelta::minutes(15)),
        ("1d", 728, TimeDelta::days(1), TimeDelta::days(3)),
        ("1w", 1826, TimeDelta::days(1), TimeDelta::days(14)),
        ("1mo", 1826, TimeDelta::days(1), step("1mo").times(2)),
    ] {
        let step = step(every);
        let days = Duration::from_hours(24 * window);
        assert_eq!(read_from_rows.window(step), days, "{every}");
        assert_eq!(read_from_rows.delay(step), delay, "{every}");
        assert_eq!(read_from_rows.stale_after(step, 0), stale_after, "{every}");
    }
    assert_eq!(step("1mo").count_in(read_from_rows.window(step("1mo"))), 60);
    let set = metric("window = \"36mo\"\nevery = \"1mo\"");
    assert_eq!(step("1mo").count_in(set.window(step("1mo"))), 36);
}

#[test]
fn a_host_is_a_name_or_an_address() {
    for host in [
        "localhost",
        "db1.example.com.",
        "my_db",
        "10.0.0.7",
        "::1",
        "fe80::1%eth0",
    ] {
        assert!(value::parse_host(host.to_string()).is_ok(), "{host}");
    }
    for host in [
        "a b",
        "a..b",
        "größe.example",
        "user@mail.example",
        "mail.example/",
        ":25",
        &"a".repeat(64),
    ] {
        assert!(value::parse_host(host.to_string()).is_err(), "{host}");
    }
}

#[test]
fn a_file_without_certificates_or_password_is_refused_before_it_is_needed() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().display();
    let broken = tempfile::NamedTempFile::new().expect("a file");
    let pem = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    std::fs::write(broken.path(), pem).expect("a file");
    let smtp = "[smtp]\nhost = \"h\"\nfrom = \"a@b.example\"\nrecipients = [\"a@b.example\"]\n";
    for (key, told) in [
        (
            format!("ca_file = \"{path}\""),
            "holds no certificate; allowed: a file of certificates in PEM",
        ),
        (
            format!("user = \"u\"\npassword_file = \"{path}\""),
            "its first line is empty; allowed: the password",
        ),
        (
            format!("ca_file = \"{}\"", broken.path().display()),
            "not certificates in PEM",
        ),
        (
            "ca_file = \"/no/such\"".to_string(),
            "smtp.ca_file = \"/no/such\": cannot be read",
        ),
    ] {
        let config = parse(&format!("{smtp}{key}\n{METRIC}")).expect("a configuration");
        let refusal = format!("{:#}", config.mail().expect_err("unusable"));
        assert!(refusal.contains(told), "{refusal}");
    }
}

#[test]
fn a_recipient_named_twice_is_one() {
    let config = parse(&format!(
        "[smtp]\nrecipients = [\"a@b.example\", \"A <a@b.example>\"]\n{METRIC}"
    ))
    .expect("a configuration");
    assert_eq!(config.smtp.expect("a table").recipients.len(), 1);
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    for (text, told) in [
        (
            "[[metric]]\nname = \"a\"\nwhere = \"x = 1\"\n",
            "where: goes with table; allowed: table, or no such key",
        ),
        (
            "[[metric]]\nname = \"a\"\ntable = \"t\"\n",
            "time_column: missing; it goes with table",
        ),
        (
            "[[metric]]\nname = \"a\"\ntable = \"t\"\ntime_column = \"at\"\n",
            "value_column: missing; only aggregate = \"count\" does without",
        ),
        (
            "[[metric]]\nname = \"a\"\ntable = \"a.b.c\"\ntime_column = \"at\"\nvalue_column = \"v\"\n",
            "table = \"a.b.c\": not a table; allowed: \"sales\", or \"shop.sales\"",
        ),
        (
            "[[metric]]\nname = \"a\"\nquery = \"SELECT t, v FROM x\"\n",
            "does not ask for the window; allowed: a SELECT that uses :from and :to",
        ),
        (
            &format!("{METRIC}{METRIC}"),
            "metric[1].name = \"sales\": another metric has this name",
        ),
        (
            &format!(
                "[mysql]\nsocket = \"/s\"\ntls = \"verify\"\nuser = \"u\"\ndatabase = \"d\"\n{METRIC}"
            ),
            "a socket is not encrypted; remove one of the two",
        ),
        (
            &format!("[mysql]\nca_file = \"/c\"\nuser = \"u\"\ndatabase = \"d\"\n{METRIC}"),
            "mysql.ca_file is set, but nothing is verified with mysql.tls = \"prefer\"",
        ),
        (
            &format!("[mysql]\ntls = \"verify-ca\"\nuser = \"u\"\ndatabase = \"d\"\n{METRIC}"),
            "mysql.tls = \"verify-ca\" needs mysql.ca_file",
        ),
    ] {
        let refusal = refusal(text);
        assert!(
            refusal.contains(told),
            "{text:?}\n  said: {refusal}\n  not:  {told}"
        );
    }
}

#[test]
fn what_the_run_needs_and_lacks_is_named_with_the_variable_that_would_fill_it() {
    let database = |text: &str| {
        format!(
            "{:#}",
            parse(text)
                .expect("a configuration")
                .database()
                .expect_err("something lacks")
        )
    };
    assert!(
        database(METRIC)
            .ends_with("mysql.user: missing; set it, or the environment variable mysql_user")
    );
    assert!(
        database(&format!("[mysql]\nuser = \"u\"\n{METRIC}"))
            .ends_with("mysql.database: missing; set it, or the environment variable mysql_db")
    );
    let unreadable = database(&format!(
        "[mysql]\nuser = \"u\"\ndatabase = \"d\"\npassword_file = \"/no/such\"\n{METRIC}"
    ));
    assert!(
        unreadable.contains("mysql.password_file = \"/no/such\": cannot be read"),
        "{unreadable}"
    );
    let mail = |text: &str| {
        format!(
            "{:#}",
            parse(&format!("{text}\n{METRIC}"))
                .expect("a configuration")
                .mail()
                .expect_err("something lacks")
        )
    };
    assert!(
        mail("[smtp]\nhost = \"h\"")
            .ends_with("smtp.from: missing; set it, or the environment variable smtp_email")
    );
    let from = "[smtp]\nhost = \"h\"\nfrom = \"a@b.example\"";
    assert!(
        mail(from).ends_with(
            "smtp.recipients: missing; set it, or the environment variable recipient_list"
        )
    );
    let user = mail(&format!(
        "{from}\nrecipients = [\"a@b.example\"]\nuser = \"u\""
    ));
    assert!(
        user.contains("smtp.password_file: missing, and smtp.user is set"),
        "{user}"
    );
}

#[test]
fn a_password_put_in_the_wrong_place_is_not_repeated() {
    for text in [
        "[mysql]\npassword = \"hunter2\"\n",
        "[smtp]\npassword = hunter2\n",
        "[smtp]\npassword = \"hunter2\n",
    ] {
        assert!(!refusal(text).contains("hunter2"), "{}", refusal(text));
    }
}

#[test]
fn defaults_follow_the_rows_and_the_place() {
    let first = |text: &str| parse(text).expect("a configuration").metrics.remove(0);
    let minute = |metric: &Metric| metric.delay("5m".parse().expect("a step")).num_minutes();
    let ready_made = first(METRIC);
    assert_eq!(
        (ready_made.missing, minute(&ready_made)),
        (crate::series::Missing::Gap, 0)
    );
    let summed = first(&with("aggregate = \"sum\""));
    assert_eq!(
        (summed.missing, minute(&summed)),
        (crate::series::Missing::Zero, 5)
    );
    let averaged = first(&with("aggregate = \"avg\""));
    assert_eq!(
        (averaged.missing, minute(&averaged)),
        (crate::series::Missing::Gap, 5)
    );
    let tls = |place: &str| {
        parse(&format!(
            "[mysql]\nuser = \"u\"\ndatabase = \"d\"\n{place}\n{METRIC}"
        ))
        .expect("a configuration")
        .database()
        .expect("settings")
        .tls()
    };
    for (place, expected) in [
        ("", Tls::Prefer),
        ("host = \"127.0.0.1\"", Tls::Prefer),
        ("host = \"::1\"", Tls::Prefer),
        ("socket = \"/run/s\"", Tls::Off),
        ("host = \"db.example\"", Tls::Verify),
        ("host = \"10.0.0.7\"", Tls::Verify),
        ("host = \"db.example\"\ntls = \"encrypt\"", Tls::Encrypt),
    ] {
        assert_eq!(tls(place), expected, "{place}");
    }
}

#[test]
fn file_names_are_plain_and_never_shared() {
    let name = |name: &str| Metric::of_file(name).file_name();
    assert_eq!(name("sales"), "sales");
    assert_eq!(name("Käse-1.5_x"), "Käse-1.5_x");
    for odd in ["../../etc/passwd", "<b>&\"x", "a/b", "a b", ".hidden", ""] {
        let safe = name(odd);
        assert!(
            !safe.contains('/') && !safe.starts_with('.') && safe.len() > 8,
            "{safe}"
        );
    }
    assert_ne!(name("a/b"), name("a:b"));
}
