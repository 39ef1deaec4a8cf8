//! Finding queues.

use super::change::{has_notifier, live_queue, queue_columns};
use crate::db::postgres::{Columns, Row, Statements};
use crate::db::{DbError, Sql};
use crate::protocol::{LinkData, LinkId, NotifierId, QueueRec, RecipientId, Semantics, ServiceId};
use crate::queue_store::QueueKey;
use crate::queue_store::database::{QueueRow, ReadRow};
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::rows;

const BY_RECIPIENT: Sql = Sql::new(
    "find queue by recipient",
    concat!("SELECT ", queue_columns!(), " FROM msg_queues q WHERE ", live_queue!()),
);
const BY_SENDER: Sql = Sql::new(
    "find queue by sender",
    concat!(
        "SELECT ",
        queue_columns!(),
        " FROM msg_queues q WHERE q.sender_id = $1 AND q.deleted_at IS NULL"
    ),
);
const BY_NOTIFIER: Sql = Sql::new(
    "find queue by notifier",
    concat!(
        "SELECT ",
        queue_columns!(),
        " FROM msg_queues q WHERE q.notifier_id = $1 AND q.deleted_at IS NULL AND ",
        has_notifier!()
    ),
);
const BY_LINK: Sql = Sql::new(
    "find queue by link",
    concat!(
        "SELECT ",
        queue_columns!(),
        " FROM msg_queues q WHERE q.link_id = $1 AND q.deleted_at IS NULL"
    ),
);
const BY_RECIPIENTS: Sql = Sql::new(
    "find queues by recipient",
    concat!(
        "SELECT ",
        queue_columns!(),
        " FROM msg_queues q WHERE q.recipient_id = ANY($1) AND q.deleted_at IS NULL"
    ),
);
const BY_NOTIFIERS: Sql = Sql::new(
    "find queues by notifier",
    concat!(
        "SELECT ",
        queue_columns!(),
        " FROM msg_queues q WHERE q.notifier_id = ANY($1) AND q.deleted_at IS NULL AND ",
        has_notifier!()
    ),
);
const LINK_DATA: Sql = Sql::new(
    "get link data",
    concat!(
        "SELECT q.fixed_data, q.user_data FROM msg_queues q WHERE ",
        live_queue!(),
        " AND q.link_id = $2"
    ),
);
const OF_SERVICE: Sql = Sql::new(
    "list queues of a service",
    "SELECT recipient_id FROM msg_queues WHERE rcv_service_id = $1 AND deleted_at IS NULL
      ORDER BY recipient_id",
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn queue_by_key(
        &self,
        key: &QueueKey,
    ) -> Result<Option<QueueRow>, DbError> {
        let (sql, id) = match key {
            QueueKey::Recipient(id) => (&BY_RECIPIENT, id.as_bytes()),
            QueueKey::Sender(id) => (&BY_SENDER, id.as_bytes()),
            QueueKey::Notifier(id) => (&BY_NOTIFIER, id.as_bytes()),
            QueueKey::Link(id) => (&BY_LINK, id.as_bytes()),
        };
        let row = self.read(sql.name(), |session| session.query_opt(sql, &[&id]))?;
        row.map(|row| self.queue_of(&rows::QueueRow::read(&row)?)).transpose()
    }

    pub(in crate::queue_store::postgres) fn queues_by_recipient(
        &self,
        ids: &[RecipientId],
    ) -> Result<Vec<ReadRow>, DbError> {
        let ids: Vec<&[u8]> = ids.iter().map(RecipientId::as_bytes).collect();
        self.rows_by(&BY_RECIPIENTS, &ids, |row| self.read_row(row))
    }

    pub(in crate::queue_store::postgres) fn queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<Vec<(NotifierId, ReadRow)>, DbError> {
        let ids: Vec<&[u8]> = ids.iter().map(NotifierId::as_bytes).collect();
        self.rows_by(&BY_NOTIFIERS, &ids, |row| {
            let notifier = row.notifier_id().and_then(NotifierId::from_bytes);
            Ok(notifier.zip(self.read_row(row)?))
        })
    }

    fn rows_by<T>(
        &self,
        sql: &Sql,
        ids: &[&[u8]],
        read: impl Fn(&rows::QueueRow<'_>) -> Result<Option<T>, DbError>,
    ) -> Result<Vec<T>, DbError> {
        let found = self.read(sql.name(), |session| session.query(sql, &[&ids]))?;
        let mut queues = Vec::with_capacity(found.len());
        for row in &found {
            queues.extend(read(&rows::QueueRow::read(row)?)?);
        }
        Ok(queues)
    }

    /// `None` for a row that can't be read and has no id that could be told, either (RACE-16).
    fn read_row(&self, row: &rows::QueueRow<'_>) -> Result<Option<ReadRow>, DbError> {
        let error = match (self.queue_of(row), self.semantics()) {
            (Ok((id, record)), _) => return Ok(Some((id, Ok(record)))),
            (Err(error), Semantics::Reference) => return Err(error),
            (Err(error), Semantics::Strict) => error,
        };
        let id = RecipientId::from_bytes(row.recipient_id());
        if id.is_none() {
            tracing::error!(%error, "a queue was passed over");
        }
        Ok(id.map(|id| (id, Err(error))))
    }

    /// Under `Reference` without link data: the reference doesn't read them here (PG-14).
    fn queue_of(&self, row: &rows::QueueRow<'_>) -> Result<QueueRow, DbError> {
        let (id, mut record) = row.decode(self.semantics())?;
        if self.semantics() == Semantics::Reference
            && let Some(link) = &mut record.link
        {
            link.data = LinkData::default();
        }
        Ok((id, record))
    }

    /// The record that a change gave back. The change was made, whether or not it can be read.
    pub(super) fn changed_record(&self, row: &Row) -> Result<QueueRec, DbError> {
        let read = rows::QueueRow::read(row).and_then(|row| self.queue_of(&row));
        read.map(|(_, record)| record).map_err(DbError::of_a_change_that_was_made)
    }

    /// The same of a queue that is gone, whole under both semantics.
    pub(super) fn last_record(&self, row: &Row) -> Result<QueueRec, DbError> {
        let read = rows::QueueRow::read(row).and_then(|row| row.decode(self.semantics()));
        read.map(|(_, record)| record).map_err(DbError::of_a_change_that_was_made)
    }

    /// Under `Strict` a part that is null is empty, under `Reference` an error (RACE-59).
    pub(in crate::queue_store::postgres) fn data_of_link(
        &self,
        id: &RecipientId,
        link: &LinkId,
    ) -> Result<Option<LinkData>, DbError> {
        let ids = (id.as_bytes(), link.as_bytes());
        let row = self
            .read(LINK_DATA.name(), |session| session.query_opt(&LINK_DATA, &[&ids.0, &ids.1]))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::of("msg_queues", &row);
        let mut part = |column| match self.semantics() {
            Semantics::Strict => {
                columns.next::<Option<&[u8]>>(column).map(Option::unwrap_or_default)
            }
            Semantics::Reference => columns.next::<&[u8]>(column),
        };
        let (fixed, user) = (part("fixed_data")?, part("user_data")?);
        Ok(Some(LinkData { fixed: fixed.into(), user: user.into() }))
    }

    pub(in crate::queue_store::postgres) fn queues_of_service(
        &self,
        service: &ServiceId,
    ) -> Result<Vec<RecipientId>, DbError> {
        let service = service.as_bytes();
        let rows =
            self.read(OF_SERVICE.name(), |session| session.query(&OF_SERVICE, &[&service]))?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            let bytes: &[u8] = Columns::of("msg_queues", row).next("recipient_id")?;
            match RecipientId::from_bytes(bytes) {
                Some(id) => ids.push(id),
                None => tracing::error!("a queue without a recipient id was passed over"),
            }
        }
        Ok(ids)
    }
}
