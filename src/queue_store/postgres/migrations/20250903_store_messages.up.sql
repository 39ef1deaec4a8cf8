-- Messages in the database, and the routines that work on them. Three columns of a queue say whether
-- more can be written, whether there is anything to expire, and how many messages there are.
CREATE TABLE messages (
  message_id bigint GENERATED ALWAYS AS IDENTITY,
  recipient_id bytea NOT NULL,
  msg_id bytea NOT NULL,
  msg_ts bigint NOT NULL,
  msg_quota boolean NOT NULL,
  msg_ntf_flag boolean NOT NULL,
  msg_body bytea NOT NULL,
  CONSTRAINT messages_pkey PRIMARY KEY (message_id),
  CONSTRAINT messages_recipient_id_fkey FOREIGN KEY (recipient_id)
    REFERENCES msg_queues (recipient_id) ON DELETE CASCADE ON UPDATE RESTRICT
);

CREATE INDEX idx_messages_recipient_id_message_id ON messages (recipient_id, message_id);
CREATE INDEX idx_messages_recipient_id_msg_ts ON messages (recipient_id, msg_ts);
CREATE INDEX idx_messages_recipient_id_msg_quota ON messages (recipient_id, msg_quota);

ALTER TABLE msg_queues
  ADD COLUMN msg_can_write boolean NOT NULL DEFAULT true,
  ADD COLUMN msg_queue_expire boolean NOT NULL DEFAULT false,
  ADD COLUMN msg_queue_size bigint NOT NULL DEFAULT 0;

DROP INDEX idx_msg_queues_updated_at;
CREATE INDEX idx_msg_queues_updated_at_recipient_id
  ON msg_queues (deleted_at, updated_at, msg_queue_expire, recipient_id);

-- No row: the queue isn't there, or is full.
CREATE FUNCTION write_message(
  p_recipient_id bytea, p_msg_id bytea, p_msg_ts bigint, p_msg_quota boolean,
  p_msg_ntf_flag boolean, p_msg_body bytea, p_quota bigint
) RETURNS TABLE (quota_written boolean, was_empty boolean)
LANGUAGE plpgsql AS $$
DECLARE
  queue RECORD;
BEGIN
  SELECT q.msg_can_write, q.msg_queue_size INTO queue
    FROM msg_queues q
    WHERE q.recipient_id = p_recipient_id AND q.deleted_at IS NULL
    FOR UPDATE;
  IF NOT FOUND OR NOT (queue.msg_can_write OR queue.msg_queue_size = 0) THEN
    RETURN;
  END IF;

  was_empty := queue.msg_queue_size = 0;
  quota_written := p_msg_quota OR queue.msg_queue_size >= p_quota;
  INSERT INTO messages (recipient_id, msg_id, msg_ts, msg_quota, msg_ntf_flag, msg_body)
    VALUES (
      p_recipient_id, p_msg_id, p_msg_ts, quota_written,
      p_msg_ntf_flag AND NOT quota_written,
      CASE WHEN quota_written THEN ''::bytea ELSE p_msg_body END
    );
  UPDATE msg_queues q
    SET msg_can_write = NOT quota_written,
        msg_queue_expire = true,
        msg_queue_size = q.msg_queue_size + 1
    WHERE q.recipient_id = p_recipient_id;
  RETURN NEXT;
END
$$;

-- Removes the first message when it has this id, and gives it.
CREATE FUNCTION try_del_msg(p_recipient_id bytea, p_msg_id bytea)
RETURNS TABLE (
  r_msg_id bytea, r_msg_ts bigint, r_msg_quota boolean, r_msg_ntf_flag boolean, r_msg_body bytea
)
LANGUAGE plpgsql AS $$
DECLARE
  size bigint;
  first messages%ROWTYPE;
BEGIN
  SELECT q.msg_queue_size INTO size
    FROM msg_queues q
    WHERE q.recipient_id = p_recipient_id AND q.deleted_at IS NULL
    FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  SELECT m.* INTO first
    FROM messages m WHERE m.recipient_id = p_recipient_id ORDER BY m.message_id LIMIT 1;
  IF NOT FOUND THEN
    IF size <> 0 THEN
      UPDATE msg_queues q
        SET msg_can_write = true, msg_queue_expire = false, msg_queue_size = 0
        WHERE q.recipient_id = p_recipient_id;
    END IF;
    RETURN;
  END IF;
  IF first.msg_id <> p_msg_id THEN
    RETURN;
  END IF;

  DELETE FROM messages m WHERE m.message_id = first.message_id;
  UPDATE msg_queues q
    SET msg_can_write = q.msg_can_write OR size <= 1,
        msg_queue_expire = size > 1,
        msg_queue_size = greatest(size - 1, 0)
    WHERE q.recipient_id = p_recipient_id;
  RETURN QUERY SELECT
    first.msg_id, first.msg_ts, first.msg_quota, first.msg_ntf_flag, first.msg_body;
END
$$;

