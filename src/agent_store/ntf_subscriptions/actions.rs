//! Work on subscriptions for notifications, handed out in batches, to a worker for each router (section 4.11).
//!
//! A worker claims what it gets: it clears the supervisor's mark, so that only what the supervisor writes
//! from then on sets it again (AS-84). Where writers run side by side, an action may be changed between the
//! moment it is found and the moment it is claimed. Then it isn't this worker's any more: it is left out.

use super::rows::{select_subscription, subscription};
use crate::agent_store::error::{StoreError, TxError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnId, NtfServer, NtfSubNtfWork, NtfSubSmpWork, NtfSubscription, SmpServer,
};
use crate::agent_store::work_items::get_work_items;
use crate::db::{DbError, Params, Row, Sql, ToParam};

/// A connection's id as it stands in the row: also one that can't be read must be possible to mark.
type RawConnId = Vec<u8>;

/// The statements for one of the two columns of actions.
struct Actions {
    kind: &'static str,
    find: Sql,
    claim: Sql,
    load: Sql,
    mark_failed: Sql,
}

/// Rows without a time come first, on both databases: they can't be loaded, and are out of the way once
/// they are marked.
const NTF: Actions = Actions {
    kind: "ntf NTF",
    find: Sql::new(
        "find actions on a notification router",
        "SELECT conn_id FROM ntf_subscriptions
          WHERE ntf_host = $1 AND ntf_port = $2 AND ntf_sub_action IS NOT NULL
            AND (ntf_failed = 0 OR updated_by_supervisor = 1)
          ORDER BY ntf_sub_action_ts ASC NULLS FIRST LIMIT $3",
    ),
    claim: Sql::new(
        "claim an action on a notification router",
        "UPDATE ntf_subscriptions SET updated_by_supervisor = 0
          WHERE conn_id = $1 AND ntf_host = $2 AND ntf_port = $3 AND ntf_sub_action IS NOT NULL",
    ),
    load: Sql::new(
        "load an action on a notification router",
        select_subscription!("n.ntf_sub_action, n.ntf_sub_action_ts"),
    ),
    mark_failed: Sql::new(
        "mark an action on a notification router as failed",
        "UPDATE ntf_subscriptions SET ntf_failed = 1 WHERE conn_id = $1",
    ),
};

const SMP: Actions = Actions {
    kind: "ntf SMP",
    find: Sql::new(
        "find actions on a message router",
        "SELECT conn_id FROM ntf_subscriptions
          WHERE smp_host = $1 AND smp_port = $2 AND ntf_sub_smp_action IS NOT NULL
            AND ntf_sub_action_ts IS NOT NULL AND (smp_failed = 0 OR updated_by_supervisor = 1)
          ORDER BY ntf_sub_action_ts LIMIT $3",
    ),
    claim: Sql::new(
        "claim an action on a message router",
        "UPDATE ntf_subscriptions SET updated_by_supervisor = 0
          WHERE conn_id = $1 AND smp_host = $2 AND smp_port = $3
            AND ntf_sub_smp_action IS NOT NULL AND ntf_sub_action_ts IS NOT NULL",
    ),
    load: Sql::new(
        "load an action on a message router",
        select_subscription!("n.ntf_sub_smp_action"),
    ),
    mark_failed: Sql::new(
        "mark an action on a message router as failed",
        "UPDATE ntf_subscriptions SET smp_failed = 1 WHERE conn_id = $1",
    ),
};

