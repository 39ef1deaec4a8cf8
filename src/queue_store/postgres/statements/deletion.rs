//! Deleting softly, and removing what was deleted.

use super::change::{Change, change, live_queue, queue_columns};
use crate::db::postgres::Statements;
use crate::db::{DbError, Sql};
use crate::protocol::{QueueRec, RecipientId};
use crate::queue_store::database::StatementError;
use crate::queue_store::postgres::PostgresQueues;

const DELETE: Change = change!(
    "delete queue",
    ["UPDATE msg_queues q SET deleted_at = $2 WHERE ", live_queue!()],
    returning[queue_columns!()]
);
/// In the order of ids: another process may purge at the same time.
const PURGE: Sql = Sql::new(
    "purge deleted queues",
    "DELETE FROM msg_queues WHERE recipient_id IN (
       SELECT recipient_id FROM msg_queues WHERE deleted_at < $1
        ORDER BY recipient_id LIMIT $2 FOR UPDATE)",
);
/// How many rows one statement removes: with their messages, in less time than a statement may take.
const PORTION: u64 = 1_000;

impl PostgresQueues {
    pub(in crate::queue_store::postgres) fn delete_softly(
        &self,
        id: &RecipientId,
        at: i64,
    ) -> Result<QueueRec, StatementError> {
        let row = self.change_returning(&DELETE, &[&id.as_bytes(), &at])?;
        Ok(self.last_record(&row)?)
    }

    /// In portions, each a transaction, so that a long time without a purge makes none that never ends.
    pub(in crate::queue_store::postgres) fn purge_deleted(
        &self,
        before: i64,
    ) -> Result<u64, DbError> {
        let limit = PORTION as i64;
        let mut purged = 0;
        loop {
            let removed =
                self.change(PURGE.name(), |session| session.execute(&PURGE, &[&before, &limit]))?;
            purged += removed;
            if removed < PORTION {
                return Ok(purged);
            }
        }
    }
}
