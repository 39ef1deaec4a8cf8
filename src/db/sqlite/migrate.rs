//! A database file whose migrations one process has for itself.

use rusqlite::Connection;

use super::backup::back_up;
use super::config::SqliteConfig;
use super::connection;
use super::error::classified;
use super::query_stats::{QueryLog, QueryTracking};
use super::transaction::{Lock, Transaction};
use crate::db::migrations::{AppliedMigration, DownMigration, Migration, MigrationTarget};
use crate::db::tx::Backend;
use crate::db::{DbError, Row, Sql, Tx, UtcTime};

/// An interrupted first start leaves a file with nothing in it but the table of migrations.
const TABLES: Sql = Sql::new(
    "looking into the file",
    "SELECT count(*) AS count FROM sqlite_master
      WHERE name <> 'migrations' AND name NOT LIKE 'sqlite_%'",
);
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS migrations (
  name TEXT NOT NULL PRIMARY KEY,
  ts TEXT NOT NULL,
  down TEXT
) STRICT";
/// Old databases have the table without the column.
const HAS_DOWN: Sql = Sql::new(
    "looking at the table of migrations",
    "SELECT count(*) AS count FROM pragma_table_info('migrations') WHERE name = 'down'",
);
const ADD_DOWN: &str = "ALTER TABLE migrations ADD COLUMN down TEXT";
const LIST: Sql = Sql::new("reading migrations", "SELECT name, down FROM migrations ORDER BY name");
const RECORD: Sql = Sql::new(
    "recording a migration",
    "INSERT INTO migrations (name, ts, down) VALUES ($1, $2, $3)",
);
const FORGET: Sql =
    Sql::new("removing a migration's record", "DELETE FROM migrations WHERE name = $1");

/// A file whose migrations this process has for itself.
///
/// It keeps a connection with SQLite's exclusive lock on the file; others wait, or find it busy. The
/// lock ends with the connection, that is, when this value is dropped or the process ends in whatever
/// way.
pub struct SqliteMigrator {
    connection: Connection,
    log: QueryLog,
    config: SqliteConfig,
    new: bool,
}

impl SqliteMigrator {
    /// Opens the file, or makes it, and waits until no other process uses it.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::LockTimeout`](crate::db::DbErrorKind::LockTimeout) when another process uses the
    /// file for longer than the settings allow to wait, or what kept it from being opened.
    pub fn open(config: &SqliteConfig) -> Result<Self, DbError> {
        let patient = config.clone().busy_limit(config.migration_lock_limit);
        let connection = connection::open(&patient)?;
        let failed = |error: rusqlite::Error| classified("locking the file", &error);
        connection.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(())).map_err(failed)?;
        let log = QueryLog::new(QueryTracking::Off);
        let mut migrator = Self { connection, log, config: patient, new: false };
        migrator.new = migrator.transaction("waiting until nobody uses the file", |tx| {
            count(tx, &TABLES).map(|count| count == 0)
        })?;
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
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.begin(label)?.run(label, work)
    }

    fn begin(&self, label: &'static str) -> Result<Transaction<'_>, DbError> {
        // Once it was had, the lock stays with the connection: its mode is exclusive.
        Transaction::begin(&self.connection, &self.log, Lock::Exclusive, self.config.busy_limit)
            .map_err(|error| error.within(label))
    }

    /// Runs `work` on a transaction with scripts, and commits it.
    fn scripted<T>(
        &mut self,
        label: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut transaction = self.begin(label)?;
        let value = work(&mut transaction).map_err(|error| error.within(label))?;
        transaction.commit().map_err(|error| error.within(label))?;
        Ok(value)
    }
}

fn count(tx: &mut Tx<'_>, sql: &Sql) -> Result<i64, DbError> {
    tx.query_one(sql, &[], |row| row.next("sqlite_master.count"))
}

impl MigrationTarget for SqliteMigrator {
    fn is_new(&self) -> bool {
        self.new
    }

    fn applied(&mut self) -> Result<Vec<AppliedMigration>, DbError> {
        self.scripted("reading migrations", |transaction| {
            transaction.script("creating the table of migrations", HISTORY)?;
            if count(&mut Tx::on(transaction), &HAS_DOWN)? == 0 {
                transaction.script("completing the table of migrations", ADD_DOWN)?;
            }
            Tx::on(transaction).query(&LIST, &[], applied_migration)
        })
    }

    fn apply(&mut self, migration: &Migration) -> Result<(), DbError> {
        self.fill(std::slice::from_ref(migration), migration.up)
    }

    fn fill(&mut self, migrations: &[Migration], script: &str) -> Result<(), DbError> {
        self.scripted("applying migrations", |transaction| {
            for migration in migrations {
                let values: [&dyn crate::db::ToParam; 3] =
                    [&migration.name, &UtcTime::now(), &migration.down];
                transaction.execute(&RECORD, &values)?;
            }
            let name = migrations.last().map_or("no migration", |last| last.name);
            transaction.script(name, script)
        })
    }

    fn undo(&mut self, migration: &DownMigration) -> Result<(), DbError> {
        self.scripted("undoing a migration", |transaction| {
            transaction.script(&migration.name, &migration.down)?;
            transaction.execute(&FORGET, &[&migration.name]).map(drop)
        })
    }

    fn back_up(&mut self) -> Result<(), DbError> {
        let Some(target) = self.config.backup_path() else { return Ok(()) };
        tracing::info!(target = %target.display(), "backing up before migrating");
        back_up(&self.connection, &target, self.config.key.as_ref())
    }

    fn migrated_up(&mut self) -> Result<(), DbError> {
        if !self.config.vacuum {
            return Ok(());
        }
        let compacted = self.connection.execute_batch("VACUUM");
        compacted.map_err(|error| classified("compacting", &error))
    }
}

fn applied_migration(row: &mut Row<'_>) -> Result<AppliedMigration, DbError> {
    Ok(AppliedMigration { name: row.next("migrations.name")?, down: row.next("migrations.down")? })
}
