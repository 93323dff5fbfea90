//! A throwaway mariadbd, the real server, started by the first test that
//! asks for a database and ended with the test process; or the mysqld that
//! `BANDWATCH_MYSQLD` names, which must start then. It listens on a TCP port of
//! 127.0.0.1, with TLS, and on a unix socket; durability is switched off. Each
//! test gets a schema and accounts of its own, so that tests run in parallel
//! without seeing each other.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use mysql::prelude::{FromRow, Queryable};
use mysql::{Conn, OptsBuilder};

use super::certificate::{self, Certificate, CertificateKind};
use super::leash::{self, Leash};
use super::workspace::wait_for;

/// Generous, for a busy machine: an idle one needs less than a second.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// How many rows one INSERT carries; far below the largest packet.
const BATCH: usize = 5_000;

/// What a server may do to the sessions of its accounts, and bandwatch undoes.
const INIT_CONNECT: &str = "SET NAMES latin1, SESSION sql_select_limit = 3, SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', SESSION time_zone = '+07:00', SESSION autocommit = 0";

/// Which of the two makes of server the tests run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    MariaDb,
    MySql,
}

impl Make {
    /// Of this process.
    pub fn tested() -> Self {
        match mysqld() {
            Some(_) => Self::MySql,
            None => Self::MariaDb,
        }
    }
}

/// The server to test against instead of MariaDB.
fn mysqld() -> Option<PathBuf> {
    std::env::var_os("BANDWATCH_MYSQLD").map(PathBuf::from)
}

/// A schema of its own for one test.
pub struct Database {
    /// The name of the schema.
    pub name: String,
    server: &'static Server,
    account: Account,
    read_only: OnceLock<Account>,
    /// A connection of the server's root account.
    admin: Mutex<Conn>,
}

/// Who may log in. The password holds what tends to break quoting and URLs,
/// but neither a double quote nor a backslash, so that it can stand in TOML.
pub struct Account {
    pub user: String,
    pub password: String,
}

/// Rows that an account has had of the server.
pub struct RowStatistics {
    pub read: u64,
    pub sent: u64,
}

impl Database {
    /// An empty schema on the server of this process.
    pub fn create() -> Self {
        Self::create_with_certificate(CertificateKind::Good)
    }

    /// An empty schema on a server that shows this certificate. Each kind in
    /// use costs one more server.
    pub fn create_with_certificate(kind: CertificateKind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // In a GRANT an underscore would be a wildcard.
        let name = format!("bandwatch{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = server(kind);
        let admin = server.connect().expect("a running server accepts its root");
        let database = Self {
            account: Account {
                user: name.clone(),
                password: format!("pw-{name}:/@%?#&'="),
            },
            name,
            server,
            read_only: OnceLock::new(),
            admin: Mutex::new(admin),
        };
        database.execute(&format!("CREATE DATABASE {}", database.name));
        database.execute(&format!("USE {}", database.name));
        database.admit(&database.account, "ALL");
        database
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    pub fn port(&self) -> u16 {
        self.server.port
    }

    pub fn socket(&self) -> &'static Path {
        &self.server.socket
    }

    /// An account that may do anything in this schema and nothing elsewhere.
    pub fn user(&self) -> &str {
        &self.account.user
    }

    pub fn password(&self) -> &str {
        &self.account.password
    }

    /// An account that may only read this schema.
    pub fn read_only_user(&self) -> &Account {
        self.read_only.get_or_init(|| {
            let account = Account {
                user: format!("{}reader", self.name),
                password: format!("ro-{}:/@%?#&'=", self.name),
            };
            self.admit(&account, "SELECT");
            account
        })
    }

    /// The authority behind the certificate that the server shows on TCP.
    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    pub fn ca_file(&self) -> &'static Path {
        certificate::ca_file()
    }

