//! Ids that are to be unique among live queues, and rows that are deleted and still have them.

use crate::db::postgres::{Columns, Statements, Transaction};
use crate::db::{DbError, DbErrorKind, Sql};
use crate::queue_store::database::{Refusal, StatementError};

/// The primary key and the unique indexes of `msg_queues`.
const UNIQUE: [&str; 4] = [
    "msg_queues_pkey",
    "idx_msg_queues_sender_id",
    "idx_msg_queues_notifier_id",
    "idx_msg_queues_link_id",
];

const TAKEN: Sql = Sql::new(
    "look for live queues with an id",
    "SELECT EXISTS (
       SELECT 1 FROM msg_queues
        WHERE deleted_at IS NULL AND recipient_id IS DISTINCT FROM $5
          AND (recipient_id = $1 OR sender_id = $2 OR notifier_id = $3 OR link_id = $4)) AS taken",
);
/// In the order of ids, before any of them is changed.
const LOCK_DELETED: Sql = Sql::new(
    "lock deleted queues with an id",
    "SELECT recipient_id FROM msg_queues
      WHERE deleted_at IS NOT NULL
        AND (recipient_id = $1 OR sender_id = $2 OR notifier_id = $3 OR link_id = $4)
      ORDER BY recipient_id FOR UPDATE",
);
const PURGE_DELETED: Sql = Sql::new(
    "remove deleted queues with an id",
    "DELETE FROM msg_queues WHERE deleted_at IS NOT NULL AND (recipient_id = $1 OR sender_id = $2)",
);
const CLEAR_NOTIFIER: Sql = Sql::new(
    "remove the notifier of a deleted queue",
    "UPDATE msg_queues
        SET notifier_id = NULL, notifier_key = NULL, rcv_ntf_dh_secret = NULL, ntf_service_id = NULL
      WHERE deleted_at IS NOT NULL AND notifier_id = $1",
);
const CLEAR_LINK: Sql = Sql::new(
    "remove the link of a deleted queue",
    "UPDATE msg_queues SET link_id = NULL, fixed_data = NULL, user_data = NULL
      WHERE deleted_at IS NOT NULL AND link_id = $1",
);

/// How often ids are made free again, when others take them meanwhile and delete them again.
const ROUNDS: usize = 8;

/// Ids that a change gives to a queue.
#[derive(Clone, Copy, Default)]
pub(super) struct Ids<'a> {
    pub(super) recipient: Option<&'a [u8]>,
    pub(super) sender: Option<&'a [u8]>,
    pub(super) notifier: Option<&'a [u8]>,
    pub(super) link: Option<&'a [u8]>,
    /// The queue that may have them already.
    pub(super) own: Option<&'a [u8]>,
}

/// Whether some queue, live or deleted softly, has one of the ids.
pub(super) fn is_id_in_use(error: &DbError) -> bool {
    UNIQUE.iter().any(|constraint| error.is_duplicate_in(constraint))
}

/// What a unique index says is what the reference answers: taken, by a deleted queue too (PG-23).
pub(super) fn refused_if_in_use(error: DbError) -> StatementError {
    if is_id_in_use(&error) { Refusal::Taken.into() } else { error.into() }
}

/// Whether a change is to be tried again with its ids made free: they are in use, or its condition on
/// services failed.
pub(super) fn is_open<T>(result: &Result<T, StatementError>) -> bool {
    matches!(result, Err(StatementError::Failed(error)) if is_id_in_use(error))
}

impl Ids<'_> {
    /// Runs a change after taking its ids from rows that are deleted softly (RACE-44): such a row goes
    /// when its recipient's or sender's id is wanted, and loses its notifier or link when that is.
    ///
    /// # Errors
    ///
    /// `Taken` for an id of a live queue; what the change returns; what the database says.
    pub(super) fn freed<T>(
        &self,
        tx: &mut Transaction<'_>,
        mut change: impl FnMut(&mut Transaction<'_>) -> Result<T, StatementError>,
    ) -> Result<T, StatementError> {
        for _ in 0..ROUNDS {
            if self.are_taken(tx)? {
                return Err(Refusal::Taken.into());
            }
            self.free(tx)?;
            let result = tx.savepoint(&mut change);
            if !is_open(&result) {
                return result;
            }
        }
        let problem = "others take and delete the same ids without an end";
        Err(DbError::new("making ids free", DbErrorKind::Other, problem).into())
    }

    fn are_taken(&self, tx: &mut Transaction<'_>) -> Result<bool, DbError> {
        let Self { recipient, sender, notifier, link, own } = self;
        let row = tx.query_one(&TAKEN, &[recipient, sender, notifier, link, own])?;
        Columns::of("msg_queues", &row).next("taken")
    }

    fn free(&self, tx: &mut Transaction<'_>) -> Result<(), DbError> {
        let Self { recipient, sender, notifier, link, .. } = self;
        if tx.query(&LOCK_DELETED, &[recipient, sender, notifier, link])?.is_empty() {
            return Ok(());
        }
        tx.execute(&PURGE_DELETED, &[recipient, sender])?;
        tx.execute(&CLEAR_NOTIFIER, &[notifier])?;
        tx.execute(&CLEAR_LINK, &[link])?;
        Ok(())
    }
}
