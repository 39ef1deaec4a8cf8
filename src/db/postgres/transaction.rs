//! Statements, in a transaction or each by itself.

use std::time::Instant;

use postgres::types::ToSql;
use postgres::{Client, GenericClient, IsolationLevel, Row, Statement};

use super::connection::{Connection, Prepared};
use super::error::classified;
use crate::db::{DbError, DbErrorKind, Sql, fault};

/// The values bound to a statement's `$1`, `$2` and so on.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Where statements run: in a [`Transaction`], or in a [`Session`] each by itself.
///
/// A statement is prepared when a connection meets it first, and kept. Errors name the statement.
pub trait Statements {
    /// All rows that a statement gives.
    ///
    /// # Errors
    ///
    /// What the server refused, or [`DbErrorKind::Lost`].
    fn query(&mut self, sql: &Sql, params: Params<'_>) -> Result<Vec<Row>, DbError>;

    /// How many rows a statement changed.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError>;

    /// The row that a statement gives, if it gives one.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query); also when there is more than one row.
    fn query_opt(&mut self, sql: &Sql, params: Params<'_>) -> Result<Option<Row>, DbError> {
        let mut rows = self.query(sql, params)?;
        let row = rows.pop();
        if rows.is_empty() {
            return Ok(row);
        }
        Err(DbError::new(
            sql.name(),
            DbErrorKind::Other,
            "more than one row where one was expected",
        ))
    }

    /// The one row that a statement gives.
    ///
    /// # Errors
    ///
    /// As [`query_opt`](Self::query_opt); also when there is no row.
    fn query_one(&mut self, sql: &Sql, params: Params<'_>) -> Result<Row, DbError> {
        let row = self.query_opt(sql, params)?;
        row.ok_or_else(|| {
            DbError::new(sql.name(), DbErrorKind::Other, "no row where one was expected")
        })
    }
}

fn prepared(
    client: &mut impl GenericClient,
    prepared: &mut Prepared,
    sql: &Sql,
) -> Result<Statement, DbError> {
    if let Some(statement) = prepared.get(&sql.postgres_key()) {
        return Ok(statement.clone());
    }
    let statement =
        client.prepare(&sql.postgres()).map_err(|error| classified(sql.name(), &error))?;
    prepared.insert(sql.postgres_key(), statement.clone());
    Ok(statement)
}

/// What a transaction sees and may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each statement sees what was committed when it began: the server's default (PG-8).
    ReadCommitted,
    /// Only reads, and everything as it was at one moment.
    Snapshot,
}

/// A transaction, or what happens since one of its savepoints.
pub struct Transaction<'c> {
    inner: postgres::Transaction<'c>,
    prepared: &'c mut Prepared,
    /// The first statement that failed: the server refuses all that follow (AS-2).
    failed: Option<DbError>,
}

impl<'c> Transaction<'c> {
    pub(super) fn begin(connection: &'c mut Connection, kind: Kind) -> Result<Self, DbError> {
        let Connection { client, prepared, .. } = connection;
        let inner = match kind {
            Kind::ReadCommitted => client.transaction(),
            Kind::Snapshot => {
                let builder = client.build_transaction().read_only(true);
                builder.isolation_level(IsolationLevel::RepeatableRead).start()
            }
        };
        let inner = inner.map_err(|error| classified("begin", &error))?;
        Ok(Self { inner, prepared, failed: None })
    }

    /// Runs `work` and commits what it did when it returned `Ok` and no statement failed, otherwise
    /// takes it back.
    pub(super) fn run<T, E: From<DbError>>(
        mut self,
        label: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Ended<T, E> {
        let started = Instant::now();
        let result = work(&mut self);
        fault::step("commit");
        let ended = self.end(label, result);
        let micros = started.elapsed().as_micros();
        tracing::trace!(label, micros, committed = ended.result.is_ok(), "transaction");
        ended
    }

    fn end<T, E: From<DbError>>(self, label: &str, result: Result<T, E>) -> Ended<T, E> {
        let lost = self.failed.as_ref().is_some_and(DbError::is_lost);
        let (result, ended) = match (result, self.failed) {
            (Ok(value), None) => match self.inner.commit() {
                Ok(()) => (Ok(value), Ok(())),
                Err(error) => {
                    let error = classified("commit", &error).of_a_commit().within(label);
                    (Err(error.clone().into()), Err(error))
                }
            },
            (Ok(_), Some(error)) => (Err(error.within(label).into()), roll_back(self.inner)),
            (Err(error), _) => (Err(error), roll_back(self.inner)),
        };
        Ended { result, lost: lost || ended.is_err_and(|error| error.is_lost()) }
    }

    /// Runs `work` behind a savepoint (AS-2): when it fails, what it did is taken back and the rest of
    /// the transaction goes on.
    ///
    /// # Errors
    ///
    /// What `work` returned, or what kept the savepoint from being set.
    pub fn savepoint<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let inner = match self.inner.transaction() {
            Ok(inner) => inner,
            Err(error) => {
                let error = classified("savepoint", &error);
                self.failed.get_or_insert_with(|| error.clone());
                return Err(error.into());
            }
        };
        let mut part = Transaction { inner, prepared: &mut *self.prepared, failed: None };
        let result = work(&mut part);
        let ended = part.end("savepoint", result);
        if ended.lost {
            let lost = || DbError::new("savepoint", DbErrorKind::Lost, "connection closed");
            self.failed.get_or_insert_with(lost);
        }
        ended.result
    }

