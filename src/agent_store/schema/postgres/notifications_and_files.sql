-- The second part: notifications, files, statistics.

CREATE TABLE ntf_tokens (
  provider text NOT NULL,
  device_token bytea NOT NULL,
  ntf_host text NOT NULL,
  ntf_port text NOT NULL,
  tkn_id bytea,
  tkn_pub_key bytea NOT NULL,
  tkn_priv_key bytea NOT NULL,
  tkn_pub_dh_key bytea NOT NULL,
  tkn_priv_dh_key bytea NOT NULL,
  tkn_dh_secret bytea,
  tkn_status text NOT NULL,
  tkn_action bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  ntf_mode text,
  PRIMARY KEY (provider, device_token, ntf_host, ntf_port),
  FOREIGN KEY (ntf_host, ntf_port) REFERENCES ntf_servers (ntf_host, ntf_port)
    ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX idx_ntf_tokens_ntf_host_ntf_port ON ntf_tokens (ntf_host, ntf_port);

CREATE TABLE ntf_tokens_to_delete (
  ntf_token_to_delete_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ntf_host text NOT NULL,
  ntf_port text NOT NULL,
  ntf_key_hash bytea NOT NULL,
  tkn_id bytea NOT NULL,
  tkn_priv_key bytea NOT NULL,
  del_failed smallint DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ntf_subscriptions (
  conn_id bytea NOT NULL PRIMARY KEY,
  smp_host text,
  smp_port text,
  smp_ntf_id bytea,
  ntf_host text NOT NULL,
  ntf_port text NOT NULL,
  ntf_sub_id bytea,
  ntf_sub_status text NOT NULL,
  ntf_sub_action text,
  ntf_sub_smp_action text,
  ntf_sub_action_ts timestamptz,
  updated_by_supervisor smallint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  smp_server_key_hash bytea,
  ntf_failed smallint DEFAULT 0,
  smp_failed smallint DEFAULT 0,
  FOREIGN KEY (ntf_host, ntf_port) REFERENCES ntf_servers (ntf_host, ntf_port)
    ON DELETE RESTRICT ON UPDATE CASCADE,
  FOREIGN KEY (smp_host, smp_port) REFERENCES servers (host, port)
    ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE INDEX idx_ntf_subscriptions_ntf_host_ntf_port ON ntf_subscriptions (ntf_host, ntf_port);
CREATE INDEX idx_ntf_subscriptions_smp_host_smp_port ON ntf_subscriptions (smp_host, smp_port);

CREATE TABLE rcv_files (
  rcv_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rcv_file_entity_id bytea NOT NULL,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  size bigint NOT NULL,
  digest bytea NOT NULL,
  key bytea NOT NULL,
  nonce bytea NOT NULL,
  chunk_size bigint NOT NULL,
  prefix_path text NOT NULL,
  tmp_path text,
  save_path text NOT NULL,
  status text NOT NULL,
  deleted smallint NOT NULL DEFAULT 0,
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  save_file_key bytea,
  save_file_nonce bytea,
  failed smallint DEFAULT 0,
  redirect_id bigint REFERENCES rcv_files ON DELETE SET NULL,
  redirect_entity_id bytea,
  redirect_size bigint,
  redirect_digest bytea,
  approved_relays smallint NOT NULL DEFAULT 0,
  UNIQUE (rcv_file_entity_id)
);
CREATE INDEX idx_rcv_files_redirect_id ON rcv_files (redirect_id);
CREATE INDEX idx_rcv_files_status_created_at ON rcv_files (status, created_at);
CREATE INDEX idx_rcv_files_user_id ON rcv_files (user_id);

CREATE TABLE rcv_file_chunks (
  rcv_file_chunk_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rcv_file_id bigint NOT NULL REFERENCES rcv_files ON DELETE CASCADE,
  chunk_no bigint NOT NULL,
  chunk_size bigint NOT NULL,
  digest bytea NOT NULL,
  tmp_path text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_rcv_file_chunks_rcv_file_id ON rcv_file_chunks (rcv_file_id);

CREATE TABLE rcv_file_chunk_replicas (
  rcv_file_chunk_replica_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rcv_file_chunk_id bigint NOT NULL REFERENCES rcv_file_chunks ON DELETE CASCADE,
  replica_number bigint NOT NULL,
  xftp_server_id bigint NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id bytea NOT NULL,
  replica_key bytea NOT NULL,
  received smallint NOT NULL DEFAULT 0,
  delay bigint,
  retries bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_rcv_file_chunk_replicas_pending
  ON rcv_file_chunk_replicas (received, replica_number);
CREATE INDEX idx_rcv_file_chunk_replicas_rcv_file_chunk_id
  ON rcv_file_chunk_replicas (rcv_file_chunk_id);
CREATE INDEX idx_rcv_file_chunk_replicas_xftp_server_id ON rcv_file_chunk_replicas (xftp_server_id);

CREATE TABLE snd_files (
  snd_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  snd_file_entity_id bytea NOT NULL,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  num_recipients bigint NOT NULL,
  digest bytea,
  key bytea NOT NULL,
  nonce bytea NOT NULL,
  path text NOT NULL,
  prefix_path text,
  status text NOT NULL,
  deleted smallint NOT NULL DEFAULT 0,
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  src_file_key bytea,
  src_file_nonce bytea,
  failed smallint DEFAULT 0,
  redirect_size bigint,
  redirect_digest bytea
);
CREATE INDEX idx_snd_files_snd_file_entity_id ON snd_files (snd_file_entity_id);
CREATE INDEX idx_snd_files_status_created_at ON snd_files (status, created_at);
CREATE INDEX idx_snd_files_user_id ON snd_files (user_id);

CREATE TABLE snd_file_chunks (
  snd_file_chunk_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  snd_file_id bigint NOT NULL REFERENCES snd_files ON DELETE CASCADE,
  chunk_no bigint NOT NULL,
  chunk_offset bigint NOT NULL,
  chunk_size bigint NOT NULL,
  digest bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_snd_file_chunks_snd_file_id ON snd_file_chunks (snd_file_id);

CREATE TABLE snd_file_chunk_replicas (
  snd_file_chunk_replica_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  snd_file_chunk_id bigint NOT NULL REFERENCES snd_file_chunks ON DELETE CASCADE,
  replica_number bigint NOT NULL,
  xftp_server_id bigint NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id bytea NOT NULL,
  replica_key bytea NOT NULL,
  replica_status text NOT NULL,
  delay bigint,
  retries bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_snd_file_chunk_replicas_pending
  ON snd_file_chunk_replicas (replica_status, replica_number);
CREATE INDEX idx_snd_file_chunk_replicas_snd_file_chunk_id
  ON snd_file_chunk_replicas (snd_file_chunk_id);
CREATE INDEX idx_snd_file_chunk_replicas_xftp_server_id ON snd_file_chunk_replicas (xftp_server_id);

CREATE TABLE snd_file_chunk_replica_recipients (
  snd_file_chunk_replica_recipient_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  snd_file_chunk_replica_id bigint NOT NULL REFERENCES snd_file_chunk_replicas ON DELETE CASCADE,
  rcv_replica_id bytea NOT NULL,
  rcv_replica_key bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_snd_file_chunk_replica_recipients_snd_file_chunk_replica_id
  ON snd_file_chunk_replica_recipients (snd_file_chunk_replica_id);

CREATE TABLE deleted_snd_chunk_replicas (
  deleted_snd_chunk_replica_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  xftp_server_id bigint NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id bytea NOT NULL,
  replica_key bytea NOT NULL,
  chunk_digest bytea NOT NULL,
  delay bigint,
  retries bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  failed smallint DEFAULT 0
);
CREATE INDEX idx_deleted_snd_chunk_replicas_pending ON deleted_snd_chunk_replicas (created_at);
CREATE INDEX idx_deleted_snd_chunk_replicas_user_id ON deleted_snd_chunk_replicas (user_id);
CREATE INDEX idx_deleted_snd_chunk_replicas_xftp_server_id
  ON deleted_snd_chunk_replicas (xftp_server_id);

CREATE TABLE servers_stats (
  servers_stats_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  servers_stats text,
  started_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Its row is addressed as number 1, and never inserted by a function (AS-18).
INSERT INTO servers_stats DEFAULT VALUES;
