-- What all migrations of the list make together, in two parts: a new database is made by them, and the
-- names of the list are recorded with it. Here: connections and messages. Tables, columns, constraints,
-- indexes and triggers have the reference's names.
-- The order of tables is that of their references; that of columns is the reference's.

CREATE TABLE users (
  user_id INTEGER PRIMARY KEY AUTOINCREMENT,
  deleted INTEGER DEFAULT 0 CHECK (deleted NOT NULL)
) STRICT;

CREATE TABLE servers (
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  key_hash BLOB NOT NULL,
  PRIMARY KEY (host, port)
) WITHOUT ROWID, STRICT;

CREATE TABLE ntf_servers (
  ntf_host TEXT NOT NULL,
  ntf_port TEXT NOT NULL,
  ntf_key_hash BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  PRIMARY KEY (ntf_host, ntf_port)
) WITHOUT ROWID, STRICT;

CREATE TABLE xftp_servers (
  xftp_server_id INTEGER PRIMARY KEY,
  xftp_host TEXT NOT NULL,
  xftp_port TEXT NOT NULL,
  xftp_key_hash BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  UNIQUE (xftp_host, xftp_port, xftp_key_hash)
) STRICT;

CREATE TABLE connections (
  conn_id BLOB NOT NULL PRIMARY KEY,
  conn_mode TEXT NOT NULL,
  last_internal_msg_id INTEGER NOT NULL DEFAULT 0,
  last_internal_rcv_msg_id INTEGER NOT NULL DEFAULT 0,
  last_internal_snd_msg_id INTEGER NOT NULL DEFAULT 0,
  last_external_snd_msg_id INTEGER NOT NULL DEFAULT 0,
  last_rcv_msg_hash BLOB NOT NULL DEFAULT x'',
  last_snd_msg_hash BLOB NOT NULL DEFAULT x'',
  smp_agent_version INTEGER NOT NULL DEFAULT 1,
  duplex_handshake INTEGER DEFAULT 0,
  enable_ntfs INTEGER,
  deleted INTEGER DEFAULT 0 CHECK (deleted NOT NULL),
  user_id INTEGER CHECK (user_id NOT NULL) REFERENCES users ON DELETE CASCADE,
  ratchet_sync_state TEXT NOT NULL DEFAULT 'ok',
  deleted_at_wait_delivery TEXT,
  pq_support INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_connections_user ON connections (user_id);

CREATE TABLE client_notices (
  client_notice_id INTEGER PRIMARY KEY,
  protocol TEXT NOT NULL,
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  entity_id BLOB NOT NULL,
  server_key_hash BLOB,
  notice_ttl INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_client_notices_entity ON client_notices (protocol, host, port, entity_id);

CREATE TABLE rcv_queues (
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  rcv_id BLOB NOT NULL,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  rcv_private_key BLOB NOT NULL,
  rcv_dh_secret BLOB NOT NULL,
  e2e_priv_key BLOB NOT NULL,
  e2e_dh_secret BLOB,
  snd_id BLOB NOT NULL,
  snd_key BLOB,
  status TEXT NOT NULL,
  smp_server_version INTEGER NOT NULL DEFAULT 1,
  smp_client_version INTEGER,
  ntf_public_key BLOB,
  ntf_private_key BLOB,
  ntf_id BLOB,
  rcv_ntf_dh_secret BLOB,
  rcv_queue_id INTEGER CHECK (rcv_queue_id NOT NULL),
  rcv_primary INTEGER CHECK (rcv_primary NOT NULL),
  replace_rcv_queue_id INTEGER,
  delete_errors INTEGER DEFAULT 0 CHECK (delete_errors NOT NULL),
  server_key_hash BLOB,
  switch_status TEXT,
  deleted INTEGER NOT NULL DEFAULT 0,
  last_broker_ts TEXT,
  link_id BLOB,
  link_key BLOB,
  link_priv_sig_key BLOB,
  link_enc_fixed_data BLOB,
  queue_mode TEXT,
  to_subscribe INTEGER NOT NULL DEFAULT 0,
  client_notice_id INTEGER REFERENCES client_notices ON DELETE SET NULL ON UPDATE RESTRICT,
  rcv_service_assoc INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (host, port, rcv_id),
  UNIQUE (host, port, snd_id),
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_rcv_queue_id ON rcv_queues (conn_id, rcv_queue_id);
CREATE INDEX idx_rcv_queues_client_notice_id ON rcv_queues (client_notice_id);
CREATE UNIQUE INDEX idx_rcv_queues_link_id ON rcv_queues (host, port, link_id);
CREATE UNIQUE INDEX idx_rcv_queues_ntf ON rcv_queues (host, port, ntf_id);
CREATE INDEX idx_rcv_queues_to_subscribe ON rcv_queues (to_subscribe);

CREATE TABLE snd_queues (
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  snd_id BLOB NOT NULL,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  snd_private_key BLOB NOT NULL,
  e2e_dh_secret BLOB NOT NULL,
  status TEXT NOT NULL,
  smp_server_version INTEGER NOT NULL DEFAULT 1,
  smp_client_version INTEGER NOT NULL DEFAULT 1,
  snd_public_key BLOB,
  e2e_pub_key BLOB,
  snd_queue_id INTEGER CHECK (snd_queue_id NOT NULL),
  snd_primary INTEGER CHECK (snd_primary NOT NULL),
  replace_snd_queue_id INTEGER,
  server_key_hash BLOB,
  switch_status TEXT,
  queue_mode TEXT,
  PRIMARY KEY (host, port, snd_id),
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX idx_snd_queue_id ON snd_queues (conn_id, snd_queue_id);
CREATE INDEX idx_snd_queues_host_port ON snd_queues (host, port);

CREATE TABLE conn_confirmations (
  confirmation_id BLOB NOT NULL PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  e2e_snd_pub_key BLOB NOT NULL,
  sender_key BLOB,
  ratchet_state BLOB NOT NULL,
  sender_conn_info BLOB NOT NULL,
  accepted INTEGER NOT NULL,
  own_conn_info BLOB,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  smp_reply_queues BLOB,
  smp_client_version INTEGER
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_conn_confirmations_conn_id ON conn_confirmations (conn_id);

CREATE TABLE conn_invitations (
  invitation_id BLOB NOT NULL PRIMARY KEY,
  contact_conn_id BLOB REFERENCES connections ON DELETE SET NULL,
  cr_invitation BLOB NOT NULL,
  recipient_conn_info BLOB NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0,
  own_conn_info BLOB,
  created_at TEXT NOT NULL DEFAULT (datetime('now'))
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_conn_invitations_contact_conn_id ON conn_invitations (contact_conn_id);

CREATE TABLE inv_short_links (
  inv_short_link_id INTEGER PRIMARY KEY,
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  server_key_hash BLOB,
  link_id BLOB NOT NULL,
  link_key BLOB NOT NULL,
  snd_private_key BLOB NOT NULL,
  snd_id BLOB,
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
) STRICT;
CREATE UNIQUE INDEX idx_inv_short_links_link_id ON inv_short_links (host, port, link_id);

CREATE TABLE messages (
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  internal_id INTEGER NOT NULL,
  internal_ts TEXT NOT NULL,
  internal_rcv_id INTEGER,
  internal_snd_id INTEGER,
  msg_type BLOB NOT NULL,
  msg_body BLOB NOT NULL DEFAULT x'',
  msg_flags TEXT,
  pq_encryption INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conn_id, internal_id),
  FOREIGN KEY (conn_id, internal_snd_id) REFERENCES snd_messages (conn_id, internal_snd_id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (conn_id, internal_rcv_id) REFERENCES rcv_messages (conn_id, internal_rcv_id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_messages_conn_id ON messages (conn_id);
CREATE INDEX idx_messages_conn_id_internal_rcv_id ON messages (conn_id, internal_rcv_id);
CREATE INDEX idx_messages_conn_id_internal_snd_id ON messages (conn_id, internal_snd_id);
CREATE INDEX idx_messages_internal_ts ON messages (internal_ts);
CREATE INDEX idx_messages_snd_expired ON messages (conn_id, internal_snd_id, internal_ts);

CREATE TABLE rcv_messages (
  conn_id BLOB NOT NULL,
  internal_rcv_id INTEGER NOT NULL,
  internal_id INTEGER NOT NULL,
  external_snd_id INTEGER NOT NULL,
  broker_id BLOB NOT NULL,
  broker_ts TEXT NOT NULL,
  internal_hash BLOB NOT NULL,
  external_prev_snd_hash BLOB NOT NULL,
  integrity BLOB NOT NULL,
  user_ack INTEGER DEFAULT 0,
  rcv_queue_id INTEGER CHECK (rcv_queue_id NOT NULL),
  receive_attempts INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conn_id, internal_rcv_id),
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_rcv_messages_conn_id_internal_id ON rcv_messages (conn_id, internal_id);

CREATE TABLE snd_message_bodies (
  snd_message_body_id INTEGER PRIMARY KEY,
  agent_msg BLOB NOT NULL DEFAULT x''
) STRICT;

CREATE TABLE snd_messages (
  conn_id BLOB NOT NULL,
  internal_snd_id INTEGER NOT NULL,
  internal_id INTEGER NOT NULL,
  internal_hash BLOB NOT NULL,
  previous_msg_hash BLOB NOT NULL DEFAULT x'',
  retry_int_slow INTEGER,
  retry_int_fast INTEGER,
  rcpt_internal_id INTEGER,
  rcpt_status TEXT,
  msg_encrypt_key BLOB,
  padded_msg_len INTEGER,
  snd_message_body_id INTEGER REFERENCES snd_message_bodies ON DELETE SET NULL,
  PRIMARY KEY (conn_id, internal_snd_id),
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id) ON DELETE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_snd_messages_conn_id_internal_id ON snd_messages (conn_id, internal_id);
CREATE INDEX idx_snd_messages_rcpt_internal_id ON snd_messages (conn_id, rcpt_internal_id);
CREATE INDEX idx_snd_messages_snd_message_body_id ON snd_messages (snd_message_body_id);

CREATE TABLE encrypted_rcv_message_hashes (
  encrypted_rcv_message_hash_id INTEGER PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  hash BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_encrypted_rcv_message_hashes_created_at
  ON encrypted_rcv_message_hashes (created_at);
CREATE INDEX idx_encrypted_rcv_message_hashes_hash ON encrypted_rcv_message_hashes (conn_id, hash);

CREATE TABLE snd_message_deliveries (
  snd_message_delivery_id INTEGER PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  snd_queue_id INTEGER NOT NULL,
  internal_id INTEGER NOT NULL,
  failed INTEGER DEFAULT 0,
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX idx_snd_message_deliveries ON snd_message_deliveries (conn_id, snd_queue_id);
CREATE INDEX idx_snd_message_deliveries_conn_id_internal_id
  ON snd_message_deliveries (conn_id, internal_id);
CREATE INDEX idx_snd_message_deliveries_expired
  ON snd_message_deliveries (conn_id, snd_queue_id, failed, internal_id);

CREATE TABLE ratchets (
  conn_id BLOB NOT NULL PRIMARY KEY REFERENCES connections ON DELETE CASCADE,
  x3dh_priv_key_1 BLOB,
  x3dh_priv_key_2 BLOB,
  ratchet_state BLOB,
  e2e_version INTEGER NOT NULL DEFAULT 1,
  x3dh_pub_key_1 BLOB,
  x3dh_pub_key_2 BLOB,
  pq_priv_kem BLOB,
  pq_pub_kem BLOB
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_ratchets_conn_id ON ratchets (conn_id);

CREATE TABLE skipped_messages (
  skipped_message_id INTEGER PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES ratchets ON DELETE CASCADE,
  header_key BLOB NOT NULL,
  msg_n INTEGER NOT NULL,
  msg_key BLOB NOT NULL
) STRICT;
CREATE INDEX idx_skipped_messages_conn_id ON skipped_messages (conn_id);

CREATE TABLE processed_ratchet_key_hashes (
  processed_ratchet_key_hash_id INTEGER PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  hash BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_processed_ratchet_key_hashes_created_at
  ON processed_ratchet_key_hashes (created_at);
CREATE INDEX idx_processed_ratchet_key_hashes_hash ON processed_ratchet_key_hashes (conn_id, hash);

CREATE TABLE commands (
  command_id INTEGER PRIMARY KEY,
  conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE,
  host TEXT,
  port TEXT,
  corr_id BLOB NOT NULL,
  command_tag BLOB NOT NULL,
  command BLOB NOT NULL,
  agent_version INTEGER NOT NULL DEFAULT 1,
  server_key_hash BLOB,
  created_at TEXT NOT NULL DEFAULT '1970-01-01 00:00:00',
  failed INTEGER DEFAULT 0,
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
) STRICT;
CREATE INDEX idx_commands_conn_id ON commands (conn_id);
CREATE INDEX idx_commands_host_port ON commands (host, port);
CREATE INDEX idx_commands_server_commands ON commands (host, port, created_at, command_id);

CREATE TABLE client_services (
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  host TEXT NOT NULL,
  port TEXT NOT NULL,
  server_key_hash BLOB,
  service_cert BLOB NOT NULL,
  service_cert_hash BLOB NOT NULL,
  service_priv_key BLOB NOT NULL,
  service_id BLOB,
  service_queue_count INTEGER NOT NULL DEFAULT 0,
  service_queue_ids_hash BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
) STRICT;
CREATE INDEX idx_server_certs_host_port ON client_services (host, port);
CREATE UNIQUE INDEX idx_server_certs_user_id_host_port
  ON client_services (user_id, host, port, server_key_hash);

-- Count and hash of a service's queues (AS-15). A service is found by the user of the queue's connection
-- and the router's address: the key hash is not compared (AS-17).
CREATE TRIGGER tr_rcv_queue_insert AFTER INSERT ON rcv_queues
WHEN NEW.rcv_service_assoc <> 0 AND NEW.deleted = 0
BEGIN
  UPDATE client_services
    SET service_queue_count = service_queue_count + 1,
        service_queue_ids_hash = simplex_xor_md5_combine(service_queue_ids_hash, NEW.rcv_id)
    WHERE user_id = (SELECT user_id FROM connections WHERE conn_id = NEW.conn_id)
      AND host = NEW.host AND port = NEW.port;
END;

CREATE TRIGGER tr_rcv_queue_delete AFTER DELETE ON rcv_queues
WHEN OLD.rcv_service_assoc <> 0 AND OLD.deleted = 0
BEGIN
  UPDATE client_services
    SET service_queue_count = service_queue_count - 1,
        service_queue_ids_hash = simplex_xor_md5_combine(service_queue_ids_hash, OLD.rcv_id)
    WHERE user_id = (SELECT user_id FROM connections WHERE conn_id = OLD.conn_id)
      AND host = OLD.host AND port = OLD.port;
END;

CREATE TRIGGER tr_rcv_queue_update_remove AFTER UPDATE ON rcv_queues
WHEN OLD.rcv_service_assoc <> 0 AND OLD.deleted = 0
 AND NOT (NEW.rcv_service_assoc <> 0 AND NEW.deleted = 0)
BEGIN
  UPDATE client_services
    SET service_queue_count = service_queue_count - 1,
        service_queue_ids_hash = simplex_xor_md5_combine(service_queue_ids_hash, OLD.rcv_id)
    WHERE user_id = (SELECT user_id FROM connections WHERE conn_id = OLD.conn_id)
      AND host = OLD.host AND port = OLD.port;
END;

CREATE TRIGGER tr_rcv_queue_update_add AFTER UPDATE ON rcv_queues
WHEN NOT (OLD.rcv_service_assoc <> 0 AND OLD.deleted = 0)
 AND NEW.rcv_service_assoc <> 0 AND NEW.deleted = 0
BEGIN
  UPDATE client_services
    SET service_queue_count = service_queue_count + 1,
        service_queue_ids_hash = simplex_xor_md5_combine(service_queue_ids_hash, NEW.rcv_id)
    WHERE user_id = (SELECT user_id FROM connections WHERE conn_id = NEW.conn_id)
      AND host = NEW.host AND port = NEW.port;
END;
