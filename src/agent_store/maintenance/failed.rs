//! Work that a worker could not read, and marked so that it isn't handed out again (AS-34).

use crate::db::{DbError, Sql, Tx};

/// What kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailedKind {
    /// Sending a message to a queue.
    Delivery,
    /// A command.
    Command,
    /// An action of a subscription at its notification router.
    NtfAction,
    /// An action of a subscription at its message router.
    SmpAction,
    /// Deleting a token at its router.
    TokenToDelete,
    /// Receiving a file.
    RcvFile,
    /// Sending a file.
    SndFile,
    /// Deleting a replica at its router.
    DeletedReplica,
}

impl FailedKind {
    /// Its name in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivery => "deliveries",
            Self::Command => "commands",
            Self::NtfAction => "ntf_actions",
            Self::SmpAction => "smp_actions",
            Self::TokenToDelete => "tokens_to_delete",
            Self::RcvFile => "rcv_files",
            Self::SndFile => "snd_files",
            Self::DeletedReplica => "deleted_replicas",
        }
    }
}

/// How many items of a kind are marked as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedItems {
    /// The kind.
    pub kind: FailedKind,
    /// How many.
    pub count: u64,
}

macro_rules! failed {
    ($table:literal, $column:literal) => {
        Sql::new(
            concat!("counting failed rows of ", $table),
            concat!("SELECT count(*) AS count FROM ", $table, " WHERE ", $column, " <> 0"),
        )
    };
}

const KINDS: [(FailedKind, Sql); 8] = [
    (FailedKind::Delivery, failed!("snd_message_deliveries", "failed")),
    (FailedKind::Command, failed!("commands", "failed")),
    (FailedKind::NtfAction, failed!("ntf_subscriptions", "ntf_failed")),
    (FailedKind::SmpAction, failed!("ntf_subscriptions", "smp_failed")),
    (FailedKind::TokenToDelete, failed!("ntf_tokens_to_delete", "del_failed")),
    (FailedKind::RcvFile, failed!("rcv_files", "failed")),
    (FailedKind::SndFile, failed!("snd_files", "failed")),
    (FailedKind::DeletedReplica, failed!("deleted_snd_chunk_replicas", "failed")),
];

/// All kinds, also those of which there is none.
pub(super) fn failed_items(tx: &mut Tx<'_>) -> Result<Vec<FailedItems>, DbError> {
    let count = |(kind, sql): &(FailedKind, Sql)| {
        let count = tx.query_one(sql, &[], |row| {
            row.read("failed.count", |count: i64| u64::try_from(count))
        })?;
        Ok(FailedItems { kind: *kind, count })
    };
    KINDS.iter().map(count).collect()
}
