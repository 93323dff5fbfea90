//! What a check is to do: its flags over the configuration, found to be whole before anything is
//! contacted.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::cli::{Args, Format, Mode};
use crate::commands::report::Verbosity;
use crate::config::{MailSettings, Mailbox, Metric};
use crate::context::Context;
use crate::incident::Confirm;
use crate::notify::PlotsDir;
use crate::notify::email::{self, Letterhead};

#[derive(Debug)]
pub struct Plan {
    /// Those of this run.
    pub metrics: Vec<Metric>,
    pub mode: Mode,
    /// The time of `--at`.
    pub as_of: Option<DateTime<Tz>>,
    /// `None` if the state is kept in memory.
    pub state_dir: Option<PathBuf>,
    /// There whenever the mode is live.
    pub mail: Option<MailSettings>,
    /// The names on a mail, which may be there without a server to send it.
    names: MailSettings,
    pub plots: PlotsDir,
    pub format: Format,
    pub verbosity: Verbosity,
    pub tells_breach_by_exit_code: bool,
}

impl Plan {
    pub fn new(context: &Context, args: &Args) -> Result<Self> {
        let config = &context.config;
        // Without any configuration there is nowhere to send to: the run can only print.
        let mode = if config.is_from_file() || args.mode() == Mode::Preview {
            args.mode()
        } else {
            Mode::Silent
        };
        let mut metrics: Vec<Metric> = config.chosen(&args.metric)?.into_iter().cloned().collect();
        let mail = match mode {
            Mode::Live => Some(config.mail()?.context(
                "smtp: missing; an alert needs a mail server (or try --dry-run, which sends nothing)",
            )?),
            Mode::Preview | Mode::Silent => None,
        };
        // A file is judged anew each time: nothing says that it is the same one as before.
        let is_durable = mode == Mode::Live && context.input.is_none();
        if !is_durable {
            // One run alone sees one bucket, which has nothing to be confirmed by.
            for metric in &mut metrics {
                metric.policy.confirm = Confirm::default();
            }
        }
        Ok(Self {
            metrics,
            mode,
            as_of: context.as_of(args.at.as_deref())?,
            state_dir: is_durable.then(|| context.state_dir()),
            mail,
            names: config.smtp.clone().unwrap_or_default(),
            plots: PlotsDir::new(&config.plots_dir, config.metrics.len()),
            format: args.format,
            verbosity: verbosity(args, mode),
            tells_breach_by_exit_code: args.exit_code,
        })
    }

    /// What stands in every mail.
    pub fn letterhead(&self, context: &Context) -> Letterhead<'_> {
        Letterhead {
            now: context.now,
            contact: self.names.contact.as_deref(),
        }
    }

    pub fn sender(&self) -> Mailbox {
        let from = self.names.from.clone();
        from.unwrap_or_else(|| email::placeholder("bandwatch"))
    }

    /// At least one: without a configuration, a name that nobody has.
    pub fn recipients(&self, metric: &Metric) -> Vec<Mailbox> {
        let of_all = &self.names.recipients;
        let recipients = metric.recipients.as_ref().unwrap_or(of_all);
        if recipients.is_empty() {
            vec![email::placeholder("recipient")]
        } else {
            recipients.clone()
        }
    }

    /// Everybody who is told of any of the metrics, each once.
    pub fn all_recipients(&self, metrics: &[Metric]) -> Vec<Mailbox> {
        let mut all: Vec<Mailbox> = Vec::new();
        for recipient in metrics.iter().flat_map(|metric| self.recipients(metric)) {
            if all.iter().all(|known| known.email != recipient.email) {
                all.push(recipient);
            }
        }
        all
    }
}

fn verbosity(args: &Args, mode: Mode) -> Verbosity {
    match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Details,
        _ if mode != Mode::Live || std::io::stdout().is_terminal() => Verbosity::Everything,
        _ => Verbosity::Notable,
    }
}
