//! The journal: a text log of records that only grows, replayed and compacted at every start.
//!
//! **Promise.** The log is the reference's, byte for byte, and either side reads the other's.
//! Records stand in commit order; what was acknowledged is there after a crash, to the degree that
//! was chosen ([`Durability`]); what failed is not; and nothing that could not be read disappears
//! in silence.
//!
//! - [`start`] opens a log for a running store; [`replay`] only reads one; [`compact_to`] writes a
//!   compacted copy; [`Journal::open_append`] appends to one that nobody replays.
//! - [`Journal::submit`] takes the records of one committed transaction, [`Ticket::wait`] waits
//!   until they are durable.
//! - A store takes part by being a [`ReplayTarget`].
//! - [`Storage`] stands between the journal and the disk.
//!
//! | file | what it is |
//! |---|---|
//! | `F` | the log |
//! | `F.start` | the log as it was, while a start compacts it; as long as it exists it is the truth |
//! | `F.bak` | what an unfinished start had written (CP-7) |
//! | `F.<timestamp>` | the log as it was before a start; see CP-9 for how long it stays |
//! | `F.<timestamp>.damaged` | the same, with lines that could not be read; stays until somebody deletes it |
//! | `F.torn.<timestamp>` | a torn last line that was cut off |
//! | `F.lock` | held by the process that owns the log (RACE-11); empty, and stays |
//! | `F.integrity` | the optional sidecar that proves damage |

mod append;
mod backups;
mod compact;
mod config;
mod desk;
mod error;
mod integrity;
mod journal;
pub(crate) mod lines;
mod log_file;
mod reader;
mod record;
mod replace;
mod replay;
mod report;
mod snapshot;
mod start;
pub(crate) mod storage;
mod ticket;
mod writer;

pub use compact::compact_to;
pub use config::{
    Clock, DEFAULT_MAX_LINE, DEFAULT_MAX_WARNINGS, Durability, OnDamage, Phase, Progress,
    ProgressFn, StoreLogConfig,
};
pub use error::{JournalError, JournalErrorKind, OpenError, OpenStep};
pub use journal::Journal;
pub use record::LogRecord;
pub use replay::{Line, ReplayTarget, replay};
pub use report::{
    AppendReport, CompactReport, Damage, DamageReason, Integrity, ReplayReport, ReplayWarning,
    RetentionError, StartReport, TornTail, WarningKind,
};
pub use snapshot::{SnapshotError, SnapshotKind, read_snapshot, write_snapshot};
pub use start::start;
pub use storage::{FsStorage, Storage, StorageFile, StorageLock, StorageRead};
pub use ticket::Ticket;

pub(crate) use backups::free_path;
pub(crate) use replace::replace_file;
#[cfg(feature = "postgres")]
pub(crate) use replay::{each_batch, readable_source, replay_file};
#[cfg(feature = "postgres")]
pub(crate) use report::Warnings;
pub(crate) use snapshot::is_snapshot;
#[cfg(feature = "postgres")]
pub(crate) use start::take_lock;
