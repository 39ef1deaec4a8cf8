//! Bringing a database to the agent store's schema.

use crate::db::DatabaseConfig;
use crate::db::migrations::{
    ConfirmMode, Migrated, MigrationError, MigrationTarget, Question, migrate_from,
};
#[cfg(feature = "postgres")]
use crate::db::postgres::{CreateSchema, PostgresConfig, PostgresMigrator, ensure_pgcrypto};
#[cfg(feature = "sqlite")]
use crate::db::sqlite::{SqliteConfig, SqliteMigrator};

use super::migrations::Migrations;

/// How a database may be changed when it is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaOptions {
    /// What may be done to a database that has tables already. A new one is filled without asking.
    pub confirm: ConfirmMode,
    /// Whether a PostgreSQL schema that isn't there is made; without it, that is an error (AS-9).
    pub create_schema: bool,
}

/// Brings a database to the program's version, as far as the options permit; `ask` is called in
/// [`ConfirmMode::Console`] only.
///
/// One process at a time migrates a database; others wait. A new database is made in one transaction, and
/// so is the first one that is found to be empty. Where PostgreSQL lacks the extension pgcrypto, it is made
/// in the schema `public` first.
///
/// # Errors
///
/// [`MigrationError`]; a database that the reference made at an earlier version is
/// [`MigrationError::TooOld`], and stays as it is.
pub fn migrate(
    config: &DatabaseConfig,
    options: SchemaOptions,
    ask: impl FnMut(&Question<'_>) -> bool,
) -> Result<Migrated, MigrationError> {
    match config {
        #[cfg(feature = "sqlite")]
        DatabaseConfig::Sqlite(config) => {
            let mut migrator = SqliteMigrator::open(&with_functions(config))?;
            run(&mut migrator, &super::migrations::SQLITE, options, ask)
        }
        #[cfg(feature = "postgres")]
        DatabaseConfig::Postgres(config) => {
            let mut migrator = open_schema(config, options)?;
            run(&mut migrator, &super::migrations::POSTGRES, options, ask)
        }
    }
}

fn run(
    target: &mut impl MigrationTarget,
    migrations: &Migrations,
    options: SchemaOptions,
    ask: impl FnMut(&Question<'_>) -> bool,
) -> Result<Migrated, MigrationError> {
    migrate_from(target, &migrations.baseline, migrations.list, options.confirm, ask)
}

/// The same settings, with the function that the schema's triggers call (AS-4).
#[cfg(feature = "sqlite")]
pub(super) fn with_functions(config: &SqliteConfig) -> SqliteConfig {
    config.clone().with_functions(super::functions::register)
}

#[cfg(feature = "postgres")]
fn open_schema(
    config: &PostgresConfig,
    options: SchemaOptions,
) -> Result<PostgresMigrator, MigrationError> {
    let create = if options.create_schema { CreateSchema::IfMissing } else { CreateSchema::Never };
    let mut migrator = PostgresMigrator::open(config, create)?;
    if migrator.is_new() {
        migrator.transaction("making sure of pgcrypto", ensure_pgcrypto)?;
    }
    Ok(migrator)
}
