//! Which columns have to be readable as which type: those that the store's own operations read so.

use std::collections::BTreeMap;

use super::finding::{Finding, Severity, key};
use crate::agent_store::types::{
    AgentCommand, AgentMessage, AgentMessageType, AgentServersStats, ConnId, ConnectionMode,
    Ed25519PrivateKey, FilePath, KeyHash, LinkId, MsgEncryptKey, MsgFlags, MsgId, MsgIntegrity,
    MsgReceiptStatus, NotificationsMode, NotifierId, NtfAgentSubStatus, NtfSubNtfAction,
    NtfSubSmpAction, NtfTknAction, NtfTknStatus, PushProvider, QueueMode, QueueStatus, Ratchet,
    RatchetSyncState, RcvFileStatus, RcvSwitchStatus, RecipientId, ReplyQueues, SbKey, SbNonce,
    SenderId, ServerHosts, ServiceId, ServicePrivateKey, SndFileReplicaStatus, SndFileStatus,
    SndSwitchStatus, X448PrivateKey, X448PublicKey, X25519PublicKey,
};
use crate::db::{Cell, DbError, DbErrorKind, FromCell, Row, Sql, Tx, Unreadable, UtcTime};
use crate::protocol::ntf::AuthPrivateKey;
use crate::protocol::{AuthKey, CertChain, DhSecret, IdsHash};

type Read = fn(&mut Row<'_>, &'static str) -> Result<(), DbError>;

/// The columns of a table that are read, each as its type.
pub(super) struct Readable {
    pub(super) name: &'static str,
    columns: &'static [(&'static str, Read)],
    key: &'static [&'static str],
    /// The columns, then the key.
    select: Sql,
}

fn as_type<T: for<'r> FromCell<'r>>(
    row: &mut Row<'_>,
    column: &'static str,
) -> Result<(), DbError> {
    row.next::<T>(column).map(drop)
}

/// A private key by its form alone: computing the public half of each would take longer than all the rest.
struct X25519PrivateForm;

impl FromCell<'_> for X25519PrivateForm {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        match AuthPrivateKey::from_cell(cell)? {
            AuthPrivateKey::X25519(_) => Ok(Self),
            _ => Err(Unreadable::expected("a private X25519 key")),
        }
    }
}

/// A chain of certificates that can be told from each other.
struct CertChainForm;

impl FromCell<'_> for CertChainForm {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let chain = CertChain::decode_binary(<&[u8]>::from_cell(cell)?);
        chain.map(|_| Self).map_err(|problem| Unreadable::new(problem.to_string()))
    }
}

impl Readable {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { table: self, findings: BTreeMap::new() }
    }
}

/// What was found in a table, by column.
pub(super) struct Reader<'t> {
    table: &'t Readable,
    pub(super) findings: BTreeMap<&'static str, Finding>,
}

impl Reader<'_> {
    /// How many rows there were.
    pub(super) fn read(&mut self, tx: &mut Tx<'_>) -> Result<u64, DbError> {
        let mut rows = 0;
        tx.query_each(&self.table.select, &[], |row| {
            rows += 1;
            self.row(row)
        })?;
        Ok(rows)
    }

    fn row(&mut self, row: &mut Row<'_>) -> Result<(), DbError> {
        let mut unreadable = Vec::new();
        for (column, read) in self.table.columns {
            match read(row, column) {
                Err(error) if matches!(error.kind(), DbErrorKind::Row { .. }) => {
                    unreadable.push((*column, error));
                }
                result => result?,
            }
        }
        if unreadable.is_empty() {
            return Ok(());
        }
        let key = key(row, self.table.key)?;
        for (column, error) in unreadable {
            let finding = self.findings.entry(column).or_insert_with(|| {
                let name = column.split_once('.').map_or(column, |(_, name)| name);
                let advice = "correct the value, or delete the row";
                let problem = format!("{name}: {}", error.message());
                Finding::new(Severity::Damage, self.table.name, problem, advice)
            });
            finding.add(|| Ok(key.clone()))?;
        }
        Ok(())
    }
}

