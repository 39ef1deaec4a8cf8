//! Reading the columns of a row, with errors that name table and column.

use std::fmt;

use postgres::Row;
use postgres::types::FromSql;

use crate::db::DbError;

/// The columns of a row, one after the other.
///
/// Each is asked for by its name, so that a query whose columns stand in another order is an error
/// and not another value.
#[derive(Debug)]
pub struct Columns<'r> {
    table: &'static str,
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The columns of a row of this table.
    pub fn of(table: &'static str, row: &'r Row) -> Self {
        Self { table, row, next: 0 }
    }

    /// The value of the next column, which has this name.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row) when the next column has another name, or
    /// when its value isn't of this type.
    pub fn next<T: FromSql<'r>>(&mut self, column: &'static str) -> Result<T, DbError> {
        let index = self.next;
        self.next += 1;
        match self.row.columns().get(index) {
            Some(found) if found.name() == column => {}
            Some(found) => {
                let problem = format!("column {} of the result is {}", index + 1, found.name());
                return Err(self.unreadable(column, problem));
            }
            None => return Err(self.unreadable(column, "the result has too few columns")),
        }
        let value = self.row.try_get(index);
        value.map_err(|_| self.unreadable(column, "the value has another type, or is null"))
    }

    /// The value of the next column, made of what stands there.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row), also with the problem that `read` has.
    pub fn read<T: FromSql<'r>, U, P: fmt::Display>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(T) -> Result<U, P>,
    ) -> Result<U, DbError> {
        let value = self.next(column)?;
        read(value).map_err(|problem| self.unreadable(column, problem))
    }

    /// The count in the next column: servers have signed integers only.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](crate::db::DbErrorKind::Row), also for a negative number.
    pub fn count(&mut self, column: &'static str) -> Result<u64, DbError> {
        self.read(column, |count: i64| u64::try_from(count))
    }

    fn unreadable(&self, column: &'static str, problem: impl fmt::Display) -> DbError {
        DbError::row(self.table, column, problem)
    }
}
