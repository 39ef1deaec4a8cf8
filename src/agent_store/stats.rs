//! Statistics of routers (section 4.14): one row, which the migrations made (AS-18).

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::AgentServersStats;
use crate::db::{DbError, DbErrorKind, Sql, UtcTime};

const UPDATE: Sql = Sql::new(
    "write the statistics",
    "UPDATE servers_stats SET servers_stats = $1, updated_at = $2 WHERE servers_stats_id = 1",
);
const READ: Sql = Sql::new(
    "read the statistics",
    "SELECT started_at, servers_stats FROM servers_stats WHERE servers_stats_id = 1",
);
const RESET: Sql = Sql::new(
    "reset the statistics",
    "UPDATE servers_stats SET servers_stats = NULL, started_at = $1, updated_at = $1
      WHERE servers_stats_id = 1",
);

impl AgentTx<'_> {
    /// Writes the statistics (F-210). Where their row is missing, nothing is written: it is never made
    /// again (AS-18).
    ///
    /// # Errors
    ///
    /// A failure of the database; also a router that has no URI which could be read again, with a port
    /// that is no number: then nothing is written.
    pub fn update_servers_stats(&mut self, stats: &AgentServersStats) -> TxResult<()> {
        let json = stats.to_json().ok_or_else(|| {
            DbError::new(UPDATE.name(), DbErrorKind::Other, "a router's host or port has no URI")
        })?;
        self.tx.execute(&UPDATE, &[&json, &UtcTime::now()])?;
        Ok(())
    }

    /// Since when is counted, and the statistics, if any were written since (F-211).
    ///
    /// # Errors
    ///
    /// [`StoreError::ServersStatsNotFound`] when their row is missing; a failure of the database for JSON
    /// that isn't statistics.
    pub fn get_servers_stats(&mut self) -> TxResult<(UtcTime, Option<AgentServersStats>)> {
        let found = self.tx.query_opt(&READ, &[], |row| {
            Ok((row.next("servers_stats.started_at")?, row.next("servers_stats.servers_stats")?))
        })?;
        found.ok_or_else(|| StoreError::ServersStatsNotFound.into())
    }

    /// Forgets the statistics and begins to count at this time (F-212).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn reset_servers_stats(&mut self, started_at: UtcTime) -> TxResult<()> {
        self.tx.execute(&RESET, &[&started_at])?;
        Ok(())
    }
}
