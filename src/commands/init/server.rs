//! The server to ask, and the lines of `[mysql]` that lead to it: by flags, the environment, and questions.

use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, Result, ensure};

use super::draft::quoted;
use super::prompt::Prompt;
use crate::cli::InitArgs;
use crate::commands::Failure;
use crate::config::{DatabaseSettings, Secret, environment};

/// Any account may look at it.
const OWN_DATABASE: &str = "information_schema";

/// How to reach the server.
#[derive(Debug)]
pub struct Server {
    place: Place,
    user: String,
    password: Password,
    /// None: all that the account may read.
    pub database: Option<String>,
    tls: Option<String>,
    ca_file: Option<PathBuf>,
}

#[derive(Debug)]
enum Place {
    Tcp { host: String, port: Option<u16> },
    Socket(PathBuf),
}

/// Where the password is. It is never written into the configuration.
#[derive(Debug)]
enum Password {
    None,
    File(PathBuf),
    Variable { name: String, secret: Secret },
    Typed(Secret),
}

impl Server {
    /// What the flags say, then the environment, then whoever is at the terminal.
    pub fn new(args: &InitArgs, prompt: Option<Prompt>) -> Result<Self, Failure> {
        let ask = |question: &str, usual: Option<&str>| {
            let answer = prompt.map(|prompt| prompt.ask(question, usual));
            answer.transpose()
        };
        let given =
            |flag: &Option<String>, variable: &str| flag.clone().or_else(|| environment(variable));
        let place = match (&args.socket, given(&args.host, "mysql_host")) {
            (Some(socket), _) => Place::Socket(written(socket)),
            (None, Some(host)) => Place::Tcp {
                host,
                port: args.port,
            },
            (None, None) => Place::Tcp {
                host: ask("Database server", Some("localhost"))?.unwrap_or("localhost".into()),
                port: args.port,
            },
        };
        let user = match given(&args.user, "mysql_user") {
            Some(user) => Some(user),
            None => ask("Account that may SELECT", Some("bandwatch"))?,
        };
        let missing = "--user: missing, and there is no terminal to ask on; set it, or the environment variable mysql_user";
        let user = user.context(missing).map_err(Failure::Misuse)?;
        Ok(Self {
            place,
            user,
            password: Password::new(args, prompt)?,
            database: given(&args.database, "mysql_db"),
            tls: args.tls.clone(),
            ca_file: args.ca_file.as_deref().map(written),
        })
    }

    pub fn settings(&self) -> Result<DatabaseSettings> {
        let database = self.database.as_deref().unwrap_or(OWN_DATABASE);
        DatabaseSettings::of_lines(&self.lines(database), self.secret())
    }

    /// What the configuration does not say.
    pub fn secret(&self) -> Option<&Secret> {
        match &self.password {
            Password::None | Password::File(_) => None,
            Password::Variable { secret, .. } | Password::Typed(secret) => Some(secret),
        }
    }

    /// The password that somebody typed, and that no run would know.
    pub fn typed(&self) -> Option<&Secret> {
        match &self.password {
            Password::Typed(secret) => Some(secret),
            _ => None,
        }
    }

    /// From now on the password is in this file.
    pub fn keep_password_in(&mut self, file: &Path) {
        self.password = Password::File(written(file));
    }

    /// The lines of the table.
    pub fn lines(&self, database: &str) -> String {
        let text = |key: &str, text: &str| Some(format!("{key} = {}\n", quoted(text)));
        let path = |key: &str, path: &Path| text(key, &path.to_string_lossy());
        let place = match &self.place {
            Place::Socket(socket) => path("socket", socket),
            Place::Tcp { host, port } => text("host", host).map(|line| match port {
                Some(port) => format!("{line}port = {port}\n"),
                None => line,
            }),
        };
        let password = match &self.password {
            Password::File(file) => path("password_file", file),
            Password::Variable { name, .. } => {
                let origin = if name == VARIABLE {
                    String::new()
                } else {
                    format!("; it was in {name} here")
                };
                let line = "# password_file = \"/etc/bandwatch/mysql-password\"";
                Some(format!(
                    "# The password is in no file: each run needs it in the environment variable {VARIABLE}{origin}. Or:\n{line}\n"
                ))
            }
            Password::None | Password::Typed(_) => None,
        };
        let lines = [
            place,
            text("user", &self.user),
            text("database", database),
            password,
            self.tls.as_deref().and_then(|tls| text("tls", tls)),
            self.ca_file
                .as_deref()
                .and_then(|file| path("ca_file", file)),
        ];
        lines.into_iter().flatten().collect()
    }
}

/// The variable that a run reads the password from.
const VARIABLE: &str = "mysql_password";

impl Password {
    fn new(args: &InitArgs, prompt: Option<Prompt>) -> Result<Self, Failure> {
        if let Some(file) = &args.password_file {
            return Ok(Self::File(written(file)));
        }
        let name = args.password_env.as_deref().unwrap_or(VARIABLE);
        match (environment(name), &args.password_env) {
            (Some(secret), _) => Ok(Self::Variable {
                name: name.to_string(),
                secret: Secret::new(secret),
            }),
            (None, Some(name)) => Err(Failure::Misuse(anyhow::anyhow!(
                "--password-env {name}: there is no such variable in the environment, or it is empty"
            ))),
            (None, None) => {
                let Some(prompt) = prompt else {
                    return Ok(Self::None);
                };
                let typed = prompt.ask_hidden("Its password (empty for none)")?;
                if typed.is_empty() {
                    return Ok(Self::None);
                }
                let is_plain = !typed.chars().any(char::is_control);
                let check = || {
                    ensure!(is_plain, "the password has a control character");
                    Ok(())
                };
                check()?;
                Ok(Self::Typed(Secret::new(typed)))
            }
        }
    }
}

/// As it is written down: from wherever a run starts.
fn written(path: &Path) -> PathBuf {
    absolute(path).unwrap_or(path.to_path_buf())
}
