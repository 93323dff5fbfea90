//! What a check is to do: its flags over the configuration, found to be whole before anything is
//! contacted.

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::cli::{Args, Mode};
use crate::commands::invocation;
use crate::commands::report::Verbosity;
use crate::config::{MailSettings, Mailbox, Metric};
use crate::context::Context;
use crate::notify::PlotsDir;
use crate::notify::email::{self, Invocation, Letterhead};
use crate::state::{Use, check_use};

#[derive(Debug)]
pub struct Plan {
    /// Those of this run.
    pub metrics: Vec<Metric>,
    pub mode: Mode,
    /// The time of `--at`.
    pub as_of: Option<DateTime<Tz>>,
    /// `None` if the state is kept in memory.
    pub state_dir: Option<PathBuf>,
    /// All that sending needs if the mode is live, else as much as is configured.
    pub mail: MailSettings,
    pub plots: PlotsDir,
    /// Where somebody can act on what is mailed.
    pub invocation: Invocation,
    pub verbosity: Verbosity,
}

impl Plan {
    pub fn new(context: &Context, args: &Args) -> Result<Self> {
        let config = &context.config;
        let mode = match args.mode() {
            // Without any configuration there is nowhere to send to: the run can only print.
            Mode::Live if config.path().is_none() => Mode::Silent,
            mode => mode,
        };
        let metrics = config.chosen(&args.metric)?.into_iter().cloned();
        let mail = match mode {
            Mode::Live => config.mail()?.context(
                "smtp: missing; an alert needs a mail server (or try --dry-run, which sends nothing)",
            )?,
            Mode::Preview | Mode::Silent => config.smtp.clone().unwrap_or_default(),
        };
        // A file is judged anew each time: nothing says that it is the same one as before.
        let is_durable = mode == Mode::Live && context.input.is_none();
        let state_dir = is_durable.then(|| context.state_dir());
        if let Some(dir) = &state_dir {
            check_use(dir, Use::Run, config.path())?;
        }
        Ok(Self {
            metrics: metrics.collect(),
            mode,
            as_of: context.as_of(args.at.as_deref())?,
            state_dir,
            mail,
            plots: PlotsDir::new(&config.plots_dir, config.metrics.len()),
            invocation: invocation(context),
            verbosity: match (args.quiet, args.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Details,
                _ if mode != Mode::Live || stdout().is_terminal() => Verbosity::Everything,
                _ if is_durable => Verbosity::Unmailed,
                _ => Verbosity::Notable,
            },
        })
    }

    /// What stands in every mail.
    pub fn letterhead(&self, context: &Context) -> Letterhead<'_> {
        Letterhead {
            now: context.now,
            contact: self.mail.contact.as_deref(),
            invocation: Some(&self.invocation),
        }
    }

    pub fn sender(&self) -> Mailbox {
        let from = self.mail.from.clone();
        from.unwrap_or_else(|| email::placeholder("bandwatch"))
    }

    /// At least one: without a configuration, a name that nobody has.
    pub fn recipients(&self, metric: &Metric) -> Vec<Mailbox> {
        match metric.recipients_or(&self.mail.recipients) {
            [] => vec![email::placeholder("recipient")],
            recipients => recipients.to_vec(),
        }
    }
}
