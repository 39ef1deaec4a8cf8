//! Counting.

use super::change::has_notifier;
use crate::db::postgres::{Columns, Statements};
use crate::db::{DbError, Sql};
use crate::protocol::Semantics;
use crate::queue_store::EntityCounts;
use crate::queue_store::postgres::PostgresQueues;

macro_rules! count_services {
    () => {
        "(SELECT count(*) FROM services WHERE service_role = 'M') AS rcv_services,
         (SELECT count(*) FROM services WHERE service_role = 'N') AS ntf_services,"
    };
}

/// Queues count for services whose role fits (RACE-61).
const COUNTS: Sql = Sql::new(
    "count queues and services",
    concat!(
        "SELECT count(*) AS queues,
                count(*) FILTER (WHERE ",
        has_notifier!(),
        ") AS notifiers, ",
        count_services!(),
        " count(r.service_id) AS rcv_service_queues,
          count(n.service_id) FILTER (WHERE ",
        has_notifier!(),
        ") AS ntf_service_queues
           FROM msg_queues q
           LEFT JOIN services r ON r.service_id = q.rcv_service_id AND r.service_role = 'M'
           LEFT JOIN services n ON n.service_id = q.ntf_service_id AND n.service_role = 'N'
          WHERE q.deleted_at IS NULL"
    ),
);
/// Whatever stands in a column counts (OP-3).
const COUNTS_AS_REFERENCE: Sql = Sql::new(
    "count queues and services",
    concat!(
        "SELECT count(*) AS queues, count(q.notifier_id) AS notifiers, ",
        count_services!(),
        " count(q.rcv_service_id) AS rcv_service_queues,
          count(q.ntf_service_id) AS ntf_service_queues
           FROM msg_queues q WHERE q.deleted_at IS NULL"
    ),
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn count_all(&self) -> Result<EntityCounts, DbError> {
        let sql = match self.semantics() {
            Semantics::Strict => &COUNTS,
            Semantics::Reference => &COUNTS_AS_REFERENCE,
        };
        let row = self.read(sql.name(), |session| session.query_one(sql, &[]))?;
        let mut columns = Columns::of("msg_queues", &row);
        let mut next = |column| columns.count(column);
        Ok(EntityCounts {
            queues: next("queues")?,
            notifiers: next("notifiers")?,
            rcv_services: next("rcv_services")?,
            ntf_services: next("ntf_services")?,
            rcv_service_queues: next("rcv_service_queues")?,
            ntf_service_queues: next("ntf_service_queues")?,
        })
    }
}
