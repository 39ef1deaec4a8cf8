//! Messages and their deliveries (section 4.7).

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, TxResult};
use crate::db::UtcTime;
use crate::testing::agent_store::answer::unordered;
use crate::testing::agent_store::draw::{Age, Draw, Limit};
use crate::testing::agent_store::op::operations;
use crate::testing::agent_store::sample;

/// A received message, but for its numbers.
#[derive(Clone, Debug)]
pub(super) struct Received {
    integrity: MsgIntegrity,
    broker_id: MsgId,
    time: UtcTime,
    msg_type: AgentMessageType,
    msg_flags: MsgFlags,
    body: MsgBody,
    hash: MsgHash,
    encrypted_hash: MsgHash,
    pq_encryption: bool,
}

impl Draw for Received {
    fn draw(g: &mut quickcheck::Gen) -> Self {
        Self {
            integrity: Draw::draw(g),
            broker_id: Draw::draw(g),
            time: Draw::draw(g),
            msg_type: Draw::draw(g),
            msg_flags: Draw::draw(g),
            body: Draw::draw(g),
            hash: Draw::draw(g),
            encrypted_hash: Draw::draw(g),
            pq_encryption: Draw::draw(g),
        }
    }
}

/// Receives a message as an agent does; `meanwhile`, another one reserves its numbers before this one is
/// stored (AS-63).
fn receive(
    tx: &mut AgentTx<'_>,
    (conn, number): (&ConnId, QueueNumber),
    message: &Received,
    meanwhile: bool,
) -> TxResult<RcvMsgIds> {
    let queue = tx.get_rcv_queue_by_id(conn, number)?;
    let ids = tx.update_rcv_ids(conn)?;
    if meanwhile {
        tx.update_rcv_ids(conn)?;
    }
    let data = RcvMsgData {
        msg_meta: MsgMeta {
            integrity: message.integrity,
            recipient: (ids.internal_id, message.time),
            broker: (message.broker_id.clone(), message.time),
            snd_msg_id: ExternalSndId(ids.prev_external_snd_id.0 + 1),
            pq_encryption: message.pq_encryption,
        },
        msg_type: message.msg_type,
        msg_flags: message.msg_flags,
        msg_body: message.body.clone(),
        internal_rcv_id: ids.internal_rcv_id,
        internal_hash: message.hash.clone(),
        external_prev_snd_hash: ids.prev_rcv_hash.clone(),
        encrypted_msg_hash: message.encrypted_hash.clone(),
    };
    tx.create_rcv_msg(&queue, &data)?;
    Ok(ids)
}

/// A message to send, but for its numbers.
#[derive(Clone, Debug)]
pub(super) struct ToSend {
    time: UtcTime,
    msg_type: AgentMessageType,
    msg_flags: MsgFlags,
    body: MsgBody,
    hash: MsgHash,
    pq_encryption: bool,
    /// The shared body of a prepared one.
    shared: Option<SndMsgBodyId>,
}

impl Draw for ToSend {
    fn draw(g: &mut quickcheck::Gen) -> Self {
        Self {
            time: Draw::draw(g),
            msg_type: Draw::draw(g),
            msg_flags: Draw::draw(g),
            body: Draw::draw(g),
            hash: Draw::draw(g),
            pq_encryption: Draw::draw(g),
            shared: Draw::draw(g),
        }
    }
}

/// Stores a message to send, with a delivery through each of the connection's queues, as an agent does.
fn send(
    tx: &mut AgentTx<'_>,
    conn: &ConnId,
    message: &ToSend,
    meanwhile: bool,
) -> TxResult<SndMsgIds> {
    let ids = tx.update_snd_ids(conn)?;
    if meanwhile {
        tx.update_snd_ids(conn)?;
    }
    let prep_data = message.shared.map(|snd_msg_body_id| SndMsgPrepData {
        encrypt_key: sample::encrypt_key(),
        padded_len: 16_000,
        snd_msg_body_id,
    });
    let msg_body = if prep_data.is_some() { MsgBody::default() } else { message.body.clone() };
    let data = SndMsgData {
        internal_id: ids.internal_id,
        internal_snd_id: ids.internal_snd_id,
        internal_ts: message.time,
        msg_type: message.msg_type,
        msg_flags: message.msg_flags,
        msg_body,
        pq_encryption: message.pq_encryption,
        internal_hash: message.hash.clone(),
        prev_msg_hash: ids.prev_snd_hash.clone(),
        prep_data,
    };
    tx.create_snd_msg(conn, &data)?;
    match tx.get_conn(conn)?.queues {
        ConnQueues::Snd(queue) => tx.create_snd_msg_delivery(&queue, ids.internal_id)?,
        ConnQueues::Duplex(_, queues) => {
            for queue in queues.iter() {
                tx.create_snd_msg_delivery(queue, ids.internal_id)?;
            }
        }
        _ => {}
    }
    Ok(ids)
}

