//! Bulk transfer: what goes into a `COPY … FROM STDIN` and comes out of a `COPY … TO STDOUT`.

use std::io::{self, BufRead as _, Write as _};

use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};

use super::backend::Bound;
use super::error::classified;
use super::transaction::Transaction;
use crate::db::{DbError, DbErrorKind, Sql, ToParam};

/// Where the bytes of a `COPY … FROM STDIN` go.
pub struct CopyIn<'c> {
    writer: postgres::CopyInWriter<'c>,
    name: &'static str,
}

impl CopyIn<'_> {
    /// Sends bytes, which need not be whole rows. They are gathered, and held in bounded memory.
    ///
    /// # Errors
    ///
    /// What the server refused of this or of what was sent before, or [`DbErrorKind::Lost`].
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), DbError> {
        self.writer.write_all(bytes).map_err(|error| of_io(self.name, &error))
    }
}

/// Where the rows of a `COPY … FROM STDIN (FORMAT binary)` go.
pub struct RowsIn<'c> {
    writer: BinaryCopyInWriter<'c>,
    columns: usize,
    name: &'static str,
}

impl RowsIn<'_> {
    /// Sends a row. Rows are gathered, and held in bounded memory. What the server refuses of a row is told
    /// when all are sent.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Lost`], or values that aren't of the columns' number and types.
    pub fn send(&mut self, values: &[&(dyn ToSql + Sync)]) -> Result<(), DbError> {
        if values.len() != self.columns {
            let problem = format!("{} values for {} columns", values.len(), self.columns);
            return Err(DbError::new(self.name, DbErrorKind::Other, problem));
        }
        self.writer.write(values).map_err(|error| classified(self.name, &error))
    }

    /// Sends a row of values that any database can have.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_values<V: ToParam>(&mut self, values: &[V]) -> Result<(), DbError> {
        let bound: Vec<Bound<'_>> = values.iter().map(|one| Bound(one.to_param())).collect();
        let values: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|one| one as _).collect();
        self.send(&values)
    }
}

impl Transaction<'_> {
    /// Runs a `COPY … FROM STDIN (FORMAT binary)` with the rows that `write` sends, whose columns have
    /// these types, and gives how many there were. Nothing has to be escaped in this form (RACE-16). It
    /// fails as [`copy_in`](Self::copy_in) does.
    ///
    /// # Errors
    ///
    /// What `write` returned, or what the server refused.
    pub fn copy_rows_in<E: From<DbError>>(
        &mut self,
        sql: &Sql,
        types: &[Type],
        write: impl FnOnce(&mut RowsIn<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (inner, failed) = self.parts();
        let result =
            inner.copy_in(&*sql.postgres()).map_err(|error| classified(sql.name(), &error));
        let writer = result.inspect_err(|error| *failed = Some(error.clone()))?;
        let writer = BinaryCopyInWriter::new(writer, types);
        let mut rows = RowsIn { writer, columns: types.len(), name: sql.name() };
        if let Err(error) = write(&mut rows) {
            let given_up = "what was to be sent could not be had";
            *failed = Some(DbError::new(sql.name(), DbErrorKind::Other, given_up));
            return Err(error);
        }
        let count = rows.writer.finish().map_err(|error| classified(sql.name(), &error));
        Ok(count.inspect_err(|error| *failed = Some(error.clone()))?)
    }

    /// Runs a `COPY … FROM STDIN` with what `write` sends, and gives how many rows there were. It is a
    /// statement like any other: when it fails, or `write` does, nothing of the transaction, or since
    /// its savepoint, can be committed.
    ///
    /// # Errors
    ///
    /// What `write` returned, or what the server refused.
    pub fn copy_in<E: From<DbError>>(
        &mut self,
        sql: &Sql,
        write: impl FnOnce(&mut CopyIn<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (inner, failed) = self.parts();
        let result =
            inner.copy_in(&*sql.postgres()).map_err(|error| classified(sql.name(), &error));
        let writer = result.inspect_err(|error| *failed = Some(error.clone()))?;
        let mut copy = CopyIn { writer, name: sql.name() };
        if let Err(error) = write(&mut copy) {
            let given_up = "what was to be sent could not be had";
            *failed = Some(DbError::new(sql.name(), DbErrorKind::Other, given_up));
            return Err(error);
        }
        let rows = copy.writer.finish().map_err(|error| classified(sql.name(), &error));
        Ok(rows.inspect_err(|error| *failed = Some(error.clone()))?)
    }

    /// Runs a `COPY … TO STDOUT` and gives its bytes to `each`, in pieces that end anywhere.
    ///
    /// # Errors
    ///
    /// What `each` returned, or what the server refused.
    pub fn copy_out<E: From<DbError>>(
        &mut self,
        sql: &Sql,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (inner, failed) = self.parts();
        let result =
            inner.copy_out(&*sql.postgres()).map_err(|error| classified(sql.name(), &error));
        let mut reader = result.inspect_err(|error| *failed = Some(error.clone()))?;
        loop {
            let piece = reader.fill_buf().map_err(|error| of_io(sql.name(), &error));
            let piece = piece.inspect_err(|error| *failed = Some(error.clone()))?;
            if piece.is_empty() {
                return Ok(());
            }
            let length = piece.len();
            each(piece)?;
            reader.consume(length);
        }
    }
}

/// The driver wraps its own errors here.
fn of_io(name: &str, error: &io::Error) -> DbError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>()) {
        Some(error) => classified(name, error),
        None => DbError::new(name, DbErrorKind::Lost, error),
    }
}
