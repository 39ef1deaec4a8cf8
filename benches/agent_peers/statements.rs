//! The statements of the message path, written out: what the store runs, which the bench looks at on PostgreSQL.
//!
//! The numbers of parameters stand in their order, so that they can be bound by their places.

pub(crate) const RCV_IDS: &str = "UPDATE connections
    SET last_internal_msg_id = last_internal_msg_id + 1,
        last_internal_rcv_msg_id = last_internal_rcv_msg_id + 1
  WHERE conn_id = $1
  RETURNING last_internal_msg_id, last_internal_rcv_msg_id, last_external_snd_msg_id, last_rcv_msg_hash";
pub(crate) const INSERT_RCV: &str = "INSERT INTO messages
   (conn_id, internal_id, internal_ts, internal_rcv_id, msg_type, msg_body, msg_flags, pq_encryption)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const INSERT_RCV_DETAILS: &str = "INSERT INTO rcv_messages
   (conn_id, internal_rcv_id, internal_id, external_snd_id, broker_id, broker_ts,
    internal_hash, external_prev_snd_hash, integrity, rcv_queue_id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
pub(crate) const INSERT_HASH: &str =
    "INSERT INTO encrypted_rcv_message_hashes (conn_id, hash) VALUES ($1, $2)";
pub(crate) const RCV_HASH: &str =
    "UPDATE connections SET last_external_snd_msg_id = $1, last_rcv_msg_hash = $2
  WHERE conn_id = $3 AND last_internal_rcv_msg_id = $4";
pub(crate) const BROKER_TS: &str = "UPDATE rcv_queues SET last_broker_ts = $1
  WHERE conn_id = $2 AND rcv_queue_id = $3 AND (last_broker_ts IS NULL OR last_broker_ts < $1)";

/// With the clause that locks the row on PostgreSQL.
macro_rules! locked {
    ($text:literal, $lock:literal) => {
        ($text, concat!($text, " ", $lock))
    };
}
pub(crate) const LOCK_RCV: (&str, &str) = locked!(
    "SELECT r.rcv_queue_id, r.broker_id FROM messages m
       JOIN rcv_messages r ON r.conn_id = m.conn_id AND r.internal_rcv_id = m.internal_rcv_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
    "FOR UPDATE OF r"
);
pub(crate) const SET_ACK: &str =
    "UPDATE rcv_messages SET user_ack = 1 WHERE conn_id = $1 AND internal_id = $2";
pub(crate) const DELETE_MSG: &str = "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2
    AND NOT EXISTS (SELECT 1 FROM snd_messages s
      WHERE s.conn_id = messages.conn_id AND s.internal_snd_id = messages.internal_snd_id
        AND s.snd_message_body_id IS NOT NULL)";

macro_rules! rcv_queues {
    ($condition:literal) => {
        concat!(
            "SELECT c.user_id, q.conn_id, q.host, q.port, q.server_key_hash, s.key_hash, q.rcv_id,
               q.rcv_private_key, q.rcv_dh_secret, q.e2e_priv_key, q.e2e_dh_secret, q.snd_id,
               q.queue_mode, q.link_id, q.link_key, q.link_priv_sig_key, q.link_enc_fixed_data,
               q.rcv_service_assoc, q.status, c.enable_ntfs, q.client_notice_id, q.rcv_queue_id,
               q.rcv_primary, q.replace_rcv_queue_id, q.switch_status, q.smp_client_version,
               q.ntf_public_key, q.ntf_private_key, q.ntf_id, q.rcv_ntf_dh_secret, q.delete_errors
               FROM rcv_queues q
               JOIN servers s ON s.host = q.host AND s.port = q.port
               JOIN connections c ON c.conn_id = q.conn_id ",
            $condition
        )
    };
}
/// How many columns of a receive queue there are.
pub(crate) const RCV_QUEUE: usize = 31;
pub(crate) const RCV_QUEUE_BY_ID: &str =
    rcv_queues!("WHERE q.conn_id = $1 AND q.rcv_queue_id = $2 AND q.deleted = 0");
pub(crate) const PRIMARY_RCV_QUEUE: &str = rcv_queues!(
    "WHERE q.conn_id = $1 AND q.deleted = 0
     ORDER BY q.rcv_primary DESC, q.replace_rcv_queue_id ASC NULLS FIRST, q.rcv_queue_id LIMIT 1"
);

pub(crate) const SND_IDS: &str = "UPDATE connections
    SET last_internal_msg_id = last_internal_msg_id + 1,
        last_internal_snd_msg_id = last_internal_snd_msg_id + 1
  WHERE conn_id = $1
  RETURNING last_internal_msg_id, last_internal_snd_msg_id, last_snd_msg_hash";
pub(crate) const INSERT_SND: &str = "INSERT INTO messages
   (conn_id, internal_id, internal_ts, internal_snd_id, msg_type, msg_body, msg_flags, pq_encryption)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const INSERT_SND_DETAILS: &str = "INSERT INTO snd_messages
   (conn_id, internal_snd_id, internal_id, internal_hash, previous_msg_hash,
    msg_encrypt_key, padded_msg_len, snd_message_body_id)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const SND_HASH: &str = "UPDATE connections SET last_snd_msg_hash = $1
  WHERE conn_id = $2 AND last_internal_snd_msg_id = $3";
pub(crate) const INSERT_DELIVERY: &str =
    "INSERT INTO snd_message_deliveries (conn_id, snd_queue_id, internal_id) VALUES ($1, $2, $3)";

pub(crate) const NEXT: &str = "SELECT internal_id FROM snd_message_deliveries
  WHERE conn_id = $1 AND snd_queue_id = $2 AND failed = 0
  ORDER BY internal_id LIMIT 1";
/// How many columns of a message to deliver there are.
pub(crate) const PENDING_MSG: usize = 13;
pub(crate) const PENDING: &str =
    "SELECT m.internal_id, m.msg_type, m.msg_flags, m.msg_body, m.pq_encryption, m.internal_ts,
        s.retry_int_slow, s.retry_int_fast, s.internal_snd_id, s.previous_msg_hash,
        s.msg_encrypt_key, s.padded_msg_len, b.agent_msg
   FROM messages m
   JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
   LEFT JOIN snd_message_bodies b ON b.snd_message_body_id = s.snd_message_body_id
  WHERE m.conn_id = $1 AND m.internal_id = $2";

/// For SQLite with the name of the index, as the store does it.
pub(crate) const DELETE_DELIVERY: (&str, &str) = (
    "DELETE FROM snd_message_deliveries INDEXED BY idx_snd_message_deliveries_conn_id_internal_id
      WHERE conn_id = $1 AND snd_queue_id = $2 AND internal_id = $3",
    "DELETE FROM snd_message_deliveries
      WHERE conn_id = $1 AND snd_queue_id = $2 AND internal_id = $3",
);
pub(crate) const LOCK_SND: (&str, &str) = locked!(
    "SELECT s.rcpt_status, s.snd_message_body_id FROM messages m
       JOIN snd_messages s ON s.conn_id = m.conn_id AND s.internal_snd_id = m.internal_snd_id
      WHERE m.conn_id = $1 AND m.internal_id = $2",
    "FOR UPDATE OF m, s"
);
pub(crate) const DELETE_DELIVERED: (&str, &str) = (
    "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2
        AND NOT EXISTS (SELECT 1 FROM snd_message_deliveries AS d
          INDEXED BY idx_snd_message_deliveries_conn_id_internal_id
          WHERE d.conn_id = $1 AND d.internal_id = $2 AND d.failed = 0)",
    "DELETE FROM messages WHERE conn_id = $1 AND internal_id = $2
        AND NOT EXISTS (SELECT 1 FROM snd_message_deliveries AS d
          WHERE d.conn_id = $1 AND d.internal_id = $2 AND d.failed = 0)",
);
