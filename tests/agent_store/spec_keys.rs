//! Keys, references and indexes, as the specification lists them (agent-store.md, section 2).

/// `table: kind (columns)`; a reference says where to and what happens there, on both databases unless a line
/// names one.
pub(crate) const KEYS: &str = "
users: key (user_id)
servers: key (host, port)
ntf_servers: key (ntf_host, ntf_port)
xftp_servers: key (xftp_server_id)
xftp_servers: unique (xftp_host, xftp_port, xftp_key_hash)
connections: key (conn_id)
connections: reference (user_id) to users, on delete cascade
connections: index idx_connections_user (user_id)
rcv_queues: key (host, port, rcv_id)
rcv_queues: unique (host, port, snd_id)
rcv_queues: reference (client_notice_id) to client_notices, on delete set null, on update restrict
rcv_queues: reference (conn_id) to connections, on delete cascade
rcv_queues: reference (host, port) to servers, on delete restrict, on update cascade
rcv_queues: unique index idx_rcv_queue_id (conn_id, rcv_queue_id)
rcv_queues: index idx_rcv_queues_client_notice_id (client_notice_id)
rcv_queues: unique index idx_rcv_queues_link_id (host, port, link_id)
rcv_queues: unique index idx_rcv_queues_ntf (host, port, ntf_id)
rcv_queues: index idx_rcv_queues_to_subscribe (to_subscribe)
snd_queues: key (host, port, snd_id)
snd_queues: reference (conn_id) to connections, on delete cascade
snd_queues: reference (host, port) to servers, on delete restrict, on update cascade
snd_queues: unique index idx_snd_queue_id (conn_id, snd_queue_id)
snd_queues: index idx_snd_queues_host_port (host, port)
conn_confirmations: key (confirmation_id)
conn_confirmations: reference (conn_id) to connections, on delete cascade
conn_confirmations: index idx_conn_confirmations_conn_id (conn_id)
conn_invitations: key (invitation_id)
conn_invitations: reference (contact_conn_id) to connections, on delete set null
conn_invitations: index idx_conn_invitations_contact_conn_id (contact_conn_id)
inv_short_links: key (inv_short_link_id)
inv_short_links: reference (host, port) to servers, on delete restrict, on update cascade
inv_short_links: unique index idx_inv_short_links_link_id (host, port, link_id)
messages: key (conn_id, internal_id)
messages: reference (conn_id, internal_snd_id) to snd_messages, on delete cascade, deferred
messages: reference (conn_id, internal_rcv_id) to rcv_messages, on delete cascade, deferred
messages: reference (conn_id) to connections, on delete cascade
messages: index idx_messages_conn_id (conn_id)
messages: index idx_messages_conn_id_internal_rcv_id (conn_id, internal_rcv_id)
messages: index idx_messages_conn_id_internal_snd_id (conn_id, internal_snd_id)
messages: index idx_messages_internal_ts (internal_ts)
messages: index idx_messages_snd_expired (conn_id, internal_snd_id, internal_ts)
rcv_messages: key (conn_id, internal_rcv_id)
rcv_messages: reference (conn_id, internal_id) to messages, on delete cascade
rcv_messages: index idx_rcv_messages_conn_id_internal_id (conn_id, internal_id)
snd_messages: key (conn_id, internal_snd_id)
snd_messages: reference (conn_id, internal_id) to messages, on delete cascade
snd_messages: reference (snd_message_body_id) to snd_message_bodies, on delete set null
snd_messages: index idx_snd_messages_conn_id_internal_id (conn_id, internal_id)
snd_messages: index idx_snd_messages_rcpt_internal_id (conn_id, rcpt_internal_id)
snd_messages: index idx_snd_messages_snd_message_body_id (snd_message_body_id)
snd_message_bodies: key (snd_message_body_id)
encrypted_rcv_message_hashes: key (encrypted_rcv_message_hash_id)
encrypted_rcv_message_hashes: reference (conn_id) to connections, on delete cascade
encrypted_rcv_message_hashes: index idx_encrypted_rcv_message_hashes_created_at (created_at)
encrypted_rcv_message_hashes: index idx_encrypted_rcv_message_hashes_hash (conn_id, hash)
snd_message_deliveries: key (snd_message_delivery_id)
snd_message_deliveries: reference (conn_id, internal_id) to messages, on delete cascade, deferred
snd_message_deliveries: reference (conn_id) to connections, on delete cascade
snd_message_deliveries: index idx_snd_message_deliveries (conn_id, snd_queue_id)
snd_message_deliveries: index idx_snd_message_deliveries_conn_id_internal_id (conn_id, internal_id)
snd_message_deliveries: index idx_snd_message_deliveries_expired (conn_id, snd_queue_id, failed, internal_id)
ratchets: key (conn_id)
ratchets: reference (conn_id) to connections, on delete cascade
ratchets: index idx_ratchets_conn_id (conn_id)
skipped_messages: key (skipped_message_id)
skipped_messages: reference (conn_id) to ratchets, on delete cascade
skipped_messages: index idx_skipped_messages_conn_id (conn_id)
processed_ratchet_key_hashes: key (processed_ratchet_key_hash_id)
processed_ratchet_key_hashes: reference (conn_id) to connections, on delete cascade
processed_ratchet_key_hashes: index idx_processed_ratchet_key_hashes_created_at (created_at)
processed_ratchet_key_hashes: index idx_processed_ratchet_key_hashes_hash (conn_id, hash)
commands: key (command_id)
commands: reference (conn_id) to connections, on delete cascade
commands: reference (host, port) to servers, on delete restrict, on update cascade
commands: index idx_commands_conn_id (conn_id)
commands: index idx_commands_host_port (host, port)
commands: index idx_commands_server_commands (host, port, created_at, command_id)
sqlite client_services: reference (host, port) to servers, on delete restrict, on update cascade
postgres client_services: reference (host, port) to servers, on delete restrict
sqlite client_services: reference (user_id) to users, on delete cascade
postgres client_services: reference (user_id) to users, on delete cascade, on update restrict
client_services: index idx_server_certs_host_port (host, port)
client_services: unique index idx_server_certs_user_id_host_port (user_id, host, port, server_key_hash)
client_notices: key (client_notice_id)
client_notices: unique index idx_client_notices_entity (protocol, host, port, entity_id)
ntf_tokens: key (provider, device_token, ntf_host, ntf_port)
ntf_tokens: reference (ntf_host, ntf_port) to ntf_servers, on delete restrict, on update cascade
ntf_tokens: index idx_ntf_tokens_ntf_host_ntf_port (ntf_host, ntf_port)
ntf_tokens_to_delete: key (ntf_token_to_delete_id)
ntf_subscriptions: key (conn_id)
ntf_subscriptions: reference (ntf_host, ntf_port) to ntf_servers, on delete restrict, on update cascade
ntf_subscriptions: reference (smp_host, smp_port) to servers, on delete set null, on update cascade
ntf_subscriptions: index idx_ntf_subscriptions_ntf_host_ntf_port (ntf_host, ntf_port)
ntf_subscriptions: index idx_ntf_subscriptions_smp_host_smp_port (smp_host, smp_port)
rcv_files: key (rcv_file_id)
rcv_files: unique (rcv_file_entity_id)
rcv_files: reference (redirect_id) to rcv_files, on delete set null
rcv_files: reference (user_id) to users, on delete cascade
rcv_files: index idx_rcv_files_redirect_id (redirect_id)
rcv_files: index idx_rcv_files_status_created_at (status, created_at)
rcv_files: index idx_rcv_files_user_id (user_id)
rcv_file_chunks: key (rcv_file_chunk_id)
rcv_file_chunks: reference (rcv_file_id) to rcv_files, on delete cascade
rcv_file_chunks: index idx_rcv_file_chunks_rcv_file_id (rcv_file_id)
rcv_file_chunk_replicas: key (rcv_file_chunk_replica_id)
rcv_file_chunk_replicas: reference (rcv_file_chunk_id) to rcv_file_chunks, on delete cascade
rcv_file_chunk_replicas: reference (xftp_server_id) to xftp_servers, on delete cascade
rcv_file_chunk_replicas: index idx_rcv_file_chunk_replicas_pending (received, replica_number)
rcv_file_chunk_replicas: index idx_rcv_file_chunk_replicas_rcv_file_chunk_id (rcv_file_chunk_id)
rcv_file_chunk_replicas: index idx_rcv_file_chunk_replicas_xftp_server_id (xftp_server_id)
snd_files: key (snd_file_id)
snd_files: reference (user_id) to users, on delete cascade
snd_files: index idx_snd_files_snd_file_entity_id (snd_file_entity_id)
snd_files: index idx_snd_files_status_created_at (status, created_at)
snd_files: index idx_snd_files_user_id (user_id)
snd_file_chunks: key (snd_file_chunk_id)
snd_file_chunks: reference (snd_file_id) to snd_files, on delete cascade
snd_file_chunks: index idx_snd_file_chunks_snd_file_id (snd_file_id)
snd_file_chunk_replicas: key (snd_file_chunk_replica_id)
snd_file_chunk_replicas: reference (snd_file_chunk_id) to snd_file_chunks, on delete cascade
snd_file_chunk_replicas: reference (xftp_server_id) to xftp_servers, on delete cascade
snd_file_chunk_replicas: index idx_snd_file_chunk_replicas_pending (replica_status, replica_number)
snd_file_chunk_replicas: index idx_snd_file_chunk_replicas_snd_file_chunk_id (snd_file_chunk_id)
snd_file_chunk_replicas: index idx_snd_file_chunk_replicas_xftp_server_id (xftp_server_id)
snd_file_chunk_replica_recipients: key (snd_file_chunk_replica_recipient_id)
snd_file_chunk_replica_recipients: reference (snd_file_chunk_replica_id) to snd_file_chunk_replicas, on delete cascade
snd_file_chunk_replica_recipients: index idx_snd_file_chunk_replica_recipients_snd_file_chunk_replica_id (snd_file_chunk_replica_id)
deleted_snd_chunk_replicas: key (deleted_snd_chunk_replica_id)
deleted_snd_chunk_replicas: reference (user_id) to users, on delete cascade
deleted_snd_chunk_replicas: reference (xftp_server_id) to xftp_servers, on delete cascade
deleted_snd_chunk_replicas: index idx_deleted_snd_chunk_replicas_pending (created_at)
deleted_snd_chunk_replicas: index idx_deleted_snd_chunk_replicas_user_id (user_id)
deleted_snd_chunk_replicas: index idx_deleted_snd_chunk_replicas_xftp_server_id (xftp_server_id)
servers_stats: key (servers_stats_id)
migrations: key (name)";
