//! A request after each good run to a service that alerts when none comes: cron that never started
//! anything is noticed too.

use std::time::Duration;

use anyhow::{Result, bail};
use ureq::Agent;

use crate::config::{Deadline, Secret};

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests the address. No error tells it: it is a secret.
pub fn beat(address: &Secret, deadline: Deadline) -> Result<()> {
    deadline.waiting_for("heartbeat_url".to_string());
    let patience = deadline.at_most(PATIENCE)?;
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(patience))
        .build()
        .into();
    match agent.get(address.reveal()).call() {
        Ok(_) => Ok(()),
        Err(ureq::Error::StatusCode(code)) => bail!("heartbeat_url: the service answered {code}"),
        Err(ureq::Error::Timeout(_)) => bail!("heartbeat_url: no answer in time"),
        Err(ureq::Error::Io(error)) => bail!("heartbeat_url: cannot be reached: {error}"),
        Err(ureq::Error::HostNotFound) => bail!("heartbeat_url: its host is not known"),
        Err(_) => bail!("heartbeat_url: the request failed"),
    }
}
