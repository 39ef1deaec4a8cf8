-- The second part: notifications, files, statistics.

CREATE TABLE ntf_tokens (
  provider TEXT NOT NULL,
  device_token BLOB NOT NULL,
  ntf_host TEXT NOT NULL,
  ntf_port TEXT NOT NULL,
  tkn_id BLOB,
  tkn_pub_key BLOB NOT NULL,
  tkn_priv_key BLOB NOT NULL,
  tkn_pub_dh_key BLOB NOT NULL,
  tkn_priv_dh_key BLOB NOT NULL,
  tkn_dh_secret BLOB,
  tkn_status TEXT NOT NULL,
  tkn_action BLOB,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  ntf_mode TEXT,
  PRIMARY KEY (provider, device_token, ntf_host, ntf_port),
  FOREIGN KEY (ntf_host, ntf_port) REFERENCES ntf_servers (ntf_host, ntf_port)
    ON DELETE RESTRICT ON UPDATE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_ntf_tokens_ntf_host_ntf_port ON ntf_tokens (ntf_host, ntf_port);

CREATE TABLE ntf_tokens_to_delete (
  ntf_token_to_delete_id INTEGER PRIMARY KEY,
  ntf_host TEXT NOT NULL,
  ntf_port TEXT NOT NULL,
  ntf_key_hash BLOB NOT NULL,
  tkn_id BLOB NOT NULL,
  tkn_priv_key BLOB NOT NULL,
  del_failed INTEGER DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;

CREATE TABLE ntf_subscriptions (
  conn_id BLOB NOT NULL PRIMARY KEY,
  smp_host TEXT,
  smp_port TEXT,
  smp_ntf_id BLOB,
  ntf_host TEXT NOT NULL,
  ntf_port TEXT NOT NULL,
  ntf_sub_id BLOB,
  ntf_sub_status TEXT NOT NULL,
  ntf_sub_action TEXT,
  ntf_sub_smp_action TEXT,
  ntf_sub_action_ts TEXT,
  updated_by_supervisor INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  smp_server_key_hash BLOB,
  ntf_failed INTEGER DEFAULT 0,
  smp_failed INTEGER DEFAULT 0,
  FOREIGN KEY (ntf_host, ntf_port) REFERENCES ntf_servers (ntf_host, ntf_port)
    ON DELETE RESTRICT ON UPDATE CASCADE,
  FOREIGN KEY (smp_host, smp_port) REFERENCES servers (host, port)
    ON DELETE SET NULL ON UPDATE CASCADE
) WITHOUT ROWID, STRICT;
CREATE INDEX idx_ntf_subscriptions_ntf_host_ntf_port ON ntf_subscriptions (ntf_host, ntf_port);
CREATE INDEX idx_ntf_subscriptions_smp_host_smp_port ON ntf_subscriptions (smp_host, smp_port);

CREATE TABLE rcv_files (
  rcv_file_id INTEGER PRIMARY KEY,
  rcv_file_entity_id BLOB NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  size INTEGER NOT NULL,
  digest BLOB NOT NULL,
  key BLOB NOT NULL,
  nonce BLOB NOT NULL,
  chunk_size INTEGER NOT NULL,
  prefix_path TEXT NOT NULL,
  tmp_path TEXT,
  save_path TEXT NOT NULL,
  status TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  save_file_key BLOB,
  save_file_nonce BLOB,
  failed INTEGER DEFAULT 0,
  redirect_id INTEGER REFERENCES rcv_files ON DELETE SET NULL,
  redirect_entity_id BLOB,
  redirect_size INTEGER,
  redirect_digest BLOB,
  approved_relays INTEGER NOT NULL DEFAULT 0,
  UNIQUE (rcv_file_entity_id)
) STRICT;
CREATE INDEX idx_rcv_files_redirect_id ON rcv_files (redirect_id);
CREATE INDEX idx_rcv_files_status_created_at ON rcv_files (status, created_at);
CREATE INDEX idx_rcv_files_user_id ON rcv_files (user_id);

CREATE TABLE rcv_file_chunks (
  rcv_file_chunk_id INTEGER PRIMARY KEY,
  rcv_file_id INTEGER NOT NULL REFERENCES rcv_files ON DELETE CASCADE,
  chunk_no INTEGER NOT NULL,
  chunk_size INTEGER NOT NULL,
  digest BLOB NOT NULL,
  tmp_path TEXT,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_rcv_file_chunks_rcv_file_id ON rcv_file_chunks (rcv_file_id);

CREATE TABLE rcv_file_chunk_replicas (
  rcv_file_chunk_replica_id INTEGER PRIMARY KEY,
  rcv_file_chunk_id INTEGER NOT NULL REFERENCES rcv_file_chunks ON DELETE CASCADE,
  replica_number INTEGER NOT NULL,
  xftp_server_id INTEGER NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id BLOB NOT NULL,
  replica_key BLOB NOT NULL,
  received INTEGER NOT NULL DEFAULT 0,
  delay INTEGER,
  retries INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_rcv_file_chunk_replicas_pending
  ON rcv_file_chunk_replicas (received, replica_number);
CREATE INDEX idx_rcv_file_chunk_replicas_rcv_file_chunk_id
  ON rcv_file_chunk_replicas (rcv_file_chunk_id);
CREATE INDEX idx_rcv_file_chunk_replicas_xftp_server_id ON rcv_file_chunk_replicas (xftp_server_id);

CREATE TABLE snd_files (
  snd_file_id INTEGER PRIMARY KEY,
  snd_file_entity_id BLOB NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  num_recipients INTEGER NOT NULL,
  digest BLOB,
  key BLOB NOT NULL,
  nonce BLOB NOT NULL,
  path TEXT NOT NULL,
  prefix_path TEXT,
  status TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  src_file_key BLOB,
  src_file_nonce BLOB,
  failed INTEGER DEFAULT 0,
  redirect_size INTEGER,
  redirect_digest BLOB
) STRICT;
CREATE INDEX idx_snd_files_snd_file_entity_id ON snd_files (snd_file_entity_id);
CREATE INDEX idx_snd_files_status_created_at ON snd_files (status, created_at);
CREATE INDEX idx_snd_files_user_id ON snd_files (user_id);

CREATE TABLE snd_file_chunks (
  snd_file_chunk_id INTEGER PRIMARY KEY,
  snd_file_id INTEGER NOT NULL REFERENCES snd_files ON DELETE CASCADE,
  chunk_no INTEGER NOT NULL,
  chunk_offset INTEGER NOT NULL,
  chunk_size INTEGER NOT NULL,
  digest BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_snd_file_chunks_snd_file_id ON snd_file_chunks (snd_file_id);

CREATE TABLE snd_file_chunk_replicas (
  snd_file_chunk_replica_id INTEGER PRIMARY KEY,
  snd_file_chunk_id INTEGER NOT NULL REFERENCES snd_file_chunks ON DELETE CASCADE,
  replica_number INTEGER NOT NULL,
  xftp_server_id INTEGER NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id BLOB NOT NULL,
  replica_key BLOB NOT NULL,
  replica_status TEXT NOT NULL,
  delay INTEGER,
  retries INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_snd_file_chunk_replicas_pending
  ON snd_file_chunk_replicas (replica_status, replica_number);
CREATE INDEX idx_snd_file_chunk_replicas_snd_file_chunk_id
  ON snd_file_chunk_replicas (snd_file_chunk_id);
CREATE INDEX idx_snd_file_chunk_replicas_xftp_server_id ON snd_file_chunk_replicas (xftp_server_id);

CREATE TABLE snd_file_chunk_replica_recipients (
  snd_file_chunk_replica_recipient_id INTEGER PRIMARY KEY,
  snd_file_chunk_replica_id INTEGER NOT NULL REFERENCES snd_file_chunk_replicas ON DELETE CASCADE,
  rcv_replica_id BLOB NOT NULL,
  rcv_replica_key BLOB NOT NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;
CREATE INDEX idx_snd_file_chunk_replica_recipients_snd_file_chunk_replica_id
  ON snd_file_chunk_replica_recipients (snd_file_chunk_replica_id);

CREATE TABLE deleted_snd_chunk_replicas (
  deleted_snd_chunk_replica_id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  xftp_server_id INTEGER NOT NULL REFERENCES xftp_servers ON DELETE CASCADE,
  replica_id BLOB NOT NULL,
  replica_key BLOB NOT NULL,
  chunk_digest BLOB NOT NULL,
  delay INTEGER,
  retries INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now')),
  failed INTEGER DEFAULT 0
) STRICT;
CREATE INDEX idx_deleted_snd_chunk_replicas_pending ON deleted_snd_chunk_replicas (created_at);
CREATE INDEX idx_deleted_snd_chunk_replicas_user_id ON deleted_snd_chunk_replicas (user_id);
CREATE INDEX idx_deleted_snd_chunk_replicas_xftp_server_id
  ON deleted_snd_chunk_replicas (xftp_server_id);

CREATE TABLE servers_stats (
  servers_stats_id INTEGER PRIMARY KEY,
  servers_stats TEXT,
  started_at TEXT NOT NULL DEFAULT (datetime('now')),
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT NOT NULL DEFAULT (datetime('now'))
) STRICT;

-- Its row is addressed as number 1, and never inserted by a function (AS-18).
INSERT INTO servers_stats DEFAULT VALUES;
