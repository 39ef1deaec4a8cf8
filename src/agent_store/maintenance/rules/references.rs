//! Every reference of the schema that has a foreign key (section 2).

use super::{Rule, Severity};
use crate::db::Sql;

macro_rules! references {
    ($($child:ident [$key:ident $(, $keys:ident)*]:
        $($column:ident = $parent_column:ident),+ in $parent:ident;)+) => {
        &[$(Rule {
            severity: Severity::Damage,
            table: stringify!($child),
            key: &[
                concat!(stringify!($child), ".", stringify!($key)),
                $(concat!(stringify!($child), ".", stringify!($keys)),)*
            ],
            problem: concat!(
                "belongs to a row of ", stringify!($parent), " that isn't there (",
                $(stringify!($column), " ",)+ "names it)"
            ),
            advice: concat!(
                "restore the row of ", stringify!($parent), " from a backup, or delete this one"
            ),
            find: Sql::new(
                concat!("checking references of ", stringify!($child)),
                concat!(
                    "SELECT c.", stringify!($key), $(", c.", stringify!($keys),)*
                    " FROM ", stringify!($child), " c WHERE 1 = 1",
                    $(" AND c.", stringify!($column), " IS NOT NULL",)+
                    " AND NOT EXISTS (SELECT 1 FROM ", stringify!($parent), " p WHERE 1 = 1",
                    $(" AND p.", stringify!($parent_column), " = c.", stringify!($column),)+ ")",
                ),
            ),
        }),+]
    };
}

pub(in super::super) const REFERENCES: &[Rule] = references! {
    connections [conn_id]: user_id = user_id in users;
    rcv_queues [conn_id, rcv_queue_id]: conn_id = conn_id in connections;
    rcv_queues [conn_id, rcv_queue_id]: client_notice_id = client_notice_id in client_notices;
    rcv_queues [conn_id, rcv_queue_id]: host = host, port = port in servers;
    snd_queues [conn_id, snd_queue_id]: conn_id = conn_id in connections;
    snd_queues [conn_id, snd_queue_id]: host = host, port = port in servers;
    conn_confirmations [confirmation_id]: conn_id = conn_id in connections;
    conn_invitations [invitation_id]: contact_conn_id = conn_id in connections;
    inv_short_links [inv_short_link_id]: host = host, port = port in servers;
    messages [conn_id, internal_id]: conn_id = conn_id in connections;
    messages [conn_id, internal_id]:
        conn_id = conn_id, internal_rcv_id = internal_rcv_id in rcv_messages;
    messages [conn_id, internal_id]:
        conn_id = conn_id, internal_snd_id = internal_snd_id in snd_messages;
    rcv_messages [conn_id, internal_rcv_id]:
        conn_id = conn_id, internal_id = internal_id in messages;
    snd_messages [conn_id, internal_snd_id]:
        conn_id = conn_id, internal_id = internal_id in messages;
    snd_messages [conn_id, internal_snd_id]:
        snd_message_body_id = snd_message_body_id in snd_message_bodies;
    encrypted_rcv_message_hashes [encrypted_rcv_message_hash_id]: conn_id = conn_id in connections;
    snd_message_deliveries [snd_message_delivery_id]: conn_id = conn_id in connections;
    snd_message_deliveries [snd_message_delivery_id]:
        conn_id = conn_id, internal_id = internal_id in messages;
    ratchets [conn_id]: conn_id = conn_id in connections;
    skipped_messages [skipped_message_id]: conn_id = conn_id in ratchets;
    processed_ratchet_key_hashes [processed_ratchet_key_hash_id]: conn_id = conn_id in connections;
    commands [command_id]: conn_id = conn_id in connections;
    commands [command_id]: host = host, port = port in servers;
    client_services [user_id, host, port]: user_id = user_id in users;
    client_services [user_id, host, port]: host = host, port = port in servers;
    ntf_tokens [provider, ntf_host, ntf_port]:
        ntf_host = ntf_host, ntf_port = ntf_port in ntf_servers;
    ntf_subscriptions [conn_id]: ntf_host = ntf_host, ntf_port = ntf_port in ntf_servers;
    ntf_subscriptions [conn_id]: smp_host = host, smp_port = port in servers;
    rcv_files [rcv_file_id]: user_id = user_id in users;
    rcv_files [rcv_file_id]: redirect_id = rcv_file_id in rcv_files;
    rcv_file_chunks [rcv_file_chunk_id]: rcv_file_id = rcv_file_id in rcv_files;
    rcv_file_chunk_replicas [rcv_file_chunk_replica_id]:
        rcv_file_chunk_id = rcv_file_chunk_id in rcv_file_chunks;
    rcv_file_chunk_replicas [rcv_file_chunk_replica_id]:
        xftp_server_id = xftp_server_id in xftp_servers;
    snd_files [snd_file_id]: user_id = user_id in users;
    snd_file_chunks [snd_file_chunk_id]: snd_file_id = snd_file_id in snd_files;
    snd_file_chunk_replicas [snd_file_chunk_replica_id]:
        snd_file_chunk_id = snd_file_chunk_id in snd_file_chunks;
    snd_file_chunk_replicas [snd_file_chunk_replica_id]:
        xftp_server_id = xftp_server_id in xftp_servers;
    snd_file_chunk_replica_recipients [snd_file_chunk_replica_recipient_id]:
        snd_file_chunk_replica_id = snd_file_chunk_replica_id in snd_file_chunk_replicas;
    deleted_snd_chunk_replicas [deleted_snd_chunk_replica_id]: user_id = user_id in users;
    deleted_snd_chunk_replicas [deleted_snd_chunk_replica_id]:
        xftp_server_id = xftp_server_id in xftp_servers;
};
