//! Certificates of the test servers: one certificate authority per test
//! process, and the certificates it issues, as PEM files. One kind of them is
//! in order, and each of the others has exactly one fault that a careful client
//! must refuse.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::leash;

/// What a server shows to its clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateKind {
    /// Issued by the test authority for localhost, 127.0.0.1 and `::1`.
    #[default]
    Good,
    /// As good, but valid during the year 2020 alone.
    Expired,
    /// In order, but for `elsewhere.example`.
    WrongName,
    /// For the right names, but signed with its own key.
    SelfSigned,
}

/// The files of one certificate.
pub struct Certificate {
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
}

impl Certificate {
    pub fn issue(kind: CertificateKind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);

        let names: &[&str] = match kind {
            CertificateKind::WrongName => &["elsewhere.example"],
            _ => &["localhost", "127.0.0.1", "::1"],
        };
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("valid names");
        params.distinguished_name.push(
            DnType::CommonName,
            format!("bandwatch test server {number}"),
        );
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = match kind {
            CertificateKind::Expired => date_time_ymd(2021, 1, 1),
            _ => date_time_ymd(2120, 1, 1),
        };
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;

        let key = KeyPair::generate().expect("a key pair");
        let certificate = match kind {
            CertificateKind::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &authority().issuer),
        }
        .expect("a certificate");

        let directory = &authority().directory;
        let issued = Self {
            certificate_file: directory.join(format!("server-{number}.pem")),
            key_file: directory.join(format!("server-{number}.key")),
        };
        write(&issued.certificate_file, &certificate.pem());
        write(&issued.key_file, &key.serialize_pem());
        issued
    }
}

/// The certificate of the authority that issued the good certificates.
pub fn ca_file() -> &'static Path {
    &authority().certificate_file
}

struct Authority {
    directory: PathBuf,
    certificate_file: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "bandwatch test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2120, 1, 1);
        let key = KeyPair::generate().expect("a key pair");
        let certificate = params.self_signed(&key).expect("a certificate");

        // The scratch directory is removed with all it holds.
        let directory = leash::new_directory("certificates-").keep();
        let certificate_file = directory.join("authority.pem");
        write(&certificate_file, &certificate.pem());
        Authority {
            directory,
            certificate_file,
            issuer: Issuer::new(params, key),
        }
    })
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).expect("a file in the scratch directory");
}
