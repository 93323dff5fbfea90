//! `bandwatch test-mail`: shows that mail arrives, or what a channel is told, and what an alert looks like,
//! with the newest window of a metric. It is marked as a test, and nothing is remembered of it.

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{DateTime, Utc};

use super::{Failure, evaluate_newest, invocation};
use crate::chart::{Plot, draw_pictures};
use crate::cli::{Exit, TestMailArgs};
use crate::config::{ChannelSettings, Config, Deadline, EMAIL, Mailbox, Metric, WebSettings};
use crate::context::Context;
use crate::detect::{Answers, Evaluation};
use crate::incident::MetricState;
use crate::notify::WebChannel;
use crate::notify::email::{
    Email, Envelope, Letterhead, Occasion, SmtpSession, compose_evaluation, message_id,
};
use crate::output::{complain, contain, print, without_isolates};
use crate::series::Window;
use crate::source::sample_window;

pub fn run(context: &Context, args: &TestMailArgs) -> Result<Exit, Failure> {
    let metrics: Vec<String> = args.metric.iter().cloned().collect();
    let metrics = context.config.chosen(&metrics).map_err(Failure::Misuse)?;
    let metric = metrics.first().context("there is no metric")?;
    let recipients = match (&args.address, args.channel.as_deref()) {
        (Some(address), _) => vec![address.clone()],
        (None, None) => context.config.mailboxes(metric),
        (None, Some(name)) => match recipients(&context.config, name, metric) {
            Ok(Tested::Mail(recipients)) => recipients,
            Ok(Tested::Web(settings)) => return post(context, metric, &settings),
            Err(error) => return Err(Failure::Misuse(error)),
        },
    };
    mail(context, metric, recipients)
}

/// What the channel of a name is.
enum Tested {
    Mail(Vec<Mailbox>),
    Web(Box<WebSettings>),
}

fn recipients(config: &Config, name: &str, metric: &Metric) -> Result<Tested> {
    let channels = &config.channels;
    if name == EMAIL {
        let of_all = config
            .smtp
            .as_ref()
            .map_or(&[][..], |smtp| &smtp.recipients);
        return Ok(Tested::Mail(metric.recipients_or(of_all).to_vec()));
    }
    let Some(channel) = channels.iter().find(|channel| channel.name() == name) else {
        let known = channels.iter().map(ChannelSettings::name);
        let known: Vec<&str> = [EMAIL].into_iter().chain(known).collect();
        bail!(
            "--channel {name:?}: no such channel; there are: {}",
            known.join(", ")
        );
    };
    Ok(match channel.web()? {
        Some(settings) => Tested::Web(Box::new(settings)),
        None => Tested::Mail(channel.recipients().unwrap_or_default().to_vec()),
    })
}

fn post(context: &Context, metric: &Metric, settings: &WebSettings) -> Result<Exit, Failure> {
    context.deadline.enforce();
    let (shown, exit) = shown(context, metric)?;
    let letterhead = Letterhead {
        now: context.now,
        contact: None,
        invocation: None,
    };
    let state = context.look_at_state()?;
    let installation = state.installation().to_string();
    let mut channel = WebChannel::new(settings, installation, letterhead, context.deadline);
    let sent = contain("compose the message", || {
        channel.send_test(&shown.metric, &shown.evaluation, shown.source)
    });
    let (name, address) = (&settings.name, settings.address.shown());
    let subject = without_isolates(&sent?);
    print(&format!(
        "channel {name:?} at {address} has accepted the test: {subject:?}\n"
    ))?;
    Ok(exit)
}

fn mail(context: &Context, metric: &Metric, recipients: Vec<Mailbox>) -> Result<Exit, Failure> {
    let mail = context.config.mail().and_then(|mail| {
        mail.context("smtp: missing; a test mail needs a mail server, as an alert does; a [[channel]] is tested with --channel")
    });
    let mail = mail.map_err(Failure::Misuse)?;
    let from = mail.from.clone().context("smtp.from: missing")?;
    context.deadline.enforce();
    let (shown, mut exit) = shown(context, metric)?;
    let email = compose(context, &shown, mail.contact.as_deref())?;
    let mut session = SmtpSession::new(&mail, context.deadline);
    for to in recipients {
        match send(&mut session, &email, [&from, &to], Utc::now()) {
            Ok(()) => {
                let (host, port) = (&mail.host, mail.port());
                let subject = without_isolates(email.subject());
                print(&format!(
                    "{host}:{port} has accepted the test mail to {}: {subject:?}\n",
                    to.email
                ))?;
            }
            Err(error) => {
                complain(&error);
                exit = Exit::Failed;
            }
        }
    }
    session.close();
    Ok(exit)
}

fn send(
    session: &mut SmtpSession,
    email: &Email,
    [from, to]: [&Mailbox; 2],
    now: DateTime<Utc>,
) -> Result<()> {
    // Each trial is a mail of its own: some servers drop what they think they have seen.
    let name = format!("test {}", now.timestamp_micros());
    let message = email.message(&Envelope {
        from,
        to,
        date: now,
        message_id: &message_id(from, to, &name),
        in_reply_to: None,
        thread_subject: None,
    })?;
    session.send(to, &message)
}

/// What the mail shows.
struct Shown {
    metric: Metric,
    evaluation: Evaluation,
    plots: Vec<Plot>,
    /// What it is, in words.
    source: &'static str,
}

/// Of the bundled sample if the database does not answer, which is a failure.
fn shown(context: &Context, metric: &Metric) -> Result<(Shown, Exit)> {
    let newest = if context.config.names_database() {
        newest(context, metric).map(Some)
    } else {
        Ok(None)
    };
    Ok(match newest {
        Ok(Some(shown)) => (shown, Exit::Done),
        Ok(None) => (sample(context)?, Exit::Done),
        Err(error) => {
            complain(&error.context(format!(
                "{}: the test mail shows the bundled sample",
                metric.name
            )));
            (sample(context)?, Exit::Failed)
        }
    })
}

fn compose(context: &Context, shown: &Shown, contact: Option<&str>) -> Result<Email> {
    let letterhead = Letterhead {
        now: context.now,
        contact,
        invocation: Some(&invocation(context)),
    };
    contain("compose the mail", || {
        Ok(compose_evaluation(
            &shown.metric,
            &shown.evaluation,
            &shown.plots,
            &letterhead,
            Occasion::Test(shown.source),
        ))
    })
}

fn newest(context: &Context, metric: &Metric) -> Result<Shown> {
    let deadline: Deadline = context.deadline.for_reading();
    let mut source = context.source(std::slice::from_ref(metric), deadline)?;
    let window = source.latest(metric, None, context.now)?;
    let state = context.look_at_state()?;
    let known = state.contents().metrics.get(&metric.name);
    show(
        metric.clone(),
        window,
        &known.map_or(Answers::default(), MetricState::answers_for_forecast),
        "the newest values of the configured source",
    )
}

fn sample(context: &Context) -> Result<Shown> {
    let metric = Metric::of_file("sales");
    let window = sample_window(&metric, context.zone())?;
    show(
        metric,
        window,
        &Answers::default(),
        "the sample that comes with bandwatch, not your data",
    )
}

fn show(metric: Metric, window: Window, answers: &Answers, source: &'static str) -> Result<Shown> {
    contain("judge the newest bucket", || {
        let evaluation = evaluate_newest(window, &metric, answers)?;
        let plots = draw_pictures(&metric, &evaluation, None)
            .map_err(|error| anyhow!("draw the pictures: {error:#}"))?;
        Ok(Shown {
            metric,
            evaluation,
            plots,
            source,
        })
    })
}
