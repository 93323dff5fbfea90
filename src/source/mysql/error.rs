//! What the server or the way to it refused, as one line: a fact, and what to do about it.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use mysql::{DriverError, Error};

use crate::config::{DatabaseSettings, Tls};
use crate::output::one_line;

/// The server's word on a statement, or what ended the session.
pub fn query_error(error: &Error) -> String {
    let advice = match error {
        Error::MySqlError(server) => match server.code {
            1146 => "is metric.table right, and mysql.database?",
            1054 => "are metric.time_column, metric.value_column and metric.where right?",
            1142 | 1143 => "the user of mysql.user needs the right to SELECT",
            1969 | 3024 => {
                "the query took longer than mysql.query_timeout or its share of deadline; is the table locked, or without an index on the time column?"
            }
            1205 => "another session has locked the table",
            1690 => {
                "the rows of a bucket add up to more than a number can hold; metric.query could select them in a larger unit"
            }
            1064 => "check metric.where, or metric.query",
            _ => "",
        },
        Error::IoError(_) | Error::CodecError(_) => {
            "the connection broke or the server fell silent"
        }
        _ => "",
    };
    with_advice(error, advice)
}

pub fn connect_error(error: &Error, settings: &DatabaseSettings) -> String {
    let advice = match error {
        Error::MySqlError(server) => match server.code {
            1045 | 1698 => {
                "check mysql.user and mysql.password_file (or the environment: mysql_user, mysql_password)"
            }
            1044 | 1049 => "check mysql.database (or the environment: mysql_db)",
            1130 => "the server takes no connections from this machine",
            _ => "",
        },
        error if settings.tls() == Tls::Verify && is_about_certificate(error) => {
            "mysql.tls = \"verify\" wants a certificate that names mysql.host, from a known authority or that of mysql.ca_file"
        }
        Error::DriverError(DriverError::TlsNotSupported) => {
            "the server offers no TLS; mysql.tls = \"off\" would do without"
        }
        Error::DriverError(_) | Error::IoError(_) | Error::CodecError(_) => {
            if settings.socket.is_some() {
                "is the server up, and mysql.socket right?"
            } else {
                "is the server up, and are mysql.host and mysql.port right?"
            }
        }
        _ => "",
    };
    with_advice(error, advice)
}

/// What the TLS library refuses comes up from below it, as data that is not valid.
fn is_about_certificate(error: &Error) -> bool {
    matches!(error, Error::TlsError(_))
        || io_error(error).is_some_and(|error| error.kind() == ErrorKind::InvalidData)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    match error {
        Error::IoError(error) => Some(error),
        Error::CodecError(codec) => codec.source()?.downcast_ref(),
        _ => None,
    }
}

fn with_advice(error: &Error, advice: &str) -> String {
    let fact = match (error, io_error(error)) {
        (Error::MySqlError(server), _) => format!("{} (error {})", server.message, server.code),
        (Error::TlsError(error), _) => error.to_string(),
        (Error::DriverError(error), _) => error.to_string(),
        (_, Some(error)) => match error.kind() {
            // The system would call it "Resource temporarily unavailable".
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_string(),
            _ => error.to_string(),
        },
        (other, None) => other.to_string(),
    };
    let fact = one_line(&fact);
    if advice.is_empty() {
        fact
    } else {
        format!("{fact}; {advice}")
    }
}
