//! Which database: a file, or a schema at a server.

use std::{fmt, fs, io, path::Path};

use clap::Args;
use simplex_stores::{
    agent_store::AgentStore,
    db::{DatabaseConfig, DbError, migrations::MigrationError},
};

use crate::{database_url::DatabaseUrl, failure::Failure};

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The database: the path of a SQLite file, or postgres://user@host:port/name
    ///
    /// In the environment it can't be seen in the list of processes, as a password should not.
    #[arg(long, value_name = "FILE|URL", env = "SIMPLEX_STORES_DATABASE", hide_env_values = true)]
    database: DatabaseUrl,
    /// The schema that holds the tables at a server [default: agent_store]
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
}

/// A database that the arguments name.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) config: DatabaseConfig,
    name: String,
}

impl PlaceArgs {
    /// The database, which may not be there yet.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        let config = AgentStore::config(self.database.as_str())?;
        match config {
            #[cfg(feature = "sqlite")]
            DatabaseConfig::Sqlite(config) => {
                if self.schema.is_some() {
                    let problem = "--schema is for a server's database: a file has no schemas";
                    return Err(Failure::usage(problem));
                }
                let name = config.path().display().to_string();
                Ok(Place { config: DatabaseConfig::Sqlite(config), name })
            }
            #[cfg(feature = "postgres")]
            DatabaseConfig::Postgres(config) => {
                let config = match &self.schema {
                    Some(schema) => Box::new(config.schema(schema.parse()?)),
                    None => config,
                };
                let name = format!("the schema {}", config.schema_name());
                Ok(Place { config: DatabaseConfig::Postgres(config), name })
            }
            // The library was built for databases that this program wasn't.
            #[allow(unreachable_patterns, reason = "the list of databases may grow")]
            _ => Err(Failure::usage("this kind of database isn't known here")),
        }
    }

    /// The database, whose file has to be there: no command but `init` makes one.
    pub(crate) fn existing(&self) -> Result<Place, Failure> {
        let place = self.place()?;
        match place.path() {
            None => Ok(place),
            Some(path) => require_file(path).map(|()| place),
        }
    }
}

impl Place {
    /// The file; a server's database has none.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.config {
            #[cfg(feature = "sqlite")]
            DatabaseConfig::Sqlite(config) => Some(config.path()),
            _ => None,
        }
    }

    /// What the database said, with the exit code for it.
    pub(crate) fn failed(&self, error: DbError) -> Failure {
        match self.path() {
            Some(_) => Failure::database_file(error),
            None => error.into(),
        }
    }

    /// Why it was not migrated, with the exit code for it.
    pub(crate) fn not_migrated(&self, error: MigrationError) -> Failure {
        match error {
            MigrationError::Database(error) => self.failed(error),
            error => error.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn require_file(path: &Path) -> Result<(), Failure> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(Failure::reading(path)(io::Error::from(io::ErrorKind::IsADirectory)))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::file(path, &error, "check the path, or make it with `agent init`"))
        }
        Err(error) => Err(Failure::reading(path)(error)),
    }
}
