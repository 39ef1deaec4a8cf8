//! Every row of an agent's database, so that two databases can be compared.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::given;
use crate::agent_store::{AgentTx, TxResult};
use crate::db::{Cell, FromCell, Sql, Texts, Unreadable, UtcTime};

/// A table: what it is called, its columns as `table.column`, and statements on all of its rows.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    read: Sql,
    clear: Sql,
}

/// What stands in a column, as it has to be on both databases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// No value.
    Null,
    /// An integer, or a flag.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// A time that an operation was given, or one that stands for all that the clock gave.
    Time(UtcTime),
}

impl FromCell<'_> for Column {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Ok(match cell {
            Cell::Null => Self::Null,
            Cell::Int(value) => Self::Int(value),
            // SQLite keeps times as texts; no other text is one.
            Cell::Text(text) => match UtcTime::from_text(text) {
                Some(time) => Self::Time(given(time)),
                None => Self::Text(text.to_owned()),
            },
            Cell::Blob(bytes) => Self::Blob(bytes.to_vec()),
            Cell::Time(time) => Self::Time(given(time)),
        })
    }
}

/// The rows of all tables, each table's in an order of their own. Only that of the migrations isn't there:
/// their lists differ.
pub type Rows = BTreeMap<&'static str, Vec<Vec<Column>>>;

/// All rows.
///
/// # Errors
///
/// A failure of the database.
pub fn rows(tx: &mut AgentTx<'_>) -> TxResult<Rows> {
    let mut all = Rows::new();
    for table in TABLES {
        let rows = tx.statements().query(&table.read, &[], |row| {
            table.columns.iter().map(|column| row.next(column)).collect::<Result<Vec<_>, _>>()
        })?;
        all.insert(table.name, rows);
    }
    count_file_routers(&mut all);
    all.values_mut().for_each(|rows| rows.sort());
    Ok(all)
}

/// File routers in the order of their numbers, instead of these: a registration of one that is there already
/// is counted by PostgreSQL's sequence. No operation is given such a number.
fn count_file_routers(all: &mut Rows) {
    let ids = all.get("xftp_servers").into_iter().flatten().filter_map(|row| row.first().cloned());
    let ids: BTreeSet<Column> = ids.collect();
    let number = |id: &Column| (0..).zip(&ids).find_map(|(at, one)| (one == id).then_some(at));
    for table in TABLES {
        let place = table.columns.iter().position(|column| column.ends_with(".xftp_server_id"));
        for row in all.get_mut(table.name).into_iter().flatten() {
            if let Some(id) = place.and_then(|place| row.get_mut(place)) {
                *id = number(id).map_or(Column::Null, Column::Int);
            }
        }
    }
}

/// The columns of all tables, as `table.column`.
pub fn columns() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.columns).copied()
}

/// Leaves no row but that of the statistics, which is as it was made.
pub(super) fn clear(tx: &mut AgentTx<'_>) -> TxResult<()> {
    for table in TABLES {
        tx.statements().execute(&table.clear, &[])?;
    }
    tx.statements().execute(&STATISTICS, &[])?;
    Ok(())
}

const STATISTICS: Sql = Sql::differing(
    "make the row of the statistics again",
    Texts {
        sqlite: "INSERT INTO servers_stats (servers_stats_id) VALUES (1)",
        postgres: "INSERT INTO servers_stats (servers_stats_id) OVERRIDING SYSTEM VALUE VALUES (1)",
    },
);

/// From those that refer to others to those that others refer to.
macro_rules! tables {
    ($($table:ident [$first:ident $($column:ident)*];)+) => {
        &[$(Table {
            name: stringify!($table),
            columns: &[
                concat!(stringify!($table), ".", stringify!($first)),
                $(concat!(stringify!($table), ".", stringify!($column)),)*
            ],
            read: Sql::new(
                concat!("read all of ", stringify!($table)),
                concat!(
                    "SELECT ", stringify!($first), $(", ", stringify!($column),)*
                    " FROM ", stringify!($table)
                ),
            ),
            clear: Sql::new(
                concat!("clear ", stringify!($table)),
                concat!("DELETE FROM ", stringify!($table)),
            ),
        }),+]
    };
}

