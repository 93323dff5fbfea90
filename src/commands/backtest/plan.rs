//! What a backtest is to do: its flags over the configuration, checked before anything is contacted.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::cli::{BacktestArgs, BacktestFormat};
use crate::config::Deadline;
use crate::config::Metric;
use crate::context::{check_picture_path, choose_metric, choose_source, load_config};
use crate::forecast::Sensitivity;
use crate::output::write_length;
use crate::series::Observation;
use crate::source::{History, Source};

/// A backtest, decided.
#[derive(Debug)]
pub struct BacktestPlan {
    /// As configured, but for what the flags say.
    pub metric: Metric,
    /// How much of the past is judged; None: all there is.
    pub last: Option<Duration>,
    pub stride: NonZeroUsize,
    pub format: BacktestFormat,
    pub plot: Option<PathBuf>,
    pub now: DateTime<Tz>,
}

/// A backtest, and where its rows come from.
#[derive(Debug)]
pub struct PreparedBacktest {
    pub plan: BacktestPlan,
    pub source: Source,
}

impl BacktestPlan {
    /// # Errors
    ///
    /// If the flags or the configuration are wrong, or lack what this needs.
    pub fn prepare(args: &BacktestArgs) -> Result<PreparedBacktest> {
        let input = args.input.as_deref();
        let config = load_config(args.config.as_deref(), input, "--input FILE.csv")?;
        let metric = revised(
            choose_metric(args.metric.as_deref(), &config, "a backtest")?,
            args,
        )?;
        if let Some(path) = &args.plot {
            check_picture_path(path)?;
        }
        let deadline = Deadline::after(config.deadline);
        let source = choose_source(input, &config, std::slice::from_ref(&metric), deadline)?;
        let plan = Self {
            metric,
            last: args.last,
            stride: args.stride,
            format: args.format,
            plot: args.plot.clone(),
            now: Utc::now().with_timezone(&config.zone),
        };
        Ok(PreparedBacktest { plan, source })
    }

    /// The points to judge.
    ///
    /// # Errors
    ///
    /// If there is none: the history holds no full window, or nothing after it.
    pub fn choose(&self, history: &History) -> Result<Vec<Observation>> {
        let all = history.points(&self.metric, None);
        ensure!(!all.is_empty(), "{}", self.too_short(history));
        let chosen = history.points(&self.metric, self.last);
        if let (true, Some(last)) = (chosen.is_empty(), self.last) {
            bail!(
                "--last {}: no value in that time; ask for more",
                humantime::format_duration(last)
            );
        }
        Ok(chosen.into_iter().step_by(self.stride.get()).collect())
    }

    fn too_short(&self, history: &History) -> String {
        let window = TimeDelta::from_std(self.metric.window).map_or(String::new(), write_length);
        let held = match history.ends() {
            Some((oldest, end)) => format!(
                "{} of history, from {}",
                write_length(end - oldest),
                oldest.format("%Y-%m-%d %H:%M %Z")
            ),
            None => "no history".to_string(),
        };
        format!(
            "{held}: nothing to judge, as judging starts after the first full window of {window}; set a shorter --window"
        )
    }
}

fn revised(mut metric: Metric, args: &BacktestArgs) -> Result<Metric> {
    if let Some(level) = args.level {
        metric.method.sensitivity = Sensitivity::Level(level);
    }
    metric
        .revised(args.window, args.every)
        .map_err(anyhow::Error::msg)
}
