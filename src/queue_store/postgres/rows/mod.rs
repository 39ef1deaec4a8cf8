//! Rows of the queue store's tables, and the records that they stand for (SE-54 to SE-60).
//!
//! A row here is its columns' values, without a connection or a statement: [`QueueRow`] and
//! [`ServiceRow`] are made of a record and give it back. The names of the columns stand once, in
//! [`QUEUE_COLUMNS`] and [`SERVICE_COLUMNS`], in the order of a row's
//! [`values`](QueueRow::values).
//!
//! Reading takes no value for granted: whatever stands in a column gives a record or an error that
//! names table and column, and never the value.

mod queue;
mod service;
mod status;

use std::borrow::Cow;
use std::fmt;

use crate::db::DbError;

pub use queue::{QUEUE_COLUMNS, QueueRow};
pub(super) use queue::{keys, read_notifier, text};
pub use service::{SERVICE_COLUMNS, ServiceRow};

/// The bytes of a column.
type Bytes<'a> = Cow<'a, [u8]>;

/// A value that is there when `read` says so.
fn some<T>(
    table: &'static str,
    column: &'static str,
    value: Option<T>,
    expected: impl fmt::Display,
) -> Result<T, DbError> {
    value.ok_or_else(|| DbError::row(table, column, format_args!("not {expected}")))
}
