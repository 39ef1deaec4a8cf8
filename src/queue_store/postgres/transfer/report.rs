//! What a transfer did, and how far it is.

use super::content::Content;
use super::error::UnreadableRow;
use crate::db::DbError;
use crate::store_log::ReplayReport;

/// What a transfer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferPhase {
    /// The database adds up what it holds.
    AddingUp,
    /// Services and queues are sent, or fetched.
    Copying,
}

/// How far a transfer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferProgress {
    /// What it is doing.
    pub phase: TransferPhase,
    /// Queues sent or fetched.
    pub queues: u64,
    /// Queues in all; zero when not known.
    pub total: u64,
}

/// What an import did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportReport {
    /// What was read of the journal: counts, and warnings with their lines. An association with a service
    /// that isn't there, or doesn't fit, is among them: it is imported as none (RACE-23).
    pub replay: ReplayReport,
    /// Whether the journal had nothing but services and queues, and went straight into the database.
    pub streamed: bool,
    /// How many associations were imported as none.
    pub dangling: u64,
    /// What the database holds now, as the records say and the database agrees.
    pub content: Content,
}

/// What an export did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportReport {
    /// What the file holds, as its records say and the database agrees.
    pub content: Content,
    /// Bytes in the file.
    pub bytes: u64,
    /// Rows whose columns said the same in another form than this program writes: a status without its
    /// quotes (RACE-16), absent parts of link data (RACE-59), parts of a notifier (PG-32).
    pub restored: u64,
    /// Rows that were left out.
    pub left_out: Vec<UnreadableRow>,
    /// How many rows were left out in all.
    pub left_out_total: u64,
    /// Queues that the reference can't read from the file (RACE-13, RACE-14).
    pub strict_only: u64,
    /// Services whose stored count or hash of queues isn't that of their rows (RACE-51); a journal has no
    /// place for either.
    pub drifted_services: u64,
}

/// Rows that can't be read: the first of them, and how many.
#[derive(Debug)]
pub(in crate::queue_store::postgres) struct Unreadable {
    pub(in crate::queue_store::postgres) rows: Vec<UnreadableRow>,
    pub(in crate::queue_store::postgres) total: u64,
    limit: usize,
}

impl Unreadable {
    pub(in crate::queue_store::postgres) fn new(limit: usize) -> Self {
        Self { rows: Vec::new(), total: 0, limit }
    }

    pub(in crate::queue_store::postgres) fn push(&mut self, id: &[u8], error: DbError) {
        self.total += 1;
        let id = match id {
            [] => "a row without id".to_owned(),
            id => crate::encoding::base64url::to_string(id),
        };
        if self.rows.len() < self.limit {
            self.rows.push(UnreadableRow { id, error });
        } else {
            tracing::warn!(%id, %error, "a row can't be read");
        }
    }
}
