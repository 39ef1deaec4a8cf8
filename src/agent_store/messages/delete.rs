//! Deleting messages that are done with, and those that are too old (F-110 to F-114).

use std::time::Duration;

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnId, InternalId, MsgBody, MsgReceiptStatus, Semantics, SmpQueue as _, SndMsgBodyId, SndQueue,
};
use crate::db::{Sql, Texts, UtcTime};

const DELETE: Sql =
    Sql::new("delete a message", "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2");
/// Most messages have a body of their own: one statement is enough for them.
const DELETE_WITHOUT_SHARED_BODY: Sql = Sql::new(
    "delete a message without a shared body",
    "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2
        AND NOT EXISTS (SELECT 1 FROM snd_messages s
          WHERE s.conn_id = messages.conn_id AND s.internal_snd_id = messages.internal_snd_id
            AND s.snd_message_body_id IS NOT NULL)",
);
const SHARED_BODY: Sql = Sql::new(
    "look for a message's shared body",
    "SELECT s.snd_message_body_id FROM messages m
       JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
);
/// Those who end two deliveries of a message at once must see each other's: they take turns (AS-10).
const LOCK_MESSAGE: Sql = Sql::new(
    "lock a message",
    "SELECT s.snd_message_body_id FROM messages m
       LEFT JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
)
.locking("FOR UPDATE OF m");
/// SQLite would look through all deliveries of the connection, in the index that has every column.
macro_rules! unless_pending {
    ($index:literal) => {
        concat!(
            " AND NOT EXISTS (SELECT 1 FROM snd_message_deliveries AS d",
            $index,
            " WHERE d.conn_id = $1 AND d.internal_id = $2 AND d.failed = 0)"
        )
    };
}
const DELETE_DELIVERED: Sql = Sql::differing(
    "delete a delivered message",
    Texts {
        sqlite: concat!(
            "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2",
            unless_pending!(" INDEXED BY idx_snd_message_deliveries_conn_id_internal_id")
        ),
        postgres: concat!(
            "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2",
            unless_pending!("")
        ),
    },
);
/// SQLite would look through all deliveries of the queue.
const DELETE_DELIVERY: Sql = Sql::differing(
    "delete a delivery",
    Texts {
        sqlite: "DELETE FROM snd_message_deliveries
          INDEXED BY idx_snd_message_deliveries_conn_id_internal_id
          WHERE conn_id = $1 AND snd_queue_id = $2 AND internal_id = $3",
        postgres: "DELETE FROM snd_message_deliveries
          WHERE conn_id = $1 AND snd_queue_id = $2 AND internal_id = $3",
    },
);
/// The message before its details and deliveries, as who deletes one does: so nobody waits in a circle.
const LOCK_SENT: Sql = Sql::new(
    "lock a sent message",
    "SELECT s.rcpt_status, s.snd_message_body_id FROM messages m
       JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
)
.locking("FOR UPDATE OF m, s");
const CLEAR_DELIVERED: Sql = Sql::differing(
    "clear a delivered message",
    Texts {
        sqlite: concat!(
            "UPDATE messages SET msg_body = $3 WHERE conn_id = $1 AND internal_id = $2",
            unless_pending!(" INDEXED BY idx_snd_message_deliveries_conn_id_internal_id")
        ),
        postgres: concat!(
            "UPDATE messages SET msg_body = $3 WHERE conn_id = $1 AND internal_id = $2",
            unless_pending!("")
        ),
    },
);
const CLEAR_SHARED_BODY: Sql = Sql::new(
    "clear a message's shared body",
    "UPDATE snd_messages SET snd_message_body_id = NULL WHERE conn_id = $1 AND internal_id = $2",
);
const DELETE_EXPIRED_HASHES: Sql = Sql::new(
    "delete expired hashes of what was received",
    "DELETE FROM encrypted_rcv_message_hashes WHERE encrypted_rcv_message_hash_id IN
       (SELECT encrypted_rcv_message_hash_id FROM encrypted_rcv_message_hashes
         WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
);

/// The sent messages that are too old, in an order that gives the same ones twice.
macro_rules! expired_sent {
    () => {
        " FROM messages
           WHERE internal_snd_id IS NOT NULL AND internal_ts < $1
           ORDER BY internal_ts, conn_id, internal_id LIMIT $2)"
    };
}
const EXPIRED_BODIES: Sql = Sql::new(
    "look for the bodies of expired messages",
    concat!(
        "SELECT DISTINCT s.snd_message_body_id FROM (SELECT conn_id, internal_snd_id",
        expired_sent!(),
        " e JOIN snd_messages s ON s.conn_id = e.conn_id AND s.internal_snd_id = e.internal_snd_id
          WHERE s.snd_message_body_id IS NOT NULL
          ORDER BY s.snd_message_body_id"
    ),
);
const DELETE_EXPIRED: Sql = Sql::new(
    "delete expired messages",
    concat!(
        "DELETE FROM messages WHERE (conn_id, internal_id) IN (SELECT conn_id, internal_id",
        expired_sent!()
    ),
);

