//! The locks of the server that keep stores, imports and repairs apart.

use crate::db::postgres::{Statements, Transaction};
use crate::db::{DbError, Sql};

/// The key of the lock that a store holds as long as it has the schema open, alone or with others (RACE-53). A
/// database has its advisory locks for itself; the parameter is the schema.
macro_rules! schema_key {
    () => {
        "hashtextextended('simplex-stores queues: ' || $1, 0)"
    };
}
pub(super) use schema_key;

const TIMEOUT: Sql =
    Sql::new("setting a time limit", "SELECT set_config('lock_timeout', '10s', true)");
/// In the order in which a router's statement and its triggers take them.
const TABLES: Sql = Sql::new(
    "waiting for other users of the tables",
    "LOCK TABLE msg_queues, services IN SHARE ROW EXCLUSIVE MODE",
);

/// Keeps everybody else from writing to both tables until the end of the transaction; readers go on.
///
/// # Errors
///
/// [`DbErrorKind::LockTimeout`](crate::db::DbErrorKind::LockTimeout) after ten seconds.
pub(super) fn lock_tables(tx: &mut Transaction<'_>) -> Result<(), DbError> {
    tx.query_one(&TIMEOUT, &[])?;
    tx.execute(&TABLES, &[]).map(drop)
}
