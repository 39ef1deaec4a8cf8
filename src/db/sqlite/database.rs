//! A database: its one connection, shared by threads.

use std::fmt;

use rusqlite::Connection;

use super::config::SqliteConfig;
use super::connection;
use super::error::classified;
use super::transaction::{Lock, Transaction};
use crate::db::{DbError, DbErrorKind, Priority, Tx};
use crate::sync::{Closed, PrioritySlot};

/// A database in a file, with one connection that threads share.
pub struct SqliteDatabase {
    config: SqliteConfig,
    slot: PrioritySlot<Connection>,
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
        Ok(Self { config: config.clone(), slot: PrioritySlot::new(connection) })
    }

    /// The settings that it was opened with.
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
        self.with_connection(priority, label, |connection| {
            let transaction = Transaction::begin(connection, Lock::Immediate, limit);
            transaction.map_err(|error| error.within(label))?.run(label, work)
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
        self.with_connection(Priority::Ordinary, "exec sql", |connection| {
            let lines = super::statements::lines(connection, text);
            if !connection.is_autocommit() {
                let undone = connection.execute_batch("ROLLBACK");
                undone.map_err(|error| classified("exec sql", &error))?;
            }
            lines.map_err(|error| classified("exec sql", &error))
        })
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
    /// As [`open`](Self::open).
    pub fn reopen(&self) -> Result<(), DbError> {
        if !self.slot.is_closed() {
            return Ok(());
        }
        let connection = connection::open(&self.config)?;
        // When another thread was faster, its connection stays, and this one is closed.
        drop(self.slot.open(connection));
        Ok(())
    }

    fn with_connection<T, E: From<DbError>>(
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

impl fmt::Debug for SqliteDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteDatabase").field("config", &self.config).finish_non_exhaustive()
    }
}
