//! A connection without a transaction.

use super::tx::{Backend, Tx};
use super::{DbError, DbErrorKind, Dialect, Params, Row, Sql};

/// A connection on which each statement is a transaction by itself: for what runs in none, such as
/// compacting a SQLite file.
pub struct Connection<'c>(Tx<'c>);

impl<'c> Connection<'c> {
    pub(super) fn on(backend: &'c mut dyn Backend) -> Self {
        Self(Tx::on(backend))
    }

    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect()
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
        read: impl FnMut(&mut Row<'_>) -> Result<T, DbError>,
    ) -> Result<Vec<T>, DbError> {
        self.0.query(sql, params, read)
    }

    /// How many rows a statement changed.
    ///
    /// # Errors
    ///
    /// What the database refused.
    pub fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.0.execute(sql, params)
    }
}

/// What a savepoint is answered with outside of a transaction.
pub(super) fn no_transaction() -> DbError {
    DbError::new("savepoint", DbErrorKind::Other, "there is no transaction")
}
