//! The list for PostgreSQL (section 6.6).

use super::{Migrations, known, undone_by};
use crate::db::migrations::{Baseline, Migration};

/// The migrations of a PostgreSQL database.
pub const POSTGRES: Migrations = Migrations {
    list: LIST,
    baseline: Baseline {
        count: LIST.len(),
        script: concat!(
            include_str!("../schema/postgres/messaging.sql"),
            include_str!("../schema/postgres/notifications_and_files.sql")
        ),
    },
};

const LIST: &[Migration] = &[
    known("20241210_initial"),
    undone_by(
        "20250203_msg_bodies",
        "DROP INDEX idx_snd_messages_snd_message_body_id;
         ALTER TABLE snd_messages
           DROP COLUMN snd_message_body_id,
           DROP COLUMN padded_msg_len,
           DROP COLUMN msg_encrypt_key;
         DROP TABLE snd_message_bodies;",
    ),
    undone_by(
        "20250322_short_links",
        "DROP TABLE inv_short_links;
         DROP INDEX idx_rcv_queues_link_id;
         ALTER TABLE rcv_queues ADD COLUMN snd_secure smallint NOT NULL DEFAULT 0;
         ALTER TABLE snd_queues ADD COLUMN snd_secure smallint NOT NULL DEFAULT 0;
         UPDATE rcv_queues SET snd_secure = 1 WHERE queue_mode = 'M';
         UPDATE snd_queues SET snd_secure = 1 WHERE queue_mode = 'M';
         ALTER TABLE rcv_queues
           DROP COLUMN queue_mode,
           DROP COLUMN link_id,
           DROP COLUMN link_key,
           DROP COLUMN link_priv_sig_key,
           DROP COLUMN link_enc_fixed_data;
         ALTER TABLE snd_queues DROP COLUMN queue_mode;",
    ),
    undone_by(
        "20250702_conn_invitations_remove_cascade_delete",
        "DELETE FROM conn_invitations WHERE contact_conn_id IS NULL;
         ALTER TABLE conn_invitations
           DROP CONSTRAINT conn_invitations_contact_conn_id_fkey,
           ALTER COLUMN contact_conn_id SET NOT NULL,
           ADD FOREIGN KEY (contact_conn_id) REFERENCES connections ON DELETE CASCADE;",
    ),
    undone_by(
        "20251009_queue_to_subscribe",
        "DROP INDEX idx_rcv_queues_to_subscribe;
         ALTER TABLE rcv_queues DROP COLUMN to_subscribe;",
    ),
    undone_by(
        "20251010_client_notices",
        "DROP INDEX idx_rcv_queues_client_notice_id;
         ALTER TABLE rcv_queues DROP COLUMN client_notice_id;
         DROP TABLE client_notices;",
    ),
    undone_by(
        "20251230_strict_tables",
        "ALTER TABLE ntf_tokens
           ALTER COLUMN device_token TYPE text USING convert_from(device_token, 'UTF8'),
           ALTER COLUMN ntf_mode TYPE bytea USING convert_to(ntf_mode, 'UTF8');
         ALTER TABLE ntf_subscriptions
           ALTER COLUMN ntf_sub_action TYPE bytea USING convert_to(ntf_sub_action, 'UTF8'),
           ALTER COLUMN ntf_sub_smp_action TYPE bytea USING convert_to(ntf_sub_smp_action, 'UTF8');",
    ),
    undone_by("20260410_receive_attempts", "ALTER TABLE rcv_messages DROP COLUMN receive_attempts;"),
    undone_by(
        "20260411_service_certs",
        "DROP TRIGGER tr_rcv_queue_insert ON rcv_queues;
         DROP TRIGGER tr_rcv_queue_delete ON rcv_queues;
         DROP TRIGGER tr_rcv_queue_update ON rcv_queues;
         DROP FUNCTION on_rcv_queue_insert;
         DROP FUNCTION on_rcv_queue_delete;
         DROP FUNCTION on_rcv_queue_update;
         DROP FUNCTION update_aggregates;
         DROP AGGREGATE xor_aggregate(bytea);
         DROP FUNCTION xor_combine;
         ALTER TABLE rcv_queues DROP COLUMN rcv_service_assoc;
         DROP TABLE client_services;",
    ),
];