    /// Runs one statement with the rights of the server's root account, in
    /// this schema.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        if let Err(error) = self.admin().query_drop(sql) {
            panic!("{error}\nin the statement: {sql}");
        }
    }

    /// The first row of an answer, read with the rights of the root account.
    #[track_caller]
    pub fn query_one<T: FromRow>(&self, sql: &str) -> T {
        match self.admin().query_first(sql) {
            Ok(Some(row)) => row,
            Ok(None) => panic!("no row for: {sql}"),
            Err(error) => panic!("{error}\nin the query: {sql}"),
        }
    }

    /// What the read-only account has had of the server in all.
    pub fn read_by_reader(&self) -> RowStatistics {
        let user = &self.read_only_user().user;
        self.execute("SET GLOBAL userstat = 1");
        // The server counts when a session ends.
        let sessions =
            format!("SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{user}'");
        wait_for("the sessions of the reader to end", || {
            self.query_one::<u32>(&sessions) == 0
        });
        let (read, sent) = self.query_one(&format!(
            "SELECT COALESCE(SUM(ROWS_READ), 0), COALESCE(SUM(ROWS_SENT), 0) FROM information_schema.user_statistics WHERE user = '{user}'"
        ));
        RowStatistics { read, sent }
    }

    /// Fills a table that exists, in a single transaction.
    pub fn insert_rows(
        &self,
        table: &str,
        time_column: &str,
        value_column: &str,
        rows: &[(NaiveDateTime, f64)],
    ) {
        self.execute("START TRANSACTION");
        for batch in rows.chunks(BATCH) {
            let mut sql =
                format!("INSERT INTO `{table}` (`{time_column}`, `{value_column}`) VALUES ");
            for (index, (time, value)) in batch.iter().enumerate() {
                assert!(value.is_finite(), "SQL cannot spell {value}");
                let comma = if index == 0 { "" } else { "," };
                // `?` prints the shortest digits that give the same number again.
                write!(
                    sql,
                    "{comma}('{}',{value:?})",
                    time.format("%Y-%m-%d %H:%M:%S%.6f")
                )
                .expect("a String takes any text");
            }
            self.execute(&sql);
        }
        self.execute("COMMIT");
    }

    fn admit(&self, account: &Account, rights: &str) {
        let Account { user, password } = account;
        let password = password.replace('\'', "''");
        self.execute(&format!(
            "CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'"
        ));
        self.execute(&format!(
            "GRANT {rights} ON {}.* TO '{user}'@'%'",
            self.name
        ));
    }

    fn admin(&self) -> std::sync::MutexGuard<'_, Conn> {
        self.admin
            .lock()
            .expect("no statement of this test has failed yet")
    }
}

struct Server {
    port: u16,
    socket: PathBuf,
    root_password: String,
    /// Keeps the server running.
    leash: Mutex<Leash>,
}

/// The server of this process with that certificate, started at first use.
fn server(kind: CertificateKind) -> &'static Server {
    static SERVERS: [OnceLock<Server>; 4] = [const { OnceLock::new() }; 4];
    SERVERS[kind as usize].get_or_init(|| Server::start(kind))
}

impl Server {
    fn start(kind: CertificateKind) -> Self {
        let daemon = mysqld().unwrap_or_else(|| find("mariadbd"));
        // The scratch directory is removed with all it holds.
        let directory = leash::new_directory("mariadb-").keep();
        // A server deletes what it takes for its own left-overs here, and that
        // of another server as well.
        std::fs::create_dir(directory.join("tmp")).expect("a directory in the scratch directory");
        install(&directory);
        let root_password = random_password();
        let init_file = directory.join("init.sql");
        std::fs::write(
            &init_file,
            format!("ALTER USER root@localhost IDENTIFIED BY '{root_password}';\n"),
        )
        .expect("a file in the scratch directory");
        let certificate = Certificate::issue(kind);

        // Between choosing a free port and binding it, another process may
        // take it: then the server gives up, and the next port is tried.
        for _ in 0..5 {
            let port = free_port();
            match Self::start_at(
                &daemon,
                port,
                &directory,
                &init_file,
                &certificate,
                &root_password,
            ) {
                Ok(server) => return server,
                Err(log) if log.contains("Bind on TCP/IP port") => {}
                Err(log) => panic!("{} did not start; its log:\n{log}", daemon.display()),
            }
        }
        panic!("the server found no free TCP port in five attempts");
    }

