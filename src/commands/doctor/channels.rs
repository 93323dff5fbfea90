//! The web services: whether each is there. Whether it takes a message is for `test-mail --channel` to show.

use std::time::Duration;

use super::Case;
use super::check::{Check, Findings, Link, Which};
use crate::notify::probe_address;

/// How long the service of the heartbeat may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn examine(case: &Case, findings: &Findings) {
    let config = &case.context.config;
    let deadline = case.context.deadline;
    let channels = config.channels.iter();
    let wanted = channels.filter(|channel| {
        let mut metrics = case.metrics.iter();
        metrics.any(|metric| metric.is_told_by(channel.name()))
    });
    for channel in wanted {
        let which = Which::Channel(channel.name().to_string());
        let probed = channel.web().and_then(|settings| {
            let Some(settings) = settings else {
                return Ok(None);
            };
            let patience = deadline.at_most(settings.timeout)?;
            let address = settings.address.reveal();
            let probed = probe_address(address, &settings.authorities, patience);
            let shown = settings.address.shown();
            probed.map_err(|error| error.context(shown.clone()))?;
            Ok(Some((shown, settings.name)))
        });
        findings.add(match probed {
            // It goes by the mail server.
            Ok(None) => continue,
            Ok(Some((shown, name))) => {
                let told = format!("{shown} is there; whether it takes a message: bandwatch test-mail --channel {name}");
                Check::ok(Link::Channel, told).of(which)
            }
            Err(error) => Check::failed(Link::Channel, &error)
                .advised("is it up, and are url and ca_file of the channel right?")
                .of(which),
        });
    }
    if let Some(address) = &config.heartbeat_url {
        let probed = deadline
            .at_most(PATIENCE)
            .and_then(|patience| probe_address(address.reveal(), &[], patience));
        findings.add(match probed {
            Ok(()) => Check::ok(
                Link::Heartbeat,
                "heartbeat_url is there, and was not requested",
            ),
            Err(error) => Check::failed(Link::Heartbeat, &error.context("heartbeat_url")),
        });
    }
}
