-- Lists of one key only can become keys again.
DO $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM msg_queues
    WHERE length(recipient_keys) < 2
      OR get_byte(recipient_keys, 0) <> 1
      OR get_byte(recipient_keys, 1) <> length(recipient_keys) - 2
  ) THEN
    RAISE EXCEPTION 'there are queues with more than one recipient key, or with unreadable keys';
  END IF;
END
$$;

DROP INDEX idx_msg_queues_link_id;

UPDATE msg_queues SET recipient_keys = substring(recipient_keys FROM 3);
ALTER TABLE msg_queues RENAME COLUMN recipient_keys TO recipient_key;

ALTER TABLE msg_queues ADD COLUMN snd_secure boolean NOT NULL DEFAULT false;
ALTER TABLE msg_queues ALTER COLUMN snd_secure DROP DEFAULT;
UPDATE msg_queues SET snd_secure = true WHERE queue_mode = 'M';

ALTER TABLE msg_queues
  DROP COLUMN queue_mode,
  DROP COLUMN link_id,
  DROP COLUMN fixed_data,
  DROP COLUMN user_data;
