//! A real HTTP server, one per test, that keeps what it is posted, checks its
//! signature, and can be told to fail (see `http_server.py`).

use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificate::{Certificate, CertificateKind};
use super::leash::{self, Leash};
use super::mail_server::python;

/// What the signatures are made with.
pub const SECRET: &str = "hook:Pa55/w@rd of 2026";

/// A request that came.
#[derive(Debug, Clone)]
pub struct Posted {
    pub path: String,
    pub headers: Value,
    pub body: Value,
    /// Whether the signature is right.
    pub is_signed: bool,
}

pub struct HttpServer {
    port: u16,
    scheme: &'static str,
    // Dropped in this order: the server ends before its directory goes.
    _leash: Leash,
    directory: TempDir,
}

impl HttpServer {
    /// In good order, and not encrypted.
    pub fn start() -> Self {
        Self::with(None)
    }

    pub fn with(certificate: Option<CertificateKind>) -> Self {
        let directory = leash::new_directory("http-");
        let issued = certificate.map(Certificate::issue);
        let mut setup = accepting();
        if let Some(issued) = &issued {
            setup["certificate"] = json!(issued.certificate_file);
            setup["key"] = json!(issued.key_file);
        }
        std::fs::write(directory.path().join("setup.json"), setup.to_string())
            .expect("a file in the scratch directory");
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/end_to_end/support/http_server.py"
        );
        let arguments = [script.to_owned(), directory.path().display().to_string()];
        let log = directory.path().join("log");
        let (leash, port) = Leash::start_server(python(), &arguments, &log);
        Self {
            port,
            scheme: if issued.is_some() { "https" } else { "http" },
            _leash: leash,
            directory,
        }
    }

    pub fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// From now on it answers so; see `http_server.py`.
    pub fn answer(&self, answer: &Value) {
        let mut setup = accepting();
        for (key, value) in answer.as_object().expect("an object") {
            setup[key] = value.clone();
        }
        let changed = self.directory.path().join("setup.changed");
        std::fs::write(&changed, setup.to_string())
            .and_then(|()| std::fs::rename(&changed, self.directory.path().join("setup.json")))
            .expect("a file in the scratch directory");
    }

    pub fn heal(&self) {
        self.answer(&json!({}));
    }

    /// What was posted so far. Each is here before the client gets its answer.
    pub fn posted(&self) -> Vec<Posted> {
        let events = std::fs::read_to_string(self.directory.path().join("events.jsonl"));
        let events = events.unwrap_or_default();
        let posted = events.lines().map(|line| {
            let event: Value = serde_json::from_str(line).expect("one event a line");
            let body = event["body"].as_str().expect("a text");
            Posted {
                path: event["path"].as_str().expect("a path").to_owned(),
                headers: event["headers"].clone(),
                body: serde_json::from_str(body).expect("JSON was posted"),
                is_signed: event["signed"] == json!(true),
            }
        });
        posted.collect()
    }

    /// The kinds of all alerts of a webhook, in their order.
    pub fn kinds(&self) -> Vec<String> {
        let posted = self.posted();
        let alerts = posted
            .iter()
            .flat_map(|posted| posted.body["alerts"].as_array().expect("a list"));
        let kinds = alerts.map(|alert| alert["kind"].as_str().expect("a word").to_owned());
        kinds.collect()
    }
}

fn accepting() -> Value {
    json!({ "answer": "status", "status": 200, "secret": SECRET })
}
