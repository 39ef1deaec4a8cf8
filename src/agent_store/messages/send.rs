//! Storing messages that are to be sent, and the receipts for them (F-091 to F-097).

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    AgentMessage, ConnId, InternalId, InternalSndId, MsgHash, MsgReceipt, SmpQueue as _, SndMsg,
    SndMsgBodyId, SndMsgData, SndMsgIds, SndQueue,
};
use crate::db::{DbError, Row, Sql};

const INSERT_BODY: Sql = Sql::new(
    "store a message body",
    "INSERT INTO snd_message_bodies (agent_msg) VALUES ($1) RETURNING snd_message_body_id",
);
/// Changes the row at once instead of reading it first: so it is locked as AS-10 wants.
const UPDATE_IDS: Sql = Sql::new(
    "reserve the numbers of a message to send",
    "UPDATE connections
        SET last_internal_msg_id = last_internal_msg_id + 1,
            last_internal_snd_msg_id = last_internal_snd_msg_id + 1
      WHERE conn_id = $1
      RETURNING last_internal_msg_id, last_internal_snd_msg_id, last_snd_msg_hash",
);
const INSERT_MESSAGE: Sql = Sql::new(
    "store a message to send",
    "INSERT INTO messages
       (conn_id, internal_id, internal_ts, internal_snd_id, msg_type, msg_body, msg_flags, pq_encryption)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const INSERT_DETAILS: Sql = Sql::new(
    "store a sent message's details",
    "INSERT INTO snd_messages
       (conn_id, internal_snd_id, internal_id, internal_hash, previous_msg_hash,
        msg_encrypt_key, padded_msg_len, snd_message_body_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
);
const UPDATE_HASH: Sql = Sql::new(
    "continue the chain of sent messages",
    "UPDATE connections SET last_snd_msg_hash = $1
      WHERE conn_id = $2 AND last_internal_snd_msg_id = $3",
);
const INSERT_DELIVERY: Sql = Sql::new(
    "queue a message for delivery",
    "INSERT INTO snd_message_deliveries (conn_id, snd_queue_id, internal_id) VALUES ($1, $2, $3)",
);
const BY_SND_ID: Sql = Sql::new(
    "look for a sent message",
    "SELECT s.internal_id, s.internal_snd_id, m.msg_type, s.internal_hash, s.rcpt_internal_id, s.rcpt_status
       FROM snd_messages s
       JOIN messages m ON m.conn_id = s.conn_id AND m.internal_id = s.internal_id
      WHERE s.conn_id = $1 AND s.internal_snd_id = $2",
);
const UPDATE_RECEIPT: Sql = Sql::new(
    "store a receipt",
    "UPDATE snd_messages SET rcpt_internal_id = $1, rcpt_status = $2
      WHERE conn_id = $3 AND internal_snd_id = $4",
);

impl AgentTx<'_> {
    /// Stores a body that several messages may share, and gives its number (F-091).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn create_snd_msg_body(&mut self, message: &AgentMessage) -> TxResult<SndMsgBodyId> {
        let column = "snd_message_bodies.snd_message_body_id";
        Ok(self.tx.query_one(&INSERT_BODY, &[message], |row| row.next(column))?)
    }

    /// Reserves the numbers of a message that is to be sent, and gives them with the hash of the one before
    /// it (F-092). Until the transaction ends, nobody else gets numbers of the connection (AS-10).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConnNotFound`] (AS-60).
    pub fn update_snd_ids(&mut self, conn_id: &ConnId) -> TxResult<SndMsgIds> {
        let found = self.tx.query_opt(&UPDATE_IDS, &[conn_id], |row| {
            Ok(SndMsgIds {
                internal_id: row.next("connections.last_internal_msg_id")?,
                internal_snd_id: row.next("connections.last_internal_snd_msg_id")?,
                prev_snd_hash: row.next("connections.last_snd_msg_hash")?,
            })
        })?;
        found.ok_or_else(|| StoreError::ConnNotFound.into())
    }

    /// Stores a message under the numbers that [`update_snd_ids`](Self::update_snd_ids) gave, with its body or
    /// prepared (AS-29), and makes it the head of the connection's chain (F-093). It isn't queued for delivery yet.
    ///
    /// # Errors
    ///
    /// A failure of the database: also when there is no such connection or shared body, or the numbers are
    /// taken.
    pub fn create_snd_msg(&mut self, conn_id: &ConnId, message: &SndMsgData) -> TxResult<()> {
        let SndMsgData { internal_id, internal_snd_id, internal_hash, .. } = message;
        self.tx.execute(
            &INSERT_MESSAGE,
            &[
                conn_id,
                internal_id,
                &message.internal_ts,
                internal_snd_id,
                &message.msg_type,
                &message.msg_body,
                &message.msg_flags,
                &message.pq_encryption,
            ],
        )?;
        let prepared = message.prep_data.as_ref();
        self.tx.execute(
            &INSERT_DETAILS,
            &[
                conn_id,
                internal_snd_id,
                internal_id,
                internal_hash,
                &message.prev_msg_hash,
                &prepared.map(|data| &data.encrypt_key),
                &prepared.map(|data| data.padded_len),
                &prepared.map(|data| data.snd_msg_body_id),
            ],
        )?;
        self.update_snd_msg_hash(conn_id, *internal_snd_id, internal_hash)
    }

    /// Makes a message that is to be sent the head of its connection's chain (F-094), unless another has got
    /// a number meanwhile: the head is never set back (AS-64).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_msg_hash(
        &mut self,
        conn_id: &ConnId,
        internal_snd_id: InternalSndId,
        hash: &MsgHash,
    ) -> TxResult<()> {
        self.tx.execute(&UPDATE_HASH, &[hash, conn_id, &internal_snd_id])?;
        Ok(())
    }

    /// Queues a message for delivery through this queue of its connection (F-095).
    ///
    /// # Errors
    ///
    /// A failure of the database; that there is no such message is one when the transaction is committed.
    pub fn create_snd_msg_delivery(
        &mut self,
        queue: &SndQueue,
        msg_id: InternalId,
    ) -> TxResult<()> {
        self.tx.execute(&INSERT_DELIVERY, &[&queue.conn_id, &queue.number(), &msg_id])?;
        Ok(())
    }

    /// The sent message with this number, for a receipt that came for it (F-096). It has a receipt when both
    /// of the receipt's columns are set.
    ///
    /// # Errors
    ///
    /// [`StoreError::MsgNotFound`].
    pub fn get_snd_msg_via_rcpt(
        &mut self,
        conn_id: &ConnId,
        internal_snd_id: InternalSndId,
    ) -> TxResult<SndMsg> {
        let found = self.tx.query_opt(&BY_SND_ID, &[conn_id, &internal_snd_id], read_snd_msg)?;
        found.ok_or_else(|| StoreError::MsgNotFound { context: "getSndMsgViaRcpt" }.into())
    }

    /// Notes the receipt that came for a sent message (F-097).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_msg_rcpt(
        &mut self,
        conn_id: &ConnId,
        internal_snd_id: InternalSndId,
        receipt: MsgReceipt,
    ) -> TxResult<()> {
        let MsgReceipt { msg_id, status } = receipt;
        self.tx.execute(&UPDATE_RECEIPT, &[&msg_id, &status, conn_id, &internal_snd_id])?;
        Ok(())
    }
}

fn read_snd_msg(row: &mut Row<'_>) -> Result<SndMsg, DbError> {
    Ok(SndMsg {
        internal_id: row.next("snd_messages.internal_id")?,
        internal_snd_id: row.next("snd_messages.internal_snd_id")?,
        msg_type: row.next("messages.msg_type")?,
        internal_hash: row.next("snd_messages.internal_hash")?,
        msg_receipt: {
            let msg_id: Option<InternalId> = row.next("snd_messages.rcpt_internal_id")?;
            let status: Option<_> = row.next("snd_messages.rcpt_status")?;
            msg_id.zip(status).map(|(msg_id, status)| MsgReceipt { msg_id, status })
        },
    })
}
