//! The live rows of a database, one at a time.

use super::content::{RowsDigest, digest_of_queue, digest_of_row};
use super::report::Unreadable;
use crate::db::postgres::{Row, Statements as _, Transaction};
use crate::db::{DbError, DbErrorKind, Sql};
use crate::protocol::{QueueRec, RecipientId, Semantics, ServiceRec};
use crate::queue_store::postgres::rows::{QueueRow, ServiceRow};

const QUEUES: Sql = Sql::new(
    "reading queues",
    "SELECT recipient_id, recipient_keys, rcv_dh_secret, sender_id, sender_key, queue_mode,
       notifier_id, notifier_key, rcv_ntf_dh_secret, ntf_service_id, status, updated_at, link_id,
       rcv_service_id, fixed_data, user_data
     FROM msg_queues WHERE deleted_at IS NULL ORDER BY recipient_id",
);
const SERVICES: Sql = Sql::new(
    "reading services",
    "SELECT service_id, service_role, service_cert, service_cert_hash, created_at
     FROM services ORDER BY service_id",
);

/// A row of a queue as it was read.
pub(in crate::queue_store::postgres) struct RowRead {
    /// The recipient's id, whatever it is.
    pub(in crate::queue_store::postgres) id: Vec<u8>,
    /// Whether notifier and link columns have ids, whatever else they have.
    pub(super) has_notifier: bool,
    pub(super) has_link: bool,
    /// The digest of the columns.
    pub(super) digest: RowsDigest,
    /// The queue, and the digest that its columns should have; or what can't be read.
    pub(super) queue: Result<(RecipientId, QueueRec), DbError>,
    pub(super) rewritten: RowsDigest,
}

impl RowRead {
    /// What keeps the row from being read.
    pub(in crate::queue_store::postgres) fn problem(&self) -> Option<&DbError> {
        self.queue.as_ref().err()
    }

    /// Whether the row says the same in another form than this program writes it.
    pub(in crate::queue_store::postgres) fn is_odd(&self) -> bool {
        self.queue.is_ok() && self.digest != self.rewritten
    }

    /// The queue, in a row that can be read.
    pub(in crate::queue_store::postgres) fn queue(&self) -> Option<&(RecipientId, QueueRec)> {
        self.queue.as_ref().ok()
    }

    fn of(row: &Row) -> Result<Self, DbError> {
        let row = QueueRow::read(row)?;
        let digest = digest_of_row(&row);
        let columns = row.columns_bytes();
        let given = |index: usize| columns.get(index).is_some_and(Option::is_some);
        let queue = row.decode(Semantics::Strict);
        let rewritten = match &queue {
            Ok((id, record)) => digest_of_queue(id, record)?,
            Err(_) => RowsDigest::EMPTY,
        };
        Ok(Self {
            id: row.recipient_id().to_vec(),
            has_notifier: given(NOTIFIER_ID),
            has_link: given(LINK_ID),
            digest,
            queue,
            rewritten,
        })
    }
}

/// Places in `QUEUE_COLUMNS`.
const NOTIFIER_ID: usize = 6;
const LINK_ID: usize = 12;

/// Runs each live row through `each`, in order of recipient ids, without holding them all.
pub(in crate::queue_store::postgres) fn each_live_row<E: From<DbError>>(
    tx: &mut Transaction<'_>,
    mut each: impl FnMut(RowRead) -> Result<(), E>,
) -> Result<(), E> {
    tx.query_each(&QUEUES, &[], |row| each(RowRead::of(&row)?))
}

/// A service's id as it stands, and the service or what can't be read of it.
pub(super) type ServiceRead = (Vec<u8>, Result<ServiceRec, DbError>);

/// All services in order of their ids.
pub(super) fn services(tx: &mut Transaction<'_>) -> Result<Vec<ServiceRead>, DbError> {
    let rows = tx.query(&SERVICES, &[])?;
    let read = |row: &Row| {
        let id: &[u8] = row.try_get(0).map_err(|_| {
            DbError::new(SERVICES.name(), DbErrorKind::Schema, "service_id is no bytea")
        })?;
        Ok((id.to_vec(), ServiceRow::read(row)?.decode()))
    };
    rows.iter().map(read).collect()
}

/// Notes the services that can't be read.
pub(in crate::queue_store::postgres) fn service_problems(
    tx: &mut Transaction<'_>,
    unreadable: &mut Unreadable,
) -> Result<(), DbError> {
    for (id, service) in services(tx)? {
        if let Err(error) = service {
            unreadable.push(&id, error);
        }
    }
    Ok(())
}
