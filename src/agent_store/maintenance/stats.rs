//! How much of what there is.

use super::failed::{FailedItems, failed_items};
use super::status;
use crate::agent_store::types::{ConnType, ConnectionMode, QueueStatus};
use crate::db::{DatabaseConfig, DbError, Row, Sql, Texts, Tx, UtcTime};

const SIZE: Sql = Sql::differing(
    "measuring the database",
    Texts {
        sqlite: "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size",
        postgres: "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes
                     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')",
    },
);
const CONNECTIONS: Sql = Sql::new(
    "counting connections",
    "SELECT conn_mode, has_rcv, has_snd, deleted, waiting, count(*) AS count
       FROM (SELECT c.conn_mode AS conn_mode, c.deleted AS deleted,
                    CASE WHEN EXISTS (SELECT 1 FROM rcv_queues q
                                       WHERE q.conn_id = c.conn_id AND q.deleted = 0)
                         THEN 1 ELSE 0 END AS has_rcv,
                    CASE WHEN EXISTS (SELECT 1 FROM snd_queues q WHERE q.conn_id = c.conn_id)
                         THEN 1 ELSE 0 END AS has_snd,
                    CASE WHEN c.deleted_at_wait_delivery IS NULL THEN 0 ELSE 1 END AS waiting
               FROM connections c) conns
      GROUP BY conn_mode, has_rcv, has_snd, deleted, waiting
      ORDER BY conn_mode, has_rcv, has_snd, deleted, waiting",
);
const RCV_QUEUES: Sql = Sql::new(
    "counting receive queues",
    "SELECT status, deleted, count(*) AS count FROM rcv_queues
      GROUP BY status, deleted ORDER BY status, deleted",
);
const SND_QUEUES: Sql = Sql::new(
    "counting send queues",
    "SELECT status, 0 AS deleted, count(*) AS count FROM snd_queues GROUP BY status ORDER BY status",
);
const PENDING: Sql = Sql::new(
    "counting deliveries",
    "SELECT count(*) AS pending, min(m.internal_ts) AS oldest
       FROM snd_message_deliveries d
       JOIN messages m ON m.conn_id = d.conn_id AND m.internal_id = d.internal_id
      WHERE d.failed = 0",
);
const PERIOD: Sql = Sql::new(
    "reading the statistics' period",
    "SELECT started_at FROM servers_stats WHERE servers_stats_id = 1",
);

macro_rules! counts {
    ($($table:ident),+ $(,)?) => {
        [$((
            stringify!($table),
            Sql::new(
                concat!("counting rows of ", stringify!($table)),
                concat!("SELECT count(*) AS count FROM ", stringify!($table)),
            ),
        )),+]
    };
}

const TABLES: [(&str, Sql); 35] = counts![
    users,
    servers,
    ntf_servers,
    xftp_servers,
    connections,
    rcv_queues,
    snd_queues,
    conn_confirmations,
    conn_invitations,
    inv_short_links,
    messages,
    rcv_messages,
    snd_messages,
    snd_message_bodies,
    encrypted_rcv_message_hashes,
    snd_message_deliveries,
    ratchets,
    skipped_messages,
    processed_ratchet_key_hashes,
    commands,
    client_services,
    client_notices,
    ntf_tokens,
    ntf_tokens_to_delete,
    ntf_subscriptions,
    rcv_files,
    rcv_file_chunks,
    rcv_file_chunk_replicas,
    snd_files,
    snd_file_chunks,
    snd_file_chunk_replicas,
    snd_file_chunk_replica_recipients,
    deleted_snd_chunk_replicas,
    servers_stats,
    migrations,
];

/// A table, and how many rows it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRows {
    /// Its name.
    pub table: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// How many connections are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnCount {
    /// Their kind; none when their queues fit no kind, so that they can't be loaded.
    pub kind: Option<ConnType>,
    /// Whether they are marked as deleted.
    pub deleted: bool,
    /// Whether they are deleted once their messages are delivered.
    pub waiting: bool,
    /// How many.
    pub count: u64,
}

/// How many queues are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCount {
    /// Their status; none when it can't be read.
    pub status: Option<QueueStatus>,
    /// Whether they are marked as deleted; send queues never are.
    pub deleted: bool,
    /// How many.
    pub count: u64,
}

