//! Where the state is kept.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::claim::{self, Use};
use crate::config::{DatabaseSettings, Deadline};
use crate::series::shard::Shard;

/// A directory of files, or tables of a server.
#[derive(Debug, Clone)]
pub enum Place {
    Directory(PathBuf),
    Tables(TablesPlace),
}

#[derive(Debug, Clone)]
pub struct TablesPlace {
    /// Of one cluster: the first that answers is used.
    pub servers: Vec<DatabaseSettings>,
    /// Where it is remembered, as long as no server can be reached, that this was told.
    pub stand_in: PathBuf,
    /// The end of the run.
    pub deadline: Deadline,
}

impl Place {
    /// Refuses a state of another user, of another configuration or shard, or in a folder of something else.
    pub fn check_use(
        &self,
        wanted: Use,
        configuration: Option<&Path>,
        shard: Option<Shard>,
    ) -> Result<()> {
        match self {
            Self::Directory(dir) => claim::check_use(dir, wanted, configuration, shard),
            // Tables are for all who may write into them.
            Self::Tables(_) => Ok(()),
        }
    }

    /// What to say of a run that makes the state for root, where nothing tells that another user is meant to.
    pub fn explain_making(&self) -> Option<String> {
        match self {
            Self::Directory(dir) => claim::explain_making(dir),
            Self::Tables(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Directory(dir) => write!(formatter, "{}", dir.display()),
            Self::Tables(tables) => {
                let database = tables.servers.first().map_or("", |server| &server.database);
                let servers = tables.servers.iter().map(DatabaseSettings::server);
                let servers = servers.collect::<Vec<_>>().join(", ");
                write!(formatter, "the tables of {database} on {servers}")
            }
        }
    }
}
