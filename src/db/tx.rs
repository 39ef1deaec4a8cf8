//! Transactions on any database: the statements of a store, written once.

use super::row::Row;
use super::{DbError, DbErrorKind, Params, Sql, fault};

/// Which database it is, for the few operations whose statements differ in more than words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// What a transaction of a driver can do, or a connection whose statements are transactions by themselves.
pub(super) trait Backend {
    fn dialect(&self) -> Dialect;

    /// Runs each row of a statement's result through `each`, until that fails.
    fn rows(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: &mut dyn FnMut(&mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError>;

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError>;

    /// Whether a statement failed, so that nothing can be committed.
    fn has_failed(&self) -> bool;

    /// Runs `work` behind a savepoint, and keeps what it did when it says so.
    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Backend) -> bool) -> Result<(), DbError>;
}

/// A running transaction.
///
/// It is committed only when none of its statements failed outside a [`savepoint`](Self::savepoint),
/// on every database alike: a failed statement makes PostgreSQL refuse all that follow (AS-2).
pub struct Tx<'t>(&'t mut dyn Backend);

impl<'t> Tx<'t> {
    pub(super) fn on(backend: &'t mut dyn Backend) -> Self {
        Self(backend)
    }

    /// Which database it runs on.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    /// The same transaction, for a shorter time.
    pub fn reborrow(&mut self) -> Tx<'_> {
        Tx(&mut *self.0)
    }

    /// Whether a statement failed outside a savepoint, so that nothing can be committed (AS-2).
    pub fn has_failed(&self) -> bool {
        self.0.has_failed()
    }

    /// What `read` makes of each row that a statement gives.
    ///
    /// # Errors
    ///
    /// What the database refused, or what `read` failed with; the rows after that are not read.
    pub fn query<T>(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let mut all = Vec::new();
        self.query_each(sql, params, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// Runs each row of a statement's result through `each`.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query).
    pub fn query_each(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        mut each: impl FnMut(&mut Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        fault::statement(sql, params);
        self.0.rows(sql, params, &mut each)
    }

    /// What `read` makes of the row that a statement gives, if it gives one.
    ///
    /// # Errors
    ///
    /// As [`query`](Self::query); also when there is more than one row: a statement that may find more
    /// ends with `LIMIT 1`.
    pub fn query_opt<T>(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        mut read: impl FnMut(&mut Row<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        let mut found = None;
        self.query_each(sql, params, |row| {
            if found.is_some() {
                return Err(unexpected(sql, "more than one row where one was expected"));
            }
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// What `read` makes of the one row that a statement gives.
    ///
    /// # Errors
    ///
    /// As [`query_opt`](Self::query_opt); also when there is no row.
    pub fn query_one<T>(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        read: impl FnMut(&mut Row<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let found = self.query_opt(sql, params, read)?;
        found.ok_or_else(|| unexpected(sql, "no row where one was expected"))
    }

    /// Whether a statement gives a row.
    ///
    /// # Errors
    ///
    /// What the database refused.
    pub fn exists(&mut self, sql: &Sql, params: Params<'_>) -> Result<bool, DbError> {
        let mut found = false;
        self.query_each(sql, params, |_| {
            found = true;
            Ok(())
        })?;
        Ok(found)
    }

    /// How many rows a statement changed.
    ///
    /// # Errors
    ///
    /// What the database refused.
    pub fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        fault::statement(sql, params);
        self.0.execute(sql, params)
    }

    /// Runs `work` behind a savepoint (AS-2): when it fails, what it did is taken back and the rest of
    /// the transaction goes on.
    ///
    /// # Errors
    ///
    /// What `work` returned; the statement of it that failed, when it returned `Ok` all the same; or what
    /// kept the savepoint from being set or released.
    pub fn savepoint<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = Some(work);
        let mut result = None;
        self.0.savepoint(&mut |backend| {
            let done = work.take().map(|work| work(&mut Tx(backend)));
            let keep = matches!(done, Some(Ok(_)));
            result = done;
            keep
        })?;
        let not_run = || DbError::new("savepoint", DbErrorKind::Other, "its work was not run");
        result.unwrap_or_else(|| Err(not_run().into()))
    }
}

fn unexpected(sql: &Sql, problem: &str) -> DbError {
    DbError::new(sql.name(), DbErrorKind::Other, problem)
}
