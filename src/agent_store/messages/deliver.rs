//! Delivering messages: what is to be delivered, and what was to be for too long (F-098 to F-103).

use crate::agent_store::error::{StoreError, TxError, TxResult};
use crate::agent_store::queues::rows::{self, select_snd_queues};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ConnId, InternalId, PendingMsgData, PendingMsgPrepData, RcvQueue, RetryState2, SmpQueue as _,
    SndQueue,
};
use crate::agent_store::work_items::get_work_item;
use crate::db::{DbError, Row, Sql, UtcTime};

const NEXT: Sql = Sql::new(
    "find the next message to deliver",
    "SELECT internal_id FROM snd_message_deliveries
      WHERE conn_id = $1 AND snd_queue_id = $2 AND failed = 0
      ORDER BY internal_id LIMIT 1",
);
const PENDING: Sql = Sql::new(
    "load a message to deliver",
    "SELECT m.internal_id, m.msg_type, m.msg_flags, m.msg_body, m.pq_encryption, m.internal_ts,
            s.retry_int_slow, s.retry_int_fast, s.internal_snd_id, s.previous_msg_hash,
            s.msg_encrypt_key, s.padded_msg_len, b.agent_msg
       FROM messages m
       JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
       LEFT JOIN snd_message_bodies b ON b.snd_message_body_id = s.snd_message_body_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
);
const MARK_FAILED: Sql = Sql::new(
    "mark a message's deliveries as failed",
    "UPDATE snd_message_deliveries SET failed = 1 WHERE conn_id = $1 AND internal_id = $2",
);

/// The connections with deliveries, found by going from one to the next in the index: one with many deliveries
/// costs no more than one with a single one.
macro_rules! with_queued_conns {
    ($($select:tt)*) => {
        concat!(
            "WITH RECURSIVE queued (conn_id) AS (
               SELECT * FROM (SELECT conn_id FROM snd_message_deliveries ORDER BY conn_id LIMIT 1) AS first
               UNION ALL
               SELECT (SELECT d.conn_id FROM snd_message_deliveries d
                        WHERE d.conn_id > p.conn_id ORDER BY d.conn_id LIMIT 1)
                 FROM queued p WHERE p.conn_id IS NOT NULL
             ) ",
            $($select)*
        )
    };
}
const CONNECTIONS: Sql = Sql::new(
    "list connections with messages to deliver",
    with_queued_conns!(
        "SELECT p.conn_id FROM queued p
          WHERE EXISTS (SELECT 1 FROM snd_message_deliveries d
                         WHERE d.conn_id = p.conn_id AND d.failed = 0)"
    ),
);
const ALL_QUEUES: Sql = Sql::new(
    "list queues with messages to deliver",
    with_queued_conns!(
        select_snd_queues!(),
        " WHERE q.conn_id IN (SELECT p.conn_id FROM queued p WHERE p.conn_id IS NOT NULL)
            AND c.deleted = 0
            AND EXISTS (SELECT 1 FROM snd_message_deliveries d
                         WHERE d.conn_id = q.conn_id AND d.snd_queue_id = q.snd_queue_id
                           AND d.failed = 0)"
    ),
);
const SET_RETRY_STATE: Sql = Sql::new(
    "store a message's retry state",
    "UPDATE snd_messages SET retry_int_slow = $1, retry_int_fast = $2
      WHERE conn_id = $3 AND internal_id = $4",
);

const DELETE_ALL: Sql = Sql::new(
    "delete a queue's deliveries",
    "DELETE FROM snd_message_deliveries WHERE conn_id = $1 AND snd_queue_id = $2",
);
const EXPIRED: Sql = Sql::new(
    "list messages that were to be delivered for too long",
    "SELECT internal_id FROM snd_message_deliveries
      WHERE conn_id = $1 AND snd_queue_id = $2 AND failed = 0
        AND internal_id <=
          (SELECT m.internal_id FROM messages m
            WHERE m.conn_id = $1 AND m.internal_snd_id IS NOT NULL AND m.internal_ts < $3
            ORDER BY m.internal_id DESC LIMIT 1)
      ORDER BY internal_id",
);