/// How much of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentStats {
    /// What the tables take on disk, in bytes: the file, or the schema's tables with their indexes.
    pub bytes: u64,
    /// The rows of every table.
    pub tables: Vec<TableRows>,
    /// Connections by kind and state.
    pub connections: Vec<ConnCount>,
    /// Receive queues by status.
    pub rcv_queues: Vec<QueueCount>,
    /// Send queues by status.
    pub snd_queues: Vec<QueueCount>,
    /// Deliveries to be done, without those marked as failed.
    pub pending_deliveries: u64,
    /// The time of the oldest message among them.
    pub oldest_undelivered: Option<UtcTime>,
    /// Work that was marked as failed, by kind.
    pub failed: Vec<FailedItems>,
    /// Since when the statistics of routers are counted; none without their row (AS-18).
    pub counted_since: Option<UtcTime>,
}

/// Counts, as everything is at one moment, and changes nothing. It reads every table.
///
/// # Errors
///
/// What the database refused; [`DbErrorKind::Schema`](crate::db::DbErrorKind::Schema) when it isn't at this
/// program's version.
pub fn stats(config: &DatabaseConfig) -> Result<AgentStats, DbError> {
    config.snapshot("counting", |tx| {
        status::require(tx)?;
        let (pending_deliveries, oldest_undelivered) = tx.query_one(&PENDING, &[], |row| {
            Ok((count(row, "snd_message_deliveries.pending")?, row.next("messages.oldest")?))
        })?;
        Ok(AgentStats {
            bytes: tx.query_one(&SIZE, &[], |row| count(row, "database.bytes"))?,
            tables: table_rows(tx)?,
            connections: tx.query(&CONNECTIONS, &[], conn_count)?,
            rcv_queues: tx.query(&RCV_QUEUES, &[], queue_count)?,
            snd_queues: tx.query(&SND_QUEUES, &[], queue_count)?,
            pending_deliveries,
            oldest_undelivered,
            failed: failed_items(tx)?,
            counted_since: tx
                .query_opt(&PERIOD, &[], |row| row.next("servers_stats.started_at"))?,
        })
    })
}

fn table_rows(tx: &mut Tx<'_>) -> Result<Vec<TableRows>, DbError> {
    let rows = |(table, sql): &(&'static str, Sql)| {
        let rows = tx.query_one(sql, &[], |row| count(row, "table.count"))?;
        Ok(TableRows { table, rows })
    };
    TABLES.iter().map(rows).collect()
}

fn conn_count(row: &mut Row<'_>) -> Result<ConnCount, DbError> {
    let mode: &str = row.next("connections.conn_mode")?;
    let mode = ConnectionMode::from_text(mode);
    let (has_rcv, has_snd) = (row.next("rcv_queues.has_rcv")?, row.next("snd_queues.has_snd")?);
    let kind = match (mode, has_rcv, has_snd) {
        (Some(ConnectionMode::Contact), true, false) => Some(ConnType::Contact),
        (Some(_), false, false) => Some(ConnType::New),
        (Some(ConnectionMode::Invitation), true, false) => Some(ConnType::Rcv),
        (Some(ConnectionMode::Invitation), false, true) => Some(ConnType::Snd),
        (Some(ConnectionMode::Invitation), true, true) => Some(ConnType::Duplex),
        _ => None,
    };
    Ok(ConnCount {
        kind,
        deleted: flag(row, "connections.deleted")?,
        waiting: flag(row, "connections.waiting")?,
        count: count(row, "connections.count")?,
    })
}

fn queue_count(row: &mut Row<'_>) -> Result<QueueCount, DbError> {
    let status: &str = row.next("queues.status")?;
    Ok(QueueCount {
        status: QueueStatus::from_text(status),
        deleted: flag(row, "queues.deleted")?,
        count: count(row, "queues.count")?,
    })
}

/// Whether a flag is set, also to a number that is none: that is for the check to tell.
fn flag(row: &mut Row<'_>, column: &'static str) -> Result<bool, DbError> {
    row.next::<i64>(column).map(|value| value != 0)
}

fn count(row: &mut Row<'_>, column: &'static str) -> Result<u64, DbError> {
    row.read(column, |count: i64| u64::try_from(count))
}
