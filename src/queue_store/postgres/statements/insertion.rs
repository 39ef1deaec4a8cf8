//! Adding a queue.
//!
//! Nobody is told of it: what other processes have cached are queues that they found, and this one was
//! nowhere to be found. A row deleted softly that had one of its ids was told of when it was deleted.

use super::ids::{Ids, is_open, refused_if_in_use};
use super::services::require_services;
use crate::db::Sql;
use crate::db::postgres::{Statements, Transaction};
use crate::protocol::{QueueRec, RecipientId, Semantics};
use crate::queue_store::database::StatementError;
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::rows::QueueRow;

macro_rules! insert_into {
    () => {
        "INSERT INTO msg_queues (recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key,
           queue_mode, notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at,
           link_id, rcv_service_id, fixed_data, user_data) "
    };
}

const INSERT: Sql = Sql::new(
    "add queue",
    concat!(
        insert_into!(),
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    ),
);
/// Only with services that are there and have the parties' roles. Their foreign keys hold them.
const INSERT_OF_SERVICES: Sql = Sql::new(
    "add queue of a service",
    concat!(
        insert_into!(),
        "SELECT $1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::text, $7::bytea, $8::bytea,
                $9::bytea, $10::bytea, $11::text, $12::bigint, $13::bytea, $14::bytea, $15::bytea,
                $16::bytea
          WHERE ($10 IS NULL
                 OR EXISTS (SELECT 1 FROM services WHERE service_id = $10 AND service_role = 'N'))
            AND ($14 IS NULL
                 OR EXISTS (SELECT 1 FROM services WHERE service_id = $14 AND service_role = 'M'))"
    ),
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn add_queue(
        &self,
        id: &RecipientId,
        record: &QueueRec,
    ) -> Result<(), StatementError> {
        let row = QueueRow::of(id, record)?;
        if self.semantics() == Semantics::Reference {
            return self.change(INSERT.name(), |session| {
                let inserted = session.execute(&INSERT, &row.values());
                inserted.map(drop).map_err(refused_if_in_use)
            });
        }
        let insert = if has_services(record) { &INSERT_OF_SERVICES } else { &INSERT };
        let inserted = self.change(INSERT.name(), |session| {
            session.execute(insert, &row.values()).map_err(StatementError::from)
        });
        match inserted {
            Ok(1..) => Ok(()),
            Err(_) if !is_open(&inserted) => inserted.map(drop),
            _ => self.add_queue_or_say_why(id, record, &row),
        }
    }

    /// Adds a queue whose ids rows have that are deleted softly, or whose services may not be there.
    fn add_queue_or_say_why(
        &self,
        id: &RecipientId,
        record: &QueueRec,
        row: &QueueRow<'_>,
    ) -> Result<(), StatementError> {
        let ids = Ids {
            recipient: Some(id.as_bytes()),
            sender: Some(record.sender_id.as_bytes()),
            notifier: record.notifier.as_ref().map(|creds| creds.notifier_id.as_bytes()),
            link: record.link.as_ref().map(|link| link.id.as_bytes()),
            own: None,
        };
        let insert = |tx: &mut Transaction<'_>| {
            require_services(tx, record)?;
            tx.execute(&INSERT, &row.values()).map(drop).map_err(StatementError::from)
        };
        self.transaction(INSERT.name(), |tx| ids.freed(tx, insert))
    }
}

fn has_services(record: &QueueRec) -> bool {
    let notifying = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
    record.rcv_service_id.is_some() || notifying.is_some()
}