impl AgentTx<'_> {
    /// The message that is to be delivered next through this queue, and the connection's first receive queue, if
    /// it has one (F-098): that with the lowest number, deliveries that are marked as failed left out.
    ///
    /// It is an item of work (AS-34): when it can't be loaded, all of its deliveries are marked as failed
    /// (AS-66), and the next call gets another.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a delivery without a message, for a message that can't be read, and for one
    /// that is neither ready nor prepared (AS-65); [`StoreError::WorkItem`].
    pub fn get_pending_queue_msg(
        &mut self,
        queue: &SndQueue,
    ) -> TxResult<Option<(Option<RcvQueue>, PendingMsgData)>> {
        let conn_id = &queue.conn_id;
        get_work_item(
            self,
            "message",
            |tx| {
                let column = "snd_message_deliveries.internal_id";
                let params = [conn_id as _, &queue.number() as _];
                Ok(tx.tx.query_opt(&NEXT, &params, |row| row.next(column))?)
            },
            |tx, &msg_id| tx.load_pending_msg(conn_id, msg_id),
            |tx, &msg_id| tx.set_snd_msg_failed(conn_id, msg_id),
        )
    }

    fn load_pending_msg(
        &mut self,
        conn_id: &ConnId,
        msg_id: InternalId,
    ) -> TxResult<(Option<RcvQueue>, PendingMsgData)> {
        let message = self.tx.query_opt(&PENDING, &[conn_id, &msg_id], read_pending)?;
        let missing = || StoreError::Internal(format!("no message {} to deliver", msg_id.0));
        let message = message.ok_or_else(missing)??;
        match self.get_primary_rcv_queue(conn_id) {
            Ok(queue) => Ok((Some(queue), message)),
            Err(TxError::Store(StoreError::ConnNotFound)) => Ok((None, message)),
            Err(error) => Err(error),
        }
    }

    /// Marks all deliveries of a message as failed, whichever queue they are for (AS-66): they aren't handed out
    /// any more. For a message that was handed out and can't be sent for what it holds: the store doesn't
    /// look into [`AgentMessage`](crate::agent_store::types::AgentMessage).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_snd_msg_failed(&mut self, conn_id: &ConnId, msg_id: InternalId) -> TxResult<()> {
        self.tx.execute(&MARK_FAILED, &[conn_id, &msg_id])?;
        Ok(())
    }

    /// The connections that have messages to deliver, whatever their own state, in no order (F-099).
    /// Deliveries that are marked as failed don't count.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_connections_for_delivery(&mut self) -> TxResult<Vec<ConnId>> {
        let column = "snd_message_deliveries.conn_id";
        Ok(self.tx.query(&CONNECTIONS, &[], |row| row.next(column))?)
    }

    /// Notes how long the next attempts at sending a message wait (F-101, AS-30).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_pending_msg_ri_state(
        &mut self,
        conn_id: &ConnId,
        msg_id: InternalId,
        state: RetryState2,
    ) -> TxResult<()> {
        let RetryState2 { slow_interval, fast_interval } = state;
        self.tx.execute(&SET_RETRY_STATE, &[&slow_interval, &fast_interval, conn_id, &msg_id])?;
        Ok(())
    }

    /// The send queues that have messages to deliver, of connections that aren't marked as deleted, in no order
    /// (F-100). Deliveries that are marked as failed don't count.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_all_snd_queues_for_delivery(&mut self) -> TxResult<Vec<SndQueue>> {
        Ok(self.tx.query(&ALL_QUEUES, &[], rows::snd_queue)?)
    }

    /// Deletes all deliveries of a queue, also those that are marked as failed; the messages stay (F-102).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_pending_msgs(&mut self, queue: &SndQueue) -> TxResult<()> {
        self.tx.execute(&DELETE_ALL, &[&queue.conn_id, &queue.number()])?;
        Ok(())
    }

    /// The messages that are still to be delivered through this queue, up to the last of the connection's that
    /// was to be sent before `expire_ts`, in their order (F-103). One with a lower number and a later time is among
    /// them (AS-67).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_expired_snd_messages(
        &mut self,
        queue: &SndQueue,
        expire_ts: UtcTime,
    ) -> TxResult<Vec<InternalId>> {
        let params = [&queue.conn_id as _, &queue.number() as _, &expire_ts as _];
        Ok(self
            .tx
            .query(&EXPIRED, &params, |row| row.next("snd_message_deliveries.internal_id"))?)
    }
}

/// Reads [`PENDING`]; the inner error is that the message is neither ready nor prepared (AS-65).
fn read_pending(row: &mut Row<'_>) -> Result<Result<PendingMsgData, StoreError>, DbError> {
    let mut message = PendingMsgData {
        msg_id: row.next("messages.internal_id")?,
        msg_type: row.next("messages.msg_type")?,
        msg_flags: row.next::<Option<_>>("messages.msg_flags")?.unwrap_or_default(),
        msg_body: row.next("messages.msg_body")?,
        pq_encryption: row.next("messages.pq_encryption")?,
        internal_ts: row.next("messages.internal_ts")?,
        retry_state: {
            let slow: Option<i64> = row.next("snd_messages.retry_int_slow")?;
            let fast: Option<i64> = row.next("snd_messages.retry_int_fast")?;
            let both = slow.zip(fast);
            both.map(|(slow_interval, fast_interval)| RetryState2 { slow_interval, fast_interval })
        },
        internal_snd_id: row.next("snd_messages.internal_snd_id")?,
        prev_msg_hash: row.next("snd_messages.previous_msg_hash")?,
        prep_data: None,
    };
    let key: Option<_> = row.next("snd_messages.msg_encrypt_key")?;
    let padded_len: Option<u32> = row.next("snd_messages.padded_msg_len")?;
    let body: Option<_> = row.next("snd_message_bodies.agent_msg")?;
    match (key, padded_len, body) {
        (None, None, None) => {}
        (Some(encrypt_key), Some(padded_len), Some(snd_msg_body)) => {
            let prepared = PendingMsgPrepData { encrypt_key, padded_len, snd_msg_body };
            message.prep_data = Some(prepared);
        }
        _ => {
            let problem = "has not all of key, padded length and body that a prepared one has";
            let text = format!("message {} {problem}", message.msg_id.0);
            return Ok(Err(StoreError::Internal(text)));
        }
    }
    Ok(Ok(message))
}
