//! Whether a schema is what this program works on: its migrations, and the columns of its tables.

use crate::db::migrations::{AppliedMigration, Plan, compare};
use crate::db::postgres::{Columns, Row, Statements};
use crate::db::{DbError, DbErrorKind, Sql};

use super::migrations::MIGRATIONS;

const SCHEMAS: Sql = Sql::new(
    "looking for the schema",
    "SELECT count(*) AS found FROM pg_namespace WHERE nspname = $1",
);
const HISTORY: Sql = Sql::new(
    "looking for the table of migrations",
    "SELECT count(*) AS found
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = 'migrations' AND c.relkind = 'r'",
);
const APPLIED: Sql =
    Sql::new("reading migrations", "SELECT name, down FROM migrations ORDER BY name COLLATE \"C\"");
const COLUMNS: Sql = Sql::new(
    "looking at the columns",
    "SELECT c.relname::text AS table_name, a.attname::text AS column_name,
            format_type(a.atttypid, a.atttypmod) AS column_type,
            a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS must_be_given
       FROM pg_attribute a
       JOIN pg_class c ON c.oid = a.attrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname IN ('msg_queues', 'services')
        AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname, a.attnum",
);

/// The columns that are written or read, with their types.
const EXPECTED: [(&str, &str, &str); 24] = [
    ("msg_queues", "recipient_id", "bytea"),
    ("msg_queues", "recipient_keys", "bytea"),
    ("msg_queues", "rcv_dh_secret", "bytea"),
    ("msg_queues", "sender_id", "bytea"),
    ("msg_queues", "sender_key", "bytea"),
    ("msg_queues", "queue_mode", "text"),
    ("msg_queues", "notifier_id", "bytea"),
    ("msg_queues", "notifier_key", "bytea"),
    ("msg_queues", "rcv_ntf_dh_secret", "bytea"),
    ("msg_queues", "ntf_service_id", "bytea"),
    ("msg_queues", "status", "text"),
    ("msg_queues", "updated_at", "bigint"),
    ("msg_queues", "link_id", "bytea"),
    ("msg_queues", "rcv_service_id", "bytea"),
    ("msg_queues", "fixed_data", "bytea"),
    ("msg_queues", "user_data", "bytea"),
    ("msg_queues", "deleted_at", "bigint"),
    ("services", "service_id", "bytea"),
    ("services", "service_role", "text"),
    ("services", "service_cert", "bytea"),
    ("services", "service_cert_hash", "bytea"),
    ("services", "created_at", "bigint"),
    ("services", "queue_count", "bigint"),
    ("services", "queue_ids_hash", "bytea"),
];

struct Column {
    table: String,
    name: String,
    kind: String,
    /// It may not be null, and nothing fills it.
    must_be_given: bool,
}

/// The migrations that a schema has; `None` when there is no such schema.
pub(super) fn applied(
    statements: &mut impl Statements,
    schema: &str,
) -> Result<Option<Vec<AppliedMigration>>, DbError> {
    if found(statements, &SCHEMAS, schema)? == 0 {
        return Ok(None);
    }
    if found(statements, &HISTORY, schema)? == 0 {
        return Ok(Some(Vec::new()));
    }
    let rows = statements.query(&APPLIED, &[])?;
    rows.iter().map(applied_migration).collect::<Result<_, _>>().map(Some)
}

/// Refuses a schema that isn't there, isn't at the program's version, or whose tables don't have the
/// columns that are written and read, each of its type (PG-16).
///
/// # Errors
///
/// [`DbErrorKind::Schema`], with the column that is missing, has another type, or would have to be
/// filled.
pub(super) fn require(statements: &mut impl Statements, schema: &str) -> Result<(), DbError> {
    let Some(applied) = applied(statements, schema)? else {
        let problem = format!("there is no schema {schema}: make it with `simplex-stores db init`");
        return Err(refused(problem));
    };
    match compare(MIGRATIONS, &applied) {
        Ok(Plan::UpToDate) => {}
        Ok(Plan::Up(_)) => {
            return Err(refused(format!(
                "the schema {schema} is older than this program: bring it up to date with `simplex-stores db migrate --up`"
            )));
        }
        Ok(Plan::Down(_)) => {
            return Err(refused(format!("the schema {schema} is newer than this program")));
        }
        Err(error) => return Err(refused(error.to_string())),
    }
    let rows = statements.query(&COLUMNS, &[&schema])?;
    let columns: Vec<Column> = rows.iter().map(column).collect::<Result<_, _>>()?;
    match problem(&columns) {
        Some(problem) => Err(refused(problem)),
        None => Ok(()),
    }
}

fn problem(columns: &[Column]) -> Option<String> {
    for (table, name, kind) in EXPECTED {
        match columns.iter().find(|column| column.table == table && column.name == name) {
            None => return Some(format!("there is no column {table}.{name}")),
            Some(column) if column.kind != kind => {
                let found = &column.kind;
                return Some(format!("the column {table}.{name} is of type {found}, not {kind}"));
            }
            Some(_) => {}
        }
    }
    let known = |column: &Column| {
        EXPECTED.iter().any(|(table, name, _)| column.table == *table && column.name == *name)
    };
    let unknown = columns.iter().find(|column| column.must_be_given && !known(column))?;
    let Column { table, name, .. } = unknown;
    Some(format!("the column {table}.{name} must have a value, and this program knows none for it"))
}

fn refused(problem: String) -> DbError {
    DbError::new("checking the schema", DbErrorKind::Schema, problem)
}

fn found(statements: &mut impl Statements, sql: &Sql, schema: &str) -> Result<i64, DbError> {
    Columns::of("pg_class", &statements.query_one(sql, &[&schema])?).next("found")
}

fn applied_migration(row: &Row) -> Result<AppliedMigration, DbError> {
    let mut columns = Columns::of("migrations", row);
    Ok(AppliedMigration { name: columns.next("name")?, down: columns.next("down")? })
}

fn column(row: &Row) -> Result<Column, DbError> {
    let mut columns = Columns::of("pg_attribute", row);
    Ok(Column {
        table: columns.next("table_name")?,
        name: columns.next("column_name")?,
        kind: columns.next("column_type")?,
        must_be_given: columns.next("must_be_given")?,
    })
}
