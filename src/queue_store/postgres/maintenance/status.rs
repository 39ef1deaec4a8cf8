//! What state a database is in.

use std::time::Duration;

use crate::db::migrations::{Plan, PlanError, compare};
use crate::db::postgres::{Columns, Pool, PostgresConfig, Row, Statements as _};
use crate::db::{DbError, Sql};
use crate::queue_store::postgres::layout;
use crate::queue_store::postgres::migrations::MIGRATIONS;

const SERVER: Sql = Sql::new(
    "asking for the server's version",
    "SELECT current_setting('server_version') AS version",
);
const COUNTS: Sql = Sql::new(
    "counting",
    "SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS queues,
            count(notifier_id) FILTER (WHERE deleted_at IS NULL) AS notifiers,
            count(link_id) FILTER (WHERE deleted_at IS NULL) AS links,
            count(deleted_at) AS deleted,
            (SELECT count(*) FROM services) AS services,
            (SELECT count(*) FROM messages) AS messages
       FROM msg_queues",
);
const SIZES: Sql = Sql::new(
    "measuring the tables",
    "SELECT c.relname::text AS table_name, pg_total_relation_size(c.oid) AS bytes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p')
      ORDER BY c.relname",
);

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseCounts {
    /// Live queues.
    pub queues: u64,
    /// How many of them have a notifier.
    pub notifiers: u64,
    /// How many of them have a link.
    pub links: u64,
    /// Queues that are deleted and not removed yet.
    pub deleted: u64,
    /// Services.
    pub services: u64,
    /// Messages.
    pub messages: u64,
}

/// A table and what it takes on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub table: String,
    /// Bytes, indexes included.
    pub bytes: u64,
}

/// What state a database is in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatabaseStatus {
    /// The server's version.
    pub server: String,
    /// The schema that was looked at.
    pub schema: String,
    /// Whether there is such a schema.
    pub exists: bool,
    /// The migrations that it has, in order.
    pub applied: Vec<String>,
    /// The migrations that it lacks, in order.
    pub pending: Vec<String>,
    /// The migrations that it has and this program doesn't know, in order.
    pub unknown: Vec<String>,
    /// Why the schema can't become this program's.
    pub problem: Option<PlanError>,
    /// What is in it; nothing unless it is at this program's version.
    pub counts: Option<DatabaseCounts>,
    /// Its tables.
    pub tables: Vec<TableSize>,
}

impl DatabaseStatus {
    /// Whether the schema is there and at this program's version.
    pub fn is_ready(&self) -> bool {
        self.exists && self.pending.is_empty() && self.unknown.is_empty() && self.problem.is_none()
    }
}

/// Looks at a database without changing it, as it is at one moment. A schema that isn't there, or is at
/// another version, is no error.
///
/// # Errors
///
/// What the database refused.
pub fn status(database: &PostgresConfig) -> Result<DatabaseStatus, DbError> {
    let pool = Pool::open(&database.clone().pool_size(1).statement_timeout(Duration::ZERO))?;
    let schema = database.schema_name().as_str();
    pool.snapshot("looking at the database", |tx| {
        let row = tx.query_one(&SERVER, &[])?;
        let server: String = Columns::of("pg_settings", &row).next("version")?;
        let applied = layout::applied(tx, schema)?;
        let exists = applied.is_some();
        let applied = applied.unwrap_or_default();
        let (mut pending, mut unknown, mut problem) = (Vec::new(), Vec::new(), None);
        match compare(MIGRATIONS, &applied) {
            Ok(Plan::UpToDate) => {}
            Ok(Plan::Up(migrations)) => {
                pending = migrations.iter().map(|one| one.name.to_owned()).collect();
            }
            Ok(Plan::Down(migrations)) => {
                unknown = migrations.into_iter().map(|one| one.name).collect();
            }
            Err(error) => problem = Some(error),
        }
        let mut status = DatabaseStatus {
            server,
            schema: schema.to_owned(),
            exists,
            applied: applied.into_iter().map(|migration| migration.name).collect(),
            pending,
            unknown,
            problem,
            counts: None,
            tables: tx.query(&SIZES, &[&schema])?.iter().map(size).collect::<Result<_, _>>()?,
        };
        if status.is_ready() {
            status.counts = Some(counts(&tx.query_one(&COUNTS, &[])?)?);
        }
        Ok(status)
    })
}

fn counts(row: &Row) -> Result<DatabaseCounts, DbError> {
    let mut columns = Columns::of("msg_queues", row);
    let mut next = |name| columns.count(name);
    Ok(DatabaseCounts {
        queues: next("queues")?,
        notifiers: next("notifiers")?,
        links: next("links")?,
        deleted: next("deleted")?,
        services: next("services")?,
        messages: next("messages")?,
    })
}

fn size(row: &Row) -> Result<TableSize, DbError> {
    let mut columns = Columns::of("pg_class", row);
    let table = columns.next("table_name")?;
    Ok(TableSize { table, bytes: columns.count("bytes")? })
}
