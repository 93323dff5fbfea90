//! What the end-to-end tests stand on: a real database server, a real mail
//! server, certificates for both, and a place to run the binary in. All of it
//! is private to the test process and vanishes with it.

pub mod certificate;
pub mod clock;
pub mod database;
pub mod disk;
pub mod http_server;
pub mod leash;
pub mod mail;
pub mod mail_server;
pub mod proxy;
pub mod workspace;

pub use certificate::CertificateKind;
pub use database::{Database, Make};
pub use http_server::HttpServer;
pub use mail_server::{Fault, MailServer, MailServerSetup, Received, Stage};
pub use workspace::{Run, Workspace};
