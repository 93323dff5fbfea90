//! The server, the account, and of each metric its columns, its index and its rows.

use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::check::{Check, Condition, Findings, Link, Which};
use super::{Case, history};
use crate::commands::report::write_count;
use crate::config::{Deadline, Metric, Rows};
use crate::output::{write_error, write_length, write_setting};
use crate::series::Window;
use crate::source::inspect::{Greeting, Misreading, Plan, create_index};
use crate::source::{SeriesHistory, SeriesRequest, Source};

/// Fewer rows are read in no time.
const FEW_ROWS: u64 = 5000;

pub fn examine(case: &Case, findings: &Findings) {
    let context = &case.context;
    if !context.config.names_database() {
        let told = "there is none in the configuration";
        findings.add(Check::not_checked(Link::Database, told));
        return;
    }
    let reading = context.deadline.for_reading();
    let greeted = context
        .source(&case.metrics, reading)
        .and_then(|mut source| {
            let greeting = match source.database() {
                Some(database) => Some(database.greet()?),
                None => None,
            };
            Ok((source, greeting))
        });
    let (mut source, greeting) = match greeted {
        Ok(greeted) => greeted,
        Err(error) => {
            findings.add(Check::failed(Link::Database, &error));
            without_database(case, findings);
            return;
        }
    };
    if let Some(greeting) = greeting {
        let server = context.config.database().map(|settings| settings.server());
        let server = server.unwrap_or_default();
        let (version, account) = (&greeting.version, &greeting.account);
        let told = format!("{server} is {version}, as {account}");
        findings.add(Check::ok(Link::Database, told));
        findings.add(rights(&mut source));
        findings.add(clock(&greeting));
    }
    for (index, metric) in case.metrics.iter().enumerate() {
        let share = reading.share_of(case.metrics.len() - index, "this metric");
        source.read_by(share);
        let add = |check: Check| findings.add(check.of(Which::Metric(metric.name.clone())));
        examine_metric(case, metric, &mut source, share, &add);
    }
}

fn without_database(case: &Case, findings: &Findings) {
    let told = "without the database";
    for link in [Link::Rights, Link::Clock] {
        findings.add(Check::not_checked(link, told));
    }
    for metric in &case.metrics {
        let check = Check::not_checked(Link::Rows, format!("nor its columns and history, {told}"));
        findings.add(check.of(Which::Metric(metric.name.clone())));
    }
}

fn rights(source: &mut Source) -> Check {
    let beyond = match source.database() {
        Some(database) => database.rights_beyond_reading(),
        None => Ok(Vec::new()),
    };
    match beyond {
        Ok(beyond) if beyond.is_empty() => Check::ok(Link::Rights, "SELECT, and nothing else"),
        Ok(beyond) => Check::warning(
            Link::Rights,
            format!("more than SELECT: {}", beyond.join(", ")),
            "bandwatch only reads: REVOKE them, or give it an account of its own with SELECT alone",
        ),
        Err(error) => Check::failed(Link::Rights, &error),
    }
}

fn clock(greeting: &Greeting) -> Check {
    let Some(ahead) = greeting.clock_ahead else {
        return Check::not_checked(Link::Clock, "the server does not tell its time");
    };
    let direction = if ahead < TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    let apart = ahead.abs();
    let told = format!("the server's clock is {} {direction} ours", length(apart));
    let advice = "which of the two is wrong? set it by NTP (timedatectl): buckets close by our clock, and rows come by the server's";
    if apart <= TimeDelta::seconds(2) {
        Check::ok(Link::Clock, "the server's clock is ours")
    } else if apart <= TimeDelta::seconds(30) {
        Check::ok(Link::Clock, told)
    } else if apart <= TimeDelta::minutes(5) {
        Check::warning(Link::Clock, told, advice)
    } else {
        Check::new(Link::Clock, Condition::Failed, told).advised(advice)
    }
}

