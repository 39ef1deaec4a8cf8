//! Reading the columns of a row, on any database, with errors that name table and column.

use std::borrow::Cow;
use std::fmt;

use super::{DbError, UtcTime};

/// What stands in a column of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell<'r> {
    /// No value.
    Null,
    /// An integer of any width, or a truth value as 0 or 1.
    Int(i64),
    /// A text.
    Text(&'r str),
    /// Bytes.
    Blob(&'r [u8]),
    /// A point in time, where the database has a type for it.
    Time(UtcTime),
}

/// Why a value can't be read; it never holds the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(Cow<'static, str>);

impl Unreadable {
    /// With the problem in a few words.
    pub fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(problem.into())
    }

    /// A value that isn't what is expected.
    pub fn expected(what: impl fmt::Display) -> Self {
        Self(format!("not {what}").into())
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A type that can be read from a column.
pub trait FromCell<'r>: Sized {
    /// The value that stands there.
    ///
    /// # Errors
    ///
    /// Why it isn't one, in words that don't hold it.
    fn from_cell(cell: Cell<'r>) -> Result<Self, Unreadable>;
}

/// A row of a driver.
pub(super) trait Cells {
    /// The name of a column of the result, if it has so many.
    fn name(&self, index: usize) -> Option<&str>;

    /// What stands in that column.
    fn cell(&self, index: usize) -> Result<Cell<'_>, Unreadable>;
}

/// A row: its columns, read one after the other.
///
/// Each is asked for by `table.column`. The result's column must have that name, so a query whose
/// columns stand in another order is an error and not another value; the table is where an operator
/// finds what can't be read.
pub struct Row<'r> {
    cells: &'r dyn Cells,
    next: usize,
}

impl<'r> Row<'r> {
    pub(super) fn of(cells: &'r dyn Cells) -> Self {
        Self { cells, next: 0 }
    }

    /// The value of the next column, which is called `table.column`.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Row`](super::DbErrorKind::Row) when the next column has another name, or its
    /// value isn't of this type.
    pub fn next<T: FromCell<'r>>(&mut self, column: &'static str) -> Result<T, DbError> {
        let index = self.next;
        self.next += 1;
        let (table, name) = column.split_once('.').unwrap_or(("?", column));
        let unreadable = |problem: Unreadable| DbError::row(table, name, problem);
        match self.cells.name(index) {
            Some(found) if found == name => {}
            Some(found) => {
                let problem = format!("column {} of the result is {found}", index + 1);
                return Err(unreadable(Unreadable::new(problem)));
            }
            None => return Err(unreadable(Unreadable::new("the result has too few columns"))),
        }
        self.cells.cell(index).and_then(T::from_cell).map_err(unreadable)
    }

    /// The value of the next column, made of what stands there.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next), also with the problem that `read` has.
    pub fn read<T: FromCell<'r>, U, P: fmt::Display>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(T) -> Result<U, P>,
    ) -> Result<U, DbError> {
        let value = self.next(column)?;
        read(value).map_err(|problem| {
            let (table, name) = column.split_once('.').unwrap_or(("?", column));
            DbError::row(table, name, problem)
        })
    }
}

impl<'r, T: FromCell<'r>> FromCell<'r> for Option<T> {
    fn from_cell(cell: Cell<'r>) -> Result<Self, Unreadable> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

impl<'r> FromCell<'r> for &'r str {
    fn from_cell(cell: Cell<'r>) -> Result<Self, Unreadable> {
        match cell {
            Cell::Text(text) => Ok(text),
            _ => Err(Unreadable::expected("a text")),
        }
    }
}

impl FromCell<'_> for String {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <&str>::from_cell(cell).map(str::to_owned)
    }
}

impl<'r> FromCell<'r> for &'r [u8] {
    fn from_cell(cell: Cell<'r>) -> Result<Self, Unreadable> {
        match cell {
            Cell::Blob(bytes) => Ok(bytes),
            _ => Err(Unreadable::expected("bytes")),
        }
    }
}

impl FromCell<'_> for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        <&[u8]>::from_cell(cell).map(<[u8]>::to_vec)
    }
}

impl<const N: usize> FromCell<'_> for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let bytes = <&[u8]>::from_cell(cell)?;
        bytes.try_into().map_err(|_| Unreadable::expected(format_args!("{N} bytes")))
    }
}

impl FromCell<'_> for i64 {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        match cell {
            Cell::Int(value) => Ok(value),
            _ => Err(Unreadable::expected("an integer")),
        }
    }
}

macro_rules! narrower {
    ($($type:ty),*) => {$(
        impl FromCell<'_> for $type {
            fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
                let value = i64::from_cell(cell)?;
                let what = concat!("an integer in the range of ", stringify!($type));
                Self::try_from(value).map_err(|_| Unreadable::expected(what))
            }
        }
    )*};
}
narrower!(i32, i16, u32, u16, u8);

/// A flag is 0 or 1 on every database; any other number is an error, on PostgreSQL too, where the
/// reference reads it as true.
impl FromCell<'_> for bool {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        match cell {
            Cell::Int(0) => Ok(false),
            Cell::Int(1) => Ok(true),
            _ => Err(Unreadable::expected("a flag, which is 0 or 1")),
        }
    }
}

impl FromCell<'_> for UtcTime {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let time = match cell {
            Cell::Time(time) => Some(time),
            Cell::Text(text) => Self::from_text(text),
            _ => None,
        };
        time.ok_or_else(|| Unreadable::expected("a time YYYY-MM-DD HH:MM:SS"))
    }
}
