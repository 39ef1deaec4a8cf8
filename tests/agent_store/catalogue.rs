//! What a schema is made of, as each database tells it, in the same lines.

use std::path::Path;

use postgres::Client;
use simplex_stores::db::sqlite::rusqlite::Connection;

/// `table.column: type, null, default` of all tables of a SQLite file, in their order.
pub(crate) fn sqlite_columns(file: &Path) -> Vec<String> {
    let query = "
        SELECT t.name || '.' || c.name || ': ' || c.type || ', ' ||
               CASE WHEN m.sql LIKE '%CHECK (' || c.name || ' NOT NULL)%' THEN 'check'
                    WHEN c.\"notnull\" OR c.pk > 0 THEN 'no' ELSE 'yes' END || ', ' ||
               CASE WHEN c.pk = 1 AND c.type = 'INTEGER' AND NOT t.wr THEN 'auto'
                    ELSE coalesce(c.dflt_value, '-') END
          FROM pragma_table_list t
          JOIN sqlite_master m ON m.name = t.name AND m.type = 'table'
          JOIN pragma_table_info(t.name) c
         WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'
         ORDER BY t.name, c.cid";
    sqlite_lines(file, query)
}

/// Keys, references and indexes.
pub(crate) fn sqlite_keys(file: &Path) -> Vec<String> {
    let tables =
        "(SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%')";
    let keys = format!(
        "SELECT t.name || ': key (' || (SELECT group_concat(name, ', ')
                FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) || ')'
           FROM {tables} t WHERE EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE pk > 0)"
    );
    let indexes = format!(
        "SELECT t.name || ': ' ||
                CASE WHEN i.origin = 'u' THEN 'unique'
                     ELSE iif(i.\"unique\", 'unique ', '') || 'index ' || i.name END || ' (' ||
                (SELECT group_concat(name, ', ')
                   FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
           FROM {tables} t JOIN pragma_index_list(t.name) i WHERE i.origin <> 'pk'"
    );
    // Of a reference, only the text says whether it waits for the commit.
    let references = format!(
        "SELECT t.name || ': reference (' || group_concat(f.\"from\", ', ' ORDER BY f.seq) || ') to ' ||
                f.\"table\" ||
                iif(f.on_delete = 'NO ACTION', '', ', on delete ' || lower(f.on_delete)) ||
                iif(f.on_update = 'NO ACTION', '', ', on update ' || lower(f.on_update)) ||
                iif(replace(replace(t.sql, char(10), ' '), '  ', '') LIKE
                      '%(' || group_concat(f.\"from\", ', ' ORDER BY f.seq) || ') REFERENCES ' ||
                      f.\"table\" || ' (%)%ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED%'
                    AND f.\"table\" LIKE '%messages', ', deferred', '')
           FROM {tables} t JOIN pragma_foreign_key_list(t.name) f GROUP BY t.name, f.id"
    );
    let lists = [keys, indexes, references];
    lists.iter().flat_map(|query| sqlite_lines(file, query)).collect()
}

pub(crate) fn sqlite_lines(file: &Path, query: &str) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let lines = statement.query_map([], |row| row.get(0)).unwrap();
    lines.map(Result::unwrap).collect()
}

/// `table.column: type, null, default` of all tables of a PostgreSQL schema, in their order.
pub(crate) fn postgres_columns(client: &mut Client) -> Vec<String> {
    let query = "
        SELECT format('%s.%s: %s, %s, %s', c.relname, a.attname,
                 CASE format_type(a.atttypid, NULL)
                   WHEN 'timestamp with time zone' THEN 'timestamptz'
                   WHEN 'timestamp without time zone' THEN 'timestamp'
                   ELSE format_type(a.atttypid, NULL) END,
                 CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END,
                 CASE WHEN a.attidentity = 'a' THEN 'auto'
                      ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '-') END)
          FROM pg_attribute a
          JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
           AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY c.relname COLLATE \"C\", a.attnum";
    postgres_lines(client, query)
}

/// Keys, references and indexes.
pub(crate) fn postgres_keys(client: &mut Client) -> Vec<String> {
    let constraints = "
        WITH named AS (
          SELECT k.*, c.relname, r.relname AS target,
                 (SELECT string_agg(a.attname, ', ' ORDER BY u.place)
                    FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns
            FROM pg_constraint k
            JOIN pg_class c ON c.oid = k.conrelid
            LEFT JOIN pg_class r ON r.oid = k.confrelid
           WHERE k.connamespace = current_schema()::regnamespace
        ),
        rule (letter, words) AS (
          VALUES ('a'::\"char\", NULL), ('r', 'restrict'), ('c', 'cascade'), ('n', 'set null')
        )
        SELECT CASE contype
                 WHEN 'p' THEN format('%s: key (%s)', relname, columns)
                 WHEN 'u' THEN format('%s: unique (%s)', relname, columns)
                 ELSE format('%s: reference (%s) to %s', relname, columns, target)
                   || coalesce((SELECT ', on delete ' || words FROM rule WHERE letter = confdeltype), '')
                   || coalesce((SELECT ', on update ' || words FROM rule WHERE letter = confupdtype), '')
                   || CASE WHEN condeferred THEN ', deferred' ELSE '' END
               END
          FROM named WHERE contype IN ('p', 'u', 'f')";
    let indexes = "
        SELECT format('%s: %sindex %s (%s)', c.relname,
                 CASE WHEN x.indisunique THEN 'unique ' ELSE '' END, i.relname,
                 (SELECT string_agg(pg_get_indexdef(x.indexrelid, place, true), ', ' ORDER BY place)
                    FROM generate_series(1, x.indnkeyatts) AS place))
          FROM pg_index x
          JOIN pg_class i ON i.oid = x.indexrelid
          JOIN pg_class c ON c.oid = x.indrelid
         WHERE i.relnamespace = current_schema()::regnamespace
           AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u'))";
    [constraints, indexes].iter().flat_map(|query| postgres_lines(client, query)).collect()
}

pub(crate) fn postgres_lines(client: &mut Client, query: &str) -> Vec<String> {
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}
