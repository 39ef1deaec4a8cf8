//! Which database and which schema.

use std::{convert::Infallible, fmt, str::FromStr};

use clap::Args;
use simplex_stores::db::{
    DbError,
    postgres::{PostgresConfig, SchemaName},
};

/// Where the database is.
#[derive(Clone, Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// The database: postgres://user@host:port/name, or pairs such as host=… user=… dbname=…
    ///
    /// In the environment it can't be seen in the list of processes, as a password should not.
    #[arg(long, value_name = "URL", env = "SIMPLEX_STORES_DATABASE", hide_env_values = true)]
    database: DatabaseUrl,
    /// The schema that holds the tables.
    #[arg(long, value_name = "NAME", default_value = "smp_server")]
    schema: String,
}

/// A URL that may hold a password, which `Debug` doesn't show.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

impl DatabaseUrl {
    /// The settings for a schema of this database.
    pub(crate) fn config(&self, schema: &str) -> Result<PostgresConfig, DbError> {
        let schema: SchemaName = schema.parse()?;
        Ok(PostgresConfig::parse(&self.0)?.schema(schema))
    }
}

impl DatabaseArgs {
    /// The settings that the arguments ask for.
    pub(crate) fn config(&self) -> Result<PostgresConfig, DbError> {
        self.database.config(&self.schema)
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }
}