#[rustfmt::skip]
const TABLES: &[Table] = tables! {
    snd_message_deliveries [snd_message_delivery_id conn_id snd_queue_id internal_id failed];
        snd_messages [conn_id internal_snd_id internal_id internal_hash previous_msg_hash retry_int_slow
        retry_int_fast rcpt_internal_id rcpt_status msg_encrypt_key padded_msg_len snd_message_body_id];
        rcv_messages [conn_id internal_rcv_id internal_id external_snd_id broker_id broker_ts
        internal_hash external_prev_snd_hash integrity user_ack rcv_queue_id receive_attempts];
        messages [conn_id internal_id internal_ts internal_rcv_id internal_snd_id msg_type msg_body
        msg_flags pq_encryption];
    snd_message_bodies [snd_message_body_id agent_msg];
    encrypted_rcv_message_hashes [encrypted_rcv_message_hash_id conn_id hash created_at updated_at];
    skipped_messages [skipped_message_id conn_id header_key msg_n msg_key];
        ratchets [conn_id x3dh_priv_key_1 x3dh_priv_key_2 ratchet_state e2e_version x3dh_pub_key_1
        x3dh_pub_key_2 pq_priv_kem pq_pub_kem];
    processed_ratchet_key_hashes [processed_ratchet_key_hash_id conn_id hash created_at updated_at];
        commands [command_id conn_id host port corr_id command_tag command agent_version server_key_hash
        created_at failed];
        conn_confirmations [confirmation_id conn_id e2e_snd_pub_key sender_key ratchet_state
        sender_conn_info accepted own_conn_info created_at smp_reply_queues smp_client_version];
        conn_invitations [invitation_id contact_conn_id cr_invitation recipient_conn_info accepted
        own_conn_info created_at];
        inv_short_links [inv_short_link_id host port server_key_hash link_id link_key snd_private_key
        snd_id];
        rcv_queues [host port rcv_id conn_id rcv_private_key rcv_dh_secret e2e_priv_key e2e_dh_secret
        snd_id snd_key status smp_server_version smp_client_version ntf_public_key ntf_private_key
        ntf_id rcv_ntf_dh_secret rcv_queue_id rcv_primary replace_rcv_queue_id delete_errors
        server_key_hash switch_status deleted last_broker_ts link_id link_key link_priv_sig_key
        link_enc_fixed_data queue_mode to_subscribe client_notice_id rcv_service_assoc];
        snd_queues [host port snd_id conn_id snd_private_key e2e_dh_secret status smp_server_version
        smp_client_version snd_public_key e2e_pub_key snd_queue_id snd_primary replace_snd_queue_id
        server_key_hash switch_status queue_mode];
        client_services [user_id host port server_key_hash service_cert service_cert_hash
        service_priv_key service_id service_queue_count service_queue_ids_hash];
        client_notices [client_notice_id protocol host port entity_id server_key_hash notice_ttl
        created_at updated_at];
        connections [conn_id conn_mode last_internal_msg_id last_internal_rcv_msg_id
        last_internal_snd_msg_id last_external_snd_msg_id last_rcv_msg_hash last_snd_msg_hash
        smp_agent_version duplex_handshake enable_ntfs deleted user_id ratchet_sync_state
        deleted_at_wait_delivery pq_support];
        ntf_tokens [provider device_token ntf_host ntf_port tkn_id tkn_pub_key tkn_priv_key
        tkn_pub_dh_key tkn_priv_dh_key tkn_dh_secret tkn_status tkn_action created_at updated_at
        ntf_mode];
        ntf_tokens_to_delete [ntf_token_to_delete_id ntf_host ntf_port ntf_key_hash tkn_id tkn_priv_key
        del_failed created_at];
        ntf_subscriptions [conn_id smp_host smp_port smp_ntf_id ntf_host ntf_port ntf_sub_id
        ntf_sub_status ntf_sub_action ntf_sub_smp_action ntf_sub_action_ts updated_by_supervisor
        created_at updated_at smp_server_key_hash ntf_failed smp_failed];
        rcv_file_chunk_replicas [rcv_file_chunk_replica_id rcv_file_chunk_id replica_number
        xftp_server_id replica_id replica_key received delay retries created_at updated_at];
        rcv_file_chunks [rcv_file_chunk_id rcv_file_id chunk_no chunk_size digest tmp_path created_at
        updated_at];
        rcv_files [rcv_file_id rcv_file_entity_id user_id size digest key nonce chunk_size prefix_path
        tmp_path save_path status deleted error created_at updated_at save_file_key save_file_nonce
        failed redirect_id redirect_entity_id redirect_size redirect_digest approved_relays];
        snd_file_chunk_replica_recipients [snd_file_chunk_replica_recipient_id snd_file_chunk_replica_id
        rcv_replica_id rcv_replica_key created_at updated_at];
        snd_file_chunk_replicas [snd_file_chunk_replica_id snd_file_chunk_id replica_number
        xftp_server_id replica_id replica_key replica_status delay retries created_at updated_at];
        snd_file_chunks [snd_file_chunk_id snd_file_id chunk_no chunk_offset chunk_size digest
        created_at updated_at];
        snd_files [snd_file_id snd_file_entity_id user_id num_recipients digest key nonce path
        prefix_path status deleted error created_at updated_at src_file_key src_file_nonce failed
        redirect_size redirect_digest];
        deleted_snd_chunk_replicas [deleted_snd_chunk_replica_id user_id xftp_server_id replica_id
        replica_key chunk_digest delay retries created_at updated_at failed];
    xftp_servers [xftp_server_id xftp_host xftp_port xftp_key_hash created_at updated_at];
    ntf_servers [ntf_host ntf_port ntf_key_hash created_at updated_at];
    servers [host port key_hash];
    users [user_id deleted];
    servers_stats [servers_stats_id servers_stats started_at created_at updated_at];
};
