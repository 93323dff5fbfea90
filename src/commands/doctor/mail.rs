//! The mail server, up to the message itself, which is never begun.

use std::collections::HashSet;

use chrono::TimeDelta;

use super::Case;
use super::check::{Check, Condition, Findings, Link, Which};
use crate::config::{MailSettings, Mailbox};
use crate::notify::email::{Probe, Trial};

/// A certificate that ends sooner wants to be renewed now.
const SOON: TimeDelta = TimeDelta::days(21);

pub fn examine(case: &Case, findings: &Findings) {
    let settings = match case.context.config.mail() {
        Ok(Some(settings)) => settings,
        Ok(None) => return,
        Err(error) => {
            findings.add(Check::failed(Link::MailServer, &error));
            return;
        }
    };
    let recipients = recipients(case);
    let probe = Probe::of(&settings, &recipients, case.context.deadline);
    for (trial, result) in &probe.trials {
        match result {
            Ok(()) => findings.add(accepted(trial, case, &settings, &probe)),
            Err(why) => findings.add(refused(trial, why)),
        }
        if *trial == Trial::Connection && settings.implicit_tls && result.is_ok() {
            findings.add(certificate(case, &probe));
        }
    }
    if let Some(limit) = probe.small_limit {
        findings.add(Check::warning(
            Link::MailSize,
            format!("the server takes {limit} bytes at most, and a mail with its pictures has about 400,000"),
            "mails come without pictures: the server's administrator can raise its limit (SIZE)",
        ));
    } else if probe
        .trials
        .iter()
        .any(|(trial, _)| *trial == Trial::Sender)
    {
        let told = "a mail with its pictures, of about 400,000 bytes, is not too large";
        findings.add(Check::ok(Link::MailSize, told));
    }
    for check in not_reached(&settings, &recipients, &probe) {
        findings.add(check);
    }
}

fn recipients(case: &Case) -> Vec<Mailbox> {
    let mut known = HashSet::new();
    let all = case.metrics.iter();
    let all = all.flat_map(|metric| case.context.config.mailboxes(metric));
    all.filter(|mailbox| known.insert(mailbox.email.clone()))
        .collect()
}

fn link(trial: &Trial) -> Link {
    match trial {
        Trial::Connection => Link::MailServer,
        Trial::Encryption => Link::Certificate,
        Trial::Login => Link::Login,
        Trial::Sender => Link::Sender,
        Trial::Recipient(_) => Link::Recipient,
    }
}

fn which(trial: &Trial) -> Which {
    match trial {
        Trial::Recipient(address) => Which::Recipient(address.clone()),
        _ => Which::Only,
    }
}

fn accepted(trial: &Trial, case: &Case, settings: &MailSettings, probe: &Probe) -> Check {
    let told = match trial {
        Trial::Connection => format!("{}:{} answers", settings.host, settings.port()),
        Trial::Encryption => return certificate(case, probe),
        Trial::Login => {
            let user = settings.login.as_ref().map(|login| login.user.as_str());
            format!("as {}", user.unwrap_or_default())
        }
        Trial::Sender => {
            let from = settings.from.as_ref().map(|from| from.email.to_string());
            format!("{} is accepted", from.unwrap_or_default())
        }
        Trial::Recipient(_) => "is accepted".to_string(),
    };
    Check::ok(link(trial), told).of(which(trial))
}

fn refused(trial: &Trial, why: &str) -> Check {
    let check = Check::new(link(trial), Condition::Failed, why).of(which(trial));
    match trial {
        Trial::Sender => check.advised("is smtp.from an address that this server sends for?"),
        Trial::Recipient(_) => {
            check.advised("is the address right, and one that this server takes mail for?")
        }
        Trial::Connection | Trial::Encryption | Trial::Login => check,
    }
}

fn certificate(case: &Case, probe: &Probe) -> Check {
    let Some(end) = probe.certificate_end else {
        return Check::ok(
            Link::Certificate,
            "it is valid for the server's name, and has no end",
        );
    };
    let told = format!(
        "valid for the server's name until {}",
        end.format("%Y-%m-%d")
    );
    let left = end - case.context.now.to_utc();
    if left < SOON {
        let told = format!("{told}, for {} days", left.num_days());
        return Check::warning(
            Link::Certificate,
            told,
            "it must be renewed before, or no mail goes out",
        );
    }
    Check::ok(Link::Certificate, told)
}

/// What was not tried, as something before it failed.
fn not_reached(settings: &MailSettings, recipients: &[Mailbox], probe: &Probe) -> Vec<Check> {
    let mut trials = vec![Trial::Connection];
    trials.extend((!settings.implicit_tls).then_some(Trial::Encryption));
    trials.extend(settings.login.as_ref().map(|_| Trial::Login));
    trials.push(Trial::Sender);
    let addresses = recipients.iter().map(|to| to.email.to_string());
    trials.extend(addresses.map(Trial::Recipient));
    trials.retain(|trial| probe.trials.iter().all(|(tried, _)| tried != trial));
    let checks = trials
        .iter()
        .map(|trial| Check::not_checked(link(trial), "as the above failed").of(which(trial)));
    checks.collect()
}
