//! Where runs keep what they remember: `state = "files"`, `state = "mysql"`, or a table `[state]` that says
//! which server keeps it.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::database::{DatabaseSettings, Tls};
use super::value;

/// Where the state is kept.
#[derive(Debug, Clone, Default)]
pub enum StateKeeping {
    /// In files of `state_dir`.
    #[default]
    Files,
    /// In tables of a server.
    Tables(TableSettings),
}

/// How to reach the server of the tables, where that differs from `[mysql]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TableSettings {
    /// Servers of one cluster, each with a port or without; the first that answers is used.
    hosts: Vec<String>,
    socket: Option<PathBuf>,
    user: Option<String>,
    database: Option<String>,
    password_file: Option<PathBuf>,
    tls: Option<Tls>,
    ca_file: Option<PathBuf>,
}

impl TableSettings {
    /// The servers, each with all that reaching it needs.
    pub(super) fn servers(&self, of_rows: &DatabaseSettings) -> Result<Vec<DatabaseSettings>> {
        let mut server = of_rows.clone();
        if let Some(user) = &self.user {
            server.sign_in_as(user.clone(), self.password_file.clone());
        } else if self.password_file.is_some() {
            server.sign_in_as(server.user.clone(), self.password_file.clone());
        }
        if let Some(database) = &self.database {
            server.database.clone_from(database);
        }
        if !self.hosts.is_empty() || self.socket.is_some() {
            server.socket.clone_from(&self.socket);
        }
        server.secure_by(self.tls, self.ca_file.clone());
        if self.hosts.is_empty() {
            return Ok(vec![server.checked()?]);
        }
        let servers = self.hosts.iter().map(|host| {
            let mut server = server.clone();
            (server.host, server.port) =
                address(host, server.port).map_err(|error| anyhow!("state.hosts: {error}"))?;
            server.checked()
        });
        servers.collect()
    }
}

/// A host, or a host and a port.
fn address(text: &str, usual_port: u16) -> Result<(String, u16), String> {
    if let Ok(host) = value::parse_host(text.to_string()) {
        return Ok((host, usual_port));
    }
    let parts = text.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let (host, port) = parts.ok_or(format!(
        "{text:?} is not a host; allowed: such as \"10.0.0.7\" or \"db.example.com:3307\""
    ))?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Ok((value::parse_host(host.to_string())?, port))
}

impl<'de> Deserialize<'de> for StateKeeping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keeping;

        impl<'de> Visitor<'de> for Keeping {
            type Value = StateKeeping;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("\"files\", \"mysql\" or a table [state]")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
                match word {
                    "files" => Ok(StateKeeping::Files),
                    "mysql" => Ok(StateKeeping::Tables(TableSettings::default())),
                    _ => Err(E::custom(format!(
                        "{word:?} is no way to keep the state; allowed: \"files\", \"mysql\", or a table [state] with the server"
                    ))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                TableSettings::deserialize(MapAccessDeserializer::new(map))
                    .map(StateKeeping::Tables)
            }
        }

        deserializer.deserialize_any(Keeping)
    }
}

impl JsonSchema for StateKeeping {
    fn schema_name() -> Cow<'static, str> {
        "StateKeeping".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<TableSettings>();
        json_schema!({ "anyOf": [{ "enum": ["files", "mysql"] }, table] })
    }
}
