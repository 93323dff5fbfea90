//! Whom to trust: the authorities of the system, and those of `smtp.ca_file`. A certificate that is itself
//! in that file is trusted too, for its names and as long as it is valid. What is refused is explained in
//! the words of a certificate, not of the library.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct,
    Error, InvalidMessage, RootCertStore, SignatureScheme,
};

/// How to encrypt what is said to one host.
pub struct Tls {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    host: String,
}

impl Tls {
    /// `trusted` are certificates to trust besides those of the system.
    pub fn new(host: &str, trusted: &[CertificateDer<'static>]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        roots.add_parsable_certificates(trusted.iter().cloned());
        ensure!(
            !roots.is_empty(),
            "the system trusts no authority, and there is no smtp.ca_file; are its certificates in order (package ca-certificates)?"
        );
        let provider = Arc::new(ring::default_provider());
        let usual =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .context("TLS cannot be set up")?;
        let verifier = Arc::new(Verifier {
            usual,
            trusted: trusted.to_vec(),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<_>)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            verifier,
            host: host.to_string(),
        })
    }

    /// Until when a certificate is valid: what the library says of it at the end of all times.
    pub fn end_of(&self, chain: &[CertificateDer]) -> Option<DateTime<Utc>> {
        /// The end of the year 9999, which stands for no end (RFC 5280, 4.1.2.5).
        const END_OF_TIMES: Duration = Duration::from_secs(253_402_300_799);
        let (certificate, intermediates) = chain.split_first()?;
        let name = ServerName::try_from(self.host.as_str()).ok()?;
        let then = UnixTime::since_unix_epoch(END_OF_TIMES);
        let verifier = &self.verifier;
        match verifier.verify_server_cert(certificate, intermediates, &name, &[], then) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext {
                not_after, ..
            })) => DateTime::from_timestamp(i64::try_from(not_after.as_secs()).ok()?, 0),
            Ok(_) | Err(_) => None,
        }
    }

    pub(super) fn session(&self) -> Result<ClientConnection, String> {
        let name = ServerName::try_from(self.host.clone());
        let name = name.map_err(|_| "the host is no name that a certificate can have")?;
        let session = ClientConnection::new(Arc::clone(&self.config), name);
        session.map_err(|error| error.to_string())
    }
}

