//! Moving a router's queues between a journal and a database (PG-16).
//!
//! **The promise.** An import is one transaction (RACE-52): the database has all services and queues of
//! the journal afterwards, or is exactly as it was, whatever ends the import: an error, a lost
//! connection, the death of the process. The journal is only read. An export is of one moment, and its
//! file is there whole or not at all. Both end by comparing counts and digests of both sides, each
//! computed by itself ([`Content`]); a difference is an error, and then nothing was changed.
//!
//! **How.** Rows go in as a binary COPY, which has nothing to escape (RACE-16), with their columns named
//! and checked first. A journal of nothing but services and queues, as a start or an export leaves it,
//! is read twice: once to check that every row can be stored, and once to send them, a few at a time.
//! Any other is replayed into a [`StmQueueStore`](crate::queue_store::StmQueueStore) first, and takes
//! the memory that this takes. Rows come out in order of their ids, queues one at a time. Services are all held
//! in memory, on both ways.
//!
//! **The tests that show it.** `tests/postgres/transfer*.rs`, on a real server.

mod content;
mod error;
mod export;
mod import;
mod refit;
mod report;
mod rows_out;
mod survey;

pub use content::{Content, Difference, RowsDigest};
pub use error::{TransferError, UnreadableRow, UnstorableRecord};
pub use export::{ExportOptions, export};
pub use import::{ImportOptions, import};
pub use report::{ExportReport, ImportReport, TransferPhase, TransferProgress};

pub(super) use report::Unreadable;
pub(super) use rows_out::{each_live_row, service_problems};
