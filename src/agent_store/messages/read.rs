//! Received messages: what the application acknowledges and asks for (F-104 to F-109).

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnId, InternalId, MsgHash, MsgId, MsgMeta, MsgReceipt, RcvMsg, RcvQueue,
};
use crate::db::{DbError, DbErrorKind, Row, Sql, UtcTime};

/// A received message, found by way of `messages`: SQLite looks details up by their own number only. With the
/// sent message that it confirms: the first, should there be several.
macro_rules! select_rcv_msg {
    ($from:literal, $condition:literal) => {
        concat!(
            "SELECT r.internal_id, r.integrity, m.internal_ts, r.broker_id, r.broker_ts, r.external_snd_id,
                    m.pq_encryption, m.msg_type, m.msg_body, r.internal_hash, r.user_ack,
                    s.internal_id, s.rcpt_status
               FROM ",
            $from,
            " JOIN rcv_messages r ON r.conn_id = m.conn_id AND r.internal_rcv_id = m.internal_rcv_id
              LEFT JOIN snd_messages s ON s.conn_id = r.conn_id AND s.internal_snd_id =
                (SELECT min(c.internal_snd_id) FROM snd_messages c
                  WHERE c.conn_id = r.conn_id AND c.rcpt_internal_id = r.internal_id)
              WHERE ",
            $condition
        )
    };
}

const LOCK_RCV_MSG: Sql = Sql::new(
    "lock a received message",
    "SELECT r.rcv_queue_id, r.broker_id FROM messages m
       JOIN rcv_messages r ON r.conn_id = m.conn_id AND r.internal_rcv_id = m.internal_rcv_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
)
.locking("FOR UPDATE OF r");
const SET_USER_ACK: Sql = Sql::new(
    "mark a message as acknowledged",
    "UPDATE rcv_messages SET user_ack = 1 WHERE conn_id = $1 AND internal_id = $2",
);
const RCV_MSG: Sql = Sql::new(
    "look for a received message",
    select_rcv_msg!("messages m", "m.conn_id = $1 AND m.internal_id = $2"),
);
const LAST_MSG: Sql = Sql::new(
    "look for the last message",
    select_rcv_msg!(
        "connections l
         JOIN messages m ON m.conn_id = l.conn_id AND m.internal_id = l.last_internal_msg_id",
        "l.conn_id = $1 AND r.broker_id = $2"
    ),
);
const INC_ATTEMPTS: Sql = Sql::new(
    "count an attempt to receive a message",
    "UPDATE rcv_messages SET receive_attempts = receive_attempts + 1
      WHERE conn_id = $1 AND internal_id = $2
      RETURNING receive_attempts",
);
const HASH_EXISTS: Sql = Sql::new(
    "look for the hash of what was received",
    "SELECT hash FROM encrypted_rcv_message_hashes WHERE conn_id = $1 AND hash = $2 LIMIT 1",
);
/// No index has the router's id: the newest messages are looked at first.
const BROKER_TS: Sql = Sql::new(
    "look for the time of a received message",
    "SELECT broker_ts FROM rcv_messages WHERE conn_id = $1 AND broker_id = $2
      ORDER BY internal_rcv_id DESC LIMIT 1",
);

