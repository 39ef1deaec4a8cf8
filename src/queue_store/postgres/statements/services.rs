//! Services: finding and making them, what is kept with them, and who belongs to them.
//!
//! A service that was made is announced to nobody: no service is cached.

use super::change::has_notifier;
use crate::db::postgres::{Columns, Row, Statements, Transaction};
use crate::db::{DbError, DbErrorKind, Sql};
use crate::protocol::{
    CountHash, IdsHash, NotifierId, QueueRec, Semantics, ServiceId, ServiceParty, ServiceRec,
    ServiceRole, TextDecode,
};
use crate::queue_store::database::{NtfServices, Refusal, ServiceFound, StatementError};
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::rows::ServiceRow;

const TABLE: &str = "services";

const BY_CERTIFICATE: Sql = Sql::new(
    "find service",
    "SELECT service_id, service_role FROM services WHERE service_cert_hash = $1",
);
/// No row: whoever was faster made it.
const INSERT: Sql = Sql::new(
    "add service",
    "INSERT INTO services
       (service_id, service_role, service_cert, service_cert_hash, created_at)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (service_cert_hash) DO NOTHING",
);
const ROLE: Sql = Sql::new(
    "find the role of a service",
    "SELECT service_role FROM services WHERE service_id = $1",
);
const COUNT_HASH: Sql = Sql::new(
    "count the queues of a service",
    "SELECT service_role, queue_count, queue_ids_hash FROM services WHERE service_id = $1",
);
const NTF_SERVICES: Sql = Sql::new(
    "find the services of notifiers",
    concat!(
        "SELECT NULL::bytea AS notifier_id, service_id FROM services
         UNION ALL
         SELECT q.notifier_id, q.ntf_service_id FROM msg_queues q
          WHERE q.notifier_id = ANY($1) AND q.deleted_at IS NULL AND ",
        has_notifier!()
    ),
);

/// How often a service is looked for again that somebody else is just making.
const ROUNDS: usize = 8;

impl PostgresQueues {
    /// Looking and making are two statements, each a transaction: one of them alone decides the answer.
    /// Services never go.
    pub(in crate::queue_store::postgres) fn service_of_certificate(
        &self,
        service: &ServiceRec,
    ) -> Result<ServiceFound, StatementError> {
        for _ in 0..ROUNDS {
            if let Some(found) = self.known_service(service)? {
                return Ok(ServiceFound::Known(found));
            }
            let row = ServiceRow::of(service)?;
            let inserted =
                self.change(INSERT.name(), |session| session.execute(&INSERT, &row.values()));
            match inserted {
                Ok(0) => {}
                Ok(_) => return Ok(ServiceFound::Made(service.service_id.clone())),
                Err(error) if error.is_duplicate_in("services_pkey") => {
                    // Somebody may have made just this one at the same time.
                    let known = self.known_service(service)?;
                    return known.map(ServiceFound::Known).ok_or(Refusal::Taken.into());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let problem = "others make and remove this service without an end";
        Err(DbError::new(INSERT.name(), DbErrorKind::Other, problem).into())
    }

    fn known_service(&self, service: &ServiceRec) -> Result<Option<ServiceId>, StatementError> {
        let hash = &service.cert_hash.as_bytes()[..];
        let row = self
            .read(BY_CERTIFICATE.name(), |session| session.query_opt(&BY_CERTIFICATE, &[&hash]))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::of(TABLE, &row);
        let id = columns.read("service_id", service_id)?;
        if columns.read("service_role", role)? == service.role {
            return Ok(Some(id));
        }
        Err(Refusal::WrongRole.into())
    }

    pub(in crate::queue_store::postgres) fn kept_count_hash(
        &self,
        party: ServiceParty,
        service: &ServiceId,
    ) -> Result<Option<CountHash>, DbError> {
        let service = service.as_bytes();
        let row =
            self.read(COUNT_HASH.name(), |session| session.query_opt(&COUNT_HASH, &[&service]))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::of(TABLE, &row);
        if columns.next::<&str>("service_role")? != role_of(party) {
            return Ok(Some(CountHash::default()));
        }
        let count = columns.next("queue_count")?;
        let hash = columns.read("queue_ids_hash", |bytes: &[u8]| {
            IdsHash::from_bytes(bytes).ok_or("not a hash of 16 bytes")
        })?;
        Ok(Some(CountHash { count, hash }))
    }

    pub(in crate::queue_store::postgres) fn services_of_notifiers(
        &self,
        notifiers: &[NotifierId],
    ) -> Result<NtfServices, DbError> {
        let ids: Vec<&[u8]> = notifiers.iter().map(NotifierId::as_bytes).collect();
        let rows =
            self.read(NTF_SERVICES.name(), |session| session.query(&NTF_SERVICES, &[&ids]))?;
        let mut found = NtfServices::default();
        for row in &rows {
            read_ntf_service(row, &mut found)?;
        }
        found.services.sort_unstable();
        Ok(found)
    }
}

fn read_ntf_service(row: &Row, found: &mut NtfServices) -> Result<(), DbError> {
    let mut columns = Columns::of(TABLE, row);
    let notifier: Option<&[u8]> = columns.next("notifier_id")?;
    let service = |bytes: Option<&[u8]>| bytes.map(service_id).transpose();
    let service = columns.read("service_id", service)?;
    match (notifier.and_then(NotifierId::from_bytes), service) {
        (Some(notifier), service) => found.notifiers.push((notifier, service)),
        (None, Some(service)) => found.services.push(service),
        (None, None) => {}
    }
    Ok(())
}

/// Refuses a queue whose services aren't there or have other roles (RACE-23).
pub(super) fn require_services(
    tx: &mut Transaction<'_>,
    record: &QueueRec,
) -> Result<(), StatementError> {
    require_service(tx, ServiceParty::Receiver, record.rcv_service_id.as_ref())?;
    let notifying = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
    require_service(tx, ServiceParty::Notifier, notifying)
}

/// Refuses a service that isn't there or has another role. One that is there stays: services are never
/// removed and keep their role, and a foreign key holds them all the same.
pub(super) fn require_service(
    tx: &mut Transaction<'_>,
    party: ServiceParty,
    service: Option<&ServiceId>,
) -> Result<(), StatementError> {
    let Some(service) = service else { return Ok(()) };
    let Some(row) = tx.query_opt(&ROLE, &[&service.as_bytes()])? else {
        return Err(Refusal::NoService.into());
    };
    if Columns::of(TABLE, &row).next::<&str>("service_role")? == role_of(party) {
        return Ok(());
    }
    Err(Refusal::WrongRole.into())
}

/// The role of a party's services, as it stands in the column.
pub(super) fn role_of(party: ServiceParty) -> &'static str {
    match party {
        ServiceParty::Receiver => "M",
        ServiceParty::Notifier => "N",
    }
}

fn role(text: &str) -> Result<ServiceRole, String> {
    // Roles are read alike under both semantics.
    let role = ServiceRole::from_text(text.as_bytes(), Semantics::Strict);
    role.map_err(|problem| problem.to_string())
}

fn service_id(bytes: &[u8]) -> Result<ServiceId, &'static str> {
    ServiceId::from_bytes(bytes).ok_or("not an id: it is empty")
}
