//! The tables that are filled, in an order in which rows that others refer to come first, and the columns that
//! are given; the others have their defaults.

use crate::db::Sql;

/// How a server keeps a column.
#[cfg(feature = "postgres")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int8,
    Int4,
    Int2,
    Text,
    Bytes,
    Time,
}

macro_rules! tables {
    ($($table:ident $name:ident {
        $first:ident $first_place:literal $first_kind:ident
        $(, $column:ident $place:literal $kind:ident)* $(,)?
    })+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Table {
            $($table),+
        }

        impl Table {
            pub(super) const ALL: &'static [Self] = &[$(Self::$table),+];

            pub(super) fn insert(self) -> Sql {
                match self {
                    $(Self::$table => Sql::new(
                        concat!("filling ", stringify!($name)),
                        concat!(
                            "INSERT INTO ", stringify!($name), " (",
                            stringify!($first), $(", ", stringify!($column),)* ") VALUES (",
                            $first_place, $(", ", $place,)* ")",
                        ),
                    ),)+
                }
            }

            #[cfg(feature = "postgres")]
            pub(super) fn copy(self) -> Sql {
                match self {
                    $(Self::$table => Sql::new(
                        concat!("filling ", stringify!($name)),
                        concat!(
                            "COPY ", stringify!($name), " (",
                            stringify!($first), $(", ", stringify!($column),)*
                            ") FROM STDIN (FORMAT binary)",
                        ),
                    ),)+
                }
            }

            #[cfg(feature = "postgres")]
            pub(super) fn analyze(self) -> Sql {
                match self {
                    $(Self::$table => Sql::new(
                        concat!("analyzing ", stringify!($name)),
                        concat!("ANALYZE ", stringify!($name)),
                    ),)+
                }
            }

            #[cfg(feature = "postgres")]
            pub(super) fn kinds(self) -> &'static [Kind] {
                match self {
                    $(Self::$table => &[Kind::$first_kind $(, Kind::$kind)*],)+
                }
            }
        }
    };
}

