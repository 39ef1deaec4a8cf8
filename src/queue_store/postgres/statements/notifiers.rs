//! Setting and removing a queue's notifier.

use super::change::{Change, change, live_queue};
use super::ids::{Ids, is_open};
use super::services::require_service;
use crate::db::postgres::{Columns, Row, Statements, Transaction};
use crate::db::{DbError, Sql};
use crate::protocol::{NtfCreds, RecipientId, Semantics, ServiceParty};
use crate::queue_store::database::{Refusal, StatementError};
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::rows::read_notifier;

/// The queue with its present notifier, locked: what is replaced is what was there.
macro_rules! present_notifier {
    () => {
        "(SELECT q.recipient_id, q.notifier_id, q.notifier_key, q.rcv_ntf_dh_secret, q.ntf_service_id
            FROM msg_queues q WHERE q.recipient_id = $1 AND q.deleted_at IS NULL FOR UPDATE)"
    };
}
macro_rules! old_notifier {
    () => {
        "old.notifier_id, old.notifier_key, old.rcv_ntf_dh_secret, old.ntf_service_id"
    };
}

/// As the reference: the service is cleared (PG-27), and the same notifier again is fine.
const SET_AS_REFERENCE: Change = change!(
    "set notifier",
    [
        "UPDATE msg_queues q
            SET notifier_id = $2, notifier_key = $3, rcv_ntf_dh_secret = $4, ntf_service_id = NULL
           FROM ",
        present_notifier!(),
        " old WHERE q.recipient_id = old.recipient_id"
    ],
    returning[old_notifier!()]
);
/// Where it is clear that it may be done, and that the triggers change one service at most.
const SET_NOTIFIER: Change = change!(
    "set notifier",
    [
        "UPDATE msg_queues q
            SET notifier_id = $2, notifier_key = $3, rcv_ntf_dh_secret = $4, ntf_service_id = $5
           FROM ",
        present_notifier!(),
        " old WHERE q.recipient_id = old.recipient_id AND old.notifier_id IS DISTINCT FROM $2
            AND ($5::bytea IS NULL
                 OR (old.ntf_service_id IS NULL OR old.ntf_service_id = $5)
                    AND EXISTS (SELECT 1 FROM services WHERE service_id = $5 AND service_role = 'N'))"
    ],
    returning [old_notifier!()]
);
/// The queue is locked before, and so are the services.
const REPLACE_NOTIFIER: Change = change!(
    "replace notifier",
    [
        "UPDATE msg_queues q
            SET notifier_id = $2, notifier_key = $3, rcv_ntf_dh_secret = $4, ntf_service_id = $5
          WHERE ",
        live_queue!()
    ]
);
const LOCK_NOTIFIER: Sql = Sql::new(
    "lock a queue for a notifier",
    concat!(
        "SELECT ",
        old_notifier!(),
        " FROM msg_queues old WHERE old.recipient_id = $1 AND old.deleted_at IS NULL FOR UPDATE"
    ),
);
const LOCK_NOTIFYING: Sql = Sql::new(
    "lock the services of two notifiers",
    "SELECT service_id FROM services
      WHERE service_id IN ($1, $2) AND service_role = 'N' ORDER BY service_id FOR NO KEY UPDATE",
);
const DELETE_NOTIFIER: Change = change!(
    "delete notifier",
    [
        "UPDATE msg_queues q
            SET notifier_id = NULL, notifier_key = NULL, rcv_ntf_dh_secret = NULL,
                ntf_service_id = NULL
           FROM ",
        present_notifier!(),
        " old WHERE q.recipient_id = old.recipient_id"
    ],
    returning[old_notifier!()]
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn replace_notifier(
        &self,
        id: &RecipientId,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError> {
        let values = Values::of(id, creds);
        let Values { id, notifier, key, secret, service } = &values;
        if self.semantics() == Semantics::Reference {
            let set = self.change_returning(&SET_AS_REFERENCE, &[id, notifier, key, secret]);
            if is_open(&set) {
                return Err(Refusal::Taken.into());
            }
            return Ok(replaced(&set?)?);
        }
        let set = self.change_returning(&SET_NOTIFIER, &[id, notifier, key, secret, service]);
        match set {
            Ok(row) => Ok(replaced(&row)?),
            Err(StatementError::Refused(_)) => self.replace_notifier_or_say_why(&values, creds),
            Err(_) if is_open(&set) => self.replace_notifier_or_say_why(&values, creds),
            Err(error) => Err(error),
        }
    }

    /// Replaces a notifier by one of another service, or one whose id a row has that is deleted softly;
    /// or says what is wrong with it.
    fn replace_notifier_or_say_why(
        &self,
        values: &Values<'_>,
        creds: &NtfCreds,
    ) -> Result<Option<NtfCreds>, StatementError> {
        let Values { id, notifier, key, secret, service } = values;
        let sql = REPLACE_NOTIFIER.sql(self.announces());
        self.transaction(SET_NOTIFIER.quiet.name(), |tx| {
            let Some(row) = tx.query_opt(&LOCK_NOTIFIER, &[id])? else {
                return Err(Refusal::Missing.into());
            };
            let old = read_notifier(&row)?;
            require_service(tx, ServiceParty::Notifier, creds.service_id.as_ref())?;
            let old_service: Option<&[u8]> = service_of(&row)?;
            // An id without the rest of a notifier is none (PG-32).
            let own = old.is_none().then_some(*id);
            let ids = Ids { notifier: Some(*notifier), own, ..Ids::default() };
            ids.freed(tx, |tx: &mut Transaction<'_>| {
                if old_service.is_some() && service.is_some() {
                    tx.query(&LOCK_NOTIFYING, &[&old_service, service])?;
                }
                let set = tx.execute(sql, &[id, notifier, key, secret, service]);
                set.map(drop).map_err(StatementError::from)
            })?;
            Ok(old)
        })
    }

    pub(in crate::queue_store::postgres) fn remove_notifier(
        &self,
        id: &RecipientId,
    ) -> Result<Option<NtfCreds>, StatementError> {
        let row = self.change_returning(&DELETE_NOTIFIER, &[&id.as_bytes()])?;
        Ok(replaced(&row)?)
    }
}

/// What is bound to the parameters.
struct Values<'a> {
    id: &'a [u8],
    notifier: &'a [u8],
    key: Vec<u8>,
    secret: &'a [u8],
    service: Option<&'a [u8]>,
}

impl<'a> Values<'a> {
    fn of(id: &'a RecipientId, creds: &'a NtfCreds) -> Self {
        Self {
            id: id.as_bytes(),
            notifier: creds.notifier_id.as_bytes(),
            key: creds.key.to_der(),
            secret: creds.dh_secret.as_bytes(),
            service: creds.service_id.as_ref().map(|id| id.as_bytes()),
        }
    }
}

/// The notifier that a change gave back. The change was made, whether or not it can be read.
fn replaced(row: &Row) -> Result<Option<NtfCreds>, DbError> {
    read_notifier(row).map_err(DbError::of_a_change_that_was_made)
}

/// The service counts also where the rest of the notifier isn't there.
fn service_of(row: &Row) -> Result<Option<&[u8]>, DbError> {
    let mut columns = Columns::of("msg_queues", row);
    columns.next::<Option<&[u8]>>("notifier_id")?;
    columns.next::<Option<&[u8]>>("notifier_key")?;
    columns.next::<Option<&[u8]>>("rcv_ntf_dh_secret")?;
    columns.next("ntf_service_id")
}
