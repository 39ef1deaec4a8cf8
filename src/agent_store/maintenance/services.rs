//! Counts and hashes of services, which triggers keep, against the queues (AS-15).

use std::collections::BTreeMap;

use super::finding::{Finding, Severity, shown};
use crate::db::{DbError, Sql, Tx};
use crate::protocol::IdsHash;

const SERVICES: Sql = Sql::new(
    "reading services",
    "SELECT user_id, host, port, service_queue_count, service_queue_ids_hash FROM client_services",
);
const QUEUES: Sql = Sql::new(
    "reading queues of services",
    "SELECT c.user_id, q.host, q.port, q.rcv_id
       FROM rcv_queues q JOIN connections c ON c.conn_id = q.conn_id
      WHERE q.rcv_service_assoc <> 0 AND q.deleted = 0",
);

/// A user, and a router's hosts and port: the fingerprint isn't compared (AS-17).
type Service = (i64, String, String);

/// Adds up the queues of each service, one queue at a time; the services are held in memory.
pub(super) fn drifted(tx: &mut Tx<'_>) -> Result<Finding, DbError> {
    let stored = tx.query(&SERVICES, &[], |row| {
        let service: Service = (
            row.next("client_services.user_id")?,
            row.next("client_services.host")?,
            row.next("client_services.port")?,
        );
        let count: i64 = row.next("client_services.service_queue_count")?;
        // A hash that can't be read is told with the columns, and is none of a queue's here.
        let hash: Vec<u8> = row.next("client_services.service_queue_ids_hash")?;
        Ok((service, count, hash))
    })?;
    let services = stored.iter().map(|(service, ..)| (service.clone(), (0, IdsHash::EMPTY)));
    let mut counted: BTreeMap<Service, (i64, IdsHash)> = services.collect();
    if !counted.is_empty() {
        tx.query_each(&QUEUES, &[], |row| {
            let service: Service = (
                row.next("connections.user_id")?,
                row.next("rcv_queues.host")?,
                row.next("rcv_queues.port")?,
            );
            let id: &[u8] = row.next("rcv_queues.rcv_id")?;
            if let Some((count, hash)) = counted.get_mut(&service) {
                *count += 1;
                *hash = hash.xor(IdsHash::of_id(id));
            }
            Ok(())
        })?;
    }
    let mut finding = Finding::new(
        Severity::Leftover,
        "client_services",
        "count or hash isn't that of the service's queues (AS-15, AS-16)",
        "nothing is lost: subscribe the queues one by one, or delete the service and its associations",
    );
    for (service, count, hash) in &stored {
        let (actual, actual_hash) = counted.get(service).copied().unwrap_or((0, IdsHash::EMPTY));
        if (*count, hash.as_slice()) == (actual, actual_hash.as_bytes()) {
            continue;
        }
        let (user, host, port) = service;
        finding.add(|| {
            let place = format!("user_id={user} host={} port={}", shown(host), shown(port));
            Ok(format!("{place}: {count} queues stored, {actual} counted"))
        })?;
    }
    Ok(finding)
}
