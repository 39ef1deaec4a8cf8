//! How a step is done: the operations of the store that belong to one transaction.

use simplex_stores::agent_store::types::*;
use simplex_stores::agent_store::{AgentTx, NewRcvFile, TxResult};
use simplex_stores::db::{Params, Sql, UtcTime};

use super::connection_fixture::{new_conn_data, new_rcv_queue, new_snd_queue, smp_server};
use super::fixture::server;
use super::steps::{CHUNKS, Step, hash_of};

const RCV_FILE: Sql =
    Sql::new("a file's number", "SELECT rcv_file_id FROM rcv_files WHERE save_path = $1");
const SND_FILE: Sql =
    Sql::new("a file's number", "SELECT snd_file_id FROM snd_files WHERE path = $1");
const SENT: Sql = Sql::new(
    "sent messages",
    "SELECT internal_id FROM snd_messages WHERE conn_id = $1 ORDER BY internal_id",
);

/// The router of all subscriptions for notifications.
pub(crate) fn ntf_server() -> NtfServer {
    server("ntf.example", "443", b"ntf")
}

fn id(conn: &str) -> ConnId {
    ConnId::from_bytes(conn.as_bytes()).unwrap()
}

impl Step {
    pub(crate) fn run(&self, tx: &mut AgentTx<'_>, user: UserId) -> TxResult<()> {
        match self {
            Self::Connect { conn } => connect(tx, user, conn),
            Self::Join { conn } => {
                tx.upgrade_rcv_conn_to_duplex(&id(conn), &new_snd_queue(conn)).map(drop)
            }
            Self::Disconnect { conn } => disconnect(tx, &id(conn)),
            Self::Receive { conn, text } => receive(tx, &id(conn), text),
            Self::Acknowledge { conn, id: message } => {
                tx.set_msg_user_ack(&id(conn), InternalId(*message)).map(drop)
            }
            Self::Delete { conn, id: message } => tx.delete_msg(&id(conn), InternalId(*message)),
            Self::Send { conns, text } => send(tx, conns, text),
            Self::Deliver { conn, id: message } => {
                let queue = tx.get_snd_queue_by_id(&id(conn), QueueNumber(1))?;
                tx.delete_snd_msg_delivery(&queue, InternalId(*message), false)
            }
            Self::Command { conn, number } => {
                let (message_id, receipt_info) = (AgentMsgId(*number), None);
                let command = AgentCommand::Client(ClientCommand::Ack { message_id, receipt_info });
                tx.create_command(&CorrId(b"corr".to_vec()), &id(conn), None, &command)
            }
            Self::Done { conn } => {
                let pending = tx.get_pending_server_command(&id(conn), None)?;
                pending.map_or(Ok(()), |pending| tx.delete_command(pending.cmd_id))
            }
            Self::Subscribe { conn } => tx
                .create_ntf_subscription(&subscription(user, conn, NtfAgentSubStatus::New), CREATE),
            Self::Subscribed { conn } => {
                let subscription = subscription(user, conn, NtfAgentSubStatus::Key);
                tx.update_ntf_subscription(&subscription, CHECK, UtcTime::now())
            }
            Self::Unsubscribe { conn } => tx.delete_ntf_subscription(&id(conn)),
            Self::ReceiveFile { path } => receive_file(tx, user, path),
            Self::Received { path } => {
                let file = rcv_file(tx, path)?;
                tx.update_rcv_file_complete(file)
            }
            Self::ForgetReceived { path } => {
                let file = rcv_file(tx, path)?;
                tx.delete_rcv_file_record(file)
            }
            Self::SendFile { path } => send_file(tx, user, path),
            Self::Encrypted { path } => encrypted(tx, path),
            Self::ForgetSent { path } => {
                let file = snd_file(tx, path)?;
                tx.delete_snd_file_record(file)
            }
        }
    }
}

fn connect(tx: &mut AgentTx<'_>, user: UserId, conn: &str) -> TxResult<()> {
    let (data, queue) = (new_conn_data(user, conn), new_rcv_queue(conn));
    let id = tx.create_new_conn(&mut rand::rng(), &data, ConnectionMode::Invitation)?;
    tx.update_new_conn_rcv(&id, &queue, SubscriptionMode::Subscribe).map(drop)
}

fn disconnect(tx: &mut AgentTx<'_>, conn: &ConnId) -> TxResult<()> {
    let sent = tx.statements().query(&SENT, &[conn], |row| row.next("snd_messages.internal_id"))?;
    sent.into_iter().try_for_each(|message| tx.delete_msg(conn, message))?;
    tx.delete_ntf_subscription_record(conn)?;
    tx.delete_conn_record(conn)
}

fn receive(tx: &mut AgentTx<'_>, conn: &ConnId, text: &str) -> TxResult<()> {
    let queue = tx.get_primary_rcv_queue(conn)?;
    let ids = tx.update_rcv_ids(conn)?;
    let message = RcvMsgData {
        msg_meta: MsgMeta {
            integrity: MsgIntegrity::Ok,
            recipient: (ids.internal_id, UtcTime::now()),
            broker: (MsgId::from_bytes(&text.as_bytes()[..18]).unwrap(), UtcTime::now()),
            snd_msg_id: ExternalSndId(ids.prev_external_snd_id.0 + 1),
            pq_encryption: false,
        },
        msg_type: AgentMessageType::Message,
        msg_flags: MsgFlags { notification: true },
        msg_body: MsgBody(text.as_bytes().to_vec()),
        internal_rcv_id: ids.internal_rcv_id,
        internal_hash: MsgHash(hash_of(text).into_bytes()),
        external_prev_snd_hash: ids.prev_rcv_hash,
        encrypted_msg_hash: MsgHash(hash_of(text).into_bytes()),
    };
    tx.create_rcv_msg(&queue, &message)
}

