//! Subscriptions of connections for notifications (section 4.11), and what handling a notification takes.
//!
//! A supervisor decides what is to be done for a subscription, and workers do it on the routers, which takes
//! time; both write the same row. The supervisor marks what it wrote, so that a worker that was busy
//! meanwhile doesn't overwrite it. A worker reads the mark and writes in one transaction, and locks the row
//! before, where writers run side by side: what the supervisor writes is either seen, or comes after.

mod actions;
mod rows;

use self::rows::{action, select_subscription, subscription};
use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{
    ConnId, KeyHash, NotifierId, NtfAgentSubStatus, NtfRcvQueue, NtfServer, NtfSubAction,
    NtfSubscription, NtfSupervisorSub, SmpServer,
};
use crate::db::{Params, Sql, ToParam, UtcTime};
use crate::protocol::{DhSecret, Semantics};

const GET: Sql = Sql::new(
    "load a subscription",
    select_subscription!("n.ntf_sub_action, n.ntf_sub_smp_action, n.ntf_sub_action_ts"),
);
const CREATE: Sql = Sql::new(
    "create a subscription",
    "INSERT INTO ntf_subscriptions
       (conn_id, smp_host, smp_port, smp_server_key_hash, smp_ntf_id, ntf_host, ntf_port,
        ntf_sub_id, ntf_sub_status, ntf_sub_action, ntf_sub_smp_action, ntf_sub_action_ts)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
);

/// The last parameter says whether marks of failure stay, and the override.
const SUPERVISOR_UPDATE: Sql = Sql::new(
    "change a subscription for the supervisor",
    "UPDATE ntf_subscriptions
        SET smp_host = $2, smp_port = $3, smp_ntf_id = $5, ntf_host = $6, ntf_port = $7,
            ntf_sub_id = $8, ntf_sub_status = $9, ntf_sub_action = $10, ntf_sub_smp_action = $11,
            ntf_sub_action_ts = $12, updated_at = $12, updated_by_supervisor = 1,
            smp_server_key_hash = CASE WHEN $13 THEN smp_server_key_hash ELSE $4 END,
            ntf_failed = CASE WHEN $13 THEN ntf_failed ELSE 0 END,
            smp_failed = CASE WHEN $13 THEN smp_failed ELSE 0 END
      WHERE conn_id = $1",
);
const SUPERVISOR_UPDATE_ACTION: Sql = Sql::new(
    "change a subscription's action for the supervisor",
    "UPDATE ntf_subscriptions
        SET ntf_sub_action = $2, ntf_sub_smp_action = $3,
            ntf_sub_action_ts = $4, updated_at = $4, updated_by_supervisor = 1,
            ntf_failed = CASE WHEN $5 THEN ntf_failed ELSE 0 END,
            smp_failed = CASE WHEN $5 THEN smp_failed ELSE 0 END
      WHERE conn_id = $1",
);

/// AS-10 doesn't name this lock; without it, a worker could overwrite what the supervisor wrote after the
/// worker had looked.
const BY_SUPERVISOR: Sql = Sql::new(
    "look whether the supervisor changed a subscription",
    "SELECT updated_by_supervisor FROM ntf_subscriptions WHERE conn_id = $1",
)
.locking("FOR UPDATE");
const WORKER_UPDATE: Sql = Sql::new(
    "change a subscription for a worker",
    "UPDATE ntf_subscriptions
        SET smp_ntf_id = $2, ntf_sub_id = $3, ntf_sub_status = $4, updated_at = $5,
            updated_by_supervisor = 0, ntf_host = $6, ntf_port = $7, ntf_sub_action = $8,
            ntf_sub_smp_action = $9, ntf_sub_action_ts = $10,
            ntf_failed = CASE WHEN $11 THEN ntf_failed ELSE 0 END,
            smp_failed = CASE WHEN $11 THEN smp_failed ELSE 0 END
      WHERE conn_id = $1",
);
const WORKER_UPDATE_STATE: Sql = Sql::new(
    "change a subscription's state for a worker",
    "UPDATE ntf_subscriptions
        SET smp_ntf_id = $2, ntf_sub_id = $3, ntf_sub_status = $4, updated_at = $5,
            updated_by_supervisor = 0
      WHERE conn_id = $1",
);
const CLEAR_ACTION: Sql = Sql::new(
    "clear a subscription's action",
    "UPDATE ntf_subscriptions
        SET ntf_sub_action = NULL, ntf_sub_smp_action = NULL, ntf_sub_action_ts = NULL,
            updated_at = $2
      WHERE conn_id = $1",
);
const MARK_DELETED: Sql = Sql::new(
    "mark a subscription as deleted",
    "UPDATE ntf_subscriptions
        SET smp_ntf_id = NULL, ntf_sub_id = NULL, ntf_sub_status = $2, updated_at = $3,
            updated_by_supervisor = 0
      WHERE conn_id = $1",
);
const DELETE: Sql =
    Sql::new("delete a subscription", "DELETE FROM ntf_subscriptions WHERE conn_id = $1");

