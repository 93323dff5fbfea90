//! What a check is to do: its flags over the configuration, found to be whole before anything is
//! contacted.

use std::io::{IsTerminal, stdout};

use anyhow::{Result, ensure};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::cli::{Args, CheckFormat, Mode};
use crate::commands::invocation;
use crate::commands::report::Verbosity;
use crate::config::{Config, MailSettings, Mailbox, Metric, WebSettings};
use crate::context::Context;
use crate::notify::email::{self, Invocation, Letterhead};
use crate::notify::{PlotsDir, Recipient, Route, check_secret};
use crate::series::shard::Shard;
use crate::state::{Place, Use};

#[derive(Debug)]
pub struct Plan {
    /// Those of this run.
    pub metrics: Vec<Metric>,
    /// Whether these are all that the configuration has for its shard.
    pub is_whole: bool,
    pub shard: Shard,
    pub mode: Mode,
    /// The time of `--at`.
    pub as_of: Option<DateTime<Tz>>,
    /// `None` if the state is kept in memory.
    pub place: Option<Place>,
    /// All that sending needs; `None` if no mail is configured, or nothing is sent.
    pub mail: Option<MailSettings>,
    /// The channels that are web services; none if nothing is sent.
    pub web_channels: Vec<WebSettings>,
    contact: Option<String>,
    from: Option<Mailbox>,
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
        let (mut metrics, shard) = (config.chosen(&args.metric)?, args.shard.unwrap_or_default());
        let is_chosen = |name: &str| metrics.iter().any(|metric| metric.name == name);
        let is_whole = config.metrics.iter().all(|metric| is_chosen(&metric.name));
        metrics.retain(|metric| metric.group.is_some() || shard.holds(&metric.name));
        let (mail, web_channels) = match mode {
            Mode::Live => (config.mail()?, config.web_channels()?),
            Mode::Preview | Mode::Silent => (None, Vec::new()),
        };
        web_channels.iter().try_for_each(check_secret)?;
        // What Nagios is told needs no mail.
        let is_told =
            args.format == CheckFormat::Nagios && mail.is_none() && web_channels.is_empty();
        if mode == Mode::Live && !is_told {
            ensure!(
                mail.is_some() || !web_channels.is_empty(),
                "smtp: missing; an alert needs a mail server or a [[channel]] (or try --dry-run, which sends nothing)"
            );
            for metric in &config.metrics {
                ensure!(
                    !recipients(config, metric).is_empty(),
                    "metric {:?}: nobody is told of it; allowed: channels with recipients",
                    metric.name
                );
            }
        }
        // A file is judged anew each time: nothing says that it is the same one as before.
        let is_durable = mode == Mode::Live && context.input.is_none();
        let place = is_durable.then(|| context.state_place()).transpose()?;
        if let Some(place) = &place {
            place.check_use(Use::Run, config.path(), Some(shard))?;
        }
        Ok(Self {
            metrics,
            is_whole,
            shard,
            mode,
            as_of: context.as_of(args.at.as_deref())?,
            place,
            mail,
            web_channels,
            contact: config.smtp.as_ref().and_then(|smtp| smtp.contact.clone()),
            from: config.smtp.as_ref().and_then(|smtp| smtp.from.clone()),
            plots: PlotsDir::new(&config.plots_dir, &config.metrics),
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
            contact: self.contact.as_deref(),
            invocation: Some(&self.invocation),
        }
    }

    pub fn sender(&self) -> Mailbox {
        let from = self.from.clone();
        from.unwrap_or_else(|| email::placeholder("bandwatch"))
    }

    /// By which channels things are told.
    pub fn routes(&self) -> Vec<Route<'_>> {
        let mail = self.mail.iter().map(|_| Route::Email);
        let web = self.web_channels.iter();
        mail.chain(web.map(|channel| Route::Web(&channel.name)))
            .collect()
    }
}

/// Who is told of a metric.
pub fn recipients(config: &Config, metric: &Metric) -> Vec<Recipient> {
    let mailboxes = config.mailboxes(metric).into_iter();
    let channels = config.channels.iter();
    let channels = channels
        .filter(|channel| channel.recipients().is_none() && metric.is_told_by(channel.name()));
    let channels = channels.map(|channel| {
        let name = channel.name().to_string();
        if channel.is_alertmanager() {
            Recipient::Alertmanager(name)
        } else {
            Recipient::Channel(name)
        }
    });
    mailboxes.map(Recipient::Mailbox).chain(channels).collect()
}
