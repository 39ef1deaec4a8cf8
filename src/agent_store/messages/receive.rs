//! Storing received messages (F-087 to F-090).

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnId, ExternalSndId, InternalRcvId, MsgHash, QueueNumber, RcvMsgData, RcvMsgIds, RcvQueue,
    SmpQueue as _,
};
use crate::db::{DbError, DbErrorKind, Sql, UtcTime};

/// Changes the row at once instead of reading it first: so it is locked as AS-10 wants.
const UPDATE_IDS: Sql = Sql::new(
    "reserve the numbers of a received message",
    "UPDATE connections
        SET last_internal_msg_id = last_internal_msg_id + 1,
            last_internal_rcv_msg_id = last_internal_rcv_msg_id + 1
      WHERE conn_id = $1
      RETURNING last_internal_msg_id, last_internal_rcv_msg_id, last_external_snd_msg_id, last_rcv_msg_hash",
);
const INSERT_MESSAGE: Sql = Sql::new(
    "store a received message",
    "INSERT INTO messages
       (conn_id, internal_id, internal_ts, internal_rcv_id, msg_type, msg_body, msg_flags, pq_encryption)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const INSERT_DETAILS: Sql = Sql::new(
    "store a received message's details",
    "INSERT INTO rcv_messages
       (conn_id, internal_rcv_id, internal_id, external_snd_id, broker_id, broker_ts,
        internal_hash, external_prev_snd_hash, integrity, rcv_queue_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
const INSERT_HASH: Sql = Sql::new(
    "store the hash of what was received",
    "INSERT INTO encrypted_rcv_message_hashes (conn_id, hash) VALUES ($1, $2)",
);
const SET_BROKER_TS: Sql = Sql::new(
    "set a queue's last time on its router",
    "UPDATE rcv_queues SET last_broker_ts = $1
      WHERE conn_id = $2 AND rcv_queue_id = $3 AND (last_broker_ts IS NULL OR last_broker_ts < $1)",
);
const UPDATE_HASH: Sql = Sql::new(
    "continue the chain of received messages",
    "UPDATE connections SET last_external_snd_msg_id = $1, last_rcv_msg_hash = $2
      WHERE conn_id = $3 AND last_internal_rcv_msg_id = $4",
);

impl AgentTx<'_> {
    /// Reserves the numbers of a message that is being received, and gives them with the number and the hash of
    /// the one before it (F-087). Until the transaction ends, nobody else gets numbers of the connection
    /// (AS-10).
    ///
    /// # Errors
    ///
    /// A failure of the database; also that there is no such connection (AS-60, Q-13), where
    /// [`update_snd_ids`](Self::update_snd_ids) answers with an error.
    pub fn update_rcv_ids(&mut self, conn_id: &ConnId) -> TxResult<RcvMsgIds> {
        let found = self.tx.query_opt(&UPDATE_IDS, &[conn_id], |row| {
            Ok(RcvMsgIds {
                internal_id: row.next("connections.last_internal_msg_id")?,
                internal_rcv_id: row.next("connections.last_internal_rcv_msg_id")?,
                prev_external_snd_id: row.next("connections.last_external_snd_msg_id")?,
                prev_rcv_hash: row.next("connections.last_rcv_msg_hash")?,
            })
        })?;
        let missing =
            || DbError::new(UPDATE_IDS.name(), DbErrorKind::Other, "there is no such connection");
        Ok(found.ok_or_else(missing)?)
    }

    /// Stores a message that came through this queue, under the numbers that
    /// [`update_rcv_ids`](Self::update_rcv_ids) gave (F-088): the message and its details, and the hash of what
    /// came (AS-61). It becomes the head of the chain as by [`update_rcv_msg_hash`](Self::update_rcv_msg_hash), and
    /// its time the queue's as by [`set_last_broker_ts`](Self::set_last_broker_ts).
    ///
    /// # Errors
    ///
    /// A failure of the database: also when there is no such connection, or the numbers are taken.
    pub fn create_rcv_msg(&mut self, queue: &RcvQueue, message: &RcvMsgData) -> TxResult<()> {
        let (conn_id, number) = (&queue.conn_id, queue.number());
        let RcvMsgData { msg_meta: meta, internal_rcv_id, internal_hash, .. } = message;
        let (internal_id, internal_ts) = meta.recipient;
        let (broker_id, broker_ts) = &meta.broker;
        self.tx.execute(
            &INSERT_MESSAGE,
            &[
                conn_id,
                &internal_id,
                &internal_ts,
                internal_rcv_id,
                &message.msg_type,
                &message.msg_body,
                &message.msg_flags,
                &meta.pq_encryption,
            ],
        )?;
        self.tx.execute(
            &INSERT_DETAILS,
            &[
                conn_id,
                internal_rcv_id,
                &internal_id,
                &meta.snd_msg_id,
                broker_id,
                broker_ts,
                internal_hash,
                &message.external_prev_snd_hash,
                &meta.integrity,
                &number,
            ],
        )?;
        self.tx.execute(&INSERT_HASH, &[conn_id, &message.encrypted_msg_hash])?;
        self.update_rcv_msg_hash(conn_id, meta.snd_msg_id, *internal_rcv_id, internal_hash)?;
        self.set_last_broker_ts(conn_id, number, *broker_ts)
    }

    /// Notes the router's time of a queue's newest message (F-089). Messages may come out of order: a time
    /// that isn't later than the one that stands there changes nothing (AS-62).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_last_broker_ts(
        &mut self,
        conn_id: &ConnId,
        queue: QueueNumber,
        ts: UtcTime,
    ) -> TxResult<()> {
        self.tx.execute(&SET_BROKER_TS, &[&ts, conn_id, &queue])?;
        Ok(())
    }

    /// Makes a received message the head of its connection's chain (F-090), unless another has got a number
    /// meanwhile: the head is never set back (AS-63).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_msg_hash(
        &mut self,
        conn_id: &ConnId,
        snd_msg_id: ExternalSndId,
        internal_rcv_id: InternalRcvId,
        hash: &MsgHash,
    ) -> TxResult<()> {
        self.tx.execute(&UPDATE_HASH, &[&snd_msg_id, hash, conn_id, &internal_rcv_id])?;
        Ok(())
    }
}