macro_rules! readable {
    ($($table:ident [$key:ident $(, $keys:ident)*] {
        $($column:ident: $type:ty),+ $(,)?
    })+) => {
        &[$(Readable {
            name: stringify!($table),
            columns: &[$((
                concat!(stringify!($table), ".", stringify!($column)),
                as_type::<$type>,
            )),+],
            key: &[
                concat!(stringify!($table), ".", stringify!($key)),
                $(concat!(stringify!($table), ".", stringify!($keys)),)*
            ],
            select: Sql::new(
                concat!("reading ", stringify!($table)),
                concat!(
                    "SELECT ", $(stringify!($column), ", ",)+
                    stringify!($key), $(", ", stringify!($keys),)*
                    " FROM ", stringify!($table),
                ),
            ),
        }),+]
    };
}

pub(super) const TABLES: &[Readable] = readable! {
    users [user_id] { deleted: bool }
    servers [host, port] { host: ServerHosts, key_hash: KeyHash }
    ntf_servers [ntf_host, ntf_port] { ntf_host: ServerHosts, ntf_key_hash: KeyHash }
    xftp_servers [xftp_server_id] { xftp_host: ServerHosts, xftp_key_hash: KeyHash }
    connections [conn_id] {
        conn_id: ConnId, conn_mode: ConnectionMode, smp_agent_version: u16,
        enable_ntfs: Option<bool>, deleted: bool, ratchet_sync_state: RatchetSyncState,
        deleted_at_wait_delivery: Option<UtcTime>, pq_support: bool,
    }
    rcv_queues [conn_id, rcv_queue_id] {
        rcv_id: RecipientId, rcv_private_key: AuthPrivateKey, rcv_dh_secret: DhSecret,
        e2e_priv_key: X25519PrivateForm, e2e_dh_secret: Option<DhSecret>, snd_id: SenderId,
        status: QueueStatus, smp_client_version: Option<u16>, ntf_public_key: Option<AuthKey>,
        ntf_private_key: Option<AuthPrivateKey>, ntf_id: Option<NotifierId>,
        rcv_ntf_dh_secret: Option<DhSecret>, rcv_primary: bool, server_key_hash: Option<KeyHash>,
        switch_status: Option<RcvSwitchStatus>, deleted: bool, last_broker_ts: Option<UtcTime>,
        link_id: Option<LinkId>, link_priv_sig_key: Option<Ed25519PrivateKey>, queue_mode: Option<QueueMode>, to_subscribe: bool,
        rcv_service_assoc: bool,
    }
    snd_queues [conn_id, snd_queue_id] {
        snd_id: SenderId, snd_private_key: AuthPrivateKey, e2e_dh_secret: DhSecret,
        status: QueueStatus, smp_client_version: u16, e2e_pub_key: Option<X25519PublicKey>,
        snd_primary: bool, server_key_hash: Option<KeyHash>,
        switch_status: Option<SndSwitchStatus>, queue_mode: Option<QueueMode>,
    }
    conn_confirmations [confirmation_id] {
        e2e_snd_pub_key: X25519PublicKey, sender_key: Option<AuthKey>, accepted: bool,
        created_at: UtcTime, smp_client_version: Option<u16>, ratchet_state: Ratchet, smp_reply_queues: Option<ReplyQueues>,
    }
    conn_invitations [invitation_id] { accepted: bool, created_at: UtcTime }
    inv_short_links [inv_short_link_id] {
        server_key_hash: Option<KeyHash>, link_id: LinkId, snd_private_key: AuthPrivateKey,
        snd_id: Option<SenderId>,
    }
    messages [conn_id, internal_id] {
        internal_ts: UtcTime, msg_type: AgentMessageType, msg_flags: Option<MsgFlags>,
        pq_encryption: bool,
    }
    rcv_messages [conn_id, internal_rcv_id] {
        broker_id: MsgId, broker_ts: UtcTime, integrity: MsgIntegrity, user_ack: Option<bool>,
    }
    snd_messages [conn_id, internal_snd_id] {
        rcpt_status: Option<MsgReceiptStatus>, msg_encrypt_key: Option<MsgEncryptKey>,
    }
    snd_message_bodies [snd_message_body_id] { agent_msg: AgentMessage }
    ratchets [conn_id] {
        ratchet_state: Option<Ratchet>, x3dh_priv_key_1: Option<X448PrivateKey>,
        x3dh_priv_key_2: Option<X448PrivateKey>, x3dh_pub_key_1: Option<X448PublicKey>,
        x3dh_pub_key_2: Option<X448PublicKey>,
    }
    encrypted_rcv_message_hashes [encrypted_rcv_message_hash_id] { created_at: UtcTime }
    snd_message_deliveries [snd_message_delivery_id] { failed: Option<bool> }
    processed_ratchet_key_hashes [processed_ratchet_key_hash_id] { created_at: UtcTime }
    skipped_messages [skipped_message_id] { msg_n: u32 }
    commands [command_id] {
        host: Option<ServerHosts>, server_key_hash: Option<KeyHash>, created_at: UtcTime,
        failed: Option<bool>, command: AgentCommand,
    }
    client_services [user_id, host, port] {
        server_key_hash: Option<KeyHash>, service_id: Option<ServiceId>,
        service_queue_ids_hash: IdsHash, service_cert: CertChainForm,
        service_cert_hash: KeyHash, service_priv_key: ServicePrivateKey,
    }
    client_notices [client_notice_id] { host: ServerHosts, server_key_hash: Option<KeyHash> }
    ntf_tokens [provider, ntf_host, ntf_port] {
        provider: PushProvider, tkn_pub_key: AuthKey, tkn_priv_key: AuthPrivateKey,
        tkn_pub_dh_key: X25519PublicKey, tkn_priv_dh_key: X25519PrivateForm, tkn_dh_secret: Option<DhSecret>,
        tkn_status: NtfTknStatus, tkn_action: Option<NtfTknAction>,
        ntf_mode: Option<NotificationsMode>,
    }
    ntf_tokens_to_delete [ntf_token_to_delete_id] {
        ntf_host: ServerHosts, ntf_key_hash: KeyHash, tkn_priv_key: AuthPrivateKey,
        del_failed: Option<bool>, created_at: UtcTime,
    }
    ntf_subscriptions [conn_id] {
        smp_host: Option<ServerHosts>, smp_ntf_id: Option<NotifierId>,
        ntf_sub_status: NtfAgentSubStatus, ntf_sub_action: Option<NtfSubNtfAction>,
        ntf_sub_smp_action: Option<NtfSubSmpAction>, ntf_sub_action_ts: Option<UtcTime>,
        updated_by_supervisor: bool, smp_server_key_hash: Option<KeyHash>,
        ntf_failed: Option<bool>, smp_failed: Option<bool>,
    }
    rcv_files [rcv_file_id] {
        size: i64, chunk_size: u32, status: RcvFileStatus, deleted: bool, created_at: UtcTime,
        failed: Option<bool>, approved_relays: bool, key: SbKey, nonce: SbNonce,
        save_file_key: Option<SbKey>, save_file_nonce: Option<SbNonce>, prefix_path: FilePath,
    }
    rcv_file_chunks [rcv_file_chunk_id] { chunk_size: u32 }
    rcv_file_chunk_replicas [rcv_file_chunk_replica_id] {
        received: bool, created_at: UtcTime, replica_key: AuthPrivateKey,
    }
    snd_files [snd_file_id] {
        status: SndFileStatus, deleted: bool, created_at: UtcTime, failed: Option<bool>,
        key: SbKey, nonce: SbNonce, src_file_key: Option<SbKey>, src_file_nonce: Option<SbNonce>,
    }
    snd_file_chunks [snd_file_chunk_id] { chunk_size: u32 }
    snd_file_chunk_replicas [snd_file_chunk_replica_id] {
        replica_status: SndFileReplicaStatus, created_at: UtcTime, replica_key: AuthPrivateKey,
    }
    deleted_snd_chunk_replicas [deleted_snd_chunk_replica_id] {
        created_at: UtcTime, failed: Option<bool>, replica_key: AuthPrivateKey,
    }
    servers_stats [servers_stats_id] {
        started_at: UtcTime, servers_stats: Option<AgentServersStats>,
    }
};
