//! PostgreSQL under the statements that are written once for every database.

use std::error::Error;

use postgres::Row;
use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::transaction::{Session, Statements, Transaction};
use crate::db::connection::no_transaction;
use crate::db::row::Cells;
use crate::db::tx::Backend;
use crate::db::{Cell, DbError, Dialect, Param, Params, Sql, Unreadable, UtcTime};

/// From 1970, where this crate counts from, to 2000, where the server does.
const EPOCH_MICROS: i64 = 946_684_800 * 1_000_000;

impl Backend for Transaction<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn rows(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: &mut dyn FnMut(&mut crate::db::Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let bound = bound(params);
        let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|one| one as _).collect();
        self.query_each(sql, &params, |row| each(&mut crate::db::Row::of(&row)))
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        let bound = bound(params);
        let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|one| one as _).collect();
        Statements::execute(self, sql, &params)
    }

    fn has_failed(&self) -> bool {
        Transaction::has_failed(self)
    }

    fn savepoint(&mut self, work: &mut dyn FnMut(&mut dyn Backend) -> bool) -> Result<(), DbError> {
        let result = Transaction::savepoint(self, |tx| match work(tx) {
            true => Ok(()),
            false => Err(Undone::Wanted),
        });
        match result {
            Ok(()) | Err(Undone::Wanted) => Ok(()),
            Err(Undone::Failed(error)) => Err(error),
        }
    }
}

impl Backend for Session<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn rows(
        &mut self,
        sql: &Sql,
        params: Params<'_>,
        each: &mut dyn FnMut(&mut crate::db::Row<'_>) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let bound = bound(params);
        let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|one| one as _).collect();
        let rows = self.query(sql, &params)?;
        rows.iter().try_for_each(|row| each(&mut crate::db::Row::of(row)))
    }

    fn execute(&mut self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        let bound = bound(params);
        let params: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|one| one as _).collect();
        Statements::execute(self, sql, &params)
    }

    fn has_failed(&self) -> bool {
        false
    }

    fn savepoint(&mut self, _: &mut dyn FnMut(&mut dyn Backend) -> bool) -> Result<(), DbError> {
        Err(no_transaction())
    }
}

/// Why a savepoint's work was taken back.
enum Undone {
    /// The work says so.
    Wanted,
    /// The savepoint could not be set or released.
    Failed(DbError),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Failed(error)
    }
}

fn bound<'a>(params: Params<'a>) -> Vec<Bound<'a>> {
    params.iter().map(|param| Bound(param.to_param())).collect()
}

/// A value that takes the type of the parameter that it is bound to.
#[derive(Debug)]
pub(super) struct Bound<'a>(pub(super) Param<'a>);

type Refused = Box<dyn Error + Sync + Send>;

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
        match &self.0 {
            Param::Null => Ok(IsNull::Yes),
            Param::Bool(value) if *ty == Type::BOOL => value.to_sql(ty, out),
            Param::Bool(value) => write_int(i64::from(*value), ty, out),
            Param::Int(value) => write_int(*value, ty, out),
            Param::Text(text) if <&str as ToSql>::accepts(ty) => text.to_sql(ty, out),
            Param::Blob(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            Param::Time(time) if *ty == Type::TIMESTAMPTZ => {
                (time.micros() - EPOCH_MICROS).to_sql(&Type::INT8, out)
            }
            Param::Blobs(list) if *ty == Type::BYTEA_ARRAY => list.to_sql(ty, out),
            Param::Ints(list) if *ty == Type::INT8_ARRAY => list.to_sql(ty, out),
            _ => Err(format!("a parameter of type {ty} takes no such value").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn write_int(value: i64, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Refused> {
    match *ty {
        Type::INT8 => value.to_sql(ty, out),
        Type::INT4 => i32::try_from(value)?.to_sql(ty, out),
        Type::INT2 => i16::try_from(value)?.to_sql(ty, out),
        _ => Err(format!("a parameter of type {ty} takes no integer").into()),
    }
}

impl Cells for Row {
    fn name(&self, index: usize) -> Option<&str> {
        self.columns().get(index).map(postgres::Column::name)
    }

    fn cell(&self, index: usize) -> Result<Cell<'_>, Unreadable> {
        let found = self.try_get(index);
        found
            .map_err(|_| Unreadable::new("the result has no such column"))
            .and_then(|Found(cell)| cell)
    }
}

/// What the driver found, or why it isn't a value.
struct Found<'r>(Result<Cell<'r>, Unreadable>);

impl<'r> FromSql<'r> for Found<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let cell = match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Cell::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|value| Cell::Int(value.into())),
            Type::INT2 => i16::from_sql(ty, raw).map(|value| Cell::Int(value.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(|value| Cell::Int(value.into())),
            Type::TEXT | Type::VARCHAR | Type::NAME => <&str>::from_sql(ty, raw).map(Cell::Text),
            Type::BYTEA => Ok(Cell::Blob(raw)),
            Type::TIMESTAMPTZ => return Ok(Self(time(raw))),
            _ => Err(format!("of type {ty}, which nothing here has").into()),
        };
        Ok(Self(cell.map_err(|problem| Unreadable::new(problem.to_string()))))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Ok(Cell::Null)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The server has times that are no dates of ours, two infinite ones among them.
fn time(raw: &[u8]) -> Result<Cell<'_>, Unreadable> {
    let micros = i64::from_sql(&Type::INT8, raw).ok();
    let micros = micros.and_then(|micros| micros.checked_add(EPOCH_MICROS));
    let time = micros.and_then(UtcTime::from_micros);
    time.map(Cell::Time).ok_or_else(|| Unreadable::expected("a time in the years 0 to 9999"))
}
