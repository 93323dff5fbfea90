//! `bandwatch test-mail`: shows that mail arrives, and what an alert looks like, with the newest window of a
//! metric. It is marked as a test, and nothing is remembered of it.

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};

use super::{Failure, evaluate_newest, invocation};
use crate::chart::{Plot, draw_pictures};
use crate::cli::{Exit, TestMailArgs};
use crate::config::{Deadline, MailSettings, Mailbox, Metric};
use crate::context::Context;
use crate::detect::{Answers, Evaluation};
use crate::incident::MetricState;
use crate::notify::email::{
    Email, Envelope, Letterhead, Occasion, SmtpSession, compose_evaluation, message_id,
};
use crate::output::{complain, contain, print, without_isolates};
use crate::series::Window;
use crate::source::sample_window;
use crate::state::State;

pub fn run(context: &Context, args: &TestMailArgs) -> Result<Exit, Failure> {
    let mail = context.config.mail().and_then(|mail| {
        mail.context("smtp: missing; a test mail needs a mail server, as an alert does")
    });
    let mail = mail.map_err(Failure::Misuse)?;
    let metrics: Vec<String> = args.metric.iter().cloned().collect();
    let metrics = context.config.chosen(&metrics).map_err(Failure::Misuse)?;
    let metric = metrics.first().context("there is no metric")?;
    let from = mail.from.clone().context("smtp.from: missing")?;
    let recipients = match &args.address {
        Some(address) => vec![address.clone()],
        None => metric.recipients_or(&mail.recipients).to_vec(),
    };
    context.deadline.enforce();
    let (email, mut exit) = compose(context, metric, &mail)?;
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

/// Composes the mail, of the bundled sample if the database does not answer, which is a failure.
fn compose(context: &Context, metric: &Metric, mail: &MailSettings) -> Result<(Email, Exit)> {
    let newest = if context.config.names_database() {
        newest(context, metric).map(Some)
    } else {
        Ok(None)
    };
    let (shown, exit) = match newest {
        Ok(Some(shown)) => (shown, Exit::Done),
        Ok(None) => (sample(context)?, Exit::Done),
        Err(error) => {
            complain(&error.context(format!(
                "{}: the test mail shows the bundled sample",
                metric.name
            )));
            (sample(context)?, Exit::Failed)
        }
    };
    let letterhead = Letterhead {
        now: context.now,
        contact: mail.contact.as_deref(),
        invocation: Some(&invocation(context)),
    };
    let email = contain("compose the mail", || {
        Ok(compose_evaluation(
            &shown.metric,
            &shown.evaluation,
            &shown.plots,
            &letterhead,
            Occasion::Test(shown.source),
        ))
    })?;
    Ok((email, exit))
}

fn newest(context: &Context, metric: &Metric) -> Result<Shown> {
    let deadline: Deadline = context.deadline.for_reading();
    let mut source = context.source(std::slice::from_ref(metric), deadline)?;
    let window = source.latest(metric, None, context.now)?;
    let state = State::look(&context.state_dir());
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
