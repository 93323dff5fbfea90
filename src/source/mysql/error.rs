//! What the server or the way to it refused, in the words a user needs.

use std::error::Error as _;
use std::{fmt, io};

use anyhow::Error;

use crate::config::{DatabasePlace, DatabaseSettings, Tls};
use crate::output::one_line;

/// A fact and what to do about it, on one line.
#[derive(Debug)]
pub struct Refusal {
    told: String,
    /// Not the server's word on a statement but the end of the session.
    broken: bool,
}

impl Refusal {
    /// Whether an error left a session of no more use.
    pub fn broke_the_session(error: &Error) -> bool {
        error
            .downcast_ref::<Self>()
            .is_some_and(|refusal| refusal.broken)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.told)
    }
}

impl std::error::Error for Refusal {}

/// The server's word, with what to do about it where that is plain.
pub fn told(error: &mysql::Error) -> Refusal {
    let advice = match error {
        mysql::Error::MySqlError(server) => match server.code {
            1146 => "is metric.table right, and mysql.database?",
            1054 => "are metric.time_column, metric.value_column and metric.where right?",
            1142 | 1143 => "the user of mysql.user needs the right to SELECT",
            1969 | 3024 => {
                "the query took longer than mysql.query_timeout or what was left of deadline; is there an index on the time column?"
            }
            1064 => "check metric.where, or metric.query",
            _ => "",
        },
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) => {
            "the connection broke or the server fell silent"
        }
        _ => "",
    };
    advise(error, advice)
}

/// What kept the session from being opened.
pub fn explain(error: &mysql::Error, settings: &DatabaseSettings) -> Refusal {
    let advice = match error {
        mysql::Error::MySqlError(server) => match server.code {
            1045 | 1698 => {
                "check mysql.user and mysql.password_file (or the environment: mysql_user, mysql_password)"
            }
            1044 | 1049 => "check mysql.database (or the environment: mysql_db)",
            1130 => "the server takes no connections from this machine",
            _ => "",
        },
        error if refused_certificate(error, settings) => {
            "mysql.tls = \"verify\" wants a certificate that names mysql.host, from a known authority or that of mysql.ca_file"
        }
        mysql::Error::DriverError(mysql::DriverError::TlsNotSupported) => {
            "the server offers no TLS; mysql.tls = \"off\" would do without"
        }
        mysql::Error::DriverError(_) | mysql::Error::IoError(_) | mysql::Error::CodecError(_)
            if matches!(settings.place, DatabasePlace::Socket(_)) =>
        {
            "is the server up, and mysql.socket right?"
        }
        mysql::Error::DriverError(_) | mysql::Error::IoError(_) | mysql::Error::CodecError(_) => {
            "is the server up, and are mysql.host and mysql.port right?"
        }
        _ => "",
    };
    advise(error, advice)
}

/// What the TLS library refuses comes up from below it, as data that is not valid.
fn refused_certificate(error: &mysql::Error, settings: &DatabaseSettings) -> bool {
    settings.tls == Tls::Verify
        && (matches!(error, mysql::Error::TlsError(_))
            || transport_fault(error)
                .is_some_and(|fault| fault.kind() == io::ErrorKind::InvalidData))
}

/// What went wrong in reading or writing, from within the driver's wrapping.
fn transport_fault(error: &mysql::Error) -> Option<&io::Error> {
    match error {
        mysql::Error::IoError(fault) => Some(fault),
        mysql::Error::CodecError(codec) => codec.source()?.downcast_ref(),
        _ => None,
    }
}

fn advise(error: &mysql::Error, advice: &str) -> Refusal {
    let fact = plain(error);
    let told = if advice.is_empty() {
        fact
    } else {
        format!("{fact}; {advice}")
    };
    Refusal {
        told,
        broken: !matches!(error, mysql::Error::MySqlError(_)),
    }
}

/// A wait that ended is no "Resource temporarily unavailable", which is how the system calls it.
fn plain_fault(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "no answer in time".to_string(),
        _ => fault.to_string(),
    }
}

/// An error's fact on one line, without the driver's wrapping.
fn plain(error: &mysql::Error) -> String {
    let text = match error {
        mysql::Error::MySqlError(server) => format!("{} (error {})", server.message, server.code),
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) => {
            transport_fault(error).map_or_else(|| error.to_string(), plain_fault)
        }
        mysql::Error::TlsError(error) => error.to_string(),
        mysql::Error::DriverError(error) => error.to_string(),
        other => other.to_string(),
    };
    one_line(&text)
}
