//! Transactions on the one connection.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection::while_busy;
use super::error::classified;
use super::query_stats::QueryLog;
use super::statements;
use crate::db::connection::no_transaction;
use crate::db::tx::Backend;
use crate::db::{DbError, DbErrorKind, Dialect, Params, Row, Sql, Tx, fault};

/// How much of the file a transaction locks when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    /// Others may read, and begin to write: what they write is committed when this transaction has ended.
    Shared,
    /// Others may read, and nobody else may write.
    Immediate,
    /// Nobody else may read or write.
    Exclusive,
}

/// A connection on which each statement is a transaction by itself.
pub(super) struct Autocommit<'c> {
    pub(super) connection: &'c Connection,
    pub(super) log: &'c QueryLog,
}

impl Backend for Autocommit<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn rows(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: &mut dyn FnMut(&mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.log.watch(sql, || statements::rows(self.connection, sql, params, each))?
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.log.watch(sql, || statements::execute(self.connection, sql, params))
    }

    fn has_failed(&self) -> bool {
        false
    }

    fn savepoint(&mut self, _: &mut dyn FnMut(&mut dyn Backend) -> bool) -> Result<(), DbError> {
        Err(no_transaction())
    }
}

/// Runs a statement about a transaction, which is kept prepared.
fn control(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// A transaction; what is neither committed nor taken back when it is dropped is taken back.
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
    log: &'c QueryLog,
    /// How long beginning and committing wait for other processes.
    busy_limit: Duration,
    /// The first statement that failed: none is run after that, and nothing committed, as on other databases
    /// (AS-2).
    failed: Option<DbError>,
}

impl<'c> Transaction<'c> {
    pub(super) fn begin(
        connection: &'c Connection,
        log: &'c QueryLog,
        lock: Lock,
        busy_limit: Duration,
    ) -> Result<Self, DbError> {
        let mut attempt = || {
            let begun = match lock {
                // The lock is taken by the first statement that reads.
                Lock::Shared => {
                    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_master")
                }
                Lock::Immediate => control(connection, "BEGIN IMMEDIATE"),
                Lock::Exclusive => control(connection, "BEGIN EXCLUSIVE"),
            };
            // Of two statements, the first may have begun it.
            if begun.is_err() && !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            begun
        };
        while_busy(busy_limit, &mut attempt).map_err(|error| classified("begin", &error))?;
        Ok(Self { connection, log, busy_limit, failed: None })
    }

    /// Runs `work` and commits what it did when it returned `Ok` and no statement failed, otherwise
    /// takes it back.
    pub(super) fn run<T, E: From<DbError>>(
        mut self,
        label: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let result = work(&mut Tx::on(&mut self));
        let result = match result {
            Ok(value) => self.commit().map(|()| value).map_err(|error| error.within(label).into()),
            Err(error) => Err(error),
        };
        // What was not committed is taken back here.
        drop(self);
        let micros = started.elapsed().as_micros();
        tracing::trace!(label, micros, committed = result.is_ok(), "transaction");
        result
    }

    pub(super) fn commit(&mut self) -> Result<(), DbError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        fault::step("commit");
        // A commit that finds the database busy leaves the transaction as it is.
        while_busy(self.busy_limit, || control(self.connection, "COMMIT"))
            .map_err(|error| classified("commit", &error))
    }

    /// Runs a script of several statements: a migration's, which is the program's or was stored by it.
    pub(super) fn script(&mut self, name: &str, script: &str) -> Result<(), DbError> {
        let done = self.connection.execute_batch(script);
        self.keep(done.map_err(|error| classified(name, &error)))
    }

    /// Notes the first error.
    fn keep<T>(&mut self, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result {
            self.failed.get_or_insert_with(|| error.clone());
        }
        result
    }

    /// Refuses a statement after one that failed, as a server does. What it found or wrote would be of no
    /// transaction: a mark on a bad item of work, say, would seem to be kept and be gone.
    fn usable(&self, name: &str) -> Result<(), DbError> {
        let refused = |failed: &DbError| {
            let problem = format!("not run, for a statement before it failed: {}", failed.doing());
            Err(DbError::new(name, DbErrorKind::Other, problem))
        };
        self.failed.as_ref().map_or(Ok(()), refused)
    }

    /// Runs a statement about the transaction itself.
    fn control(&mut self, name: &str, statement: &str) -> Result<(), DbError> {
        self.script(name, statement)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // A full disk, for one, makes SQLite take everything back by itself.
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::warn!(error = %classified("roll back", &error), "not taken back");
        }
    }
}

impl Backend for Transaction<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn rows(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: &mut dyn FnMut(&mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        self.usable(sql.name())?;
        let done = self.log.watch(sql, || statements::rows(self.connection, sql, params, each));
        self.keep(done)?
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.usable(sql.name())?;
        let done = self.log.watch(sql, || statements::execute(self.connection, sql, params));
        self.keep(done)
    }

    fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Backend) -> bool) -> Result<(), DbError> {
        self.usable("savepoint")?;
        self.control("savepoint", "SAVEPOINT part")?;
        let keep = work(self);
        let failed = self.failed.take();
        if self.connection.is_autocommit() {
            // SQLite has taken the whole transaction back, the part before the savepoint too.
            let taken_back = || DbError::new("savepoint", DbErrorKind::Other, "no transaction");
            let error = failed.unwrap_or_else(taken_back);
            self.failed.get_or_insert_with(|| error.clone());
            return if keep { Err(error) } else { Ok(()) };
        }
        if keep && failed.is_none() {
            return self.control("savepoint", "RELEASE part");
        }
        self.control("savepoint", "ROLLBACK TO part; RELEASE part")?;
        failed.filter(|_| keep).map_or(Ok(()), Err)
    }
}
