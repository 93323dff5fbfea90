//! `bandwatch report`: what was told in the last days, what people answered, and how well the bands held.
//! The facts are those of the state (`review`), read as it is: no run is waited for. Pictures of the metrics
//! with incidents are drawn from the source. `json` and `words` show it.

mod json;
mod review;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Error, Result, anyhow, ensure};
use chrono::{DateTime, TimeDelta, Utc};

pub use self::json::ReportObject;
use super::report::print_object;
use super::{Failure, evaluate_newest, state_place, watched};
use crate::chart::draw_incidents;
use crate::cli::{Exit, Format, ReportArgs};
use crate::config::{MailSettings, Metric, time_delta};
use crate::context::Context;
use crate::incident::{MetricState, REMEMBERED};
use crate::notify::SendError;
use crate::notify::email::{Envelope, Report, SmtpSession, message_id};
use crate::output::{READABLE, complain, contain, print, write_setting, write_whole};
use crate::state::{State, Use};
use review::Review;

/// So many metrics are drawn, those with the longest incidents.
const MOST_PICTURES: usize = 12;

pub fn run(context: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let from = from(context, args).map_err(Failure::Misuse)?;
    let mail = if args.mail {
        let mail = context.config.mail().and_then(|mail| {
            mail.context("smtp: missing; a report by mail needs a mail server, as an alert does")
        });
        Some(mail.map_err(Failure::Misuse)?)
    } else {
        None
    };
    let place = state_place(context, Use::Look)?;
    let state = State::look(&place, &context.config.metrics);
    if state.contents().metrics.is_empty() && state.complaint().is_none() {
        return Err(anyhow!("no run that keeps its state in {place} has looked at anything yet, so there is nothing to report").into());
    }
    let metrics = watched(&context.config.metrics, state.contents());
    let review = Review::new(context, &state, &metrics, from);
    let mut failures = Vec::new();
    if args.html.is_some() || mail.is_some() {
        context.deadline.enforce();
        let pictures = draw(context, &review, &mut failures);
        let report = words::report(&review, pictures);
        if let Some(path) = &args.html {
            failures.extend(write_file(&report, path, args.format).err());
        }
        if let Some(mail) = &mail {
            failures.extend(send(context, &state, &report, mail, args.format));
        }
    }
    match args.format {
        Format::Json => print_object(&json::object(&review))?,
        Format::Text if args.html.is_none() && mail.is_none() => {
            print(&words::report(&review, BTreeMap::new()).text())?;
        }
        Format::Text => {}
    }
    failures.extend(state.complaint().map(|complaint| anyhow!("{complaint}")));
    failures.iter().for_each(complain);
    Ok(if failures.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn from(context: &Context, args: &ReportArgs) -> Result<DateTime<Utc>> {
    let last = write_setting(args.last);
    ensure!(
        time_delta(args.last) <= REMEMBERED,
        "--last {last}: the state remembers {} days; allowed: up to that",
        REMEMBERED.num_days()
    );
    Ok(context.now_utc() - time_delta(args.last))
}

fn write_file(report: &Report, path: &Path, format: Format) -> Result<()> {
    let what = || format!("--html: write {}", path.display());
    write_whole(path, report.file()?.as_bytes(), READABLE).with_context(what)?;
    match format {
        Format::Text => print(&format!("wrote {}\n", path.display())),
        // Standard output is for the object.
        Format::Json => Ok(()),
    }
}

/// Mails it to each recipient, and returns what could not be done.
fn send(
    context: &Context,
    state: &State,
    report: &Report,
    mail: &MailSettings,
    format: Format,
) -> Vec<Error> {
    let Some(from) = &mail.from else {
        return vec![anyhow!("smtp.from: missing")];
    };
    let mut session = SmtpSession::new(mail, context.deadline);
    let mut failures = Vec::new();
    for to in &mail.recipients {
        let name = format!(
            "{} report {}",
            state.installation(),
            context.now.timestamp()
        );
        let mut send_to = |report: &Report| {
            let message = contain("compose the report", || {
                report.message(&Envelope {
                    from,
                    to,
                    date: context.now_utc(),
                    message_id: &message_id(from, to, &name),
                    in_reply_to: None,
                    thread_subject: None,
                })
            })?;
            session.send(to, &message)
        };
        let mut sent = send_to(report);
        let is_too_large = |error: &Error| {
            let why = error.downcast_ref();
            matches!(why, Some(SendError::TooLarge(_)))
        };
        if sent.as_ref().is_err_and(is_too_large)
            && let Some(smaller) = report.clone().without_pictures()
        {
            sent = send_to(&smaller);
        }
        match (sent, format) {
            (Err(error), _) => failures.push(error),
            (Ok(()), Format::Json) => {}
            (Ok(()), Format::Text) => {
                let told = format!("mailed the report to {}\n", to.email);
                failures.extend(print(&told).err());
            }
        }
    }
    session.close();
    failures
}

/// Draws the metrics with incidents, by their names. A report without a picture is better than none.
fn draw(
    context: &Context,
    review: &Review,
    failures: &mut Vec<Error>,
) -> BTreeMap<String, Vec<u8>> {
    let mut chosen: Vec<(TimeDelta, &Metric)> = review
        .metrics
        .iter()
        .filter_map(|reviewed| Some((reviewed.incident_time(review.now())?, reviewed.metric?)))
        .collect();
    chosen.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    chosen.truncate(MOST_PICTURES);
    let metrics: Vec<Metric> = chosen.iter().map(|(_, metric)| (*metric).clone()).collect();
    if metrics.is_empty() {
        return BTreeMap::new();
    }
    let mut drawn = BTreeMap::new();
    let deadline = context.deadline.for_reading();
    let mut source = match context.source(&metrics, deadline) {
        Ok(source) => source,
        Err(error) => {
            failures.push(error.context("the report has no pictures"));
            return drawn;
        }
    };
    for (index, metric) in metrics.iter().enumerate() {
        source.read_by(deadline.share_of(metrics.len() - index, "this picture"));
        let reviewed = review.metrics.iter().find(|one| one.name == metric.name);
        let incidents = reviewed.map_or(Vec::new(), |one| one.incident_times(review.now()));
        let picture = contain("draw the metric", || {
            let window = source.latest(metric, None, context.now)?;
            let known = review.state.contents().metrics.get(&metric.name);
            let answers = known.map_or_else(Default::default, MetricState::answers_for_forecast);
            let evaluation = evaluate_newest(window, metric, &answers)?;
            draw_incidents(metric, &evaluation, review.from, &incidents)
        });
        match picture {
            Ok(picture) => {
                drawn.insert(metric.name.clone(), picture);
            }
            Err(error) => {
                let what = format!("{}: the report has no picture of it", metric.name);
                failures.push(error.context(what));
            }
        }
    }
    drawn
}
