-- Queues with one recipient key each. "Sender may secure" becomes the mode in 20250320.
CREATE TABLE msg_queues (
  recipient_id bytea NOT NULL,
  recipient_key bytea NOT NULL,
  rcv_dh_secret bytea NOT NULL,
  sender_id bytea NOT NULL,
  sender_key bytea,
  snd_secure boolean NOT NULL,
  notifier_id bytea,
  notifier_key bytea,
  rcv_ntf_dh_secret bytea,
  status text NOT NULL,
  updated_at bigint,
  deleted_at bigint,
  CONSTRAINT msg_queues_pkey PRIMARY KEY (recipient_id)
);

CREATE UNIQUE INDEX idx_msg_queues_sender_id ON msg_queues (sender_id);
CREATE UNIQUE INDEX idx_msg_queues_notifier_id ON msg_queues (notifier_id);
CREATE INDEX idx_msg_queues_deleted_at ON msg_queues (deleted_at);
