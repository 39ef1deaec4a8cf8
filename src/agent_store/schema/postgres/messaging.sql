-- What all migrations of the list make together, in two parts: a new database is made by them, and the
-- names of the list are recorded with it. Here: connections and messages. Tables, columns, constraints,
-- indexes and triggers have the reference's names.
-- The order of tables is that of their references; that of columns is the reference's.

CREATE TABLE users (
  user_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  deleted smallint NOT NULL DEFAULT 0
);

CREATE TABLE servers (
  host text NOT NULL,
  port text NOT NULL,
  key_hash bytea NOT NULL,
  PRIMARY KEY (host, port)
);

CREATE TABLE ntf_servers (
  ntf_host text NOT NULL,
  ntf_port text NOT NULL,
  ntf_key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (ntf_host, ntf_port)
);

CREATE TABLE xftp_servers (
  xftp_server_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xftp_host text NOT NULL,
  xftp_port text NOT NULL,
  xftp_key_hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (xftp_host, xftp_port, xftp_key_hash)
);

CREATE TABLE connections (
  conn_id bytea NOT NULL PRIMARY KEY,
  conn_mode text NOT NULL,
  last_internal_msg_id bigint NOT NULL DEFAULT 0,
  last_internal_rcv_msg_id bigint NOT NULL DEFAULT 0,
  last_internal_snd_msg_id bigint NOT NULL DEFAULT 0,
  last_external_snd_msg_id bigint NOT NULL DEFAULT 0,
  last_rcv_msg_hash bytea NOT NULL DEFAULT '',
  last_snd_msg_hash bytea NOT NULL DEFAULT '',
  smp_agent_version integer NOT NULL DEFAULT 1,
  duplex_handshake smallint DEFAULT 0,
  enable_ntfs smallint,
  deleted smallint NOT NULL DEFAULT 0,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  ratchet_sync_state text NOT NULL DEFAULT 'ok',
  deleted_at_wait_delivery timestamptz,
  pq_support smallint NOT NULL DEFAULT 0
);
CREATE INDEX idx_connections_user ON connections (user_id);

CREATE TABLE client_notices (
  client_notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  protocol text NOT NULL,
  host text NOT NULL,
  port text NOT NULL,
  entity_id bytea NOT NULL,
  server_key_hash bytea,
  notice_ttl bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);
CREATE UNIQUE INDEX idx_client_notices_entity ON client_notices (protocol, host, port, entity_id);