fn send(tx: &mut AgentTx<'_>, conns: &[String], text: &str) -> TxResult<()> {
    let body = tx.create_snd_msg_body(&AgentMessage::new(text.as_bytes().to_vec()).unwrap())?;
    conns.iter().try_for_each(|conn| send_one(tx, &id(conn), body, text))
}

fn send_one(tx: &mut AgentTx<'_>, conn: &ConnId, body: SndMsgBodyId, text: &str) -> TxResult<()> {
    let queue = tx.get_snd_queue_by_id(conn, QueueNumber(1))?;
    let ids = tx.update_snd_ids(conn)?;
    let parts = MsgEncryptKeyParts {
        ratchet_version: 3,
        associated_data: &[1; 112],
        key: &[2; 32],
        iv: &[3; 16],
        encrypted_header: &[4; 300],
    };
    let message = SndMsgData {
        internal_id: ids.internal_id,
        internal_snd_id: ids.internal_snd_id,
        internal_ts: UtcTime::now(),
        msg_type: AgentMessageType::Message,
        msg_flags: MsgFlags { notification: true },
        msg_body: MsgBody(Vec::new()),
        pq_encryption: true,
        internal_hash: MsgHash(hash_of(text).into_bytes()),
        prev_msg_hash: ids.prev_snd_hash,
        prep_data: Some(SndMsgPrepData {
            encrypt_key: MsgEncryptKey::new(parts).unwrap(),
            padded_len: 16_000,
            snd_msg_body_id: body,
        }),
    };
    tx.create_snd_msg(conn, &message)?;
    tx.create_snd_msg_delivery(&queue, message.internal_id)
}

const CREATE: NtfSubAction = NtfSubAction::Ntf(NtfSubNtfAction::Create);
const CHECK: NtfSubAction = NtfSubAction::Ntf(NtfSubNtfAction::Check);

fn subscription(user_id: UserId, conn: &str, status: NtfAgentSubStatus) -> NtfSubscription {
    NtfSubscription {
        user_id,
        conn_id: id(conn),
        smp_server: smp_server(),
        ntf_queue_id: NotifierId::from_bytes(conn.as_bytes()),
        ntf_server: ntf_server(),
        ntf_sub_id: NtfSubscriptionId::from_bytes(conn.as_bytes()),
        ntf_sub_status: status,
    }
}

fn one_id<T>(
    tx: &mut AgentTx<'_>,
    sql: &Sql,
    params: Params<'_>,
    column: &'static str,
) -> TxResult<T>
where
    T: for<'r> simplex_stores::db::FromCell<'r>,
{
    Ok(tx.statements().query_one(sql, params, |row| row.next(column))?)
}

fn rcv_file(tx: &mut AgentTx<'_>, path: &str) -> TxResult<DbRcvFileId> {
    one_id(tx, &RCV_FILE, &[&path], "rcv_files.rcv_file_id")
}

fn snd_file(tx: &mut AgentTx<'_>, path: &str) -> TxResult<DbSndFileId> {
    one_id(tx, &SND_FILE, &[&path], "snd_files.snd_file_id")
}

fn file_path(text: &str) -> FilePath {
    FilePath::new(text).unwrap()
}

fn receive_file(tx: &mut AgentTx<'_>, user_id: UserId, path: &str) -> TxResult<()> {
    let replica = |number: i64, host: &str| FileChunkReplica {
        server: server(host, "443", &[1; 32]),
        replica_id: ChunkReplicaId::from_bytes(&number.to_be_bytes()).unwrap(),
        replica_key: AuthPrivateKey::Ed25519([5; 32]),
    };
    let chunk = |number: i64| FileChunk {
        chunk_no: ChunkNo(number),
        chunk_size: ChunkSize(65_536),
        digest: FileDigest(vec![7; 32]),
        replicas: vec![replica(number, "one.example"), replica(number, "two.example")],
    };
    let description = RcvFileDescription {
        party: Recipient,
        size: FileSize(1 << 33),
        digest: FileDigest(vec![3; 64]),
        key: SbKey::new([4; 32]),
        nonce: SbNonce([5; 24]),
        chunk_size: ChunkSize(4 << 20),
        chunks: (1..=CHUNKS).map(chunk).collect(),
        redirect: None,
    };
    let file = NewRcvFile {
        user_id,
        description: &description,
        prefix_path: &file_path("/files/1"),
        tmp_path: &file_path("/files/1/chunks"),
        save_file: &CryptoFile::plain(file_path(path)),
        approved_relays: true,
    };
    tx.create_rcv_file(&mut rand::rng(), &file).map(drop)
}

fn send_file(tx: &mut AgentTx<'_>, user: UserId, path: &str) -> TxResult<()> {
    let file = NewSndFile {
        src_file: CryptoFile::plain(file_path(path)),
        num_recipients: 2,
        prefix_path: file_path("/tmp/snd"),
        key: SbKey::new([1; 32]),
        nonce: SbNonce([2; 24]),
        redirect: None,
    };
    tx.create_snd_file(&mut rand::rng(), user, &file).map(drop)
}

fn encrypted(tx: &mut AgentTx<'_>, path: &str) -> TxResult<()> {
    let chunk = |number: i64| {
        let (offset, size) = (ChunkOffset(number * 100), ChunkSize(100));
        let spec = XftpChunkSpec::in_folder(&file_path("/tmp/snd"), offset, size);
        (spec, FileDigest(vec![number as u8; 32]))
    };
    let chunks: Vec<_> = (0..CHUNKS).map(chunk).collect();
    let file = snd_file(tx, path)?;
    tx.update_snd_file_encrypted(file, &FileDigest(vec![9; 64]), &chunks)
}
