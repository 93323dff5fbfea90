//! `bandwatch silence` and `bandwatch unsilence`.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, SubsecRound, TimeDelta};
use chrono_tz::Tz;

use super::report::brief_reason;
use super::{Failure, check_is_known, state_place};
use crate::cli::{Exit, SilenceArgs};
use crate::context::Context;
use crate::incident::Silence;
use crate::output::{print, write_time};
use crate::series::parse_time;
use crate::state::{State, Use, change_silences};

pub fn silence(context: &Context, args: &SilenceArgs) -> Result<Exit, Failure> {
    let metric = context.metric_or_group(Some(&args.metric), "a silence");
    let silenced = metric.map_err(Failure::Misuse)?;
    let metric = silenced.name.clone();
    let from = from(args, context.now).map_err(Failure::Misuse)?;
    let until = until(args, from, context.now).map_err(Failure::Misuse)?;
    let from = from.filter(|from| *from > context.now);
    let because = args.because.as_deref().map(brief_reason);
    let because = because.filter(|text| !text.is_empty());
    let end = write_time(until, context.now);
    let mut told = match from {
        None => format!("{metric} is silent until {end}"),
        Some(from) => {
            let start = write_time(from, context.now);
            format!("{metric} will be silent from {start} until {end}")
        }
    };
    if let Some(because) = &because {
        told += &format!(": {because}");
    }
    let silence = Silence {
        from: from.map(|from| from.to_utc().trunc_subsecs(0)),
        until: until.to_utc().trunc_subsecs(0),
        because,
    };
    let (place, now) = (state_place(context, Use::Change)?, context.now_utc());
    let state = State::look(&place, &context.config.metrics);
    check_is_known(&silenced, state.contents())?;
    change_silences(&place, |silences| {
        silences.add(&metric, silence.clone(), now);
    })?;
    let looks = state.runs.metrics;
    if !looks.contains_key(silenced.metric_name()) && !looks.contains_key(&metric) {
        // Runs of another user, or in another environment, keep their state elsewhere.
        told += &format!("\nno run that keeps its state in {place} has looked at {metric} yet");
    }
    print(&(told + "\n"))?;
    Ok(Exit::Done)
}

pub fn unsilence(context: &Context, metric: &str) -> Result<Exit, Failure> {
    let metric = context.metric_or_group(Some(metric), "a silence");
    let metric = metric.map_err(Failure::Misuse)?.name;
    let now = context.now_utc();
    let place = state_place(context, Use::Change)?;
    let ended = change_silences(&place, |silences| silences.end(&metric, now))?;
    let told = match ended.as_slice() {
        [] => "was not silent",
        silences if silences.iter().any(|silence| silence.holds(now)) => "is heard again",
        _ => "will not be silent",
    };
    print(&format!("{metric} {told}\n"))?;
    Ok(Exit::Done)
}

/// `None`: now.
fn from(args: &SilenceArgs, now: DateTime<Tz>) -> Result<Option<DateTime<Tz>>> {
    let Some(text) = &args.from else {
        return Ok(None);
    };
    parse_time(text, now.timezone()).context("--from").map(Some)
}

fn until(
    args: &SilenceArgs,
    from: Option<DateTime<Tz>>,
    now: DateTime<Tz>,
) -> Result<DateTime<Tz>> {
    let start = from.unwrap_or(now);
    if let Some(text) = &args.until {
        let until = parse_time(text, now.timezone()).context("--until")?;
        let (why, allowed) = match args.from {
            None => ("is over", "to come"),
            Some(_) => ("is not after --from, or over", "after --from, and to come"),
        };
        ensure!(
            until > start && until > now,
            "--until {text:?}: that {why}; allowed: a time {allowed}"
        );
        return Ok(until);
    }
    let length = args.length.unwrap_or_default();
    let until = TimeDelta::from_std(length)
        .ok()
        .and_then(|length| start.checked_add_signed(length))
        .context("--for: too long")?;
    ensure!(until > now, "--for: that is over; allowed: a time to come");
    Ok(until)
}
