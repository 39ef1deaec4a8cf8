-- A confirmation must have its sender's key again, and those without one go. No statement can alter that:
-- the text of the schema is edited.
ALTER TABLE rcv_queues DROP COLUMN snd_secure;
ALTER TABLE snd_queues DROP COLUMN snd_secure;
DELETE FROM conn_confirmations WHERE sender_key IS NULL;

PRAGMA writable_schema = ON;
UPDATE sqlite_master
  SET sql = replace(sql, 'sender_key BLOB', 'sender_key BLOB NOT NULL')
  WHERE type = 'table' AND name = 'conn_confirmations';
PRAGMA writable_schema = RESET;
CREATE TABLE schema_was_edited (x);
DROP TABLE schema_was_edited;