const RCV_QUEUE: Sql = Sql::new(
    "find a notification's queue",
    "SELECT conn_id, rcv_queue_id, rcv_ntf_dh_secret, last_broker_ts FROM rcv_queues
      WHERE host = $1 AND port = $2 AND ntf_id = $3 AND deleted = 0",
);
const SET_CONNECTION_NTFS: Sql = Sql::new(
    "change whether a connection notifies",
    "UPDATE connections SET enable_ntfs = $2 WHERE conn_id = $1",
);

impl AgentTx<'_> {
    /// A connection's subscription, and what is to be done next for it (F-145). There is none to see when the
    /// connection is gone (AS-14), or a router isn't registered.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_ntf_subscription(&mut self, conn_id: &ConnId) -> TxResult<Option<NtfSupervisorSub>> {
        Ok(self.tx.query_opt(&GET, &[conn_id], |row| {
            let subscription = subscription(row)?;
            Ok(NtfSupervisorSub { subscription, action: action(row)? })
        })?)
    }

    /// Makes a connection's subscription, with an action that is due now (F-146).
    ///
    /// # Errors
    ///
    /// [`StoreError::ServerNotFound`] when the message router isn't registered; a failure of the database,
    /// also because the connection has a subscription, or the notification router isn't registered.
    pub fn create_ntf_subscription(
        &mut self,
        subscription: &NtfSubscription,
        action: NtfSubAction,
    ) -> TxResult<()> {
        let key_hash = self.server_key_hash(&subscription.smp_server)?;
        self.write_subscription(&CREATE, subscription, key_hash, action, &[])
    }

    /// Overwrites a subscription and what is to be done next, for the supervisor (F-147): that is due now,
    /// and workers that are busy will see it. Nothing happens to one that isn't there.
    ///
    /// The message router's override of the fingerprint, and marks of failure: under [`Semantics::Strict`],
    /// the router's own is written and the marks are cleared; under [`Semantics::Reference`],
    /// both stay (AS-78, AS-83).
    ///
    /// # Errors
    ///
    /// Under [`Semantics::Strict`], [`StoreError::ServerNotFound`] when the message router isn't registered.
    /// A failure of the database, also because a router isn't.
    pub fn supervisor_update_ntf_sub(
        &mut self,
        subscription: &NtfSubscription,
        action: NtfSubAction,
    ) -> TxResult<()> {
        let keep = self.keeps_marks();
        let key_hash = match keep {
            true => None,
            false => self.server_key_hash(&subscription.smp_server)?,
        };
        self.write_subscription(&SUPERVISOR_UPDATE, subscription, key_hash, action, &[&keep])
    }

    /// Overwrites what is to be done next, for the supervisor (F-148): it is due now, and workers that are
    /// busy will see it. Under [`Semantics::Strict`], marks of failure are cleared.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn supervisor_update_ntf_action(
        &mut self,
        conn_id: &ConnId,
        action: NtfSubAction,
    ) -> TxResult<()> {
        let (ntf, smp) = action.columns();
        let (now, keep) = (UtcTime::now(), self.keeps_marks());
        self.tx.execute(&SUPERVISOR_UPDATE_ACTION, &[conn_id, &ntf, &smp, &now, &keep])?;
        Ok(())
    }

    /// Writes down what a worker did (F-149): both ids and the status. The notification router, and what is to
    /// be done next, only when the supervisor didn't write since the worker took the work: then its own stay
    /// (AS-79). The message router is never written. Nothing happens to a subscription that isn't there.
    ///
    /// With an action, marks of failure are cleared under [`Semantics::Strict`].
    ///
    /// # Errors
    ///
    /// A failure of the database, also because the notification router isn't registered.
    pub fn update_ntf_subscription(
        &mut self,
        subscription: &NtfSubscription,
        action: NtfSubAction,
        action_ts: UtcTime,
    ) -> TxResult<()> {
        let Some(by_supervisor) = self.updated_by_supervisor(&subscription.conn_id)? else {
            return Ok(());
        };
        let NtfSubscription { conn_id, ntf_queue_id, ntf_sub_id, ntf_sub_status, .. } =
            subscription;
        let now = UtcTime::now();
        let state: [&dyn ToParam; 5] = [conn_id, ntf_queue_id, ntf_sub_id, ntf_sub_status, &now];
        if by_supervisor {
            self.tx.execute(&WORKER_UPDATE_STATE, &state)?;
            return Ok(());
        }
        let NtfServer { hosts, port, .. } = &subscription.ntf_server;
        let (ntf, smp) = action.columns();
        let keep = self.keeps_marks();
        let next: [&dyn ToParam; 6] = [hosts, port, &ntf, &smp, &action_ts, &keep];
        self.tx.execute(&WORKER_UPDATE, &[&state[..], &next].concat())?;
        Ok(())
    }

    /// Clears what is to be done next, for a worker that failed for good: the supervisor will begin anew
    /// (F-150). When the supervisor wrote meanwhile, nothing is changed, its mark included (AS-80).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_null_ntf_subscription_action(&mut self, conn_id: &ConnId) -> TxResult<()> {
        if self.updated_by_supervisor(conn_id)? == Some(false) {
            self.tx.execute(&CLEAR_ACTION, &[conn_id, &UtcTime::now()])?;
        }
        Ok(())
    }

    /// Deletes a subscription, for a worker (F-151). When the supervisor wrote meanwhile, the row stays, so that
    /// the supervisor finds it: without ids, with the status [`NtfAgentSubStatus::Deleted`] (AS-81).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_ntf_subscription(&mut self, conn_id: &ConnId) -> TxResult<()> {
        match self.updated_by_supervisor(conn_id)? {
            None => Ok(()),
            Some(false) => self.delete_ntf_subscription_record(conn_id),
            Some(true) => {
                let values: [&dyn ToParam; 3] =
                    [conn_id, &NtfAgentSubStatus::Deleted, &UtcTime::now()];
                self.tx.execute(&MARK_DELETED, &values)?;
                Ok(())
            }
        }
    }

    /// Deletes a subscription, whoever wrote it last (F-152).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_ntf_subscription_record(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[conn_id])?;
        Ok(())
    }

    /// What reading a notification takes, of the queue with this notifier's id that isn't marked as deleted
    /// (F-158). The fingerprint isn't compared.
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] when there is none, or it has no secret.
    pub fn get_ntf_rcv_queue(
        &mut self,
        server: &SmpServer,
        notifier_id: &NotifierId,
    ) -> TxResult<NtfRcvQueue> {
        let SmpServer { hosts, port, .. } = server;
        let found = self.tx.query_opt(&RCV_QUEUE, &[hosts, port, notifier_id], |row| {
            let conn_id = row.next("rcv_queues.conn_id")?;
            let db_queue_id = row.next("rcv_queues.rcv_queue_id")?;
            let secret: Option<DhSecret> = row.next("rcv_queues.rcv_ntf_dh_secret")?;
            let last_broker_ts = row.next("rcv_queues.last_broker_ts")?;
            Ok(secret.map(|rcv_ntf_dh_secret| NtfRcvQueue {
                conn_id,
                db_queue_id,
                rcv_ntf_dh_secret,
                last_broker_ts,
            }))
        })?;
        found.flatten().ok_or_else(|| StoreError::ConnNotFound.into())
    }

    /// Changes whether a connection notifies (F-159).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_connection_ntfs(&mut self, conn_id: &ConnId, enable: bool) -> TxResult<()> {
        self.tx.execute(&SET_CONNECTION_NTFS, &[conn_id, &enable])?;
        Ok(())
    }

    /// Writes a whole subscription, with an action that is due now; `more` is what else the statement takes.
    fn write_subscription(
        &mut self,
        sql: &Sql,
        subscription: &NtfSubscription,
        smp_key_hash: Option<KeyHash>,
        action: NtfSubAction,
        more: Params<'_>,
    ) -> TxResult<()> {
        let (ntf, smp) = action.columns();
        let all: [&dyn ToParam; 12] = [
            &subscription.conn_id,
            &subscription.smp_server.hosts,
            &subscription.smp_server.port,
            &smp_key_hash,
            &subscription.ntf_queue_id,
            &subscription.ntf_server.hosts,
            &subscription.ntf_server.port,
            &subscription.ntf_sub_id,
            &subscription.ntf_sub_status,
            &ntf,
            &smp,
            &UtcTime::now(),
        ];
        self.tx.execute(sql, &[&all, more].concat())?;
        Ok(())
    }

    /// Whether the supervisor wrote since a worker took the work; none when there is no such row. The row is
    /// locked.
    fn updated_by_supervisor(&mut self, conn_id: &ConnId) -> TxResult<Option<bool>> {
        let column = "ntf_subscriptions.updated_by_supervisor";
        Ok(self.tx.query_opt(&BY_SUPERVISOR, &[conn_id], |row| row.next(column))?)
    }

    /// Whether writing an action leaves the marks of failure as they are.
    fn keeps_marks(&self) -> bool {
        self.semantics == Semantics::Reference
    }
}
