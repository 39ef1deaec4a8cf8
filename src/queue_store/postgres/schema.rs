//! Bringing a database to the queue store's schema.

use crate::db::DbError;
use crate::db::migrations::{
    self, AppliedMigration, ConfirmMode, DownMigration, Migrated, Migration, MigrationError,
    MigrationTarget, Question,
};
use crate::db::postgres::{CreateSchema, PostgresConfig, PostgresMigrator, ensure_pgcrypto};

use super::migrations::MIGRATIONS;

/// How a database may be changed when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaOptions {
    /// What to do when the schema isn't there.
    pub create: CreateSchema,
    /// What may be done to a schema that is.
    pub confirm: ConfirmMode,
}

/// Brings the schema that the settings name to the program's version, as far as the options permit;
/// `ask` is called in [`ConfirmMode::Console`] only.
///
/// One process at a time migrates a schema; others wait. Each migration is one transaction. The
/// triggers need the function `digest` of the extension pgcrypto in the schema `public`: it is made
/// there, when it is missing, before a migration is applied.
///
/// # Errors
///
/// [`MigrationError`]. Where the extension is missing, and may not be made by this user, no migration is
/// applied.
pub fn migrate(
    config: &PostgresConfig,
    options: SchemaOptions,
    ask: impl FnMut(&Question<'_>) -> bool,
) -> Result<Migrated, MigrationError> {
    let mut schema = QueueSchema(PostgresMigrator::open(config, options.create)?);
    migrations::migrate(&mut schema, MIGRATIONS, options.confirm, ask)
}

/// A schema that is given the extension before anything is applied to it.
struct QueueSchema(PostgresMigrator);

impl MigrationTarget for QueueSchema {
    fn is_new(&self) -> bool {
        self.0.is_new()
    }

    fn applied(&mut self) -> Result<Vec<AppliedMigration>, DbError> {
        self.0.applied()
    }

    fn apply(&mut self, migration: &Migration) -> Result<(), DbError> {
        self.0.transaction("making sure of pgcrypto", ensure_pgcrypto)?;
        self.0.apply(migration)
    }

    fn fill(&mut self, migrations: &[Migration], script: &str) -> Result<(), DbError> {
        self.0.transaction("making sure of pgcrypto", ensure_pgcrypto)?;
        self.0.fill(migrations, script)
    }

    fn undo(&mut self, migration: &DownMigration) -> Result<(), DbError> {
        self.0.undo(migration)
    }
}