/// To the second below two minutes.
fn length(length: TimeDelta) -> String {
    if length < TimeDelta::minutes(2) {
        format!("{} s", length.num_seconds())
    } else {
        write_length(TimeDelta::minutes(
            (length + TimeDelta::seconds(30)).num_minutes(),
        ))
    }
}

fn examine_metric(
    case: &Case,
    metric: &Metric,
    source: &mut Source,
    share: Deadline,
    add: &dyn Fn(Check),
) {
    let now = case.context.now;
    let Some(database) = source.database() else {
        return;
    };
    if let Err(error) = database.check_columns(metric, now) {
        add(refused(&error, metric));
        add(Check::not_checked(
            Link::Rows,
            "nor its index and history, without its columns",
        ));
        return;
    }
    add(Check::ok(Link::Columns, columns(metric)));
    match database.plan(metric, now) {
        Ok(plan) => add(index(&plan, metric)),
        Err(error) => add(Check::failed(Link::Index, &error)),
    }
    let misreading = database.misreading(metric, now).ok().flatten();
    let begun = Instant::now();
    let found = read(metric, source, now);
    let took = begun.elapsed();
    match found {
        Ok(found) => {
            add(found.of_largest(rows(&found.window, metric, misreading)));
            add(query(case, took, share));
            let add_of_series = |check: Check| add(found.of_largest(check));
            history::examine(case, &found.metric, found.window.clone(), &add_of_series);
        }
        Err(error) => {
            add(Check::failed(Link::Rows, &error));
            add(Check::not_checked(Link::History, "without its rows"));
        }
    }
}

/// What a check would read of a metric: its window, or of many series that of the one with the most rows.
struct Found {
    metric: Metric,
    window: Window,
    /// How many series there are.
    series: Option<usize>,
}

impl Found {
    /// Says of which series it is.
    fn of_largest(&self, mut check: Check) -> Check {
        if let (Some(count), Some(_)) = (self.series, &self.metric.series) {
            let (count, name) = (write_count(count), &self.metric.name);
            check.text = format!("{count} series; the largest, {name}: {}", check.text);
        }
        check
    }
}

fn read(metric: &Metric, source: &mut Source, now: DateTime<Tz>) -> Result<Found> {
    if metric.group.is_none() {
        return Ok(Found {
            metric: metric.clone(),
            window: source.latest(metric, None, now)?,
            series: None,
        });
    }
    let (mut count, mut largest) = (0, None::<SeriesHistory>);
    let request = SeriesRequest {
        are_new: true,
        ..SeriesRequest::new(metric, now, None)
    };
    let empty = source.each_series(metric, &request, now, |series| {
        count += 1;
        if largest
            .as_ref()
            .is_none_or(|largest| largest.rows() < series.rows())
        {
            largest = Some(series);
        }
        Ok(())
    })?;
    let Some(largest) = largest else {
        return Ok(Found {
            metric: metric.clone(),
            window: empty.latest(metric),
            series: None,
        });
    };
    let metric = metric.of_series(&largest.key, largest.title.as_deref(), count);
    Ok(Found {
        window: largest.history.latest(&metric),
        metric,
        series: Some(count),
    })
}

fn refused(error: &Error, metric: &Metric) -> Check {
    let check = Check::failed(Link::Columns, error);
    let is_denied = ["(error 1142)", "(error 1143)"]
        .iter()
        .any(|code| write_error(error).contains(code));
    match &metric.rows {
        Rows::Table(table) if is_denied => {
            check.advised(format!("GRANT SELECT ON {} to it", table.name.join(".")))
        }
        _ => check,
    }
}

fn columns(metric: &Metric) -> String {
    match &metric.rows {
        Rows::Table(table) => {
            let value = table.value_column.as_deref().unwrap_or("its rows");
            let columns = format!(
                "{}: {} and {value}",
                table.name.join("."),
                table.time_column
            );
            match metric.key_columns().as_slice() {
                [] => columns,
                keys => format!("{columns}, by {}", keys.join(", ")),
            }
        }
        Rows::Query(_) | Rows::File { .. } => "those of its query".to_string(),
    }
}

