//! A request after each good run to a service that alerts when none comes: cron that never started
//! anything is noticed too.

use std::time::Duration;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};

use super::http::{NoAnswer, Request};
use crate::config::{Deadline, Secret};

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests the address. No error tells it: it is a secret.
pub fn beat(address: &Secret, deadline: Deadline, now: DateTime<Utc>) -> Result<()> {
    deadline.waiting_for("heartbeat_url".to_string());
    let request = Request {
        address: address.reveal(),
        post: None,
        trusted: &[],
        patience: deadline.at_most(PATIENCE)?,
        most_redirects: 10,
    };
    match request.send(now) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => bail!("heartbeat_url: the service answered {}", answer.status),
        Err(NoAnswer::TimedOut | NoAnswer::Unanswered) => bail!("heartbeat_url: no answer in time"),
        Err(NoAnswer::Unreachable(why)) => bail!("heartbeat_url: cannot be reached: {why}"),
        Err(NoAnswer::HostNotFound) => bail!("heartbeat_url: its host is not known"),
        Err(NoAnswer::Other) => bail!("heartbeat_url: the request failed"),
    }
}
