//! What is to be explained: flags and configuration, checked before anything is contacted.

use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::cli::{ExplainArgs, Format};
use crate::config::Deadline;
use crate::config::Metric;
use crate::context::{check_picture_path, choose_metric, choose_source, choose_time, load_config};
use crate::source::{AsOf, Source};

/// An explanation, decided.
#[derive(Debug)]
pub struct ExplainPlan {
    pub metric: Metric,
    pub as_of: AsOf,
    pub now: DateTime<Tz>,
    pub deadline: Deadline,
    pub format: Format,
    pub plot: Option<PathBuf>,
}

/// A plan, and where its rows come from.
#[derive(Debug)]
pub struct PreparedExplanation {
    pub plan: ExplainPlan,
    pub source: Source,
}

impl ExplainPlan {
    /// # Errors
    ///
    /// If the flags or the configuration are wrong, or lack what this needs.
    pub fn prepare(args: &ExplainArgs) -> Result<PreparedExplanation> {
        let input = args.input.as_deref();
        let config = load_config(args.config.as_deref(), input, "--input FILE.csv")?;
        let metric = choose_metric(args.metric.as_deref(), &config, "an explanation")?;
        if let Some(path) = &args.plot {
            check_picture_path(path)?;
        }
        let deadline = Deadline::after(config.deadline);
        let now = Utc::now().with_timezone(&config.zone);
        let as_of = choose_time(args.at.as_deref(), input, now)?;
        let source = choose_source(input, &config, std::slice::from_ref(&metric), deadline)?;
        let plan = Self {
            as_of,
            metric,
            now,
            deadline,
            format: args.format,
            plot: args.plot.clone(),
        };
        Ok(PreparedExplanation { plan, source })
    }
}