operations! { MessageOp, |tx, memory| {
    Receive * 8 { conn: ConnId, number: QueueNumber, message: Box<Received>, meanwhile: bool } =>
        receive(tx, (conn, *number), message, *meanwhile);
    UpdateRcvIds * 1 { conn: ConnId } => tx.update_rcv_ids(conn);
    SetLastBrokerTs * 2 { conn: ConnId, number: QueueNumber, time: UtcTime } =>
        tx.set_last_broker_ts(conn, *number, *time);
    CreateSndMsgBody * 3 { message: AgentMessage } => tx.create_snd_msg_body(message);
    Send * 8 { conn: ConnId, message: Box<ToSend>, meanwhile: bool } =>
        send(tx, conn, message, *meanwhile);
    UpdateSndIds * 1 { conn: ConnId } => tx.update_snd_ids(conn);
    SndMsgViaRcpt * 2 { conn: ConnId, number: InternalSndId } =>
        tx.get_snd_msg_via_rcpt(conn, *number);
    UpdateSndMsgRcpt * 2 { conn: ConnId, number: InternalSndId, receipt: MsgReceipt } =>
        tx.update_snd_msg_rcpt(conn, *number, *receipt);
    PendingQueueMsg * 4 { conn: ConnId, number: QueueNumber } =>
        tx.get_snd_queue_by_id(conn, *number).and_then(|queue| tx.get_pending_queue_msg(&queue));
    SetSndMsgFailed * 1 { conn: ConnId, id: InternalId } => tx.set_snd_msg_failed(conn, *id);
    ConnectionsForDelivery * 1 {} => tx.get_connections_for_delivery().map(unordered);
    UpdatePendingMsgRiState * 1 { conn: ConnId, id: InternalId, state: RetryState2 } =>
        tx.update_pending_msg_ri_state(conn, *id, *state);
    SndQueuesForDelivery * 1 {} => tx.get_all_snd_queues_for_delivery().map(unordered);
    DeletePendingMsgs * 1 { conn: ConnId, number: QueueNumber } =>
        tx.get_snd_queue_by_id(conn, *number).and_then(|queue| tx.delete_pending_msgs(&queue));
    ExpiredSndMessages * 2 { conn: ConnId, number: QueueNumber, until: UtcTime } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.get_expired_snd_messages(&queue, *until));
    SetMsgUserAck * 3 { conn: ConnId, id: InternalId } => tx.set_msg_user_ack(conn, *id);
    GetRcvMsg * 2 { conn: ConnId, id: InternalId } => tx.get_rcv_msg(conn, *id);
    GetLastMsg * 2 { conn: ConnId, broker: MsgId } => tx.get_last_msg(conn, broker);
    IncMsgRcvAttempts * 1 { conn: ConnId, id: InternalId } => tx.inc_msg_rcv_attempts(conn, *id);
    CheckRcvMsgHash * 1 { conn: ConnId, hash: MsgHash } => tx.check_rcv_msg_hash_exists(conn, hash);
    RcvMsgBrokerTs * 1 { conn: ConnId, broker: MsgId } => tx.get_rcv_msg_broker_ts(conn, broker);
    DeleteMsg * 1 { conn: ConnId, id: InternalId } => tx.delete_msg(conn, *id);
    DeleteDeliveredSndMsg * 1 { conn: ConnId, id: InternalId } =>
        tx.delete_delivered_snd_msg(conn, *id);
    DeleteSndMsgDelivery * 3 { conn: ConnId, number: QueueNumber, id: InternalId, keep: bool } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.delete_snd_msg_delivery(&queue, *id, *keep));
    DeleteRcvMsgHashes * 1 { age: Age, limit: Limit } =>
        tx.delete_rcv_msg_hashes_expired(age.0, limit.0);
    DeleteSndMsgs * 1 { age: Age, limit: Limit } => tx.delete_snd_msgs_expired(age.0, limit.0);
    DeleteUnusedBodies * 1 { limit: Limit } => tx.delete_unused_snd_msg_bodies(limit.0);
} }