impl AgentTx<'_> {
    /// Marks a received message as acknowledged by the application, and gives the queue that it came through, and
    /// its id there (F-104). Until the transaction ends, others who do so with this message wait (AS-10).
    ///
    /// # Errors
    ///
    /// [`StoreError::MsgNotFound`]; [`StoreError::ConnNotFound`] when the queue is gone or marked as deleted, and
    /// then the message isn't marked.
    pub fn set_msg_user_ack(
        &mut self,
        conn_id: &ConnId,
        msg_id: InternalId,
    ) -> TxResult<(RcvQueue, MsgId)> {
        let found = self.tx.query_opt(&LOCK_RCV_MSG, &[conn_id, &msg_id], |row| {
            Ok((row.next("rcv_messages.rcv_queue_id")?, row.next("rcv_messages.broker_id")?))
        })?;
        let missing = StoreError::MsgNotFound { context: "setMsgUserAck" };
        let (number, broker_id) = found.ok_or(missing)?;
        let queue = self.get_rcv_queue_by_id(conn_id, number)?;
        self.tx.execute(&SET_USER_ACK, &[conn_id, &msg_id])?;
        Ok((queue, broker_id))
    }

    /// A received message (F-105), with the receipt that it was, when a sent message of the connection refers
    /// to it.
    ///
    /// # Errors
    ///
    /// [`StoreError::MsgNotFound`].
    pub fn get_rcv_msg(&mut self, conn_id: &ConnId, msg_id: InternalId) -> TxResult<RcvMsg> {
        let found = self.tx.query_opt(&RCV_MSG, &[conn_id, &msg_id], read_rcv_msg)?;
        found.ok_or_else(|| StoreError::MsgNotFound { context: "getRcvMsg" }.into())
    }

    /// The message with this id on its router, when it is the last one of its connection, received or sent
    /// (F-106, AS-68).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_last_msg(
        &mut self,
        conn_id: &ConnId,
        broker_id: &MsgId,
    ) -> TxResult<Option<RcvMsg>> {
        Ok(self.tx.query_opt(&LAST_MSG, &[conn_id, broker_id], read_rcv_msg)?)
    }

    /// Counts another delivery of a message that isn't acknowledged, and gives how many there were (F-107).
    ///
    /// # Errors
    ///
    /// A failure of the database; also that there is no such message (Q-13).
    pub fn inc_msg_rcv_attempts(&mut self, conn_id: &ConnId, msg_id: InternalId) -> TxResult<i32> {
        let column = "rcv_messages.receive_attempts";
        let found =
            self.tx.query_opt(&INC_ATTEMPTS, &[conn_id, &msg_id], |row| row.next(column))?;
        let missing =
            || DbError::new(INC_ATTEMPTS.name(), DbErrorKind::Other, "there is no such message");
        Ok(found.ok_or_else(missing)?)
    }

    /// Whether a message with this hash, taken before it was decrypted, came to the connection already (F-108).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn check_rcv_msg_hash_exists(
        &mut self,
        conn_id: &ConnId,
        hash: &MsgHash,
    ) -> TxResult<bool> {
        Ok(self.tx.exists(&HASH_EXISTS, &[conn_id, hash])?)
    }

    /// When the router got a received message (F-109): of several with this id, the one that came last.
    ///
    /// It looks through the connection's received messages, from the newest on.
    ///
    /// # Errors
    ///
    /// [`StoreError::MsgNotFound`].
    pub fn get_rcv_msg_broker_ts(
        &mut self,
        conn_id: &ConnId,
        broker_id: &MsgId,
    ) -> TxResult<UtcTime> {
        let column = "rcv_messages.broker_ts";
        let found = self.tx.query_opt(&BROKER_TS, &[conn_id, broker_id], |row| row.next(column))?;
        found.ok_or_else(|| StoreError::MsgNotFound { context: "getRcvMsgBrokerTs" }.into())
    }
}

fn read_rcv_msg(row: &mut Row<'_>) -> Result<RcvMsg, DbError> {
    let internal_id = row.next("rcv_messages.internal_id")?;
    Ok(RcvMsg {
        internal_id,
        msg_meta: MsgMeta {
            integrity: row.next("rcv_messages.integrity")?,
            recipient: (internal_id, row.next("messages.internal_ts")?),
            broker: (row.next("rcv_messages.broker_id")?, row.next("rcv_messages.broker_ts")?),
            snd_msg_id: row.next("rcv_messages.external_snd_id")?,
            pq_encryption: row.next("messages.pq_encryption")?,
        },
        msg_type: row.next("messages.msg_type")?,
        msg_body: row.next("messages.msg_body")?,
        internal_hash: row.next("rcv_messages.internal_hash")?,
        // What was stored before there were acknowledgements is none.
        user_ack: row.next::<Option<bool>>("rcv_messages.user_ack")?.unwrap_or_default(),
        msg_receipt: {
            let msg_id: Option<InternalId> = row.next("snd_messages.internal_id")?;
            let status: Option<_> = row.next("snd_messages.rcpt_status")?;
            msg_id.zip(status).map(|(msg_id, status)| MsgReceipt { msg_id, status })
        },
    })
}
