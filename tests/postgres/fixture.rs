//! Databases with the queue store's schema, and how tests look into them.

use simplex_stores::db::migrations::{ConfirmMode, Migrated, MigrationError};
use simplex_stores::db::postgres::{CreateSchema, PostgresConfig};
use simplex_stores::queue_store::postgres::migrations::MIGRATIONS;
use simplex_stores::queue_store::postgres::{SchemaOptions, migrate};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// Makes the schema when it isn't there, and applies whatever is missing.
pub(crate) const UP: SchemaOptions =
    SchemaOptions { create: CreateSchema::IfMissing, confirm: ConfirmMode::YesUp };

/// An empty database.
pub(crate) fn empty() -> TestDatabase {
    Cluster::shared().unwrap().database().unwrap()
}

/// A database with the queue store's schema, and nothing in it.
pub(crate) fn with_schema() -> TestDatabase {
    let scripts =
        MIGRATIONS.iter().flat_map(|one| [one.name, one.up, one.down.unwrap_or_default()]);
    let key: String = scripts.collect();
    let prepare = |url: &str| -> Result<(), MigrationError> {
        migrate_up(&PostgresConfig::parse(url)?).map(drop)
    };
    Cluster::shared().unwrap().database_like(&key, prepare).unwrap()
}

/// Applies all migrations, without asking.
pub(crate) fn migrate_up(config: &PostgresConfig) -> Result<Migrated, MigrationError> {
    migrate(config, UP, |_| panic!("nobody is to be asked"))
}

/// A connection of the driver's own, in the store's schema.
pub(crate) fn client(database: &TestDatabase) -> postgres::Client {
    let mut client = database.client().unwrap();
    client.batch_execute("SET search_path = smp_server").unwrap();
    client
}
