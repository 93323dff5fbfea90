//! A request after each good run to a service that alerts when none comes: cron that never started
//! anything is noticed too.

use std::time::Duration;

use anyhow::{Result, anyhow};
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
    let told = |why: String| anyhow!("heartbeat_url: {why}");
    match agent.get(address.reveal()).call() {
        Ok(_) => Ok(()),
        Err(ureq::Error::StatusCode(code)) => Err(told(format!("the service answered {code}"))),
        Err(ureq::Error::Timeout(_)) => Err(told("no answer in time".into())),
        Err(ureq::Error::Io(error)) => Err(told(format!("cannot be reached: {error}"))),
        Err(ureq::Error::HostNotFound) => Err(told("its host is not known".into())),
        Err(_) => Err(told("the request failed".into())),
    }
}
