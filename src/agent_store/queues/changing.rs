//! Changing and deleting queues (F-057 to F-067, F-071). Unless it is said otherwise, a queue is found by its
//! router's hosts and port and its own id there, and the router's fingerprint is not compared. What
//! matches no queue changes nothing, and that isn't an error.

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ClientNtfCreds, ConnId, QueueStatus, RcvQueue, RcvSwitchStatus, Semantics, SmpClientVersion,
    SmpQueue, SmpServer, SndQueue, SndSwitchStatus,
};
use crate::db::{Param, Sql, ToParam};
use crate::protocol::DhSecret;

const SET_RCV_STATUS: Sql = Sql::new(
    "set a receive queue's status",
    "UPDATE rcv_queues SET status = $4 WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
const SET_RCV_SWITCH_STATUS: Sql = Sql::new(
    "set a receive queue's switch status",
    "UPDATE rcv_queues SET switch_status = $4 WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
const MARK_RCV_DELETED: Sql = Sql::new(
    "mark a receive queue as deleted",
    "UPDATE rcv_queues SET deleted = 1 WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
const CONFIRM_RCV: Sql = Sql::new(
    "confirm a receive queue",
    "UPDATE rcv_queues SET e2e_dh_secret = $4, status = 'confirmed', smp_client_version = $5
      WHERE host = $1 AND port = $2 AND rcv_id = $3",
);
const SET_SND_STATUS: Sql = Sql::new(
    "set a send queue's status",
    "UPDATE snd_queues SET status = $4 WHERE host = $1 AND port = $2 AND snd_id = $3",
);
const SET_SND_SWITCH_STATUS: Sql = Sql::new(
    "set a send queue's switch status",
    "UPDATE snd_queues SET switch_status = $4 WHERE host = $1 AND port = $2 AND snd_id = $3",
);
const UNSET_RCV_PRIMARY: Sql = Sql::new(
    "unset a connection's primary receive queues",
    "UPDATE rcv_queues SET rcv_primary = 0 WHERE conn_id = $1",
);
const SET_RCV_PRIMARY: Sql = Sql::new(
    "set a connection's primary receive queue",
    "UPDATE rcv_queues SET rcv_primary = 1, replace_rcv_queue_id = NULL
      WHERE conn_id = $1 AND rcv_queue_id = $2",
);
const UNSET_SND_PRIMARY: Sql = Sql::new(
    "unset a connection's primary send queues",
    "UPDATE snd_queues SET snd_primary = 0 WHERE conn_id = $1",
);
const SET_SND_PRIMARY: Sql = Sql::new(
    "set a connection's primary send queue",
    "UPDATE snd_queues SET snd_primary = 1, replace_snd_queue_id = NULL
      WHERE conn_id = $1 AND snd_queue_id = $2",
);
const DELETE_RCV: Sql = Sql::new(
    "delete a receive queue",
    "DELETE FROM rcv_queues WHERE conn_id = $1 AND rcv_queue_id = $2",
);
const INC_DELETE_ERRORS: Sql = Sql::new(
    "count a failed deletion of a receive queue",
    "UPDATE rcv_queues SET delete_errors = delete_errors + 1
      WHERE conn_id = $1 AND rcv_queue_id = $2",
);
const DELETE_DELIVERIES: Sql = Sql::new(
    "delete a send queue's deliveries",
    "DELETE FROM snd_message_deliveries WHERE conn_id = $1 AND snd_queue_id = $2",
);
const DELETE_SND: Sql = Sql::new(
    "delete a send queue",
    "DELETE FROM snd_queues WHERE conn_id = $1 AND snd_queue_id = $2",
);

macro_rules! set_ntf_creds {
    () => {
        "UPDATE rcv_queues
            SET ntf_public_key = $2, ntf_private_key = $3, ntf_id = $4, rcv_ntf_dh_secret = $5
          WHERE conn_id = $1"
    };
}
const SET_ALL_NTF_CREDS: Sql =
    Sql::new("set the notifiers of a connection's queues", set_ntf_creds!());
const SET_PRIMARY_NTF_CREDS: Sql = Sql::new(
    "set the notifier of a connection's primary queue",
    concat!(
        set_ntf_creds!(),
        " AND rcv_queue_id = (SELECT q.rcv_queue_id FROM rcv_queues q
            WHERE q.conn_id = $1 AND q.deleted = 0",
        super::rows::rcv_queue_order!(),
        " LIMIT 1)"
    ),
);

impl AgentTx<'_> {
    /// Sets a receive queue's status (F-057).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_queue_status(&mut self, queue: &RcvQueue, status: QueueStatus) -> TxResult<()> {
        self.change_queue(&SET_RCV_STATUS, queue, [&status])
    }

    /// Sets how far a receive queue's replacement has come, and gives the queue with that (F-058).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_switch_status(
        &mut self,
        queue: &RcvQueue,
        status: Option<RcvSwitchStatus>,
    ) -> TxResult<RcvQueue> {
        self.change_queue(&SET_RCV_SWITCH_STATUS, queue, [&status])?;
        Ok(RcvQueue { rcv_switch_status: status, ..queue.clone() })
    }

    /// Marks a receive queue as deleted (F-059); its service, if it has one, counts it no more (AS-15).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_queue_deleted(&mut self, queue: &RcvQueue) -> TxResult<()> {
        self.change_queue(&MARK_RCV_DELETED, queue, [])
    }

    /// Notes what the sender's confirmation of a receive queue told, and that it came (F-060): the secret
    /// of the end-to-end layer, and the version of the protocol between clients.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_queue_confirmed_e2e(
        &mut self,
        queue: &RcvQueue,
        e2e_dh_secret: &DhSecret,
        smp_client_version: SmpClientVersion,
    ) -> TxResult<()> {
        self.change_queue(&CONFIRM_RCV, queue, [e2e_dh_secret, &smp_client_version])
    }

    /// Sets a send queue's status (F-061).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_snd_queue_status(&mut self, queue: &SndQueue, status: QueueStatus) -> TxResult<()> {
        self.change_queue(&SET_SND_STATUS, queue, [&status])
    }

    /// Sets how far a send queue's replacement has come, and gives the queue with that (F-062).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_snd_switch_status(
        &mut self,
        queue: &SndQueue,
        status: Option<SndSwitchStatus>,
    ) -> TxResult<SndQueue> {
        self.change_queue(&SET_SND_SWITCH_STATUS, queue, [&status])?;
        Ok(SndQueue { snd_switch_status: status, ..queue.clone() })
    }

    /// Makes a connection's receive queue, found by its number, the only primary one, and one that replaces
    /// none (F-063). That takes two statements, of which a transaction keeps both or neither (AS-56).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_rcv_queue_primary(&mut self, conn_id: &ConnId, queue: &RcvQueue) -> TxResult<()> {
        self.tx.execute(&UNSET_RCV_PRIMARY, &[conn_id])?;
        self.tx.execute(&SET_RCV_PRIMARY, &[conn_id, &queue.number()])?;
        Ok(())
    }

    /// The same for a send queue (F-064).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_snd_queue_primary(&mut self, conn_id: &ConnId, queue: &SndQueue) -> TxResult<()> {
        self.tx.execute(&UNSET_SND_PRIMARY, &[conn_id])?;
        self.tx.execute(&SET_SND_PRIMARY, &[conn_id, &queue.number()])?;
        Ok(())
    }

    /// Deletes a receive queue, found by its connection and number (F-065).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_conn_rcv_queue(&mut self, queue: &RcvQueue) -> TxResult<()> {
        self.tx.execute(&DELETE_RCV, &[&queue.conn_id, &queue.number()])?;
        Ok(())
    }

    /// Counts a failed attempt at deleting a receive queue on its router (F-066, AS-23); it is found by its
    /// connection and number.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn inc_rcv_delete_errors(&mut self, queue: &RcvQueue) -> TxResult<()> {
        self.tx.execute(&INC_DELETE_ERRORS, &[&queue.conn_id, &queue.number()])?;
        Ok(())
    }

    /// Deletes a connection's send queue, found by its number, and its deliveries (F-067, AS-57).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_conn_snd_queue(&mut self, conn_id: &ConnId, queue: &SndQueue) -> TxResult<()> {
        self.tx.execute(&DELETE_DELIVERIES, &[conn_id, &queue.number()])?;
        self.tx.execute(&DELETE_SND, &[conn_id, &queue.number()])?;
        Ok(())
    }

    /// Sets the notifier's credentials of a connection's primary receive queue, the first in queue order
    /// that isn't marked as deleted; `None` clears those of all its receive queues (F-071, Q-5).
    ///
    /// Under [`Semantics::Reference`] all its receive queues get them (AS-58), which fails when two are on
    /// one router.
    ///
    /// # Errors
    ///
    /// A failure of the database, also when another queue on the router has the notifier's id.
    pub fn set_rcv_queue_ntf_creds(
        &mut self,
        conn_id: &ConnId,
        creds: Option<&ClientNtfCreds>,
    ) -> TxResult<()> {
        let Some(creds) = creds else {
            let null = &Param::Null;
            self.tx.execute(&SET_ALL_NTF_CREDS, &[conn_id, null, null, null, null])?;
            return Ok(());
        };
        let sql = match self.semantics {
            Semantics::Strict => &SET_PRIMARY_NTF_CREDS,
            Semantics::Reference => &SET_ALL_NTF_CREDS,
        };
        let ClientNtfCreds { ntf_public_key, ntf_private_key, notifier_id, rcv_ntf_dh_secret } =
            creds;
        let values: [&dyn ToParam; 5] =
            [conn_id, ntf_public_key, ntf_private_key, notifier_id, rcv_ntf_dh_secret];
        self.tx.execute(sql, &values)?;
        Ok(())
    }

    /// Runs a statement whose first parameters are hosts, port and id of a queue.
    fn change_queue<Q, const N: usize>(
        &mut self,
        sql: &Sql,
        queue: &Q,
        values: [&dyn ToParam; N],
    ) -> TxResult<()>
    where
        Q: SmpQueue,
        Q::Id: ToParam,
    {
        let SmpServer { hosts, port, .. } = queue.server();
        let place: [&dyn ToParam; 3] = [hosts, port, queue.queue_id()];
        self.tx.execute(sql, &[&place[..], &values[..]].concat())?;
        Ok(())
    }
}
