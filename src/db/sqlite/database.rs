//! A database: its one connection, shared by threads.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::Connection;

use super::config::SqliteConfig;
use super::connection;
use super::error::classified;
use super::key::{DatabaseKey, KeptKey};
use super::query_stats::{QueryLog, QueryStats};
use super::transaction::{Autocommit, Lock, Transaction};
use crate::db::{DbError, DbErrorKind, Priority, Tx};
use crate::sync::{Closed, Mutex, PrioritySlot};

/// A database in a file, with one connection that threads share.
pub struct SqliteDatabase {
    /// Without the key.
    config: SqliteConfig,
    /// Changes only together with the slot becoming open (AS-6).
    kept_key: Mutex<KeptKey>,
    slot: PrioritySlot<Connection>,
    log: QueryLog,
}

impl SqliteDatabase {
    /// Opens the file, and makes it and its folder when they aren't there.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Connect`], [`DbErrorKind::Denied`] or [`DbErrorKind::Damaged`] when the file
    /// can't be opened, [`DbErrorKind::LockTimeout`] when another process keeps it locked.
    pub fn open(config: &SqliteConfig) -> Result<Self, DbError> {
        let connection = connection::open(config)?;
        let key = config.key.clone();
        Ok(Self {
            config: SqliteConfig { key: None, ..config.clone() },
            kept_key: Mutex::new(KeptKey::of(key, config.keep_key)),
            slot: PrioritySlot::new(connection),
            log: QueryLog::new(config.tracking),
        })
    }

    /// The settings that it was opened with, without the key.
    pub fn config(&self) -> &SqliteConfig {
        &self.config
    }

    /// Runs `work` as one transaction: committed when it returns `Ok` and none of its statements failed
    /// outside a savepoint, otherwise taken back whole. The label names it in errors and logs.
    ///
    /// A transaction takes the write lock when it begins, and waits for other threads and processes
    /// before that. `work` runs once at most.
    ///
    /// # Errors
    ///
    /// What `work` returned; or why it could not be begun or committed:
    /// [`DbErrorKind::LockTimeout`] when another process keeps the database locked,
    /// [`DbErrorKind::Closed`] after [`close`](Self::close).
    pub fn transaction<T, E: From<DbError>>(
        &self,
        priority: Priority,
        label: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let limit = self.config.busy_limit;
        self.exclusively(priority, label, |connection| {
            let transaction = Transaction::begin(connection, &self.log, Lock::Immediate, limit);
            transaction.map_err(|error| error.within(label))?.run(label, work)
        })
    }

    /// Runs `work` on the connection without a transaction: each statement is one by itself. The label
    /// names it in errors.
    ///
    /// # Errors
    ///
    /// What `work` returned; [`DbErrorKind::Closed`] after [`close`](Self::close).
    pub fn with_connection<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut crate::db::Connection<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.exclusively(Priority::Ordinary, label, |connection| {
            let mut statements = Autocommit { connection, log: &self.log };
            let result = work(&mut crate::db::Connection::on(&mut statements));
            end_transaction(connection).map_err(|error| error.within(label))?;
            result
        })
    }

    /// Runs any statements and gives what they select as lines of text: the names of the columns and each
    /// row, joined by `|`, nothing for NULL. Every statement is a transaction by
    /// itself, unless the text begins one. For operators; values in the text are the caller's concern.
    ///
    /// # Errors
    ///
    /// What SQLite said; what was done before that stays, unless the text began a transaction.
    pub fn exec_sql(&self, text: &str) -> Result<Vec<String>, DbError> {
        self.exclusively(Priority::Ordinary, "exec sql", |connection| {
            let lines = super::statements::lines(connection, text);
            end_transaction(connection).map_err(|error| error.within("exec sql"))?;
            lines.map_err(|error| classified("exec sql", &error))
        })
    }

    /// What is known of the statements that were run on it, by their text: of those that failed, and of
    /// those whose times the settings have [kept](SqliteConfig::track_queries). Closing and opening it again
    /// changes nothing.
    pub fn query_stats(&self) -> BTreeMap<String, QueryStats> {
        self.log.stats()
    }

    /// Waits until nobody uses the connection, and closes it. A closed database stays closed.
    ///
    /// # Errors
    ///
    /// What SQLite said; the database is closed all the same.
    pub fn close(&self) -> Result<(), DbError> {
        let Ok(taken) = self.slot.take(Priority::Ordinary) else { return Ok(()) };
        let Some(connection) = taken.close() else { return Ok(()) };
        connection.close().map_err(|(_, error)| classified("close", &error))
    }

    /// Opens a closed database again; an open one stays as it is (AS-6). When it can't be opened, it stays
    /// closed.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`DbErrorKind::Settings`] when the file is encrypted and its key
    /// [was not kept](SqliteConfig::encrypted).
    pub fn reopen(&self) -> Result<(), DbError> {
        let key = {
            let kept = self.kept_key.lock();
            if !self.slot.is_closed() {
                return Ok(());
            }
            match &*kept {
                KeptKey::NotNeeded => None,
                KeptKey::Kept(key) => Some(key.clone()),
                KeptKey::Forgotten => {
                    let problem = "the key was not kept: open it with the key";
                    return Err(DbError::new("reopen", DbErrorKind::Settings, problem));
                }
            }
        };
        self.reopen_with_key(key, true)
    }

    /// Opens a closed database again with a key, or with none, and says whether to keep it from now on
    /// (AS-7); an open one stays as it is. When it can't be opened, it stays closed, and what was
    /// kept before is still kept (AS-6).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn reopen_with_key(&self, key: Option<DatabaseKey>, keep: bool) -> Result<(), DbError> {
        if !self.slot.is_closed() {
            return Ok(());
        }
        let connection =
            connection::open(&SqliteConfig { key: key.clone(), ..self.config.clone() })?;
        let mut kept = self.kept_key.lock();
        // When another thread was faster, its connection stays, and this one is closed.
        if self.slot.open(connection).is_ok() {
            *kept = KeptKey::of(key, keep);
        }
        Ok(())
    }

    fn exclusively<T, E: From<DbError>>(
        &self,
        priority: Priority,
        label: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let closed = || DbError::new(label, DbErrorKind::Closed, "the database is closed");
        let mut taken = self.slot.take(priority).map_err(|Closed| closed())?;
        work(taken.value().ok_or_else(closed)?)
    }
}

/// Takes back what a statement began and none ended.
fn end_transaction(connection: &Connection) -> Result<(), DbError> {
    if connection.is_autocommit() {
        return Ok(());
    }
    connection.execute_batch("ROLLBACK").map_err(|error| classified("roll back", &error))
}

/// Runs `work` as a transaction that only reads, on a connection of its own, and sees the database as it was
/// at one moment. A file that isn't there isn't made.
pub(in crate::db) fn snapshot<T, E: From<DbError>>(
    config: &SqliteConfig,
    label: &'static str,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let connection = connection::open_to_read(config)?;
    let log = QueryLog::new(config.tracking);
    let transaction = Transaction::begin(&connection, &log, Lock::Shared, config.busy_limit);
    let begun = transaction
        .map_err(|error| error.within(&config.path.display().to_string()).within(label))?;
    begun.run(label, work)
}

impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDatabase").field("config", &self.config).finish_non_exhaustive()
    }
}
