//! A report in words.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::review::{Kept, Opened, Review, ReviewedAlert, ReviewedMetric};
use crate::commands::coverage::float;
use crate::commands::report::{write_acknowledgement, write_count, write_minute};
use crate::config::Metric;
use crate::forecast::Side;
use crate::incident::{Condition, Nature, Outcome};
use crate::notify::email::{Picture, Report, ReportedAlert, ReportedMetric, Tone};
use crate::output::{
    write_change, write_lasting, write_length, write_setting, write_span, write_time,
};
use crate::series::Aggregate;

/// So many alerts are told one by one, the newest.
const MOST_ALERTS: usize = 60;

pub fn report(review: &Review, mut pictures: BTreeMap<String, Vec<u8>>) -> Report {
    let now = review.context.now;
    let (from, to) = (review.zoned(review.from), now);
    let day = "%-d %B %Y";
    let days = format!("{} to {}", from.format(day), to.format(day));
    let mut alerts: Vec<(&ReviewedMetric, &ReviewedAlert)> = review
        .metrics
        .iter()
        .flat_map(|metric| metric.alerts.iter().map(move |alert| (metric, alert)))
        .collect();
    alerts.sort_by_key(|(_, alert)| alert.since);
    let surplus = alerts.len().saturating_sub(MOST_ALERTS);
    let shown = alerts[surplus..].iter();
    let mut notes = Vec::new();
    if surplus > 0 {
        notes.push(format!(
            "{} earlier alerts are not listed.",
            write_count(surplus)
        ));
    }
    notes.extend(lost(review));
    notes.extend(unwatched(review));
    let drawn = review.metrics.iter().filter_map(|metric| {
        let png = pictures.remove(&metric.name)?;
        let metric = metric.metric?;
        let alternative = format!("{} with its band and its incidents", metric.title);
        Some(Picture::new(
            &metric.title,
            &metric.file_name(),
            &alternative,
            &png,
        ))
    });
    let outcome = match alerts.len() {
        0 => "nothing happened".to_string(),
        _ => count_words(review),
    };
    Report {
        subject: format!("[Report] {days}: {outcome}"),
        heading: format!("Report of {days}"),
        summary: summary(review, alerts.len()),
        alerts: shown
            .map(|(metric, alert)| reported(review, metric, alert))
            .collect(),
        metrics: review
            .metrics
            .iter()
            .map(|metric| fared(review, metric))
            .collect(),
        notes,
        contact: review
            .context
            .config
            .smtp
            .as_ref()
            .and_then(|smtp| smtp.contact.clone()),
        pictures: drawn.collect(),
    }
}

