//! Changes of single fields.

use super::change::{Change, change, live_queue, queue_columns};
use crate::protocol::{AuthKey, EntityStatus, QueueRec, RecipientId, RecipientKeys, RoundedDate};
use crate::queue_store::database::StatementError;
use crate::queue_store::postgres::PostgresQueues;
use crate::queue_store::postgres::rows;

/// PG-12: the same key again is an update like any other.
const SET_SENDER_KEY: Change = change!(
    "set sender key",
    [
        "UPDATE msg_queues q SET sender_key = $2 WHERE ",
        live_queue!(),
        " AND (q.sender_key IS NULL OR q.sender_key = $2)"
    ]
);
const SET_RECIPIENT_KEYS: Change = change!(
    "set recipient keys",
    ["UPDATE msg_queues q SET recipient_keys = $2 WHERE ", live_queue!()]
);
const SET_STATUS: Change =
    change!("set status", ["UPDATE msg_queues q SET status = $2 WHERE ", live_queue!()]);
const SET_DATE: Change = change!(
    "set update date",
    ["UPDATE msg_queues q SET updated_at = $2 WHERE ", live_queue!()],
    returning[queue_columns!()]
);

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn update_sender_key(
        &self,
        id: &RecipientId,
        key: &AuthKey,
    ) -> Result<(), StatementError> {
        self.change_queue(&SET_SENDER_KEY, &[&id.as_bytes(), &key.to_der()])
    }

    pub(in crate::queue_store::postgres) fn update_recipient_keys(
        &self,
        id: &RecipientId,
        keys: &RecipientKeys,
    ) -> Result<(), StatementError> {
        self.change_queue(&SET_RECIPIENT_KEYS, &[&id.as_bytes(), &rows::keys(keys)?])
    }

    pub(in crate::queue_store::postgres) fn update_status(
        &self,
        id: &RecipientId,
        status: &EntityStatus,
    ) -> Result<(), StatementError> {
        self.change_queue(&SET_STATUS, &[&id.as_bytes(), &rows::text(status)])
    }

    pub(in crate::queue_store::postgres) fn update_date(
        &self,
        id: &RecipientId,
        date: RoundedDate,
    ) -> Result<QueueRec, StatementError> {
        let row = self.change_returning(&SET_DATE, &[&id.as_bytes(), &date.seconds()])?;
        Ok(self.changed_record(&row)?)
    }
}