-- The same, and then the message that is first now. With another id: the first message only.
CREATE FUNCTION try_del_peek_msg(p_recipient_id bytea, p_msg_id bytea)
RETURNS TABLE (
  r_msg_id bytea, r_msg_ts bigint, r_msg_quota boolean, r_msg_ntf_flag boolean, r_msg_body bytea
)
LANGUAGE plpgsql AS $$
DECLARE
  size bigint;
  first messages%ROWTYPE;
  following messages%ROWTYPE;
BEGIN
  SELECT q.msg_queue_size INTO size
    FROM msg_queues q
    WHERE q.recipient_id = p_recipient_id AND q.deleted_at IS NULL
    FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  SELECT m.* INTO first
    FROM messages m WHERE m.recipient_id = p_recipient_id ORDER BY m.message_id LIMIT 1;
  IF NOT FOUND THEN
    IF size <> 0 THEN
      UPDATE msg_queues q
        SET msg_can_write = true, msg_queue_expire = false, msg_queue_size = 0
        WHERE q.recipient_id = p_recipient_id;
    END IF;
    RETURN;
  END IF;
  RETURN QUERY SELECT
    first.msg_id, first.msg_ts, first.msg_quota, first.msg_ntf_flag, first.msg_body;
  IF first.msg_id <> p_msg_id THEN
    RETURN;
  END IF;

  DELETE FROM messages m WHERE m.message_id = first.message_id;
  SELECT m.* INTO following
    FROM messages m WHERE m.recipient_id = p_recipient_id ORDER BY m.message_id LIMIT 1;
  IF NOT FOUND THEN
    UPDATE msg_queues q
      SET msg_can_write = true, msg_queue_expire = false, msg_queue_size = 0
      WHERE q.recipient_id = p_recipient_id;
    RETURN;
  END IF;
  UPDATE msg_queues q
    SET msg_can_write = q.msg_can_write OR size <= 1,
        msg_queue_expire = size > 1,
        msg_queue_size = greatest(size - 1, 0)
    WHERE q.recipient_id = p_recipient_id;
  RETURN QUERY SELECT
    following.msg_id, following.msg_ts, following.msg_quota, following.msg_ntf_flag,
    following.msg_body;
END
$$;

-- How many were removed. A queue that somebody works on is left for the next time.
CREATE FUNCTION delete_expired_msgs(p_recipient_id bytea, p_old_ts bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  keep_from bigint;
  removed bigint;
BEGIN
  PERFORM 1
    FROM msg_queues q
    WHERE q.recipient_id = p_recipient_id AND q.deleted_at IS NULL
    FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;

  SELECT m.message_id INTO keep_from
    FROM messages m
    WHERE m.recipient_id = p_recipient_id AND m.msg_ts >= p_old_ts AND NOT m.msg_quota
    ORDER BY m.message_id LIMIT 1;
  DELETE FROM messages m
    WHERE m.recipient_id = p_recipient_id AND NOT m.msg_quota
      AND (keep_from IS NULL OR m.message_id < keep_from);
  GET DIAGNOSTICS removed = ROW_COUNT;

  IF removed > 0 THEN
    UPDATE msg_queues q
      SET msg_can_write = q.msg_can_write OR q.msg_queue_size <= removed,
          msg_queue_expire = q.msg_queue_size > removed,
          msg_queue_size = greatest(q.msg_queue_size - removed, 0)
      WHERE q.recipient_id = p_recipient_id;
  END IF;
  RETURN removed;
END
$$;

-- Works through the queues used after a day, a batch at a time, and commits after each, so that a round
-- that is interrupted has done what it did.
CREATE PROCEDURE expire_old_messages(
  p_min_updated_at bigint, p_old_ts bigint, p_batch_size bigint,
  OUT r_expired_msgs bigint, OUT r_stored_msgs bigint, OUT r_stored_queues bigint
)
LANGUAGE plpgsql AS $$
DECLARE
  last_id bytea := ''::bytea;
  batch bytea[];
  queue_id bytea;
BEGIN
  r_expired_msgs := 0;
  LOOP
    batch := ARRAY(
      SELECT q.recipient_id
        FROM msg_queues q
        WHERE q.deleted_at IS NULL AND q.updated_at > p_min_updated_at
          AND q.msg_queue_expire AND q.recipient_id > last_id
        ORDER BY q.recipient_id
        LIMIT p_batch_size
    );
    EXIT WHEN cardinality(batch) = 0;
    FOREACH queue_id IN ARRAY batch LOOP
      BEGIN
        r_expired_msgs := r_expired_msgs + delete_expired_msgs(queue_id, p_old_ts);
      EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'messages of a queue were not expired: %', SQLERRM;
        last_id := queue_id;
        CONTINUE;
      END;
      COMMIT;
      last_id := queue_id;
    END LOOP;
  END LOOP;

  SELECT count(*) INTO r_stored_msgs FROM messages;
  SELECT count(*) INTO r_stored_queues FROM msg_queues q WHERE q.deleted_at IS NULL;
END
$$;