CREATE TABLE rcv_queues (
  host text NOT NULL,
  port text NOT NULL,
  rcv_id bytea NOT NULL,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  rcv_private_key bytea NOT NULL,
  rcv_dh_secret bytea NOT NULL,
  e2e_priv_key bytea NOT NULL,
  e2e_dh_secret bytea,
  snd_id bytea NOT NULL,
  snd_key bytea,
  status text NOT NULL,
  smp_server_version integer NOT NULL DEFAULT 1,
  smp_client_version integer,
  ntf_public_key bytea,
  ntf_private_key bytea,
  ntf_id bytea,
  rcv_ntf_dh_secret bytea,
  rcv_queue_id bigint NOT NULL,
  rcv_primary smallint NOT NULL,
  replace_rcv_queue_id bigint,
  delete_errors bigint NOT NULL DEFAULT 0,
  server_key_hash bytea,
  switch_status text,
  deleted smallint NOT NULL DEFAULT 0,
  last_broker_ts timestamptz,
  link_id bytea,
  link_key bytea,
  link_priv_sig_key bytea,
  link_enc_fixed_data bytea,
  queue_mode text,
  to_subscribe smallint NOT NULL DEFAULT 0,
  client_notice_id bigint REFERENCES client_notices ON DELETE SET NULL ON UPDATE RESTRICT,
  rcv_service_assoc smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (host, port, rcv_id),
  UNIQUE (host, port, snd_id),
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX idx_rcv_queue_id ON rcv_queues (conn_id, rcv_queue_id);
CREATE INDEX idx_rcv_queues_client_notice_id ON rcv_queues (client_notice_id);
CREATE UNIQUE INDEX idx_rcv_queues_link_id ON rcv_queues (host, port, link_id);
CREATE UNIQUE INDEX idx_rcv_queues_ntf ON rcv_queues (host, port, ntf_id);
CREATE INDEX idx_rcv_queues_to_subscribe ON rcv_queues (to_subscribe);

CREATE TABLE snd_queues (
  host text NOT NULL,
  port text NOT NULL,
  snd_id bytea NOT NULL,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  snd_private_key bytea NOT NULL,
  e2e_dh_secret bytea NOT NULL,
  status text NOT NULL,
  smp_server_version integer NOT NULL DEFAULT 1,
  smp_client_version integer NOT NULL DEFAULT 1,
  snd_public_key bytea,
  e2e_pub_key bytea,
  snd_queue_id bigint NOT NULL,
  snd_primary smallint NOT NULL,
  replace_snd_queue_id bigint,
  server_key_hash bytea,
  switch_status text,
  queue_mode text,
  PRIMARY KEY (host, port, snd_id),
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX idx_snd_queue_id ON snd_queues (conn_id, snd_queue_id);
CREATE INDEX idx_snd_queues_host_port ON snd_queues (host, port);

CREATE TABLE conn_confirmations (
  confirmation_id bytea NOT NULL PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  e2e_snd_pub_key bytea NOT NULL,
  sender_key bytea,
  ratchet_state bytea NOT NULL,
  sender_conn_info bytea NOT NULL,
  accepted smallint NOT NULL,
  own_conn_info bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  smp_reply_queues bytea,
  smp_client_version integer
);
CREATE INDEX idx_conn_confirmations_conn_id ON conn_confirmations (conn_id);

CREATE TABLE conn_invitations (
  invitation_id bytea NOT NULL PRIMARY KEY,
  contact_conn_id bytea REFERENCES connections ON DELETE SET NULL,
  cr_invitation bytea NOT NULL,
  recipient_conn_info bytea NOT NULL,
  accepted smallint NOT NULL DEFAULT 0,
  own_conn_info bytea,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_conn_invitations_contact_conn_id ON conn_invitations (contact_conn_id);

CREATE TABLE inv_short_links (
  inv_short_link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text NOT NULL,
  port text NOT NULL,
  server_key_hash bytea,
  link_id bytea NOT NULL,
  link_key bytea NOT NULL,
  snd_private_key bytea NOT NULL,
  snd_id bytea,
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX idx_inv_short_links_link_id ON inv_short_links (host, port, link_id);

CREATE TABLE messages (
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  internal_id bigint NOT NULL,
  internal_ts timestamptz NOT NULL,
  internal_rcv_id bigint,
  internal_snd_id bigint,
  msg_type bytea NOT NULL,
  msg_body bytea NOT NULL DEFAULT '',
  msg_flags text,
  pq_encryption smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (conn_id, internal_id)
);
CREATE INDEX idx_messages_conn_id ON messages (conn_id);
CREATE INDEX idx_messages_conn_id_internal_rcv_id ON messages (conn_id, internal_rcv_id);
CREATE INDEX idx_messages_conn_id_internal_snd_id ON messages (conn_id, internal_snd_id);
CREATE INDEX idx_messages_internal_ts ON messages (internal_ts);
CREATE INDEX idx_messages_snd_expired ON messages (conn_id, internal_snd_id, internal_ts);

CREATE TABLE rcv_messages (
  conn_id bytea NOT NULL,
  internal_rcv_id bigint NOT NULL,
  internal_id bigint NOT NULL,
  external_snd_id bigint NOT NULL,
  broker_id bytea NOT NULL,
  broker_ts timestamptz NOT NULL,
  internal_hash bytea NOT NULL,
  external_prev_snd_hash bytea NOT NULL,
  integrity bytea NOT NULL,
  user_ack smallint DEFAULT 0,
  rcv_queue_id bigint NOT NULL,
  receive_attempts smallint NOT NULL DEFAULT 0,
  PRIMARY KEY (conn_id, internal_rcv_id),
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id) ON DELETE CASCADE
);
CREATE INDEX idx_rcv_messages_conn_id_internal_id ON rcv_messages (conn_id, internal_id);

CREATE TABLE snd_message_bodies (
  snd_message_body_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_msg bytea NOT NULL DEFAULT ''
);

CREATE TABLE snd_messages (
  conn_id bytea NOT NULL,
  internal_snd_id bigint NOT NULL,
  internal_id bigint NOT NULL,
  internal_hash bytea NOT NULL,
  previous_msg_hash bytea NOT NULL DEFAULT '',
  retry_int_slow bigint,
  retry_int_fast bigint,
  rcpt_internal_id bigint,
  rcpt_status text,
  msg_encrypt_key bytea,
  padded_msg_len bigint,
  snd_message_body_id bigint REFERENCES snd_message_bodies ON DELETE SET NULL,
  PRIMARY KEY (conn_id, internal_snd_id),
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id) ON DELETE CASCADE
);
CREATE INDEX idx_snd_messages_conn_id_internal_id ON snd_messages (conn_id, internal_id);
CREATE INDEX idx_snd_messages_rcpt_internal_id ON snd_messages (conn_id, rcpt_internal_id);
CREATE INDEX idx_snd_messages_snd_message_body_id ON snd_messages (snd_message_body_id);

ALTER TABLE messages ADD FOREIGN KEY (conn_id, internal_snd_id) REFERENCES snd_messages (conn_id, internal_snd_id)
  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE messages ADD FOREIGN KEY (conn_id, internal_rcv_id) REFERENCES rcv_messages (conn_id, internal_rcv_id)
  ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE encrypted_rcv_message_hashes (
  encrypted_rcv_message_hash_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_encrypted_rcv_message_hashes_created_at
  ON encrypted_rcv_message_hashes (created_at);
CREATE INDEX idx_encrypted_rcv_message_hashes_hash ON encrypted_rcv_message_hashes (conn_id, hash);

CREATE TABLE snd_message_deliveries (
  snd_message_delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  snd_queue_id bigint NOT NULL,
  internal_id bigint NOT NULL,
  failed smallint DEFAULT 0,
  FOREIGN KEY (conn_id, internal_id) REFERENCES messages (conn_id, internal_id)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX idx_snd_message_deliveries ON snd_message_deliveries (conn_id, snd_queue_id);
CREATE INDEX idx_snd_message_deliveries_conn_id_internal_id
  ON snd_message_deliveries (conn_id, internal_id);
CREATE INDEX idx_snd_message_deliveries_expired
  ON snd_message_deliveries (conn_id, snd_queue_id, failed, internal_id);

CREATE TABLE ratchets (
  conn_id bytea NOT NULL PRIMARY KEY REFERENCES connections ON DELETE CASCADE,
  x3dh_priv_key_1 bytea,
  x3dh_priv_key_2 bytea,
  ratchet_state bytea,
  e2e_version integer NOT NULL DEFAULT 1,
  x3dh_pub_key_1 bytea,
  x3dh_pub_key_2 bytea,
  pq_priv_kem bytea,
  pq_pub_kem bytea
);
CREATE INDEX idx_ratchets_conn_id ON ratchets (conn_id);

CREATE TABLE skipped_messages (
  skipped_message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES ratchets ON DELETE CASCADE,
  header_key bytea NOT NULL,
  msg_n bigint NOT NULL,
  msg_key bytea NOT NULL
);
CREATE INDEX idx_skipped_messages_conn_id ON skipped_messages (conn_id);

CREATE TABLE processed_ratchet_key_hashes (
  processed_ratchet_key_hash_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_processed_ratchet_key_hashes_created_at
  ON processed_ratchet_key_hashes (created_at);
CREATE INDEX idx_processed_ratchet_key_hashes_hash ON processed_ratchet_key_hashes (conn_id, hash);

CREATE TABLE commands (
  command_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  conn_id bytea NOT NULL REFERENCES connections ON DELETE CASCADE,
  host text,
  port text,
  corr_id bytea NOT NULL,
  command_tag bytea NOT NULL,
  command bytea NOT NULL,
  agent_version integer NOT NULL DEFAULT 1,
  server_key_hash bytea,
  created_at timestamptz NOT NULL DEFAULT '1970-01-01 00:00:00',
  failed smallint DEFAULT 0,
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX idx_commands_conn_id ON commands (conn_id);
CREATE INDEX idx_commands_host_port ON commands (host, port);
CREATE INDEX idx_commands_server_commands ON commands (host, port, created_at, command_id);

CREATE TABLE client_services (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE RESTRICT,
  host text NOT NULL,
  port text NOT NULL,
  server_key_hash bytea,
  service_cert bytea NOT NULL,
  service_cert_hash bytea NOT NULL,
  service_priv_key bytea NOT NULL,
  service_id bytea,
  service_queue_count bigint NOT NULL DEFAULT 0,
  service_queue_ids_hash bytea NOT NULL DEFAULT '\x00000000000000000000000000000000',
  FOREIGN KEY (host, port) REFERENCES servers (host, port) ON DELETE RESTRICT
);
CREATE INDEX idx_server_certs_host_port ON client_services (host, port);
CREATE UNIQUE INDEX idx_server_certs_user_id_host_port
  ON client_services (user_id, host, port, server_key_hash);

-- Count and hash of a service's queues (AS-15). A service is found by the user of the queue's connection
-- and the router's address: the key hash is not compared (AS-17). public.digest is the pgcrypto
-- extension's.
CREATE FUNCTION xor_combine(state bytea, value bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
  combined bytea := state;
BEGIN
  IF length(state) <> length(value) THEN
    RAISE EXCEPTION 'xor_combine: % bytes with % bytes', length(state), length(value);
  END IF;
  FOR i IN 0 .. length(state) - 1 LOOP
    combined := set_byte(combined, i, get_byte(state, i) # get_byte(value, i));
  END LOOP;
  RETURN combined;
END
$$;

CREATE AGGREGATE xor_aggregate(bytea) (
  SFUNC = xor_combine,
  STYPE = bytea,
  INITCOND = '\x00000000000000000000000000000000'
);

CREATE FUNCTION update_aggregates(
  p_conn_id bytea, p_host text, p_port text, p_change bigint, p_rcv_id bytea
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE client_services
    SET service_queue_count = service_queue_count + p_change,
        service_queue_ids_hash =
          xor_combine(service_queue_ids_hash, public.digest(p_rcv_id, 'md5'))
    WHERE user_id = (SELECT user_id FROM connections WHERE conn_id = p_conn_id)
      AND host = p_host AND port = p_port;
END
$$;

CREATE FUNCTION on_rcv_queue_insert() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.rcv_service_assoc <> 0 AND NEW.deleted = 0 THEN
    PERFORM update_aggregates(NEW.conn_id, NEW.host, NEW.port, 1, NEW.rcv_id);
  END IF;
  RETURN NEW;
END
$$;

CREATE FUNCTION on_rcv_queue_delete() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.rcv_service_assoc <> 0 AND OLD.deleted = 0 THEN
    PERFORM update_aggregates(OLD.conn_id, OLD.host, OLD.port, -1, OLD.rcv_id);
  END IF;
  RETURN OLD;
END
$$;

CREATE FUNCTION on_rcv_queue_update() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  was_counted boolean := OLD.rcv_service_assoc <> 0 AND OLD.deleted = 0;
  is_counted boolean := NEW.rcv_service_assoc <> 0 AND NEW.deleted = 0;
BEGIN
  IF was_counted AND NOT is_counted THEN
    PERFORM update_aggregates(OLD.conn_id, OLD.host, OLD.port, -1, OLD.rcv_id);
  ELSIF is_counted AND NOT was_counted THEN
    PERFORM update_aggregates(NEW.conn_id, NEW.host, NEW.port, 1, NEW.rcv_id);
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER tr_rcv_queue_insert AFTER INSERT ON rcv_queues
  FOR EACH ROW EXECUTE FUNCTION on_rcv_queue_insert();
CREATE TRIGGER tr_rcv_queue_delete AFTER DELETE ON rcv_queues
  FOR EACH ROW EXECUTE FUNCTION on_rcv_queue_delete();
CREATE TRIGGER tr_rcv_queue_update AFTER UPDATE ON rcv_queues
  FOR EACH ROW EXECUTE FUNCTION on_rcv_queue_update();
