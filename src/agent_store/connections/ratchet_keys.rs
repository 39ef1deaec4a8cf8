//! Ratchet keys that were processed already, so that a repeated one is passed over (F-045 to F-047).

use std::time::Duration;

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{ConnId, RatchetKeyHash};
use crate::db::{Sql, UtcTime};

const ADD: Sql = Sql::new(
    "add a ratchet key's hash",
    "INSERT INTO processed_ratchet_key_hashes (conn_id, hash, created_at, updated_at)
       VALUES ($1, $2, $3, $3)",
);
const EXISTS: Sql = Sql::new(
    "look for a ratchet key's hash",
    "SELECT 1 AS found FROM processed_ratchet_key_hashes WHERE conn_id = $1 AND hash = $2 LIMIT 1",
)
.locking("FOR UPDATE");
const DELETE_EXPIRED: Sql = Sql::new(
    "delete expired hashes of ratchet keys",
    "DELETE FROM processed_ratchet_key_hashes
      WHERE processed_ratchet_key_hash_id IN
            (SELECT processed_ratchet_key_hash_id FROM processed_ratchet_key_hashes
              WHERE created_at < $1
              ORDER BY created_at, processed_ratchet_key_hash_id
              LIMIT $2)",
);

impl AgentTx<'_> {
    /// Notes that a connection processed the ratchet key with this hash (F-045). It may be there already.
    ///
    /// # Errors
    ///
    /// A failure of the database, also when there is no such connection.
    pub fn add_processed_ratchet_key_hash(
        &mut self,
        conn_id: &ConnId,
        hash: &RatchetKeyHash,
    ) -> TxResult<()> {
        self.tx.execute(&ADD, &[conn_id, hash, &UtcTime::now()])?;
        Ok(())
    }

    /// Whether a connection processed the ratchet key with this hash (F-046). The row is locked where
    /// writers run side by side (AS-10).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn check_ratchet_key_hash_exists(
        &mut self,
        conn_id: &ConnId,
        hash: &RatchetKeyHash,
    ) -> TxResult<bool> {
        Ok(self.tx.exists(&EXISTS, &[conn_id, hash])?)
    }

    /// Deletes hashes that are older than `ttl`, the oldest first, at most `limit` (F-047).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_ratchet_key_hashes_expired(&mut self, ttl: Duration, limit: u32) -> TxResult<()> {
        self.tx.execute(&DELETE_EXPIRED, &[&UtcTime::now().before(ttl), &limit])?;
        Ok(())
    }
}