impl AgentTx<'_> {
    /// Claims and gives the next actions on a notification router, at most so many, in the order of their
    /// times, which may be yet to come (F-153); the fingerprint isn't compared.
    ///
    /// Each is an item of its own (AS-82): one that can't be loaded is marked and stands in the list as its
    /// error, [`StoreError::Internal`]; so is one whose connection is gone. It is given again once the
    /// supervisor has changed the subscription (AS-83) or, under
    /// [`Semantics::Strict`](crate::protocol::Semantics::Strict), an action was written.
    ///
    /// # Errors
    ///
    /// [`StoreError::WorkItem`], on which the worker has to stop: as the result when nothing could be looked
    /// for, in the list when a bad item could not be marked.
    pub fn get_next_ntf_sub_ntf_actions(
        &mut self,
        server: &NtfServer,
        batch_size: u32,
    ) -> TxResult<Vec<Result<NtfSubNtfWork, StoreError>>> {
        self.next_actions(&NTF, [&server.hosts, &server.port], batch_size, |row, subscription| {
            Ok(NtfSubNtfWork {
                subscription,
                action: row.next("ntf_subscriptions.ntf_sub_action")?,
                action_ts: row.next("ntf_subscriptions.ntf_sub_action_ts")?,
            })
        })
    }

    /// The same for actions on a message router (F-155); subscriptions carry this very `server`, also its
    /// fingerprint. One without a time isn't found.
    ///
    /// # Errors
    ///
    /// As [`get_next_ntf_sub_ntf_actions`](Self::get_next_ntf_sub_ntf_actions).
    pub fn get_next_ntf_sub_smp_actions(
        &mut self,
        server: &SmpServer,
        batch_size: u32,
    ) -> TxResult<Vec<Result<NtfSubSmpWork, StoreError>>> {
        self.next_actions(&SMP, [&server.hosts, &server.port], batch_size, |row, subscription| {
            Ok(NtfSubSmpWork {
                subscription: NtfSubscription { smp_server: server.clone(), ..subscription },
                action: row.next("ntf_subscriptions.ntf_sub_smp_action")?,
            })
        })
    }

    /// Marks a subscription's action on its notification router as failed, if it is there (F-154).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn mark_ntf_sub_action_ntf_failed(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.mark_action_failed(&NTF, conn_id)
    }

    /// The same for the action on its message router (F-156).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn mark_ntf_sub_action_smp_failed(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.mark_action_failed(&SMP, conn_id)
    }

    fn next_actions<T>(
        &mut self,
        actions: &Actions,
        address: [&dyn ToParam; 2],
        batch_size: u32,
        read: impl Fn(&mut Row<'_>, NtfSubscription) -> Result<T, DbError>,
    ) -> TxResult<Vec<Result<T, StoreError>>> {
        loop {
            let batch = get_work_items(
                self,
                actions.kind,
                |tx| tx.find_actions(actions, address, batch_size),
                |tx, conn_id| tx.claim_action(actions, address, conn_id, &read),
                |tx, conn_id| tx.mark_action_failed(actions, conn_id),
            )?;
            let found = !batch.is_empty();
            let claimed = batch.into_iter().filter_map(Result::transpose);
            let claimed: Vec<_> = claimed.map(|item| item.map_err(TxError::into_answer)).collect();
            // All were changed meanwhile: there may be others, and nobody would tell the worker.
            if claimed.is_empty() && found {
                continue;
            }
            return Ok(claimed);
        }
    }

    fn find_actions(
        &mut self,
        actions: &Actions,
        [hosts, port]: [&dyn ToParam; 2],
        batch_size: u32,
    ) -> TxResult<Vec<RawConnId>> {
        let params: Params<'_> = &[hosts, port, &batch_size];
        Ok(self.tx.query(&actions.find, params, |row| row.next("ntf_subscriptions.conn_id"))?)
    }

    /// Claims an action and loads it; none when it isn't this worker's any more.
    fn claim_action<T>(
        &mut self,
        actions: &Actions,
        [hosts, port]: [&dyn ToParam; 2],
        conn_id: &RawConnId,
        read: impl Fn(&mut Row<'_>, NtfSubscription) -> Result<T, DbError>,
    ) -> TxResult<Option<T>> {
        if self.tx.execute(&actions.claim, &[conn_id, hosts, port])? == 0 {
            return Ok(None);
        }
        let found = self.tx.query_opt(&actions.load, &[conn_id], |row| {
            let subscription = subscription(row)?;
            read(row, subscription)
        })?;
        found.map(Some).ok_or_else(|| {
            let problem =
                "a subscription whose connection is gone, or whose router isn't registered";
            StoreError::Internal(format!("{}: {problem}", actions.load.name())).into()
        })
    }

    fn mark_action_failed(&mut self, actions: &Actions, conn_id: &dyn ToParam) -> TxResult<()> {
        self.tx.execute(&actions.mark_failed, &[conn_id])?;
        Ok(())
    }
}
