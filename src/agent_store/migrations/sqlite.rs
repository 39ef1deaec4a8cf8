//! The list for SQLite (section 6.5).

use super::{Migrations, known, undone_by};
use crate::db::migrations::{Baseline, Migration};

/// The migrations of a SQLite database.
pub const SQLITE: Migrations = Migrations {
    list: LIST,
    baseline: Baseline {
        count: LIST.len(),
        script: concat!(
            include_str!("../schema/sqlite/messaging.sql"),
            include_str!("../schema/sqlite/notifications_and_files.sql")
        ),
    },
};

const LIST: &[Migration] = &[
    known("20220101_initial"),
    known("20220301_snd_queue_keys"),
    known("20220322_notifications"),
    known("20220607_v2"),
    known("m20220625_v2_ntf_mode"),
    known("m20220811_onion_hosts"),
    known("m20220817_connection_ntfs"),
    known("m20220905_commands"),
    known("m20220915_connection_queues"),
    known("m20230110_users"),
    known("m20230117_fkey_indexes"),
    known("m20230120_delete_errors"),
    known("m20230217_server_key_hash"),
    undone_by(
        "m20230223_files",
        "DROP TABLE rcv_file_chunk_replicas;
         DROP TABLE rcv_file_chunks;
         DROP TABLE rcv_files;
         DROP TABLE xftp_servers;",
    ),
    undone_by(
        "m20230320_retry_state",
        "ALTER TABLE snd_messages DROP COLUMN retry_int_slow;
         ALTER TABLE snd_messages DROP COLUMN retry_int_fast;",
    ),
    undone_by(
        "m20230401_snd_files",
        "DROP TABLE deleted_snd_chunk_replicas;
         DROP TABLE snd_file_chunk_replica_recipients;
         DROP TABLE snd_file_chunk_replicas;
         DROP TABLE snd_file_chunks;
         DROP TABLE snd_files;",
    ),
    undone_by(
        "m20230510_files_pending_replicas_indexes",
        "DROP INDEX idx_rcv_file_chunk_replicas_pending;
         DROP INDEX idx_snd_file_chunk_replicas_pending;
         DROP INDEX idx_deleted_snd_chunk_replicas_pending;",
    ),
    undone_by("m20230516_encrypted_rcv_message_hashes", "DROP TABLE encrypted_rcv_message_hashes;"),
    undone_by(
        "m20230531_switch_status",
        "ALTER TABLE rcv_queues DROP COLUMN switch_status;
         ALTER TABLE rcv_queues DROP COLUMN deleted;
         ALTER TABLE snd_queues DROP COLUMN switch_status;",
    ),
    undone_by(
        "m20230615_ratchet_sync",
        "DROP TABLE processed_ratchet_key_hashes;
         ALTER TABLE connections DROP COLUMN ratchet_sync_state;
         ALTER TABLE ratchets DROP COLUMN x3dh_pub_key_1;
         ALTER TABLE ratchets DROP COLUMN x3dh_pub_key_2;",
    ),
    undone_by(
        "m20230701_delivery_receipts",
        "DROP INDEX idx_snd_messages_rcpt_internal_id;
         ALTER TABLE snd_messages DROP COLUMN rcpt_internal_id;
         ALTER TABLE snd_messages DROP COLUMN rcpt_status;",
    ),
    undone_by("m20230720_delete_expired_messages", "DROP INDEX idx_messages_internal_snd_id_ts;"),
    undone_by(
        "m20230722_indexes",
        "DROP INDEX idx_encrypted_rcv_message_hashes_created_at;
         DROP INDEX idx_processed_ratchet_key_hashes_created_at;",
    ),
    undone_by(
        "m20230814_indexes",
        "DROP INDEX idx_messages_internal_ts;
         CREATE INDEX idx_messages_internal_snd_id_ts ON messages (internal_snd_id, internal_ts);",
    ),
    undone_by(
        "m20230829_crypto_files",
        "ALTER TABLE rcv_files DROP COLUMN save_file_key;
         ALTER TABLE rcv_files DROP COLUMN save_file_nonce;
         ALTER TABLE snd_files DROP COLUMN src_file_key;
         ALTER TABLE snd_files DROP COLUMN src_file_nonce;",
    ),
    undone_by(
        "m20231222_command_created_at",
        "DROP INDEX idx_commands_server_commands;
         ALTER TABLE commands DROP COLUMN created_at;",
    ),
    undone_by(
        "m20231225_failed_work_items",
        "DROP INDEX idx_rcv_files_status_created_at;
         DROP INDEX idx_snd_files_status_created_at;
         DROP INDEX idx_snd_files_snd_file_entity_id;
         ALTER TABLE snd_message_deliveries DROP COLUMN failed;
         ALTER TABLE commands DROP COLUMN failed;
         ALTER TABLE ntf_subscriptions DROP COLUMN ntf_failed;
         ALTER TABLE ntf_subscriptions DROP COLUMN smp_failed;
         ALTER TABLE rcv_files DROP COLUMN failed;
         ALTER TABLE snd_files DROP COLUMN failed;
         ALTER TABLE deleted_snd_chunk_replicas DROP COLUMN failed;",
    ),
    undone_by(
        "m20240121_message_delivery_indexes",
        "DROP INDEX idx_messages_snd_expired;
         DROP INDEX idx_snd_message_deliveries_expired;",
    ),
    undone_by(
        "m20240124_file_redirect",
        "DROP INDEX idx_rcv_files_redirect_id;
         ALTER TABLE rcv_files DROP COLUMN redirect_id;
         ALTER TABLE rcv_files DROP COLUMN redirect_entity_id;
         ALTER TABLE rcv_files DROP COLUMN redirect_size;
         ALTER TABLE rcv_files DROP COLUMN redirect_digest;
         ALTER TABLE snd_files DROP COLUMN redirect_size;
         ALTER TABLE snd_files DROP COLUMN redirect_digest;",
    ),
    undone_by(
        "m20240223_connections_wait_delivery",
        "ALTER TABLE connections DROP COLUMN deleted_at_wait_delivery;",
    ),
    undone_by(
        "m20240225_ratchet_kem",
        "ALTER TABLE ratchets DROP COLUMN pq_priv_kem;
         ALTER TABLE connections DROP COLUMN pq_support;
         ALTER TABLE messages DROP COLUMN pq_encryption;",
    ),
    undone_by(
        "m20240417_rcv_files_approved_relays",
        "ALTER TABLE rcv_files DROP COLUMN approved_relays;",
    ),
    undone_by(
        "m20240624_snd_secure",
        include_str!("../schema/sqlite/m20240624_snd_secure.down.sql"),
    ),
    undone_by("m20240702_servers_stats", "DROP TABLE servers_stats;"),
    undone_by("m20240930_ntf_tokens_to_delete", "DROP TABLE ntf_tokens_to_delete;"),
    undone_by(
        "m20241007_rcv_queues_last_broker_ts",
        "ALTER TABLE rcv_queues DROP COLUMN last_broker_ts;",
    ),
    undone_by("m20241224_ratchet_e2e_snd_params", "ALTER TABLE ratchets DROP COLUMN pq_pub_kem;"),
    undone_by(
        "m20250203_msg_bodies",
        "DROP INDEX idx_snd_messages_snd_message_body_id;
         ALTER TABLE snd_messages DROP COLUMN snd_message_body_id;
         ALTER TABLE snd_messages DROP COLUMN padded_msg_len;
         ALTER TABLE snd_messages DROP COLUMN msg_encrypt_key;
         DROP TABLE snd_message_bodies;",
    ),
    undone_by(
        "m20250322_short_links",
        "DROP TABLE inv_short_links;
         DROP INDEX idx_rcv_queues_link_id;
         ALTER TABLE rcv_queues DROP COLUMN link_id;
         ALTER TABLE rcv_queues DROP COLUMN link_key;
         ALTER TABLE rcv_queues DROP COLUMN link_priv_sig_key;
         ALTER TABLE rcv_queues DROP COLUMN link_enc_fixed_data;
         ALTER TABLE rcv_queues ADD COLUMN snd_secure INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE snd_queues ADD COLUMN snd_secure INTEGER NOT NULL DEFAULT 0;
         UPDATE rcv_queues SET snd_secure = 1 WHERE queue_mode = 'M';
         UPDATE snd_queues SET snd_secure = 1 WHERE queue_mode = 'M';
         ALTER TABLE rcv_queues DROP COLUMN queue_mode;
         ALTER TABLE snd_queues DROP COLUMN queue_mode;",
    ),
    undone_by(
        "m20250702_conn_invitations_remove_cascade_delete",
        include_str!("../schema/sqlite/m20250702_conn_invitations_remove_cascade_delete.down.sql"),
    ),
    undone_by(
        "m20251009_queue_to_subscribe",
        "DROP INDEX idx_rcv_queues_to_subscribe;
         ALTER TABLE rcv_queues DROP COLUMN to_subscribe;",
    ),
    undone_by(
        "m20251010_client_notices",
        "DROP INDEX idx_rcv_queues_client_notice_id;
         ALTER TABLE rcv_queues DROP COLUMN client_notice_id;
         DROP TABLE client_notices;",
    ),
    undone_by(
        "m20251230_strict_tables",
        include_str!("../schema/sqlite/m20251230_strict_tables.down.sql"),
    ),
    undone_by(
        "m20260410_receive_attempts",
        "ALTER TABLE rcv_messages DROP COLUMN receive_attempts;",
    ),
    undone_by(
        "m20260411_service_certs",
        "DROP TRIGGER tr_rcv_queue_insert;
         DROP TRIGGER tr_rcv_queue_delete;
         DROP TRIGGER tr_rcv_queue_update_remove;
         DROP TRIGGER tr_rcv_queue_update_add;
         ALTER TABLE rcv_queues DROP COLUMN rcv_service_assoc;
         DROP TABLE client_services;",
    ),
];
