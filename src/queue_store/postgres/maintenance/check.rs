//! Whether a database holds together.

use super::aggregates::{AggregateDrift, drifted};
use crate::db::postgres::{Columns, Pool, PostgresConfig, Statements as _};
use crate::db::{DbError, Sql};
use crate::queue_store::postgres::layout;
use crate::queue_store::postgres::transfer::{
    Unreadable, UnreadableRow, each_live_row, service_problems,
};

const DELETED: Sql = Sql::new(
    "counting deleted queues",
    "SELECT count(*) AS deleted FROM msg_queues WHERE deleted_at IS NOT NULL",
);

/// How many unreadable rows are listed one by one.
const LISTED: usize = 1_000;

/// What a check found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// Live queues that were read.
    pub queues: u64,
    /// Queues that are deleted and not removed yet.
    pub deleted: u64,
    /// Services whose aggregates aren't those of their rows (RACE-51).
    pub drifted: Vec<AggregateDrift>,
    /// Rows that can't be read, the first 1,000 of them.
    pub unreadable: Vec<UnreadableRow>,
    /// How many rows can't be read in all.
    pub unreadable_total: u64,
    /// Rows that can be read, and say it in another form than this program writes (RACE-16, RACE-59,
    /// PG-32).
    pub odd: u64,
}

impl CheckReport {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.drifted.is_empty() && self.unreadable_total == 0
    }
}

/// Reads every live row, and compares the aggregates of services with the rows, as they are at one
/// moment. Changes nothing. Queues are read one at a time; all services are held in memory, as are those whose
/// aggregates drifted.
///
/// # Errors
///
/// What the database refused, or a schema that isn't this program's.
pub fn check(database: &PostgresConfig) -> Result<CheckReport, DbError> {
    let unlimited = std::time::Duration::ZERO;
    let settings = database.clone().pool_size(1);
    let settings = settings.statement_timeout(unlimited).idle_transaction_timeout(unlimited);
    let pool = Pool::open(&settings)?;
    pool.snapshot("checking", |tx| {
        layout::require(tx, database.schema_name().as_str())?;
        let mut report = CheckReport { drifted: drifted(tx)?, ..CheckReport::default() };
        let row = tx.query_one(&DELETED, &[])?;
        let mut columns = Columns::of("msg_queues", &row);
        report.deleted = columns.count("deleted")?;
        let mut unreadable = Unreadable::new(LISTED);
        service_problems(tx, &mut unreadable)?;
        each_live_row(tx, |row| {
            report.queues += 1;
            report.odd += u64::from(row.is_odd());
            if let Some(problem) = row.problem() {
                unreadable.push(&row.id, problem.clone());
            }
            Ok::<_, DbError>(())
        })?;
        report.unreadable = unreadable.rows;
        report.unreadable_total = unreadable.total;
        Ok(report)
    })
}
