//! Files of certificates to trust.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::text::read_text;

/// Those of the file; of no file, none. It holds one at least, and each can be used: when it is needed is
/// too late to learn otherwise.
pub fn certificates(key: &str, path: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    let Some(path) = path else {
        return Ok(Vec::new());
    };
    let key = format!("{key} = {:?}", path.display().to_string());
    let pem = read_text(path).with_context(|| format!("{key}: cannot be read"))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.with_context(|| format!("{key}: not certificates in PEM"))?;
    ensure!(
        !certificates.is_empty(),
        "{key}: holds no certificate; allowed: a file of certificates in PEM"
    );
    for (index, certificate) in certificates.iter().enumerate() {
        let used = RootCertStore::empty().add(certificate.clone());
        used.with_context(|| format!("{key}: certificate {} cannot be used", index + 1))?;
    }
    Ok(certificates)
}
