-- Tables are no longer strict, which no statement can alter: the text of the schema is edited. What makes
-- other connections read the schema again is a change that SQLite makes itself.
PRAGMA writable_schema = ON;

UPDATE sqlite_master
  SET sql = replace(replace(sql, ') WITHOUT ROWID, STRICT', ') WITHOUT ROWID'), ') STRICT', ')')
  WHERE type = 'table';
UPDATE sqlite_master
  SET sql = replace(
        replace(sql, 'device_token BLOB', 'device_token TEXT'), 'ntf_mode TEXT', 'ntf_mode BLOB')
  WHERE type = 'table' AND name = 'ntf_tokens';
UPDATE sqlite_master
  SET sql = replace(
        replace(sql, 'ntf_sub_action TEXT', 'ntf_sub_action BLOB'),
        'ntf_sub_smp_action TEXT', 'ntf_sub_smp_action BLOB')
  WHERE type = 'table' AND name = 'ntf_subscriptions';

PRAGMA writable_schema = RESET;
CREATE TABLE schema_was_edited (x);
DROP TABLE schema_was_edited;

UPDATE ntf_tokens
  SET device_token = CAST(device_token AS TEXT), ntf_mode = CAST(ntf_mode AS BLOB);
UPDATE ntf_subscriptions
  SET ntf_sub_action = CAST(ntf_sub_action AS BLOB),
      ntf_sub_smp_action = CAST(ntf_sub_smp_action AS BLOB);
