//! `bandwatch silence` and `bandwatch unsilence`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, SubsecRound, TimeDelta};
use chrono_tz::Tz;

use super::Failure;
use crate::cli::{Exit, SilenceArgs};
use crate::context::Context;
use crate::incident::Silence;
use crate::output::{one_line, print, write_time};
use crate::series::parse_time;
use crate::state::{State, Use, change_silences, check_use};

/// Text that is kept for whoever looks at the status.
const LONGEST_REASON: usize = 200;

pub fn silence(context: &Context, args: &SilenceArgs) -> Result<Exit, Failure> {
    let metric = context.metric(Some(&args.metric), "a silence");
    let metric = metric.map_err(Failure::Misuse)?.name;
    let until = until(args, context.now).map_err(Failure::Misuse)?;
    let because = args.because.as_deref().map_or(String::new(), one_line);
    let because: String = because.chars().take(LONGEST_REASON).collect();
    let because = Some(because).filter(|text| !text.is_empty());
    let end = write_time(until, context.now);
    let mut told = format!("{metric} is silent until {end}");
    if let Some(because) = &because {
        told += &format!(": {because}");
    }
    let silence = Silence {
        until: until.to_utc().trunc_subsecs(0),
        because,
    };
    let (dir, now) = (own_state_dir(context)?, context.now_utc());
    change_silences(&dir, |silences| silences.add(&metric, silence, now))?;
    if !State::look(&dir).runs.metrics.contains_key(&metric) {
        // Runs of another user, or in another environment, keep their state elsewhere.
        let dir = dir.display();
        told += &format!("\nno run that keeps its state in {dir} has looked at {metric} yet");
    }
    print(&(told + "\n"))?;
    Ok(Exit::Done)
}

pub fn unsilence(context: &Context, metric: &str) -> Result<Exit, Failure> {
    let metric = context.metric(Some(metric), "a silence");
    let metric = metric.map_err(Failure::Misuse)?.name;
    let now = context.now_utc();
    let dir = own_state_dir(context)?;
    let ended = change_silences(&dir, |silences| silences.end(&metric, now))?;
    let told = ended.map_or("was not silent", |_| "is heard again");
    print(&format!("{metric} {told}\n"))?;
    Ok(Exit::Done)
}

fn own_state_dir(context: &Context) -> Result<PathBuf, Failure> {
    let dir = context.state_dir();
    check_use(&dir, Use::Change, context.config.path()).map_err(Failure::Misuse)?;
    Ok(dir)
}

fn until(args: &SilenceArgs, now: DateTime<Tz>) -> Result<DateTime<Tz>> {
    if let Some(text) = &args.until {
        let until = parse_time(text, now.timezone()).context("--until")?;
        ensure!(
            until > now,
            "--until {text:?}: that is over; allowed: a time to come"
        );
        return Ok(until);
    }
    let length = args.length.unwrap_or_default();
    TimeDelta::from_std(length)
        .ok()
        .and_then(|length| now.checked_add_signed(length))
        .context("--for: too long")
}