    /// Fails with the server's log.
    fn start_at(
        daemon: &Path,
        port: u16,
        directory: &Path,
        init_file: &Path,
        certificate: &Certificate,
        root_password: &str,
    ) -> Result<Self, String> {
        let socket = directory.join("socket");
        let log = directory.join("log");
        let mut arguments = common_arguments(directory);
        arguments.extend([
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            format!("--socket={}", socket.display()),
            format!("--pid-file={}", directory.join("pid").display()),
            format!("--init-file={}", init_file.display()),
            format!("--ssl-ca={}", certificate::ca_file().display()),
            format!("--ssl-cert={}", certificate.certificate_file.display()),
            format!("--ssl-key={}", certificate.key_file.display()),
            // As Debian sets it up; without its files the server means latin1.
            "--character-set-server=utf8mb4".to_owned(),
            "--collation-server=utf8mb4_general_ci".to_owned(),
            // Not that of the machine, which would differ between machines.
            "--default-time-zone=+00:00".to_owned(),
            format!("--init-connect={INIT_CONNECT}"),
        ]);
        arguments.extend(match Make::tested() {
            // Its way to sign in is a plug-in; Debian's package has it.
            Make::MariaDb => vec!["--plugin-load-add=auth_ed25519".to_owned()],
            Make::MySql => vec![
                "--mysqlx=OFF".to_owned(),
                "--secure-file-priv=NULL".to_owned(),
            ],
        });
        let mut server = Self {
            port,
            socket,
            root_password: root_password.to_owned(),
            leash: Mutex::new(Leash::start(daemon, &arguments, None, &log)),
        };

        let begun = Instant::now();
        loop {
            let Err(error) = server.connect() else {
                return Ok(server);
            };
            let leash = server.leash.get_mut().expect("no thread has panicked yet");
            if leash.has_ended() || begun.elapsed() > START_DEADLINE {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{log}\nlast attempt to connect: {error}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// As root, which the server admits from this machine alone.
    fn connect(&self) -> mysql::Result<Conn> {
        Conn::new(
            OptsBuilder::new()
                .socket(self.socket.to_str())
                .user(Some("root"))
                .pass(Some(&self.root_password)),
        )
    }
}

/// Creates the system tables.
fn install(directory: &Path) {
    let mut command = match mysqld() {
        Some(mysqld) => Command::new(mysqld),
        None => Command::new(find("mariadb-install-db")),
    };
    command.args(common_arguments(directory));
    match Make::tested() {
        Make::MariaDb => {
            command.args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        }
        Make::MySql => command.arg("--initialize-insecure"),
    };
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the server's installer starts");
    assert!(
        output.status.success(),
        "the system tables were not made:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Small and careless: this data need not survive a power cut. The prefix
/// "loose" lets a version pass over an option that it no longer knows.
fn common_arguments(directory: &Path) -> Vec<String> {
    let mut arguments = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", directory.join("data").display()),
        format!("--tmpdir={}", directory.join("tmp").display()),
    ];
    // The server refuses to run as root unless told so explicitly. We are root
    // when what we create belongs to root.
    let owner = directory.metadata().expect("the directory exists").uid();
    if owner == 0 {
        arguments.push("--user=root".to_owned());
    }
    let tuning = [
        "--skip-name-resolve",
        "--skip-log-bin",
        "--loose-performance-schema=OFF",
        "--loose-aria-log-file-size=8M",
        "--loose-innodb-buffer-pool-size=32M",
        "--loose-innodb-doublewrite=OFF",
        "--loose-innodb-flush-log-at-trx-commit=0",
        "--loose-innodb-flush-method=nosync",
        "--loose-innodb-log-file-size=8M",
        "--loose-innodb-use-native-aio=OFF",
        "--loose-key-buffer-size=1M",
    ];
    arguments.extend(tuning.map(ToOwned::to_owned));
    arguments
}

/// Finds a program of the server, also where Debian puts daemons and the PATH
/// of an ordinary user does not look.
fn find(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!(
                "these tests need a real MariaDB server, and {program} is missing: \
                 apt-get install mariadb-server"
            )
        })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free TCP port")
        .port()
}

/// The server may run as root, so its own root account gets a password that
/// nobody else on the machine can guess.
fn random_password() -> String {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .expect("random bytes");
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}
