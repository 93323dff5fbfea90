//! A real SMTP server with STARTTLS and AUTH, one per test, that keeps what it
//! is sent and can be told to fail at any stage. The protocol is spoken by
//! aiosmtpd (see `mail_server.py`), an implementation that shares nothing with
//! the product's own; one process of it has the servers of all tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::certificate::{Certificate, CertificateKind};
use super::leash::{self, Leash, START_DEADLINE};

/// How the server is to behave. The default has no fault.
pub struct MailServerSetup {
    pub certificate: CertificateKind,
    pub faults: Vec<Fault>,
    /// TLS from the first byte on, as on port 465, and no STARTTLS.
    pub implicit_tls: bool,
    pub user: String,
    pub password: String,
}

impl Default for MailServerSetup {
    fn default() -> Self {
        Self {
            certificate: CertificateKind::Good,
            faults: Vec::new(),
            implicit_tls: false,
            user: "alerts@example.com".to_owned(),
            password: "mail:Pa55/w@rd %#'=".to_owned(),
        }
    }
}

/// What goes wrong, at every connection until [`MailServer::heal`].
#[derive(Clone, Debug)]
pub enum Fault {
    /// The server does not know STARTTLS. It then offers AUTH in the clear,
    /// as a trap for a client that gives its password away.
    NoStarttls,
    /// STARTTLS is offered, and answered with 454.
    StarttlsRefused,
    /// The right user and password are answered with 535.
    BadLogin,
    /// AUTH is neither offered nor required.
    NoAuthOffered,
    /// Every command of that stage gets this answer.
    Reply {
        stage: Stage,
        code: u16,
        text: &'static str,
    },
    /// That recipient is refused; the others are accepted.
    RejectRecipient { address: &'static str, code: u16 },
    /// A larger message is refused with 552; the server does not announce it.
    SizeLimit { bytes: usize },
    /// The server says with EHLO that it takes no larger message.
    AnnouncedSize { bytes: usize },
    /// The connection is closed instead of an answer. At [`Stage::Message`]
    /// the message has been received by then, and counts as such.
    DropAt(Stage),
    /// The connection stays open, and the answer never comes. At
    /// [`Stage::Message`] the message has been received, and counts as such.
    StallAt(Stage),
    /// The answer comes three seconds late. At [`Stage::Message`] the message
    /// is taken before.
    LateAt(Stage),
    /// Connections succeed, and nothing is ever said. Excludes other faults.
    BlackHole,
}

/// Where in the conversation a fault strikes: in place of the answer to what?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The connection itself, whose answer is the banner.
    Connect,
    Ehlo,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    /// The DATA command.
    Data,
    /// The message, after its final dot.
    Message,
}

/// A message that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope that were not rejected.
    pub to: Vec<String>,
    /// The message as sent, with CRLF.
    pub raw: Vec<u8>,
    pub tls: bool,
    /// Who had logged in.
    pub user: Option<String>,
}

pub struct MailServer {
    port: u16,
    user: String,
    password: String,
    // Dropped in this order: the server ends before its directory goes.
    _running: Running,
    directory: TempDir,
}

/// What keeps the port open; dropped to close it.
enum Running {
    Server { _connection: TcpStream },
    Silence { _listener: TcpListener },
}

impl MailServer {
    pub fn start(setup: MailServerSetup) -> Self {
        let directory = leash::new_directory("mail-");
        let black_hole = |fault: &Fault| matches!(fault, Fault::BlackHole);
        let (port, running) = if setup.faults.iter().any(black_hole) {
            listen_in_silence()
        } else {
            run_server(&setup, directory.path())
        };
        Self {
            port,
            user: setup.user,
            password: setup.password,
            _running: running,
            directory,
        }
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// From now on new connections meet neither refusals nor silence. What the
    /// server offers, and its certificate, stay as they were.
    pub fn heal(&self) {
        self.strike(&[]);
    }

    /// From now on new connections meet these faults instead, of those that are
    /// no matter of what the server offers.
    pub fn strike(&self, faults: &[Fault]) {
        let file = self.directory.path().join("setup.json");
        let text = std::fs::read_to_string(&file).expect("the setup");
        let mut setup: Value = serde_json::from_str(&text).expect("JSON");
        let faults = faults_for_python(faults);
        setup["stages"] = faults.stages.into();
        setup["rejected"] = faults.rejected.into();
        setup["size_limit"] = faults.size_limit.into();
        let changed = self.directory.path().join("setup.changed");
        std::fs::write(&changed, setup.to_string())
            .and_then(|()| std::fs::rename(&changed, &file))
            .expect("a file in the scratch directory");
    }

    /// The messages taken so far. Each is here before its sender gets the answer.
    pub fn received(&self) -> Vec<Received> {
        self.events("message")
            .iter()
            .map(|event| Received {
                from: text(&event["mail_from"]),
                to: event["rcpt_tos"]
                    .as_array()
                    .expect("a list of recipients")
                    .iter()
                    .map(text)
                    .collect(),
                raw: std::fs::read(self.directory.path().join(text(&event["file"])))
                    .expect("the message on disk"),
                tls: event["tls"].as_bool().expect("true or false"),
                user: event["user"].as_str().map(ToOwned::to_owned),
            })
            .collect()
    }

    /// The commands of all connections in their order, whatever the answer was:
    /// the verb in capitals, and without the secrets of AUTH.
    pub fn transcript(&self) -> Vec<String> {
        let events = self.events("command");
        events.iter().map(|event| text(&event["line"])).collect()
    }

    /// Those commands of the transcript that anyone on the wire could read.
    pub fn commands_in_clear(&self) -> Vec<String> {
        self.events("command")
            .iter()
            .filter(|event| event["tls"] == json!(false))
            .map(|event| text(&event["line"]))
            .collect()
    }

    /// How many connections reached the banner or its place (for implicit TLS:
    /// got through the handshake).
    pub fn connections(&self) -> usize {
        self.events("connection").len()
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let events = std::fs::read_to_string(self.directory.path().join("events.jsonl"));
        events
            // A black hole writes none.
            .unwrap_or_default()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("one event a line"))
            .filter(|event| event["event"] == kind)
            .collect()
    }
}