/// "3 incidents, 1 lack"
fn count_words(review: &Review) -> String {
    let alerts = review.metrics.iter().flat_map(|metric| &metric.alerts);
    let (incidents, others): (Vec<_>, Vec<_>) = alerts.partition(|alert| alert.is_incident());
    let noun = |count: usize, one: &str, many: &str| {
        let noun = if count == 1 { one } else { many };
        (count > 0).then(|| format!("{} {noun}", write_count(count)))
    };
    let counts = [
        noun(incidents.len(), "incident", "incidents"),
        noun(others.len(), "other alert", "other alerts"),
    ];
    counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn summary(review: &Review, alerts: usize) -> String {
    let now = review.context.now;
    let length = write_length(review.now() - review.from);
    let end = write_minute(now);
    let metrics = review.context.config.metrics.len();
    let noun = if metrics == 1 { "metric" } else { "metrics" };
    let watched = format!(
        "{} {noun} in the {length} up to {end}",
        write_count(metrics)
    );
    if alerts == 0 {
        return format!("{watched}: nothing was out of the ordinary.");
    }
    let all = review.metrics.iter().flat_map(|metric| &metric.alerts);
    let told: u32 = all.map(|alert| alert.notifications).sum();
    let mails = if told == 1 {
        "notification"
    } else {
        "notifications"
    };
    let incidents = review.metrics.iter();
    let times = incidents.filter_map(|metric| metric.incident_time(review.now()));
    let time: TimeDelta = times.sum();
    let lasted = if time > TimeDelta::zero() {
        format!(" Incidents lasted {} in all.", write_length(time))
    } else {
        String::new()
    };
    format!(
        "{watched}: {}, {told} {mails}.{lasted}",
        count_words(review)
    )
}

fn reported(review: &Review, of: &ReviewedMetric, alert: &ReviewedAlert) -> ReportedAlert {
    let now = review.context.now;
    let since = review.zoned(alert.since);
    let length = write_lasting(since, alert.length(review.now()), TimeDelta::zero());
    let when = match alert.until {
        Some(until) => format!("{} ({length})", write_span(since, review.zoned(until), now)),
        None => format!("since {}, still open ({length})", write_time(since, now)),
    };
    let mut lines = Vec::new();
    lines.extend(worst(review, of, alert));
    lines.extend(missing(of, alert));
    lines.extend(match alert.outcome {
        Some(Outcome::Accepted { ratio }) => {
            let change = write_change(f64::from(ratio) - 1.0);
            Some(format!("a new level, {change}, which counts as normal"))
        }
        Some(Outcome::Turned) => Some("turned to the other side".to_string()),
        Some(Outcome::Over) | None => None,
    });
    lines.push(match (alert.released, alert.notifications) {
        (None, _) => "not told: it was silent, or over before".to_string(),
        (Some(_), 0) => "no notification was accepted yet".to_string(),
        (Some(_), 1) => "1 notification".to_string(),
        (Some(_), count) => format!("{count} notifications"),
    });
    let acknowledged = alert.acknowledged.as_ref();
    lines.extend(acknowledged.map(|answer| write_acknowledgement(answer, now)));
    lines.extend(alert.was.map(|was| match was {
        Nature::Fine => "somebody said that it was fine: learnt as usual".to_string(),
        Nature::Real => "somebody said that it was real: not learnt from".to_string(),
    }));
    let (label, tone) = match alert.condition {
        Condition::Breach(Side::High) => ("High", Tone::High),
        Condition::Breach(Side::Low) => ("Low", Tone::Low),
        Condition::NoData => ("No data", Tone::Blind),
        Condition::Frozen => ("Frozen", Tone::Blind),
        Condition::CheckFailed => ("Cannot check", Tone::Blind),
        _ => ("Cannot judge", Tone::Blind),
    };
    ReportedAlert {
        title: of.title().to_string(),
        label: label.to_string(),
        tone,
        when,
        lines,
    }
}

fn worst(review: &Review, of: &ReviewedMetric, alert: &ReviewedAlert) -> Option<String> {
    let worst = alert.worst?;
    let time = write_time(review.zoned(worst.time), review.context.now);
    let [value, expected] = [worst.value, worst.expected].map(f64::from);
    let notation = of.notation_of(value.abs().max(expected.abs()));
    let value = with_unit(of.metric, &notation.write(value));
    let expected = with_unit(of.metric, &notation.write_expected(expected));
    Some(format!("at worst {value} at {time} (expected: {expected})"))
}

fn missing(of: &ReviewedMetric, alert: &ReviewedAlert) -> Option<String> {
    let adds_up = of.metric?.aggregate.is_none_or(Aggregate::adds_up);
    let missing = f64::from(alert.missing?);
    let (amount, than) = match alert.condition {
        Condition::Breach(Side::Low) => (missing, "less than usual in all"),
        Condition::Breach(Side::High) => (-missing, "more than usual in all"),
        _ => return None,
    };
    let told = with_unit(of.metric, &of.notation_of(amount).write(amount));
    (adds_up && amount > 0.0).then(|| format!("{told} {than}"))
}

fn with_unit(metric: Option<&Metric>, number: &str) -> String {
    let unit = metric.and_then(|metric| metric.unit.as_deref());
    unit.map_or(number.to_string(), |unit| format!("{number} {unit}"))
}

/// How the bands of a metric held, and how its budget did.
fn fared(review: &Review, of: &ReviewedMetric) -> ReportedMetric {
    let mut lines = Vec::new();
    let Some(metric) = of.metric else {
        return ReportedMetric {
            title: of.name.clone(),
            lines: vec!["not in the configuration any more".to_string()],
        };
    };
    lines.push(of.kept.map_or_else(
        || "nothing was judged".to_string(),
        |kept| write_kept(review, metric, &kept),
    ));
    lines.push(write_opened(of, metric));
    let without: TimeDelta = of
        .alerts
        .iter()
        .filter(|alert| alert.condition == Condition::NoData)
        .map(|alert| alert.length(review.now()))
        .sum();
    if without > TimeDelta::zero() {
        let length = write_lasting(review.context.now, without, TimeDelta::zero());
        lines.push(format!("without data for {length}"));
    }
    for silence in &of.silences {
        let until = write_time(review.zoned(silence.until), review.context.now);
        let because = silence.because.as_ref();
        let because = because.map_or(String::new(), |because| format!(": {because}"));
        lines.push(format!("silent until {until}{because}"));
    }
    ReportedMetric {
        title: metric.title.clone(),
        lines,
    }
}

/// "95.1 % of 1,966 values lay inside the 95 % band (true share 93.9 to 96.2 %); 50 values during incidents are
/// left out"
fn write_kept(review: &Review, metric: &Metric, kept: &Kept) -> String {
    let since = if kept.from > review.from {
        format!(" since {}", review.zoned(kept.from).format("%Y-%m-%d"))
    } else {
        String::new()
    };
    let noun = |count| if count == 1 { "value" } else { "values" };
    let left_out = match kept.left_out {
        0 => String::new(),
        1 => "; 1 value during incidents is left out".to_string(),
        count => format!(
            "; {} values during incidents are left out",
            write_count(count)
        ),
    };
    let Some(coverage) = kept.coverage else {
        return format!("no value was judged outside of incidents{since}{left_out}");
    };
    let [share, lower, upper] = [coverage.share, coverage.lower, coverage.upper]
        .map(|share| format!("{:.1}", 100.0 * share));
    format!(
        "{share} % of {} {} lay inside the {} band{since} (true share {lower} to {upper} %){left_out}",
        write_count(kept.judged),
        noun(kept.judged),
        metric.method.level,
    )
}

/// "5 incidents told: 2 called fine, 1 called real or acknowledged, 2 not answered; the budget allows 1 false
/// alert a week". Which of them were false, only people know.
fn write_opened(of: &ReviewedMetric, metric: &Metric) -> String {
    let Opened { all, fine, real } = of.opened;
    let noun = if all == 1 { "incident" } else { "incidents" };
    let mut told = format!("{} {noun} told", write_count(all));
    let said = [
        (fine, "called fine"),
        (real, "called real or acknowledged"),
        (all - fine - real, "not answered"),
    ];
    let said = said.iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> = said
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if fine + real > 0 {
        told += &format!(": {}", said.join(", "));
    } else if all > 0 {
        told += ", none answered";
    }
    let Some((budget, allowed)) = metric.policy.budget.zip(of.allowed) else {
        return told;
    };
    told += &format!("; the budget allows {}", budget.in_words());
    if float(fine) > allowed.max(1.0) {
        told += ", fewer than were called fine";
    }
    told
}

fn lost(review: &Review) -> Vec<String> {
    let lost = review.state.contents().log.lost.iter();
    let lost = lost.filter(|lost| lost.since >= review.from);
    let told = lost.map(|lost| {
        let at = write_time(review.zoned(lost.since), review.context.now);
        let (subject, to, why) = (&lost.subject, &lost.to, &lost.why);
        format!("Lost: {subject:?} to {to}, written {at}: {why}")
    });
    told.collect()
}

/// That nobody knows what was while no run came.
fn unwatched(review: &Review) -> Option<String> {
    let last = review.state.runs.last?;
    let silence = review.now() - last;
    (silence > TimeDelta::hours(1)).then(|| {
        let length = silence.to_std().unwrap_or_default();
        format!(
            "The last run was {} ago: since then nothing was watched.",
            write_setting(length)
        )
    })
}
