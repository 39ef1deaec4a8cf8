//! A PostgreSQL schema whose migrations one process has for itself.

use std::time::Duration;

use super::config::PostgresConfig;
use super::connection::{Connection, Limits};
use super::error::classified;
use super::transaction::{Kind, Statements, Transaction};
use crate::db::migrations::{AppliedMigration, DownMigration, Migration, MigrationTarget};
use crate::db::{DbError, DbErrorKind, Sql};

/// Held by the session until its end, also when the process is killed.
const LOCK: Sql = Sql::new(
    "waiting for another process's migration",
    "SELECT 1 FROM pg_advisory_lock(hashtextextended('simplex-stores migrations: ' || $1, 0))",
);
const SCHEMA_EXISTS: Sql =
    Sql::new("looking for the schema", "SELECT count(*) FROM pg_namespace WHERE nspname = $1");
/// An interrupted first start leaves a schema with nothing in it but the table of migrations.
const TABLES: Sql = Sql::new(
    "looking into the schema",
    "SELECT count(*)
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname <> 'migrations'",
);
const NAME_SCHEMA: Sql =
    Sql::new("naming the schema", "SELECT set_config('simplex_stores.schema', $1, true)");
/// A statement that creates takes no parameters; the name is quoted by the server.
const CREATE_SCHEMA: &str = "DO $$ BEGIN
     EXECUTE format('CREATE SCHEMA %I', current_setting('simplex_stores.schema'));
   END $$";
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS migrations (
     name text NOT NULL PRIMARY KEY,
     ts timestamp without time zone NOT NULL,
     down text
   )";
const LIST: Sql =
    Sql::new("reading migrations", "SELECT name, down FROM migrations ORDER BY name COLLATE \"C\"");
const RECORD: Sql = Sql::new(
    "recording a migration",
    "INSERT INTO migrations (name, ts, down) VALUES ($1, now() AT TIME ZONE 'UTC', $2)",
);
const FORGET: Sql =
    Sql::new("removing a migration's record", "DELETE FROM migrations WHERE name = $1");

/// What to do when the schema isn't there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateSchema {
    /// It is made (PG-39).
    IfMissing,
    /// It is an error (PG-39).
    Never,
}

/// A schema whose migrations this process has for itself.
///
/// It keeps a connection with a lock of the server; two processes that migrate one schema take turns.
/// The lock ends with the connection, that is, when this value is dropped or the process ends in
/// whatever way. Through a proxy that gives a session's transactions to several connections of the
/// server, such a lock means nothing: migrate on a direct connection.
pub struct PostgresMigrator {
    connection: Connection,
    new: bool,
}

impl PostgresMigrator {
    /// Connects, waits for other processes that migrate the schema, and makes the schema if it isn't
    /// there and may be made.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::LockTimeout`] when another process migrates for longer than the settings allow to
    /// wait, [`DbErrorKind::Schema`] when the schema isn't there and may not be made, or what kept it
    /// from being connected or made.
    pub fn open(config: &PostgresConfig, create: CreateSchema) -> Result<Self, DbError> {
        let limits = Limits {
            statement: Duration::ZERO,
            lock: config.migration_lock_timeout,
            idle_transaction: Duration::ZERO,
        };
        let connection = Connection::open(config, &limits)?;
        let mut migrator = Self { connection, new: false };
        let schema = config.schema.as_str();
        migrator.transaction("opening the schema", |tx| {
            tx.query_one(&LOCK, &[&schema])?;
            Ok(())
        })?;
        migrator.new =
            migrator.transaction("opening the schema", |tx| open_schema(tx, schema, create))?;
        Ok(migrator)
    }

    /// Runs `work` as one transaction of the migrator's own connection.
    ///
    /// # Errors
    ///
    /// What `work` returned, or why it could not be begun or committed.
    pub fn transaction<T>(
        &mut self,
        label: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let transaction = Transaction::begin(&mut self.connection, Kind::ReadCommitted);
        transaction.map_err(|error| error.within(label))?.run(label, work).result
    }
}

/// Whether there was nothing in the schema before.
fn open_schema(
    tx: &mut Transaction<'_>,
    schema: &str,
    create: CreateSchema,
) -> Result<bool, DbError> {
    if count(tx, &SCHEMA_EXISTS, schema)? > 0 {
        return Ok(count(tx, &TABLES, schema)? == 0);
    }
    if create == CreateSchema::Never {
        let problem = format!("there is no schema {schema}; create it, or name the right one");
        return Err(DbError::new(SCHEMA_EXISTS.name(), DbErrorKind::Schema, problem));
    }
    tx.query_one(&NAME_SCHEMA, &[&schema])?;
    tx.script("creating the schema", CREATE_SCHEMA)?;
    Ok(true)
}

fn count(tx: &mut Transaction<'_>, sql: &Sql, schema: &str) -> Result<i64, DbError> {
    let row = tx.query_one(sql, &[&schema])?;
    row.try_get(0).map_err(|error| classified(sql.name(), &error))
}

impl MigrationTarget for PostgresMigrator {
    fn is_new(&self) -> bool {
        self.new
    }

    fn applied(&mut self) -> Result<Vec<AppliedMigration>, DbError> {
        self.transaction("reading migrations", |tx| {
            tx.script("creating the table of migrations", HISTORY)?;
            let rows = tx.query(&LIST, &[])?;
            rows.iter().map(applied_migration).collect()
        })
    }

    fn apply(&mut self, migration: &Migration) -> Result<(), DbError> {
        self.fill(std::slice::from_ref(migration), migration.up)
    }

    fn fill(&mut self, migrations: &[Migration], script: &str) -> Result<(), DbError> {
        self.transaction("applying a migration", |tx| {
            for migration in migrations {
                tx.execute(&RECORD, &[&migration.name, &migration.down])?;
            }
            let name = migrations.last().map_or("no migration", |last| last.name);
            tx.script(name, script)
        })
    }

    fn undo(&mut self, migration: &DownMigration) -> Result<(), DbError> {
        self.transaction("undoing a migration", |tx| {
            tx.script(&migration.name, &migration.down)?;
            tx.execute(&FORGET, &[&migration.name]).map(drop)
        })
    }
}

fn applied_migration(row: &postgres::Row) -> Result<AppliedMigration, DbError> {
    let mut columns = super::Columns::of("migrations", row);
    Ok(AppliedMigration { name: columns.next("name")?, down: columns.next("down")? })
}
