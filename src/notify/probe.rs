//! Whether a web service is there: its name, a connection, and with https its certificate. Nothing is asked
//! of it, as a request may do something.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use ureq::http::Uri;

use crate::output::within;

/// Fails where the service at an address cannot be reached or trusted. No error tells the address: it may be
/// a secret.
pub fn probe_address(
    address: &str,
    trusted: &[CertificateDer<'static>],
    patience: Duration,
) -> Result<()> {
    let uri: Uri = address.parse().map_err(|_| anyhow!("not a web address"))?;
    ensure!(
        ureq::Proxy::try_from_env().is_none(),
        "not tried, as requests go by the proxy that the environment names"
    );
    let is_encrypted = uri.scheme_str() == Some("https");
    let host = uri.host().context("not a web address")?;
    let host = host.trim_matches(['[', ']']).to_string();
    let port = uri
        .port_u16()
        .unwrap_or(if is_encrypted { 443 } else { 80 });
    let mut tcp = connect(host.clone(), port, patience)?;
    if is_encrypted {
        tcp.set_read_timeout(Some(patience))?;
        tcp.set_write_timeout(Some(patience))?;
        let mut session = session(host, trusted)?;
        while session.is_handshaking() {
            session
                .complete_io(&mut tcp)
                .map_err(|error| anyhow!("no encryption: {error}"))?;
        }
        session.send_close_notify();
        // It has shown all it should.
        let _ = session.complete_io(&mut tcp);
    }
    Ok(())
}

fn connect(host: String, port: u16, patience: Duration) -> Result<TcpStream> {
    let resolved = within(patience, move || (host.as_str(), port).to_socket_addrs());
    let addresses = resolved.context("its name was not resolved in time")?;
    let addresses = addresses.map_err(|error| anyhow!("its host is not known: {error}"))?;
    let mut failure = "its host has no address".to_string();
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = format!("cannot be talked to: {error}"),
        }
    }
    bail!(failure)
}

fn session(host: String, trusted: &[CertificateDer<'static>]) -> Result<ClientConnection> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(trusted.iter().cloned());
    ensure!(
        !roots.is_empty(),
        "not tried, as the system has no certificates of authorities (package ca-certificates)"
    );
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host).context("not a name that a certificate can have")?;
    ClientConnection::new(Arc::new(config), name).context("TLS cannot be set up")
}