/// The usual rules (RFC 5280), and one more.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer,
        intermediates: &[CertificateDer],
        name: &ServerName,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.usual
                .verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        match verified {
            Err(Error::InvalidCertificate(flaw))
                if is_about_issuer(&flaw) && self.trusted.contains(certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether nothing is wrong with a certificate but who signed it, and how. The library looks at the
/// validity before it looks at any of these, so an expired one does not get here.
fn is_about_issuer(flaw: &CertificateError) -> bool {
    matches!(
        flaw,
        CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    ) || is_authority(flaw)
}

/// Whether the certificate is that of an authority (CA:TRUE), which is none of a server.
fn is_authority(flaw: &CertificateError) -> bool {
    matches!(flaw, CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity")
}

/// Whether what comes is no record of TLS.
pub fn is_plain_text(error: &io::Error) -> bool {
    let not_tls = Error::InvalidMessage(InvalidMessage::InvalidContentType);
    cause(error) == Some(&not_tls)
}

/// Why there is no encryption, if TLS is the reason.
pub fn explain(error: &io::Error) -> Option<String> {
    use AlertDescription::{HandshakeFailure, ProtocolVersion};
    Some(match cause(error)? {
        Error::InvalidCertificate(flaw) => explain_flaw(flaw),
        Error::AlertReceived(ProtocolVersion) => OLD_TLS.to_string(),
        Error::PeerIncompatible(why) => {
            let why = format!("{why:?}");
            if why.contains("Tls12") || why.contains("TlsVersion") {
                OLD_TLS.to_string()
            } else {
                format!("{NOTHING_IN_COMMON} ({why})")
            }
        }
        Error::AlertReceived(HandshakeFailure) => NOTHING_IN_COMMON.to_string(),
        Error::AlertReceived(alert) => {
            format!("the server ended the TLS handshake (alert {alert:?})")
        }
        other => format!("TLS failed: {other}"),
    })
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

const OLD_TLS: &str = "the server knows only TLS 1.1 or older, which is not safe; TLS 1.2 or 1.3 must be enabled there";
const NOTHING_IN_COMMON: &str = "the server and bandwatch have no kind of certificate or cipher in common; known are certificates with RSA, Ed25519, and ECDSA on P-256 or P-384";

fn explain_flaw(flaw: &CertificateError) -> String {
    let day = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok();
        let day = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        day.map_or("a day".to_string(), |day| {
            day.format("%Y-%m-%d %H:%M UTC").to_string()
        })
    };
    let explained = match flaw {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("expired on {}", day(not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => format!(
            "is not valid before {}; is the clock of this machine right?",
            day(not_before)
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            match names(presented) {
                names if names.is_empty() => format!(
                    "names no host (subjectAltName), so it cannot be for smtp.host {expected}"
                ),
                names => format!("is for {names}, not for smtp.host {expected}"),
            }
        }
        CertificateError::UnknownIssuer => "was signed by nobody known: smtp.ca_file must name the authority that signed it, or the certificate itself, unless the system knows it".to_string(),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: id,
            ..
        }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: id,
            ..
        } => format!(
            "is signed with {}, which is not among what bandwatch can check: RSA with SHA-256 to SHA-512, Ed25519, and ECDSA on P-256 or P-384 with SHA-256 or SHA-384",
            algorithm(id)
        ),
        CertificateError::BadSignature => {
            "has a signature that is not that of its authority; is smtp.ca_file the right one?".to_string()
        }
        CertificateError::InvalidPurposeContext { .. } | CertificateError::InvalidPurpose => {
            "is not one for servers (extendedKeyUsage)".to_string()
        }
        CertificateError::Revoked => "was revoked".to_string(),
        flaw if is_authority(flaw) => "is that of an authority (CA:TRUE); if it is the server's own, smtp.ca_file must hold this very certificate".to_string(),
        flaw => format!("cannot be used: {flaw}"),
    };
    format!("the server's certificate {explained}")
}

/// The names of a certificate, as they are in it: the library hands over `DnsName("mail.example.com")`.
fn names(presented: &[String]) -> String {
    let name = |text: &String| {
        let inner = text
            .split_once('(')
            .map_or(text.as_str(), |(_, inner)| inner);
        inner.trim_end_matches(')').trim_matches('"').to_string()
    };
    let names: Vec<String> = presented.iter().map(name).collect();
    names.join(", ")
}

/// The name of a signature algorithm, found by its object identifier in DER.
fn algorithm(id: &[u8]) -> &'static str {
    let known: [(&[u8], &str); 8] = [
        (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", "ECDSA with SHA-512"),
        (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", "ECDSA with SHA-384"),
        (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", "ECDSA with SHA-256"),
        (b"\x2a\x86\x48\xce\x3d\x04\x01", "ECDSA with SHA-1"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "RSA with SHA-1"),
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "RSA with MD5"),
        (b"\x2b\x65\x71", "Ed448"),
        (b"\x2a\x86\x48\xce\x38\x04", "DSA"),
    ];
    let is_in = |oid: &[u8]| id.windows(oid.len()).any(|part| part == oid);
    let found = known.into_iter().find(|(oid, _)| is_in(oid));
    found.map_or("an algorithm of another kind", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_refused_in_words_of_its_own() {
        let unsupported = |id: &[u8]| CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: id.to_vec(),
            supported_algorithms: Vec::new(),
        };
        let elsewhere = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("mail.example").expect("a name"),
            presented: presented.iter().map(ToString::to_string).collect(),
        };
        for (flaw, told) in [
            (
                unsupported(b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"),
                "is signed with ECDSA with SHA-512, which is not among",
            ),
            (
                unsupported(b"\x06\x03\x2b\x65\x71"),
                "is signed with Ed448, ",
            ),
            (
                unsupported(b"\x06\x01\x00"),
                "is signed with an algorithm of another kind, ",
            ),
            (
                elsewhere(&["DnsName(\"a.example\")", "IpAddress(10.0.0.7)"]),
                "is for a.example, 10.0.0.7, not for smtp.host mail.example",
            ),
            (elsewhere(&[]), "names no host (subjectAltName)"),
            (CertificateError::InvalidPurpose, "is not one for servers"),
            (CertificateError::Revoked, "was revoked"),
        ] {
            let explained = explain_flaw(&flaw);
            let told = format!("the server's certificate {told}");
            assert!(explained.starts_with(&told), "{explained}");
        }
    }
}
