//! Queues: finding and changing them (section 4.4).

use quickcheck::Gen;

use crate::agent_store::types::*;
use crate::protocol::DhSecret;
use crate::testing::agent_store::draw::{Draw, below};
use crate::testing::agent_store::op::operations;

/// A queue of a connection: mostly the first one, whose id has the connection's number.
#[derive(Clone, Debug)]
pub(in crate::testing::agent_store) struct Place {
    conn: ConnId,
    server: SmpServer,
    id: RecipientId,
}

impl Draw for Place {
    fn draw(g: &mut Gen) -> Self {
        let conn = ConnId::draw(g);
        let first = RecipientId::from_bytes(conn.as_bytes());
        let id = first.filter(|_| below(g, 4) != 0).unwrap_or_else(|| Draw::draw(g));
        Self { conn, server: Draw::draw(g), id }
    }
}

operations! { QueueOp, |tx, memory| {
    RcvQueueById * 1 { conn: ConnId, number: QueueNumber } => tx.get_rcv_queue_by_id(conn, *number);
    SndQueueById * 1 { conn: ConnId, number: QueueNumber } => tx.get_snd_queue_by_id(conn, *number);
    PrimaryRcvQueue * 1 { conn: ConnId } => tx.get_primary_rcv_queue(conn);
    GetRcvQueue * 2 { place: Place } => tx.get_rcv_queue(&place.conn, &place.server, &place.id);
    GetDeletedRcvQueue * 2 { place: Place } =>
        tx.get_deleted_rcv_queue(&place.conn, &place.server, &place.id);
    SetRcvQueueStatus * 2 { conn: ConnId, number: QueueNumber, status: QueueStatus } =>
        tx.get_rcv_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_rcv_queue_status(&queue, *status));
    SetRcvSwitchStatus * 2 { conn: ConnId, number: QueueNumber, status: Option<RcvSwitchStatus> } =>
        tx.get_rcv_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_rcv_switch_status(&queue, *status));
    SetRcvQueueDeleted * 2 { conn: ConnId, number: QueueNumber } =>
        tx.get_rcv_queue_by_id(conn, *number).and_then(|queue| tx.set_rcv_queue_deleted(&queue));
    SetRcvQueueConfirmed * 2 {
        conn: ConnId, number: QueueNumber, secret: DhSecret, version: SmpClientVersion
    } => tx.get_rcv_queue_by_id(conn, *number)
        .and_then(|queue| tx.set_rcv_queue_confirmed_e2e(&queue, secret, *version));
    SetSndQueueStatus * 2 { conn: ConnId, number: QueueNumber, status: QueueStatus } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_snd_queue_status(&queue, *status));
    SetSndSwitchStatus * 2 { conn: ConnId, number: QueueNumber, status: Option<SndSwitchStatus> } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_snd_switch_status(&queue, *status));
    SetRcvQueuePrimary * 2 { conn: ConnId, number: QueueNumber } =>
        tx.get_rcv_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_rcv_queue_primary(conn, &queue));
    SetSndQueuePrimary * 2 { conn: ConnId, number: QueueNumber } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.set_snd_queue_primary(conn, &queue));
    DeleteRcvQueue * 1 { conn: ConnId, number: QueueNumber } =>
        tx.get_rcv_queue_by_id(conn, *number).and_then(|queue| tx.delete_conn_rcv_queue(&queue));
    IncRcvDeleteErrors * 1 { conn: ConnId, number: QueueNumber } =>
        tx.get_rcv_queue_by_id(conn, *number).and_then(|queue| tx.inc_rcv_delete_errors(&queue));
    DeleteSndQueue * 1 { conn: ConnId, number: QueueNumber } =>
        tx.get_snd_queue_by_id(conn, *number)
            .and_then(|queue| tx.delete_conn_snd_queue(conn, &queue));
    SetRcvQueueNtfCreds * 3 { conn: ConnId, creds: Option<ClientNtfCreds> } =>
        tx.set_rcv_queue_ntf_creds(conn, creds.as_ref());
    UpdateShortLinkCreds * 2 { conn: ConnId, number: QueueNumber, creds: ShortLinkCreds } =>
        tx.get_rcv_queue_by_id(conn, *number)
            .and_then(|queue| tx.update_short_link_creds(&queue, creds));
} }
