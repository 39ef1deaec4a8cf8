//! Users, routers and connections (sections 4.2 to 4.4).

use quickcheck::Gen;

use crate::agent_store::types::*;
use crate::testing::agent_store::answer::{each_worded, unordered};
use crate::testing::agent_store::draw::{Age, Draw, Limit, NewConn};
use crate::testing::agent_store::op::operations;
use crate::testing::agent_store::sample;

operations! { ConnectionOp, |tx, memory| {
    CreateUser * 3 {} => tx.create_user_record();
    UserIds * 1 {} => tx.get_user_ids().map(unordered);
    DeleteUser * 1 { user: UserId } => tx.delete_user_record(*user);
    SetUserDeleted * 1 { user: UserId } => tx.set_user_deleted(*user).map(unordered);
    DeleteUserWithoutConns * 1 { user: UserId } => tx.delete_user_without_conns(*user);
    DeleteUsersWithoutConns * 1 {} => tx.delete_users_without_conns().map(unordered);
    CheckUser * 1 { user: UserId } => tx.check_user(*user);
    CreateServer * 3 { server: SmpServer } => tx.create_server(server);
    CreateNtfServer * 2 { server: NtfServer } => tx.create_ntf_server(server);
    CreateXftpServer * 1 { server: XftpServer } => tx.create_xftp_server(server).map(drop);
    CreateNewConn * 8 { data: NewConn, mode: ConnectionMode } =>
        tx.create_new_conn(&mut memory.rng, &data.0, *mode);
    CreateSndConn * 3 { data: NewConn, queue: Box<NewSndQueue> } =>
        tx.create_snd_conn(&mut memory.rng, &data.0, queue);
    UpdateNewConnRcv * 8 { conn: ConnId, queue: Box<NewRcvQueue>, mode: SubscriptionMode } =>
        tx.update_new_conn_rcv(conn, queue, *mode);
    UpdateNewConnSnd * 3 { conn: ConnId, queue: Box<NewSndQueue> } =>
        tx.update_new_conn_snd(conn, queue);
    UpgradeRcvConn * 5 { conn: ConnId, queue: Box<NewSndQueue> } =>
        tx.upgrade_rcv_conn_to_duplex(conn, queue);
    UpgradeSndConn * 3 { conn: ConnId, queue: Box<NewRcvQueue>, mode: SubscriptionMode } =>
        tx.upgrade_snd_conn_to_duplex(conn, queue, *mode);
    AddRcvQueue * 3 {
        conn: ConnId, queue: Box<NewRcvQueue>, primary: bool, replaces: QueueNumber, mode: SubscriptionMode
    } => {
        let mut queue = queue.clone();
        (queue.primary, queue.db_replace_queue_id) = (*primary, Some(*replaces));
        tx.add_conn_rcv_queue(conn, &queue, *mode)
    };
    AddSndQueue * 3 {
        conn: ConnId, queue: Box<NewSndQueue>, primary: bool, replaces: QueueNumber
    } => {
        let mut queue = queue.clone();
        (queue.primary, queue.db_replace_queue_id) = (*primary, Some(*replaces));
        tx.add_conn_snd_queue(conn, &queue)
    };
    ConnIds * 1 {} => tx.get_conn_ids().map(unordered);
    GetConn * 3 { conn: ConnId } => tx.get_conn(conn);
    GetDeletedConn * 1 { conn: ConnId } => tx.get_deleted_conn(conn);
    GetConns * 2 { conns: Vec<ConnId> } => tx.get_conns(conns).map(each_worded);
    GetConnSubs * 2 { conns: Vec<ConnId> } => tx.get_conn_subs(conns).map(each_worded);
    GetDeletedConns * 1 { conns: Vec<ConnId> } => tx.get_deleted_conns(conns).map(each_worded);
    GetConnsData * 1 { conns: Vec<ConnId> } => tx.get_conns_data(conns).map(each_worded);
    LockConn * 1 { conn: ConnId } => tx.lock_conn_for_update(conn);
    SetConnDeleted * 2 { wait: bool, conn: ConnId } => tx.set_conn_deleted(*wait, conn);
    SetConnUserId * 1 { old: UserId, conn: ConnId, new: UserId } =>
        tx.set_conn_user_id(*old, conn, *new);
    SetConnAgentVersion * 1 { conn: ConnId, version: AgentVersion } =>
        tx.set_conn_agent_version(conn, *version);
    SetConnPqSupport * 1 { conn: ConnId, pq: bool } => tx.set_conn_pq_support(conn, *pq);
    UpdateNewConnJoin * 1 { conn: ConnId, version: AgentVersion, pq: bool, ntfs: bool } =>
        tx.update_new_conn_join(conn, *version, *pq, *ntfs);
    DeletedConnIds * 1 {} => tx.get_deleted_conn_ids().map(unordered);
    DeletedWaitingConnIds * 1 {} => tx.get_deleted_waiting_delivery_conn_ids().map(unordered);
    SetConnRatchetSync * 1 { conn: ConnId, state: RatchetSyncState } =>
        tx.set_conn_ratchet_sync(conn, *state);
    AddRatchetKeyHash * 2 { conn: ConnId, hash: RatchetKeyHash } =>
        tx.add_processed_ratchet_key_hash(conn, hash);
    CheckRatchetKeyHash * 1 { conn: ConnId, hash: RatchetKeyHash } =>
        tx.check_ratchet_key_hash_exists(conn, hash);
    DeleteRatchetKeyHashes * 1 { age: Age, limit: Limit } =>
        tx.delete_ratchet_key_hashes_expired(age.0, limit.0);
    DeleteConn * 1 { wait: Option<Age>, conn: ConnId } =>
        tx.delete_conn(wait.map(|age| age.0), conn);
    DeleteConnRecord * 1 { conn: ConnId } => tx.delete_conn_record(conn);
    GetRcvConn * 2 { server: SmpServer, id: RecipientId } => tx.get_rcv_conn(server, id);
} }

/// Two users, routers, and connections 1 and 2 in both directions, 3 without queues, and 4, an address.
pub(super) fn preparation(g: &mut Gen) -> Vec<ConnectionOp> {
    let mut ops = vec![
        ConnectionOp::CreateUser {},
        ConnectionOp::CreateUser {},
        ConnectionOp::CreateServer { server: sample::router(0) },
        ConnectionOp::CreateNtfServer { server: sample::router(0) },
    ];
    for number in 1..=4 {
        let conn = sample::id(number, ConnId::from_bytes);
        let mode = if number == 4 { ConnectionMode::Contact } else { ConnectionMode::Invitation };
        let NewConn(data) = NewConn::draw(g);
        let user_id = UserId(1 + i64::from(number == 2));
        let data = NewConn(NewConnData { conn_id: Some(conn.clone()), user_id, ..data });
        ops.push(ConnectionOp::CreateNewConn { data, mode });
        if number == 3 {
            continue;
        }
        let rcv_id = sample::id(number, RecipientId::from_bytes);
        let queue = Box::new(NewRcvQueue { rcv_id, ..NewRcvQueue::draw(g) });
        let mode = Draw::draw(g);
        ops.push(ConnectionOp::UpdateNewConnRcv { conn: conn.clone(), queue, mode });
        if number < 3 {
            let snd_id = sample::id(number, SenderId::from_bytes);
            let queue = Box::new(NewSndQueue { snd_id, ..NewSndQueue::draw(g) });
            ops.push(ConnectionOp::UpgradeRcvConn { conn, queue });
        }
    }
    ops
}
