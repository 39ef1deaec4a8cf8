//! Putting right what is certain: aggregates of services, and statuses without their quotes.

use std::time::Duration;

use super::aggregates::recompute_aggregates;
use crate::db::postgres::{Pool, PostgresConfig, Statements as _};
use crate::db::{DbError, Sql};
use crate::queue_store::postgres::layout;
use crate::queue_store::postgres::locks::lock_tables;

/// What the reference's import made of a notice (RACE-16). Deleted rows are read by nobody, and put right
/// all the same.
const QUOTE: Sql = Sql::new(
    "giving statuses their quotes back",
    r#"UPDATE msg_queues
          SET status = regexp_replace(status, 'notice=\{ttl:(-?[0-9]+)\}$', 'notice={"ttl":\1}')
        WHERE status ~ '^blocked,reason=(spam|content),notice=\{ttl:-?[0-9]+\}$'"#,
);

/// What a repair changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repaired {
    /// Services that had other aggregates than their live rows say.
    pub services: u64,
    /// Statuses that had lost the quotes of their notice.
    pub statuses: u64,
}

/// Computes the aggregates of all services afresh from their live rows, also of services that have none
/// (RACE-51), and gives statuses their quotes back (RACE-16), as one transaction. Routers that write wait
/// meanwhile. What can't be read stays as it is.
///
/// # Errors
///
/// What the database refused; then nothing was changed.
pub fn repair(database: &PostgresConfig) -> Result<Repaired, DbError> {
    let pool = Pool::open(&database.clone().pool_size(1).statement_timeout(Duration::ZERO))?;
    pool.transaction("repairing", |tx| {
        layout::require(tx, database.schema_name().as_str())?;
        lock_tables(tx)?;
        let services = recompute_aggregates(tx)?;
        Ok(Repaired { services, statuses: tx.execute(&QUOTE, &[])? })
    })
}
