//! What the server or the way to it refused, as one line: a fact, and what to do about it.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use anyhow::anyhow;
use mysql::{DriverError, Error, MySqlError};

use super::session::NotMysql;
use crate::config::{DatabaseSettings, Tls};
use crate::output::{one_line, with_advice};

const BROKEN: &str = "the connection broke or the server fell silent";

/// The server's word on a statement, or what ended the session, in place of an error of the driver.
pub fn query_error(error: anyhow::Error) -> anyhow::Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => error,
        Err(other) => return other,
    };
    let advice = match &error {
        Error::MySqlError(server) => match server.code {
            1146 => "is metric.table right, and mysql.database?",
            1054 => {
                "are metric.time_column, metric.value_column, metric.explain_by and metric.where right?"
            }
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
        error if is_no_mysql(error) => "",
        Error::IoError(_) | Error::CodecError(_) => BROKEN,
        _ => "",
    };
    anyhow!(with_advice(&fact_of(&error), advice))
}

/// Why there is no session, in place of an error of the driver.
pub fn connect_error(error: anyhow::Error, settings: &DatabaseSettings) -> anyhow::Error {
    let place = if settings.socket.is_some() {
        "is the server up, and mysql.socket right?"
    } else {
        "is the server up, and are mysql.host and mysql.port right?"
    };
    let error = match error.downcast::<Error>() {
        Ok(error) => error,
        Err(other) if other.is::<NotMysql>() => return anyhow!("{NotMysql}; {place}"),
        Err(other) => return other,
    };
    let advice = match &error {
        Error::MySqlError(server) => refusal_advice(server, settings),
        error if is_no_tls(error) => return anyhow!("{NotMysql}; {place}"),
        error if is_refused_key(error) => {
            return anyhow!(
                "the account signs in with caching_sha2_password, and without TLS its password could only be hidden with a key that whoever answers there hands over; use TLS (mysql.tls), or trust that key with mysql.get_server_public_key = true"
            );
        }
        error if settings.tls() == Tls::Verify && is_about_certificate(error) => {
            "mysql.tls = \"verify\" wants a certificate that names mysql.host, from a known authority or that of mysql.ca_file; \"verify-ca\" takes it for any name"
        }
        error if settings.tls() == Tls::VerifyCa && is_about_certificate(error) => {
            "mysql.tls = \"verify-ca\" wants a certificate from the authority in mysql.ca_file"
        }
        error if is_about_certificate(error) => {
            "the server offers TLS, but none that bandwatch knows (1.2 and 1.3); mysql.tls = \"off\" does without"
        }
        Error::DriverError(DriverError::TlsNotSupported) => {
            return anyhow!(
                "the server offers no TLS, and mysql.tls = \"{}\" wants it; \"off\" does without",
                settings.tls()
            );
        }
        Error::DriverError(DriverError::UnknownAuthPlugin(plugin)) => {
            return anyhow!(plugin_refusal(plugin));
        }
        Error::DriverError(DriverError::CleartextPluginDisabled) => {
            return anyhow!(plugin_refusal("mysql_clear_password"));
        }
        Error::DriverError(DriverError::OldMysqlPasswordDisabled) => {
            return anyhow!(plugin_refusal("mysql_old_password"));
        }
        Error::DriverError(_) | Error::IoError(_) | Error::CodecError(_) => place,
        _ => "",
    };
    anyhow!(with_advice(&fact_of(&error), advice))
}

fn refusal_advice(server: &MySqlError, settings: &DatabaseSettings) -> &'static str {
    match server.code {
        // An account that requires TLS is refused as if the password were wrong.
        1045 if settings.tls() == Tls::Off && settings.socket.is_none() => {
            "check mysql.user and mysql.password_file (or the environment: mysql_user, mysql_password); or does the account require TLS? mysql.tls is \"off\""
        }
        1045 | 1698 => {
            "check mysql.user and mysql.password_file (or the environment: mysql_user, mysql_password)"
        }
        1044 | 1049 => "check mysql.database (or the environment: mysql_db)",
        1130 => "the server takes no connections from this machine",
        3159 => "set mysql.tls = \"verify\", \"verify-ca\" or \"encrypt\"",
        _ => "",
    }
}

/// Of a way to sign in that the driver does not have. MySQL names one at random for an account that does
/// not exist, so that nobody can tell which do.
fn plugin_refusal(plugin: &str) -> String {
    let plugin = one_line(plugin);
    let decoy = if plugin == "sha256_password" {
        "MySQL names it for accounts that do not exist as well: is mysql.user right, and admitted from this machine? Else "
    } else {
        ""
    };
    format!(
        "the server asks to sign in with {plugin}, which bandwatch does not know; {decoy}let the account of mysql.user sign in with caching_sha2_password, mysql_native_password, ed25519 or parsec"
    )
}

/// The driver reads the key from a file instead, which is none: see `options`.
fn is_refused_key(error: &Error) -> bool {
    matches!(error, Error::IoError(error) if error.kind() == ErrorKind::NotFound)
}

/// TLS was agreed on, and then something else came, in the words of the TLS library.
fn is_no_tls(error: &Error) -> bool {
    io_error(error).is_some_and(|error| error.to_string().starts_with("received corrupt message"))
}

/// Whether the driver could make nothing of an answer, and says so in its own words.
fn is_no_mysql(error: &Error) -> bool {
    use DriverError as Driver;
    match error {
        Error::DriverError(error) => matches!(
            error,
            Driver::UnsupportedProtocol(_)
                | Driver::PacketOutOfSync
                | Driver::PacketTooLarge
                | Driver::UnexpectedPacket
                | Driver::Protocol41NotSet
                | Driver::CouldNotParseVersion
                | Driver::InvalidParsecSalt
        ),
        Error::CodecError(_) => io_error(error).is_none(),
        // What was parsed was too short, or not what it should be.
        Error::IoError(error) => {
            error.raw_os_error().is_none()
                && matches!(
                    error.kind(),
                    ErrorKind::UnexpectedEof | ErrorKind::InvalidData
                )
                && error.get_ref().is_some()
        }
        _ => false,
    }
}

/// What the TLS library refuses comes up from below it, as data that is not valid.
fn is_about_certificate(error: &Error) -> bool {
    let is_from_below = matches!(error, Error::CodecError(_));
    let io_error = io_error(error).filter(|_| is_from_below);
    matches!(error, Error::TlsError(_))
        || io_error.is_some_and(|error| error.kind() == ErrorKind::InvalidData)
}

fn io_error(error: &Error) -> Option<&io::Error> {
    match error {
        Error::IoError(error) => Some(error),
        Error::CodecError(codec) => codec.source()?.downcast_ref(),
        _ => None,
    }
}

/// What went wrong, without what to do about it.
pub fn fact_of(error: &Error) -> String {
    let fact = match (error, io_error(error)) {
        (error, _) if is_no_mysql(error) => NotMysql.to_string(),
        (Error::MySqlError(server), _) => format!("{} (error {})", server.message, server.code),
        (Error::TlsError(error), _) => error.to_string(),
        (Error::DriverError(error), _) => error.to_string(),
        (_, Some(error)) => match error.kind() {
            // The system would call it "Resource temporarily unavailable".
            ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_string(),
            // The TLS library would add the address of its manual.
            ErrorKind::UnexpectedEof => "the connection was closed".to_string(),
            _ => error.to_string(),
        },
        (other, None) => other.to_string(),
    };
    one_line(&fact)
}