tables! {
    Connections connections {
        conn_id "$1" Bytes, conn_mode "$2" Text, last_internal_msg_id "$3" Int8,
        last_internal_rcv_msg_id "$4" Int8, last_internal_snd_msg_id "$5" Int8,
        last_external_snd_msg_id "$6" Int8, last_rcv_msg_hash "$7" Bytes,
        last_snd_msg_hash "$8" Bytes, smp_agent_version "$9" Int4, duplex_handshake "$10" Int2,
        enable_ntfs "$11" Int2, deleted "$12" Int2, user_id "$13" Int8, pq_support "$14" Int2,
    }
    ClientNotices client_notices {
        client_notice_id "$1" Int8, protocol "$2" Text, host "$3" Text, port "$4" Text,
        entity_id "$5" Bytes, notice_ttl "$6" Int8, created_at "$7" Int8, updated_at "$8" Int8,
    }
    ClientServices client_services {
        user_id "$1" Int8, host "$2" Text, port "$3" Text, service_cert "$4" Bytes,
        service_cert_hash "$5" Bytes, service_priv_key "$6" Bytes, service_id "$7" Bytes,
    }
    RcvQueues rcv_queues {
        host "$1" Text, port "$2" Text, rcv_id "$3" Bytes, conn_id "$4" Bytes,
        rcv_private_key "$5" Bytes, rcv_dh_secret "$6" Bytes, e2e_priv_key "$7" Bytes,
        e2e_dh_secret "$8" Bytes, snd_id "$9" Bytes, status "$10" Text,
        smp_client_version "$11" Int4, ntf_public_key "$12" Bytes, ntf_private_key "$13" Bytes,
        ntf_id "$14" Bytes, rcv_ntf_dh_secret "$15" Bytes, rcv_queue_id "$16" Int8,
        rcv_primary "$17" Int2, replace_rcv_queue_id "$18" Int8, switch_status "$19" Text,
        deleted "$20" Int2, link_id "$21" Bytes, link_key "$22" Bytes,
        link_priv_sig_key "$23" Bytes, link_enc_fixed_data "$24" Bytes, queue_mode "$25" Text,
        client_notice_id "$26" Int8, rcv_service_assoc "$27" Int2, last_broker_ts "$28" Time,
    }
    SndQueues snd_queues {
        host "$1" Text, port "$2" Text, snd_id "$3" Bytes, conn_id "$4" Bytes,
        snd_private_key "$5" Bytes, e2e_dh_secret "$6" Bytes, status "$7" Text,
        smp_client_version "$8" Int4, e2e_pub_key "$9" Bytes, snd_queue_id "$10" Int8,
        snd_primary "$11" Int2, queue_mode "$12" Text,
    }
    ConnConfirmations conn_confirmations {
        confirmation_id "$1" Bytes, conn_id "$2" Bytes, e2e_snd_pub_key "$3" Bytes,
        sender_key "$4" Bytes, ratchet_state "$5" Bytes, sender_conn_info "$6" Bytes,
        accepted "$7" Int2, created_at "$8" Time, smp_client_version "$9" Int4,
    }
    ConnInvitations conn_invitations {
        invitation_id "$1" Bytes, contact_conn_id "$2" Bytes, cr_invitation "$3" Bytes,
        recipient_conn_info "$4" Bytes, accepted "$5" Int2, created_at "$6" Time,
    }
    InvShortLinks inv_short_links {
        host "$1" Text, port "$2" Text, link_id "$3" Bytes, link_key "$4" Bytes,
        snd_private_key "$5" Bytes, snd_id "$6" Bytes,
    }
    Messages messages {
        conn_id "$1" Bytes, internal_id "$2" Int8, internal_ts "$3" Time,
        internal_rcv_id "$4" Int8, internal_snd_id "$5" Int8, msg_type "$6" Bytes,
        msg_body "$7" Bytes, msg_flags "$8" Text, pq_encryption "$9" Int2,
    }
    RcvMessages rcv_messages {
        conn_id "$1" Bytes, internal_rcv_id "$2" Int8, internal_id "$3" Int8,
        external_snd_id "$4" Int8, broker_id "$5" Bytes, broker_ts "$6" Time,
        internal_hash "$7" Bytes, external_prev_snd_hash "$8" Bytes, integrity "$9" Bytes,
        user_ack "$10" Int2, rcv_queue_id "$11" Int8,
    }
    SndMessageBodies snd_message_bodies { snd_message_body_id "$1" Int8, agent_msg "$2" Bytes }
    SndMessages snd_messages {
        conn_id "$1" Bytes, internal_snd_id "$2" Int8, internal_id "$3" Int8,
        internal_hash "$4" Bytes, previous_msg_hash "$5" Bytes, retry_int_slow "$6" Int8,
        retry_int_fast "$7" Int8, rcpt_internal_id "$8" Int8, rcpt_status "$9" Text,
        msg_encrypt_key "$10" Bytes, padded_msg_len "$11" Int8, snd_message_body_id "$12" Int8,
    }
    EncryptedHashes encrypted_rcv_message_hashes {
        conn_id "$1" Bytes, hash "$2" Bytes, created_at "$3" Time,
    }
    Deliveries snd_message_deliveries {
        conn_id "$1" Bytes, snd_queue_id "$2" Int8, internal_id "$3" Int8,
    }
    Ratchets ratchets { conn_id "$1" Bytes, ratchet_state "$2" Bytes }
    SkippedMessages skipped_messages {
        conn_id "$1" Bytes, header_key "$2" Bytes, msg_n "$3" Int8, msg_key "$4" Bytes,
    }
    RatchetHashes processed_ratchet_key_hashes {
        conn_id "$1" Bytes, hash "$2" Bytes, created_at "$3" Time,
    }
    Commands commands {
        conn_id "$1" Bytes, host "$2" Text, port "$3" Text, corr_id "$4" Bytes,
        command_tag "$5" Bytes, command "$6" Bytes, created_at "$7" Time,
    }
    NtfTokens ntf_tokens {
        provider "$1" Text, device_token "$2" Bytes, ntf_host "$3" Text, ntf_port "$4" Text,
        tkn_id "$5" Bytes, tkn_pub_key "$6" Bytes, tkn_priv_key "$7" Bytes,
        tkn_pub_dh_key "$8" Bytes, tkn_priv_dh_key "$9" Bytes, tkn_dh_secret "$10" Bytes,
        tkn_status "$11" Text, ntf_mode "$12" Text,
    }
    NtfTokensToDelete ntf_tokens_to_delete {
        ntf_host "$1" Text, ntf_port "$2" Text, ntf_key_hash "$3" Bytes, tkn_id "$4" Bytes,
        tkn_priv_key "$5" Bytes, created_at "$6" Time,
    }
    NtfSubscriptions ntf_subscriptions {
        conn_id "$1" Bytes, smp_host "$2" Text, smp_port "$3" Text, smp_ntf_id "$4" Bytes,
        ntf_host "$5" Text, ntf_port "$6" Text, ntf_sub_id "$7" Bytes, ntf_sub_status "$8" Text,
        ntf_sub_action "$9" Text, ntf_sub_smp_action "$10" Text, ntf_sub_action_ts "$11" Time,
    }
    RcvFiles rcv_files {
        rcv_file_id "$1" Int8, rcv_file_entity_id "$2" Bytes, user_id "$3" Int8, size "$4" Int8,
        digest "$5" Bytes, key "$6" Bytes, nonce "$7" Bytes, chunk_size "$8" Int8,
        prefix_path "$9" Text, tmp_path "$10" Text, save_path "$11" Text, status "$12" Text,
        created_at "$13" Time, save_file_key "$14" Bytes, save_file_nonce "$15" Bytes,
    }
    RcvFileChunks rcv_file_chunks {
        rcv_file_chunk_id "$1" Int8, rcv_file_id "$2" Int8, chunk_no "$3" Int8,
        chunk_size "$4" Int8, digest "$5" Bytes, tmp_path "$6" Text,
    }
    RcvFileReplicas rcv_file_chunk_replicas {
        rcv_file_chunk_id "$1" Int8, replica_number "$2" Int8, xftp_server_id "$3" Int8,
        replica_id "$4" Bytes, replica_key "$5" Bytes, received "$6" Int2, created_at "$7" Time,
    }
    SndFiles snd_files {
        snd_file_id "$1" Int8, snd_file_entity_id "$2" Bytes, user_id "$3" Int8,
        num_recipients "$4" Int8, digest "$5" Bytes, key "$6" Bytes, nonce "$7" Bytes,
        path "$8" Text, prefix_path "$9" Text, status "$10" Text, created_at "$11" Time,
    }
    SndFileChunks snd_file_chunks {
        snd_file_chunk_id "$1" Int8, snd_file_id "$2" Int8, chunk_no "$3" Int8,
        chunk_offset "$4" Int8, chunk_size "$5" Int8, digest "$6" Bytes,
    }
    SndFileReplicas snd_file_chunk_replicas {
        snd_file_chunk_replica_id "$1" Int8, snd_file_chunk_id "$2" Int8,
        replica_number "$3" Int8, xftp_server_id "$4" Int8, replica_id "$5" Bytes,
        replica_key "$6" Bytes, replica_status "$7" Text, created_at "$8" Time,
    }
    SndFileRecipients snd_file_chunk_replica_recipients {
        snd_file_chunk_replica_id "$1" Int8, rcv_replica_id "$2" Bytes, rcv_replica_key "$3" Bytes,
    }
    DeletedReplicas deleted_snd_chunk_replicas {
        user_id "$1" Int8, xftp_server_id "$2" Int8, replica_id "$3" Bytes, replica_key "$4" Bytes,
        chunk_digest "$5" Bytes, created_at "$6" Time,
    }
}

/// On a server, numbers that are given to rows are not counted by what makes the next ones.
#[cfg(feature = "postgres")]
pub(super) const NEXT_NUMBERS: [Sql; 7] = {
    macro_rules! next {
        ($table:literal, $column:literal) => {
            Sql::new(
                concat!("counting rows of ", $table),
                concat!(
                    "SELECT setval(pg_get_serial_sequence('",
                    $table,
                    "', '",
                    $column,
                    "'), (SELECT max(",
                    $column,
                    ") FROM ",
                    $table,
                    ")) AS last"
                ),
            )
        };
    }
    [
        next!("client_notices", "client_notice_id"),
        next!("snd_message_bodies", "snd_message_body_id"),
        next!("rcv_files", "rcv_file_id"),
        next!("rcv_file_chunks", "rcv_file_chunk_id"),
        next!("snd_files", "snd_file_id"),
        next!("snd_file_chunks", "snd_file_chunk_id"),
        next!("snd_file_chunk_replicas", "snd_file_chunk_replica_id"),
    ]
};