    /// Runs each row of a statement's result through `each`, without holding them all.
    ///
    /// # Errors
    ///
    /// What the statement or `each` failed with.
    pub fn query_each<E: From<DbError>>(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        mut each: impl FnMut(Row) -> Result<(), E>,
    ) -> Result<(), E> {
        use postgres::fallible_iterator::FallibleIterator as _;

        let statement = prepared(&mut self.inner, self.prepared, sql);
        let statement = keep(&mut self.failed, statement)?;
        let failed = &mut self.failed;
        let rows = self.inner.query_raw(&statement, params.iter().copied());
        let mut rows = keep(failed, rows.map_err(|error| classified(sql.name(), &error)))?;
        loop {
            let row = rows.next().map_err(|error| classified(sql.name(), &error));
            match keep(failed, row)? {
                Some(row) => each(row)?,
                None => return Ok(()),
            }
        }
    }

    fn statement<T>(
        &mut self,
        sql: &Sql,
        run: impl FnOnce(&mut postgres::Transaction<'c>, &Statement) -> Result<T, postgres::Error>,
    ) -> Result<T, DbError> {
        let result = prepared(&mut self.inner, self.prepared, sql).and_then(|statement| {
            run(&mut self.inner, &statement).map_err(|error| classified(sql.name(), &error))
        });
        keep(&mut self.failed, result)
    }

    /// Whether a statement failed: the server refuses all that follow.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The driver's transaction, and where to note that a statement failed.
    pub(super) fn parts(&mut self) -> (&mut postgres::Transaction<'c>, &mut Option<DbError>) {
        (&mut self.inner, &mut self.failed)
    }

    /// Runs a script of several statements: a migration's, which is the program's or was stored by it.
    pub(super) fn script(&mut self, name: &str, script: &str) -> Result<(), DbError> {
        let done = self.inner.batch_execute(script).map_err(|error| classified(name, &error));
        keep(&mut self.failed, done)
    }
}

/// Notes the first error of a transaction.
fn keep<T>(failed: &mut Option<DbError>, result: Result<T, DbError>) -> Result<T, DbError> {
    if let Err(error) = &result {
        failed.get_or_insert_with(|| error.clone());
    }
    result
}

/// Takes everything back. When the connection is gone, the server does so on its own.
fn roll_back(inner: postgres::Transaction<'_>) -> Result<(), DbError> {
    let done = inner.rollback().map_err(|error| classified("roll back", &error));
    if let Err(error) = &done {
        tracing::debug!(%error, "the connection ended before its transaction was taken back");
    }
    done
}

/// How a transaction ended.
pub(super) struct Ended<T, E> {
    pub(super) result: Result<T, E>,
    /// Whether its connection is gone.
    pub(super) lost: bool,
}

impl Statements for Transaction<'_> {
    fn query(&mut self, sql: &Sql, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        self.statement(sql, |inner, statement| inner.query(statement, params))
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.statement(sql, |inner, statement| inner.execute(statement, params))
    }
}

/// A connection whose statements are each a transaction by themselves.
///
/// When the connection breaks, the outcome of the statement that was running is not known:
/// [`DbErrorKind::Unclear`].
pub struct Session<'c> {
    connection: &'c mut Connection,
    lost: bool,
}

impl<'c> Session<'c> {
    pub(super) fn on(connection: &'c mut Connection) -> Self {
        Self { connection, lost: false }
    }

    /// Whether the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    fn run<T>(
        &mut self,
        sql: &Sql,
        run: impl FnOnce(&mut Client, &Statement) -> Result<T, postgres::Error>,
    ) -> Result<T, DbError> {
        let Connection { client, prepared: kept, .. } = &mut *self.connection;
        let result = prepared(client, kept, sql).and_then(|statement| {
            let result = run(client, &statement);
            result.map_err(|error| classified(sql.name(), &error).of_a_commit())
        });
        self.lost |= result.as_ref().is_err_and(DbError::is_lost);
        result
    }
}

impl Statements for Session<'_> {
    fn query(&mut self, sql: &Sql, params: Params<'_>) -> Result<Vec<Row>, DbError> {
        self.run(sql, |client, statement| client.query(statement, params))
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.run(sql, |client, statement| client.execute(statement, params))
    }
}
