DROP PROCEDURE expire_old_messages;
DROP FUNCTION delete_expired_msgs;
DROP FUNCTION try_del_peek_msg;
DROP FUNCTION try_del_msg;
DROP FUNCTION write_message;

DROP INDEX idx_msg_queues_updated_at_recipient_id;
CREATE INDEX idx_msg_queues_updated_at ON msg_queues (deleted_at, updated_at);

ALTER TABLE msg_queues
  DROP COLUMN msg_can_write,
  DROP COLUMN msg_queue_expire,
  DROP COLUMN msg_queue_size;

DROP TABLE messages;