impl AgentTx<'_> {
    /// Deletes a message, received or sent, with its details and deliveries (F-110).
    ///
    /// Under [`Semantics::Strict`] a shared body goes with its last message; under
    /// [`Semantics::Reference`] it stays (AS-69).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_msg(&mut self, conn_id: &ConnId, msg_id: InternalId) -> TxResult<()> {
        if self.semantics == Semantics::Reference {
            self.tx.execute(&DELETE, &[conn_id, &msg_id])?;
            return Ok(());
        }
        if self.tx.execute(&DELETE_WITHOUT_SHARED_BODY, &[conn_id, &msg_id])? > 0 {
            return Ok(());
        }
        let column = "snd_messages.snd_message_body_id";
        let body: Option<Option<SndMsgBodyId>> =
            self.tx.query_opt(&SHARED_BODY, &[conn_id, &msg_id], |row| row.next(column))?;
        let Some(body) = body else {
            return Ok(());
        };
        self.tx.execute(&DELETE, &[conn_id, &msg_id])?;
        body.map_or(Ok(()), |id| self.release_snd_msg_body(id))
    }

    /// Deletes a message, with its details and failed deliveries, when nothing of it is still to be
    /// delivered (F-111, AS-70). Until the transaction ends, others who do so with this message wait (AS-10), so
    /// that of two who end its last deliveries one deletes it.
    ///
    /// Under [`Semantics::Strict`] a shared body goes with its last message.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_delivered_snd_msg(
        &mut self,
        conn_id: &ConnId,
        msg_id: InternalId,
    ) -> TxResult<()> {
        let column = "snd_messages.snd_message_body_id";
        let body: Option<Option<SndMsgBodyId>> =
            self.tx.query_opt(&LOCK_MESSAGE, &[conn_id, &msg_id], |row| row.next(column))?;
        let Some(body) = body else {
            return Ok(());
        };
        let deleted = self.tx.execute(&DELETE_DELIVERED, &[conn_id, &msg_id])? > 0;
        match body.filter(|_| deleted && self.semantics == Semantics::Strict) {
            Some(id) => self.release_snd_msg_body(id),
            None => Ok(()),
        }
    }

    /// Ends the delivery of a message through this queue, and deletes the message when no other one of it is
    /// still to be delivered (F-112, AS-71). Deliveries that are marked as failed don't count, and go with it
    /// (AS-72).
    ///
    /// With `keep_for_receipt`, only its content is deleted then, so that a receipt finds it; unless the receipt came
    /// already and says that it arrived. A shared body goes with the last message that refers to it.
    ///
    /// Until the transaction ends, others who end deliveries of this message wait (AS-10), so that of two who
    /// end its last ones one deletes it.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_snd_msg_delivery(
        &mut self,
        queue: &SndQueue,
        msg_id: InternalId,
        keep_for_receipt: bool,
    ) -> TxResult<()> {
        let (conn_id, number) = (&queue.conn_id, queue.number());
        let found = self.tx.query_opt(&LOCK_SENT, &[conn_id, &msg_id], |row| {
            let status: Option<MsgReceiptStatus> = row.next("snd_messages.rcpt_status")?;
            let body: Option<SndMsgBodyId> = row.next("snd_messages.snd_message_body_id")?;
            Ok((status, body))
        })?;
        self.tx.execute(&DELETE_DELIVERY, &[conn_id, &number, &msg_id])?;
        let Some((status, body)) = found else {
            return Ok(());
        };
        let keep = keep_for_receipt && status != Some(MsgReceiptStatus::Ok);
        let done = match keep {
            true => self.tx.execute(&CLEAR_DELIVERED, &[conn_id, &msg_id, &MsgBody::default()])?,
            false => self.tx.execute(&DELETE_DELIVERED, &[conn_id, &msg_id])?,
        };
        let Some(body) = body.filter(|_| done > 0) else {
            return Ok(());
        };
        if keep {
            self.tx.execute(&CLEAR_SHARED_BODY, &[conn_id, &msg_id])?;
        }
        self.release_snd_msg_body(body)
    }

    /// Deletes hashes of what was received that are older than `ttl`, the oldest first and at most `limit` of them,
    /// and says how many those were (F-113).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_rcv_msg_hashes_expired(&mut self, ttl: Duration, limit: u32) -> TxResult<u64> {
        let expire_ts = UtcTime::now().before(ttl);
        Ok(self.tx.execute(&DELETE_EXPIRED_HASHES, &[&expire_ts, &limit])?)
    }

    /// Deletes sent messages that are older than `ttl`, delivered or not, the oldest first and at most `limit`
    /// of them, and says how many those were (F-114).
    ///
    /// Under [`Semantics::Strict`] a shared body goes with its last message; under
    /// [`Semantics::Reference`] it stays (AS-69).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_snd_msgs_expired(&mut self, ttl: Duration, limit: u32) -> TxResult<u64> {
        let expire_ts = UtcTime::now().before(ttl);
        let bodies: Vec<SndMsgBodyId> = match self.semantics {
            Semantics::Strict => self.tx.query(&EXPIRED_BODIES, &[&expire_ts, &limit], |row| {
                row.next("snd_messages.snd_message_body_id")
            })?,
            Semantics::Reference => Vec::new(),
        };
        let deleted = self.tx.execute(&DELETE_EXPIRED, &[&expire_ts, &limit])?;
        for id in bodies {
            self.release_snd_msg_body(id)?;
        }
        Ok(deleted)
    }
}
