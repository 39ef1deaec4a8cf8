//! Changing and deleting a connection (F-037 to F-044, F-051, F-052). What matches no connection changes
//! nothing, and that isn't an error.

use std::time::Duration;

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{AgentVersion, ConnId, RatchetSyncState, UserId};
use crate::db::{Sql, UtcTime};

const MARK_DELETED: Sql = Sql::new(
    "mark a connection as deleted",
    "UPDATE connections SET deleted = 1 WHERE conn_id = $1",
);
const MARK_WAITING: Sql = Sql::new(
    "mark a connection that waits for deliveries",
    "UPDATE connections SET deleted_at_wait_delivery = $2 WHERE conn_id = $1",
);
const SET_USER: Sql = Sql::new(
    "give a connection to another user",
    "UPDATE connections SET user_id = $3 WHERE conn_id = $1 AND user_id = $2",
);
const SET_AGENT_VERSION: Sql = Sql::new(
    "set a connection's version",
    "UPDATE connections SET smp_agent_version = $2 WHERE conn_id = $1",
);
const SET_PQ_SUPPORT: Sql = Sql::new(
    "set a connection's post-quantum support",
    "UPDATE connections SET pq_support = $2 WHERE conn_id = $1",
);
const UPDATE_JOIN: Sql = Sql::new(
    "change a connection that joins",
    "UPDATE connections SET smp_agent_version = $2, pq_support = $3, enable_ntfs = $4
      WHERE conn_id = $1",
);
const DELETED_IDS: Sql =
    Sql::new("list deleted connections", "SELECT conn_id FROM connections WHERE deleted = 1");
const WAITING_IDS: Sql = Sql::new(
    "list connections that wait for deliveries",
    "SELECT conn_id FROM connections WHERE deleted_at_wait_delivery IS NOT NULL",
);
const SET_RATCHET_SYNC: Sql = Sql::new(
    "set a connection's ratchet synchronisation",
    "UPDATE connections SET ratchet_sync_state = $2 WHERE conn_id = $1",
);
const LOCK_TO_DELETE: Sql = Sql::new(
    "lock a connection to delete it",
    "SELECT deleted_at_wait_delivery FROM connections WHERE conn_id = $1",
)
.locking("FOR UPDATE");
const HAS_DELIVERIES: Sql = Sql::new(
    "look for a connection's deliveries",
    "SELECT 1 AS found FROM snd_message_deliveries WHERE conn_id = $1 AND failed = 0 LIMIT 1",
);
const DELETE: Sql = Sql::new("delete a connection", "DELETE FROM connections WHERE conn_id = $1");

impl AgentTx<'_> {
    /// Marks a connection as deleted, which hides it (F-037, AS-21). With `wait_delivery` it is only
    /// written that deleting it waits for its deliveries, and since when: it isn't hidden (AS-53).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_conn_deleted(&mut self, wait_delivery: bool, conn_id: &ConnId) -> TxResult<()> {
        if wait_delivery {
            self.tx.execute(&MARK_WAITING, &[conn_id, &UtcTime::now()])?;
        } else {
            self.tx.execute(&MARK_DELETED, &[conn_id])?;
        }
        Ok(())
    }

    /// Gives a connection of one user to another (F-038); only when it is the first one's.
    ///
    /// # Errors
    ///
    /// A failure of the database, also when there is no such other user.
    pub fn set_conn_user_id(
        &mut self,
        old_user_id: UserId,
        conn_id: &ConnId,
        new_user_id: UserId,
    ) -> TxResult<()> {
        self.tx.execute(&SET_USER, &[conn_id, &old_user_id, &new_user_id])?;
        Ok(())
    }

    /// Sets the agreed version of the protocol between agents (F-039).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_conn_agent_version(
        &mut self,
        conn_id: &ConnId,
        version: AgentVersion,
    ) -> TxResult<()> {
        self.tx.execute(&SET_AGENT_VERSION, &[conn_id, &version])?;
        Ok(())
    }

    /// Sets whether keys are agreed on that hold against quantum computers (F-040).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_conn_pq_support(&mut self, conn_id: &ConnId, pq_support: bool) -> TxResult<()> {
        self.tx.execute(&SET_PQ_SUPPORT, &[conn_id, &pq_support])?;
        Ok(())
    }

    /// Sets what becomes known of a connection when it joins (F-041).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_new_conn_join(
        &mut self,
        conn_id: &ConnId,
        agent_version: AgentVersion,
        pq_support: bool,
        enable_ntfs: bool,
    ) -> TxResult<()> {
        self.tx.execute(&UPDATE_JOIN, &[conn_id, &agent_version, &pq_support, &enable_ntfs])?;
        Ok(())
    }

    /// The connections that are marked as deleted, in no order (F-042).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_deleted_conn_ids(&mut self) -> TxResult<Vec<ConnId>> {
        Ok(self.tx.query(&DELETED_IDS, &[], |row| row.next("connections.conn_id"))?)
    }

    /// The connections whose deletion waits for their deliveries, in no order (F-043).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_deleted_waiting_delivery_conn_ids(&mut self) -> TxResult<Vec<ConnId>> {
        Ok(self.tx.query(&WAITING_IDS, &[], |row| row.next("connections.conn_id"))?)
    }

    /// Sets whether both sides' ratchets agree (F-044).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_conn_ratchet_sync(
        &mut self,
        conn_id: &ConnId,
        state: RatchetSyncState,
    ) -> TxResult<()> {
        self.tx.execute(&SET_RATCHET_SYNC, &[conn_id, &state])?;
        Ok(())
    }

    /// Deletes a connection and everything below it, unless it has to wait for its deliveries; says which
    /// it deleted (F-051, AS-54).
    ///
    /// Without a timeout it never waits. With one it does while a delivery that isn't marked as failed is
    /// there, until it has waited for longer than that since
    /// [`set_conn_deleted`](Self::set_conn_deleted) began it. A connection that isn't there counts as
    /// deleted. Its row is locked where writers run side by side, so that no delivery comes between looking
    /// for them and deleting.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_conn(
        &mut self,
        wait_timeout: Option<Duration>,
        conn_id: &ConnId,
    ) -> TxResult<Option<ConnId>> {
        if let Some(timeout) = wait_timeout
            && self.waits_for_deliveries(timeout, conn_id)?
        {
            return Ok(None);
        }
        self.delete_conn_record(conn_id)?;
        Ok(Some(conn_id.clone()))
    }

    fn waits_for_deliveries(&mut self, timeout: Duration, conn_id: &ConnId) -> TxResult<bool> {
        let since: Option<Option<UtcTime>> =
            self.tx.query_opt(&LOCK_TO_DELETE, &[conn_id], |row| {
                row.next("connections.deleted_at_wait_delivery")
            })?;
        let waited = since.flatten().is_some_and(|since| since < UtcTime::now().before(timeout));
        Ok(!waited && self.tx.exists(&HAS_DELIVERIES, &[conn_id])?)
    }

    /// Deletes a connection and everything below it (F-052).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_conn_record(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[conn_id])?;
        Ok(())
    }
}
