//! How many queues a service has, and the hash of their ids: stored with the service by triggers, and
//! computed afresh (RACE-51).

use crate::db::postgres::{Columns, Row, Statements, Transaction};
use crate::db::{DbError, Sql};

/// Each service with what its live rows come to, as `counted`.
macro_rules! counted {
    () => {
        "WITH live AS (
       SELECT rcv_service_id AS service_id, 'M' AS service_role, recipient_id AS id
         FROM msg_queues WHERE deleted_at IS NULL AND rcv_service_id IS NOT NULL
       UNION ALL
       SELECT ntf_service_id, 'N', notifier_id
         FROM msg_queues
        WHERE deleted_at IS NULL AND ntf_service_id IS NOT NULL AND notifier_id IS NOT NULL
     ), counted AS (
       SELECT s.service_id, count(q.id) AS queue_count,
              coalesce(
                int8send(bit_xor(('x' || left(md5(q.id), 16))::bit(64)::bigint))
                  || int8send(bit_xor(('x' || right(md5(q.id), 16))::bit(64)::bigint)),
                '\\x00000000000000000000000000000000'
              ) AS queue_ids_hash
         FROM services s LEFT JOIN live q USING (service_id, service_role)
        GROUP BY s.service_id
     ) "
    };
}

/// Services without queues included, which the schema's own function passes over.
const RECOMPUTE: Sql = Sql::new(
    "computing the aggregates of services",
    concat!(
        counted!(),
        "UPDATE services s
        SET queue_count = c.queue_count, queue_ids_hash = c.queue_ids_hash
       FROM counted c
      WHERE c.service_id = s.service_id
        AND (s.queue_count, s.queue_ids_hash) IS DISTINCT FROM (c.queue_count, c.queue_ids_hash)",
    ),
);
const DRIFTED: Sql = Sql::new(
    "comparing the aggregates of services",
    concat!(
        counted!(),
        "SELECT s.service_id, s.queue_count, c.queue_count AS actual_count,
            s.queue_ids_hash = c.queue_ids_hash AS same_hash
       FROM services s JOIN counted c USING (service_id)
      WHERE (s.queue_count, s.queue_ids_hash) IS DISTINCT FROM (c.queue_count, c.queue_ids_hash)
      ORDER BY s.service_id",
    ),
);

/// A service whose stored aggregates aren't those of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateDrift {
    /// The service, as base64url.
    pub service_id: String,
    /// How many queues it has by its own row.
    pub stored: i64,
    /// How many it has.
    pub actual: i64,
    /// Whether the stored hash is that of the rows.
    pub same_hash: bool,
}

/// Stores the aggregates of the rows; how many services had others. The tables must not change meanwhile.
pub(in crate::queue_store::postgres) fn recompute_aggregates(
    tx: &mut Transaction<'_>,
) -> Result<u64, DbError> {
    tx.execute(&RECOMPUTE, &[])
}

/// The services whose aggregates aren't those of their rows.
pub(super) fn drifted(statements: &mut impl Statements) -> Result<Vec<AggregateDrift>, DbError> {
    let rows = statements.query(&DRIFTED, &[])?;
    rows.iter().map(drift).collect()
}

/// How many services have aggregates that aren't those of their rows.
pub(in crate::queue_store::postgres) fn drifted_services(
    statements: &mut impl Statements,
) -> Result<u64, DbError> {
    Ok(drifted(statements)?.len() as u64)
}

fn drift(row: &Row) -> Result<AggregateDrift, DbError> {
    let mut columns = Columns::of("services", row);
    let id: &[u8] = columns.next("service_id")?;
    Ok(AggregateDrift {
        service_id: crate::encoding::base64url::to_string(id),
        stored: columns.next("queue_count")?,
        actual: columns.next("actual_count")?,
        same_hash: columns.next("same_hash")?,
    })
}
