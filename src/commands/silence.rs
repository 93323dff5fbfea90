//! `bandwatch silence` and `bandwatch unsilence`.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::cli::{Exit, SilenceArgs, UnsilenceArgs};
use crate::commands::outcome::{complain, print};
use crate::config::Config;
use crate::context::{choose_metric, needed_config, state_dir};
use crate::incident::{Silence, Stamp};
use crate::output::{one_line, write_time};
use crate::series::parse_time;
use crate::state::{Store, change_silences};

/// Text that is kept for whoever looks at the status.
const LONGEST_REASON: usize = 200;

pub fn silence(args: &SilenceArgs) -> Exit {
    let prepared = needed_config(args.config.as_deref()).and_then(|config| {
        let metric = choose_metric(Some(&args.metric), &config, "a silence")?;
        Ok((metric.name, until(args, &config)?, state_dir(&config)))
    });
    let (metric, until, dir) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return refuse(&error),
    };
    let because = args.because.as_deref().map(one_line);
    let because = because.map(|text| text.chars().take(LONGEST_REASON).collect::<String>());
    let silence = Silence {
        until: Stamp::from(until),
        because: because.clone().filter(|text| !text.is_empty()),
    };
    let now = Stamp::from(Utc::now());
    let told = change_silences(&dir, |silences| silences.add(&metric, silence, now))
        .map(|()| {
            let because = because.map_or(String::new(), |because| format!(": {because}"));
            let zoned = now.with_timezone(&until.timezone());
            let told = format!(
                "{metric} is silent until {}{because}\n",
                write_time(until, zoned)
            );
            if Store::look(&dir).looks.metrics.contains_key(&metric) {
                return told;
            }
            // Runs of another user, or in another environment, keep their memory elsewhere.
            told + &format!(
                "no run that keeps its memory in {} has looked at {metric} yet\n",
                dir.display()
            )
        })
        .and_then(|told| print(&told));
    conclude(told)
}

pub fn unsilence(args: &UnsilenceArgs) -> Exit {
    let prepared = needed_config(args.config.as_deref()).and_then(|config| {
        let metric = choose_metric(Some(&args.metric), &config, "a silence")?;
        Ok((metric.name, state_dir(&config)))
    });
    let (metric, dir) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return refuse(&error),
    };
    let now = Stamp::from(Utc::now());
    let told = change_silences(&dir, |silences| silences.end(&metric, now)).and_then(|ended| {
        print(&match ended {
            Some(_) => format!("{metric} is heard again\n"),
            None => format!("{metric} was not silent\n"),
        })
    });
    conclude(told)
}

fn until(args: &SilenceArgs, config: &Config) -> Result<DateTime<Tz>> {
    let now = Utc::now().with_timezone(&config.zone);
    if let Some(text) = &args.until {
        let until = parse_time(text, config.zone).context("--until")?;
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

fn refuse(error: &anyhow::Error) -> Exit {
    complain(error);
    Exit::Misused
}

fn conclude(told: Result<()>) -> Exit {
    match told {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&error);
            Exit::Failed
        }
    }
}
