//! Removing what was deleted long ago (OP-5).

use std::time::Duration;

use crate::db::postgres::{Pool, PostgresConfig, Statements as _};
use crate::db::{DbError, DbErrorKind, Sql};
use crate::protocol::RoundedSeconds;
use crate::queue_store::postgres::layout;

const SECONDS_A_DAY: i64 = 86_400;

/// The number of rows that one transaction removes, with their messages.
const AT_ONCE: i64 = 10_000;

/// Rows that somebody works on are taken at the next run.
const PURGE: Sql = Sql::new(
    "removing deleted queues",
    "DELETE FROM msg_queues
      WHERE recipient_id IN (
        SELECT recipient_id FROM msg_queues
         WHERE deleted_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
      )",
);

/// How long a deleted queue stays, in whole days (RACE-71: the reference's setting says days and is read
/// as seconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Retention(u32);

impl Retention {
    /// The reference's default.
    pub const DEFAULT: Self = Self(21);
    /// What is shorter has to be meant.
    pub const SHORT: Self = Self(7);

    /// So many days.
    pub const fn days(days: u32) -> Self {
        Self(days)
    }

    /// Whether it is so short that somebody should say that it is meant.
    pub fn is_short(self) -> bool {
        self < Self::SHORT
    }

    /// The last time of a deletion that is old enough, as rows have it: a row of the reference has the day of
    /// its deletion only, as its first second, and it may have been that day's last moment (RACE-45).
    fn last_day(self, now: i64) -> i64 {
        now.saturating_sub((i64::from(self.0) + 1).saturating_mul(SECONDS_A_DAY))
    }
}

/// Removes queues that were deleted longer ago than the retention time, with their messages; how many.
/// Never earlier: a row of the reference has only the day of its deletion, which counts from the end of that
/// day (RACE-45). A row written under `Strict` has the second (decision 0032); nothing tells the two apart, so
/// it goes a day later than it could.
///
/// Ten thousand rows are a transaction; what was removed before an interruption stays removed.
///
/// # Errors
///
/// What the database refused.
pub fn purge(database: &PostgresConfig, retention: Retention) -> Result<u64, DbError> {
    let pool = Pool::open(&database.clone().pool_size(1).statement_timeout(Duration::ZERO))?;
    let schema = database.schema_name().as_str();
    let last_day = retention.last_day(RoundedSeconds::now().seconds());
    pool.session("removing deleted queues", |session| {
        layout::require(session, schema)?;
        let mut removed: u64 = 0;
        loop {
            let rows = session.execute(&PURGE, &[&last_day, &AT_ONCE])?;
            if rows == 0 {
                return Ok(removed);
            }
            removed = removed.checked_add(rows).ok_or_else(|| {
                DbError::new(PURGE.name(), DbErrorKind::Other, "more rows than can be counted")
            })?;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn race45_a_day_counts_from_its_end() {
        let day = |day: i64| day * SECONDS_A_DAY;
        let now = day(100) + 5;
        assert!(day(98) <= Retention::days(1).last_day(now));
        assert!(day(99) > Retention::days(1).last_day(now));
        assert!(day(99) <= Retention::days(0).last_day(now));
        assert!(day(100) > Retention::days(0).last_day(now));
    }

    #[test]
    fn race71_what_is_shorter_than_a_week_is_short() {
        assert!(Retention::days(6).is_short() && !Retention::days(7).is_short());
        assert!(!Retention::DEFAULT.is_short());
        assert!(Retention::days(u32::MAX).last_day(i64::MIN) == i64::MIN);
    }
}
