-- Invitations go with their contact connection again, and those that have none any more go now. No
-- statement can alter that: the text of the schema is edited.
DELETE FROM conn_invitations WHERE contact_conn_id IS NULL;

PRAGMA writable_schema = ON;
UPDATE sqlite_master
  SET sql = replace(
        sql,
        'contact_conn_id BLOB REFERENCES connections ON DELETE SET NULL',
        'contact_conn_id BLOB NOT NULL REFERENCES connections ON DELETE CASCADE')
  WHERE type = 'table' AND name = 'conn_invitations';
PRAGMA writable_schema = RESET;
CREATE TABLE schema_was_edited (x);
DROP TABLE schema_was_edited;