fn index(plan: &Plan, metric: &Metric) -> Check {
    match plan {
        Plan::Index(name) => Check::ok(Link::Index, format!("rows are found by {name}")),
        Plan::Nothing => Check::ok(
            Link::Index,
            "the server finds the rows without reading others",
        ),
        Plan::Scan { rows } if *rows <= FEW_ROWS => Check::ok(
            Link::Index,
            format!("none is used, and the table has about {rows} rows"),
        ),
        Plan::Scan { rows } => Check::warning(
            Link::Index,
            format!("none is used: each check reads the whole table, about {rows} rows"),
            match &metric.rows {
                Rows::Table(table) => create_index(table),
                Rows::Query(_) | Rows::File { .. } => {
                    "the time column that the query compares with :from and :to needs an index"
                        .to_string()
                }
            },
        ),
    }
}

fn rows(window: &Window, metric: &Metric, misreading: Option<Misreading>) -> Check {
    let zone = window.zone();
    match misreading {
        Some(Misreading::UtcReadAsLocal) => return Check::warning(
            Link::Rows,
            format!("they look like UTC, read as local: the newest is as long ago as {zone} is from UTC"),
            "set time = \"utc\" for the metric, or is there really no newer row?",
        ),
        Some(Misreading::LocalReadAsUtc) => return Check::new(
            Link::Rows,
            Condition::Failed,
            format!("they look like {zone}, read as UTC: the newest is as far in the future as {zone} is from UTC"),
        )
        .advised("set time = \"local\" for the metric"),
        Some(Misreading::Ahead(lead)) => return Check::new(
            Link::Rows,
            Condition::Failed,
            format!("the newest is {} in the future, by the server's clock", length(lead)),
        )
        .advised("are time and timezone right?"),
        None => {}
    }
    let counts = window.row_counts;
    let buckets = window.series.observed().count();
    let told = format!(
        "{}, in {buckets} buckets of {}",
        per_bucket(counts.rows, buckets),
        window.step()
    );
    let unusable = counts.empty + counts.not_finite + counts.unclear_time;
    if unusable.saturating_mul(20) > counts.rows {
        let told = format!(
            "{told}; {} have no value, {} no number, {} no clear time",
            counts.empty, counts.not_finite, counts.unclear_time
        );
        return Check::warning(
            Link::Rows,
            told,
            "is value_column right? where can leave them out",
        );
    }
    if metric.aggregate.is_none() && counts.repeated > 0 {
        let told = format!(
            "{told}; {} have the time of another, and count as their mean",
            counts.repeated
        );
        return Check::warning(
            Link::Rows,
            told,
            "set aggregate, such as \"sum\", or is a where missing?",
        );
    }
    match &window.hint {
        Some(hint) => Check::new(Link::Rows, Condition::Warning, format!("{told}; {hint}")),
        None => Check::ok(Link::Rows, told),
    }
}

/// `about 12 rows a bucket`
fn per_bucket(rows: u64, buckets: usize) -> String {
    let buckets = u64::try_from(buckets).unwrap_or(u64::MAX).max(1);
    match (rows + buckets / 2) / buckets {
        0 | 1 => "a row a bucket".to_string(),
        count => format!("about {count} rows a bucket"),
    }
}

fn query(case: &Case, took: Duration, share: Deadline) -> Check {
    let limit = case
        .context
        .config
        .database()
        .map(|settings| settings.query_timeout);
    let limit = limit.unwrap_or(share.left()).min(share.left() + took);
    let told = format!(
        "its rows took {:.2} s, and may take {}",
        took.as_secs_f64(),
        write_setting(Duration::from_secs(limit.as_secs().max(1)))
    );
    if took > limit / 2 {
        let advice = "an index on the time column, a shorter window, or a longer deadline and mysql.query_timeout";
        Check::warning(Link::Query, told, advice)
    } else {
        Check::ok(Link::Query, told)
    }
}
