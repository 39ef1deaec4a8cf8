-- Short links, modes, and more than one recipient key. A queue whose sender might not secure it has no
-- known mode: what it is shows when it is secured (SE-35).
ALTER TABLE msg_queues
  ADD COLUMN queue_mode text,
  ADD COLUMN link_id bytea,
  ADD COLUMN fixed_data bytea,
  ADD COLUMN user_data bytea;

UPDATE msg_queues SET queue_mode = 'M' WHERE snd_secure;

ALTER TABLE msg_queues DROP COLUMN snd_secure;

-- A list of one key: the count, the length, the key (SE-56).
ALTER TABLE msg_queues RENAME COLUMN recipient_key TO recipient_keys;
UPDATE msg_queues
  SET recipient_keys =
    '\x01'::bytea || set_byte('\x00'::bytea, 0, length(recipient_keys)) || recipient_keys;

CREATE UNIQUE INDEX idx_msg_queues_link_id ON msg_queues (link_id);