/// The kernel completes connections to a listener on its own.
fn listen_in_silence() -> (u16, Running) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = listener.local_addr().expect("a bound port").port();
    let running = Running::Silence {
        _listener: listener,
    };
    (port, running)
}

fn run_server(setup: &MailServerSetup, directory: &Path) -> (u16, Running) {
    let setup_file = directory.join("setup.json");
    std::fs::write(setup_file, setup_for_python(setup).to_string())
        .expect("a file in the scratch directory");
    let host = Host::of_this_process();
    let mut connection =
        TcpStream::connect(("127.0.0.1", host.port)).expect("the process of the mail servers");
    connection
        .set_read_timeout(Some(START_DEADLINE))
        .expect("a socket takes this option");
    writeln!(connection, "{}", directory.display()).expect("a request");
    let mut line = String::new();
    let read = BufReader::new(&connection).read_line(&mut line);
    let port = line.trim().parse().unwrap_or_else(|_| {
        let log = std::fs::read_to_string(&host.log).unwrap_or_default();
        panic!("the mail server did not start: {read:?}; its log:\n{log}")
    });
    let running = Running::Server {
        _connection: connection,
    };
    (port, running)
}

/// The process that has the servers of all tests.
struct Host {
    port: u16,
    log: PathBuf,
    /// Keeps it running.
    _leash: Mutex<Leash>,
}

impl Host {
    fn of_this_process() -> &'static Self {
        static HOST: OnceLock<Host> = OnceLock::new();
        HOST.get_or_init(Self::start)
    }

    fn start() -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/end_to_end/support/mail_server.py"
        );
        let log = leash::new_directory("mail-servers-").keep().join("log");
        let (leash, port) = Leash::start_server(python(), &[script.to_owned()], &log);
        Self {
            port,
            log,
            _leash: Mutex::new(leash),
        }
    }
}

/// Spells the setup with as few notions as the script needs.
fn setup_for_python(setup: &MailServerSetup) -> Value {
    let faults = faults_for_python(&setup.faults);
    let certificate = Certificate::issue(setup.certificate);
    json!({
        "certificate": certificate.certificate_file,
        "key": certificate.key_file,
        "user": setup.user,
        "password": setup.password,
        "implicit_tls": setup.implicit_tls,
        "offer_starttls": faults.offer_starttls,
        "offer_auth": faults.offer_auth,
        "stages": faults.stages,
        "rejected": faults.rejected,
        "size_limit": faults.size_limit,
        "announced_size": faults.announced_size,
    })
}

struct FaultsForPython {
    offer_starttls: bool,
    offer_auth: bool,
    stages: Map<String, Value>,
    rejected: Map<String, Value>,
    size_limit: Option<usize>,
    announced_size: Option<usize>,
}

fn faults_for_python(faults: &[Fault]) -> FaultsForPython {
    let mut told = FaultsForPython {
        offer_starttls: true,
        offer_auth: true,
        stages: Map::new(),
        rejected: Map::new(),
        size_limit: None,
        announced_size: None,
    };
    for fault in faults {
        let (stage, action) = match fault {
            Fault::NoStarttls => {
                told.offer_starttls = false;
                continue;
            }
            Fault::NoAuthOffered => {
                told.offer_auth = false;
                continue;
            }
            Fault::RejectRecipient { address, code } => {
                told.rejected.insert((*address).to_owned(), (*code).into());
                continue;
            }
            Fault::SizeLimit { bytes } => {
                told.size_limit = Some(*bytes);
                continue;
            }
            Fault::AnnouncedSize { bytes } => {
                told.announced_size = Some(*bytes);
                continue;
            }
            // Never gets here.
            Fault::BlackHole => continue,
            Fault::StarttlsRefused => (
                Stage::Starttls,
                "454 4.7.0 TLS not available due to temporary reason".to_owned(),
            ),
            Fault::BadLogin => (
                Stage::Auth,
                "535 5.7.8 Authentication credentials invalid".to_owned(),
            ),
            Fault::Reply { stage, code, text } => (*stage, format!("{code} {text}")),
            Fault::DropAt(stage) => (*stage, "drop".to_owned()),
            Fault::StallAt(stage) => (*stage, "stall".to_owned()),
            Fault::LateAt(stage) => (*stage, "late".to_owned()),
        };
        let key = format!("{stage:?}").to_lowercase();
        told.stages.insert(key, action.into());
    }
    told
}

/// The python that has aiosmtpd. Debian installs it for its own python, which
/// need not be the first in the PATH.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        ["/usr/bin/python3", "python3"]
            .into_iter()
            .find(|candidate| {
                Command::new(candidate)
                    .args(["-c", "import aiosmtpd.smtp"])
                    .stdin(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success())
            })
            .map(PathBuf::from)
            .expect(
                "these tests need a python3 that has aiosmtpd: \
                 apt-get install python3-aiosmtpd",
            )
    })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
