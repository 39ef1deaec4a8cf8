//! Running one statement: binding its parameters, reading its rows.

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use super::error::classified;
use crate::db::row::Cells;
use crate::db::{Cell, DbError, DbErrorKind, Param, Params, Row, Sql, Unreadable};

/// Runs each row of a statement's result through `each`, until that fails.
///
/// `Err` is the statement's own error, `Ok(Err(_))` one of `each`.
pub(super) fn rows(
    connection: &Connection,
    sql: &Sql,
    params: Params<'_>,
    each: &mut dyn FnMut(&mut Row<'_>) -> Result<(), DbError>,
) -> Result<Result<(), DbError>, DbError> {
    let failed = |error: rusqlite::Error| classified(sql.name(), &error);
    let mut statement = prepared(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failed)? {
        if let Err(error) = each(&mut Row::of(row)) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// How many rows a statement changed.
pub(super) fn execute(
    connection: &Connection,
    sql: &Sql,
    params: Params<'_>,
) -> Result<u64, DbError> {
    let mut statement = prepared(connection, sql, params)?;
    let changed = statement.raw_execute().map_err(|error| classified(sql.name(), &error))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

fn prepared<'c>(
    connection: &'c Connection,
    sql: &Sql,
    params: Params<'_>,
) -> Result<CachedStatement<'c>, DbError> {
    let failed = |error: rusqlite::Error| classified(sql.name(), &error);
    let mut statement = connection.prepare_cached(sql.sqlite()).map_err(failed)?;
    let count = statement.parameter_count();
    if count != params.len() {
        let problem = format!("{} values for {count} parameters", params.len());
        return Err(DbError::new(sql.name(), DbErrorKind::Other, problem));
    }
    for index in 1..=count {
        // SQLite numbers parameters in the order in which they stand; they are called `$1`, `$2`.
        let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
        let number = name.and_then(|number| number.parse::<usize>().ok());
        let param =
            number.and_then(|number| params.get(number.checked_sub(1)?)).ok_or_else(|| {
                let problem = "parameters are $1, $2 and so on, none left out";
                DbError::new(sql.name(), DbErrorKind::Other, problem)
            })?;
        statement.raw_bind_parameter(index, Bound(param.to_param())).map_err(failed)?;
    }
    Ok(statement)
}

/// A value as SQLite takes it.
struct Bound<'a>(Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match &self.0 {
            Param::Null => ValueRef::Null,
            Param::Bool(value) => ValueRef::Integer(i64::from(*value)),
            Param::Int(value) => ValueRef::Integer(*value),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
            Param::Blob(bytes) => ValueRef::Blob(bytes),
            Param::Time(time) => return Ok(ToSqlOutput::Owned(Value::Text(time.to_text()))),
            Param::Blobs(_) | Param::Ints(_) => {
                let problem = "SQLite takes no lists: run the statement for each value";
                return Err(rusqlite::Error::ToSqlConversionFailure(problem.into()));
            }
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

impl Cells for rusqlite::Row<'_> {
    fn name(&self, index: usize) -> Option<&str> {
        self.as_ref().column_name(index).ok()
    }

    fn cell(&self, index: usize) -> Result<Cell<'_>, Unreadable> {
        let value = self.get_ref(index);
        match value.map_err(|_| Unreadable::new("the result has no such column"))? {
            ValueRef::Null => Ok(Cell::Null),
            ValueRef::Integer(value) => Ok(Cell::Int(value)),
            ValueRef::Real(_) => Err(Unreadable::expected("of a type that anything here has")),
            ValueRef::Blob(bytes) => Ok(Cell::Blob(bytes)),
            ValueRef::Text(bytes) => {
                let text = std::str::from_utf8(bytes);
                text.map(Cell::Text).map_err(|_| Unreadable::expected("a text in UTF-8"))
            }
        }
    }
}

/// What any statements select, as lines of text.
pub(super) fn lines(connection: &Connection, text: &str) -> rusqlite::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut batch = rusqlite::Batch::new(connection, text);
    while let Some(mut statement) = batch.next()? {
        let names = statement.column_names().collect::<Vec<&str>>().join("|");
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut first = true;
        while let Some(row) = rows.next()? {
            if std::mem::take(&mut first) {
                lines.push(names.clone());
            }
            let values = (0..columns).map(|column| row.get_ref(column).map(shown));
            lines.push(values.collect::<rusqlite::Result<Vec<String>>>()?.join("|"));
        }
    }
    Ok(lines)
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}
