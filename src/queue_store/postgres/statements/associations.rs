//! Associating queues, or their notifiers, with a service.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, change, has_notifier, live_queue};
use super::services::{require_service, role_of};
use crate::db::postgres::{Columns, Statements, Transaction};
use crate::db::{DbError, Sql};
use crate::protocol::{RecipientId, Semantics, ServiceId, ServiceParty};
use crate::queue_store::database::{PartyResults, Refusal, StatementError};
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::announcement::ANNOUNCE;

/// What differs between the two parties.
struct Party {
    /// For one queue, where the service is there and fits, and the triggers change one service at most.
    one: Change,
    lock: Sql,
    set: Sql,
}

const RECEIVING: Party = Party {
    one: change!(
        "set the receiving service of a queue",
        [
            "UPDATE msg_queues q SET rcv_service_id = $2 WHERE ",
            live_queue!(),
            " AND ($2::bytea IS NULL
                   OR (q.rcv_service_id IS NULL OR q.rcv_service_id = $2)
                      AND EXISTS (SELECT 1 FROM services
                                   WHERE service_id = $2 AND service_role = 'M'))"
        ]
    ),
    lock: Sql::new(
        "lock queues for a receiving service",
        "SELECT q.recipient_id, q.rcv_service_id AS service_id FROM msg_queues q
          WHERE q.recipient_id = ANY($1) AND q.deleted_at IS NULL
          ORDER BY q.recipient_id FOR NO KEY UPDATE",
    ),
    set: Sql::new(
        "set the receiving service of queues",
        "UPDATE msg_queues SET rcv_service_id = $2 WHERE recipient_id = ANY($1)",
    ),
};
const NOTIFYING: Party = Party {
    one: change!(
        "set the notifying service of a queue",
        [
            "UPDATE msg_queues q SET ntf_service_id = $2 WHERE ",
            live_queue!(),
            " AND ",
            has_notifier!(),
            " AND ($2::bytea IS NULL
                   OR (q.ntf_service_id IS NULL OR q.ntf_service_id = $2)
                      AND EXISTS (SELECT 1 FROM services
                                   WHERE service_id = $2 AND service_role = 'N'))"
        ]
    ),
    lock: Sql::new(
        "lock queues for a notifying service",
        concat!(
            "SELECT q.recipient_id, q.ntf_service_id AS service_id FROM msg_queues q
              WHERE q.recipient_id = ANY($1) AND q.deleted_at IS NULL AND ",
            has_notifier!(),
            " ORDER BY q.recipient_id FOR NO KEY UPDATE"
        ),
    ),
    set: Sql::new(
        "set the notifying service of queues",
        "UPDATE msg_queues SET ntf_service_id = $2 WHERE recipient_id = ANY($1)",
    ),
};
/// Only services of the party's role, whose counts the triggers change.
const LOCK_SERVICES: Sql = Sql::new(
    "lock services",
    "SELECT service_id FROM services WHERE service_id = ANY($1) AND service_role = $2
      ORDER BY service_id FOR NO KEY UPDATE",
);

/// Queues that can be associated, each with its present service.
type Locked = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

impl PostgresQueues {
    /// Queues are locked in the order of their ids, then services in the order of theirs; only then the
    /// triggers change services, in whatever order (RACE-49).
    pub(in crate::queue_store::postgres) fn associate(
        &self,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &[RecipientId],
    ) -> Result<PartyResults, DbError> {
        let statements = match party {
            ServiceParty::Receiver => &RECEIVING,
            ServiceParty::Notifier => &NOTIFYING,
        };
        match ids {
            [] => return Ok(Vec::new()),
            [id] if self.associate_one(statements, service, id)? => {
                return Ok(vec![(id.clone(), Ok(()))]);
            }
            _ => {}
        }
        let ids: BTreeSet<&RecipientId> = ids.iter().collect();
        self.transaction("set services", |tx| {
            self.associate_in(tx, statements, party, service, &ids)
        })
    }

    /// Whether it was done: under `Strict` most are, by one statement.
    fn associate_one(
        &self,
        statements: &Party,
        service: Option<&ServiceId>,
        id: &RecipientId,
    ) -> Result<bool, DbError> {
        if self.semantics() == Semantics::Reference {
            return Ok(false);
        }
        let service = service.map(ServiceId::as_bytes);
        match self.change_queue(&statements.one, &[&id.as_bytes(), &service]) {
            Ok(()) => Ok(true),
            Err(StatementError::Refused(_)) => Ok(false),
            Err(StatementError::Failed(error)) => Err(error),
        }
    }

    fn associate_in(
        &self,
        tx: &mut Transaction<'_>,
        statements: &Party,
        party: ServiceParty,
        service: Option<&ServiceId>,
        ids: &BTreeSet<&RecipientId>,
    ) -> Result<PartyResults, DbError> {
        let wanted: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes()).collect();
        let locked = lock_queues(tx, &statements.lock, &wanted)?;
        let allowed = match self.semantics() {
            Semantics::Strict => allowed(tx, party, service)?,
            Semantics::Reference => Ok(()),
        };
        if allowed.is_ok() {
            self.set_service(tx, statements, party, service, &locked)?;
        }
        let result = |id: &RecipientId| match locked.contains_key(id.as_bytes()) {
            true => allowed,
            false => Err(Refusal::Missing),
        };
        Ok(ids.iter().map(|id| (RecipientId::clone(id), result(id))).collect())
    }

    fn set_service(
        &self,
        tx: &mut Transaction<'_>,
        statements: &Party,
        party: ServiceParty,
        service: Option<&ServiceId>,
        locked: &Locked,
    ) -> Result<(), DbError> {
        let service = service.map(ServiceId::as_bytes);
        let changing = || locked.iter().filter(|(_, present)| present.as_deref() != service);
        let queues: Vec<&[u8]> = changing().map(|(id, _)| id.as_slice()).collect();
        if queues.is_empty() {
            return Ok(());
        }
        let present = changing().filter_map(|(_, present)| present.as_deref());
        let services: BTreeSet<&[u8]> = present.chain(service).collect();
        let services: Vec<&[u8]> = services.into_iter().collect();
        tx.query(&LOCK_SERVICES, &[&services, &role_of(party)])?;
        tx.execute(&statements.set, &[&queues, &service])?;
        if self.announces() {
            tx.execute(&ANNOUNCE, &[&self.sender().payloads(&queues)])?;
        }
        Ok(())
    }
}

fn lock_queues(tx: &mut Transaction<'_>, lock: &Sql, ids: &[&[u8]]) -> Result<Locked, DbError> {
    let rows = tx.query(lock, &[&ids])?;
    let queue = |row| -> Result<_, DbError> {
        let mut columns = Columns::of("msg_queues", row);
        Ok((columns.next("recipient_id")?, columns.next("service_id")?))
    };
    rows.iter().map(queue).collect()
}

fn allowed(
    tx: &mut Transaction<'_>,
    party: ServiceParty,
    service: Option<&ServiceId>,
) -> Result<Result<(), Refusal>, DbError> {
    match require_service(tx, party, service) {
        Ok(()) => Ok(Ok(())),
        Err(StatementError::Refused(refusal)) => Ok(Err(refusal)),
        Err(StatementError::Failed(error)) => Err(error),
    }
}
