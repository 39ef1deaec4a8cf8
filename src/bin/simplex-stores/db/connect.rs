//! Which database and which schema.

use clap::Args;
use simplex_stores::db::{
    DbError,
    postgres::{PostgresConfig, SchemaName},
};

use crate::database_url::DatabaseUrl;

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

impl DatabaseArgs {
    /// The settings that the arguments ask for.
    pub(crate) fn config(&self) -> Result<PostgresConfig, DbError> {
        config(&self.database, &self.schema)
    }

    pub(crate) fn schema(&self) -> &str {
        &self.schema
    }
}

/// The settings for a schema of this database.
pub(crate) fn config(database: &DatabaseUrl, schema: &str) -> Result<PostgresConfig, DbError> {
    let schema: SchemaName = schema.parse()?;
    Ok(PostgresConfig::parse(database.as_str())?.schema(schema))
}
