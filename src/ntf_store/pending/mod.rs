//! The store in which a message router keeps notifications until they are delivered.
//!
//! **The promise.** Each operation on a notifier is one transaction, and a stored notification stays until
//! somebody removes it: by its notifier, because it is older than a bound, or because it was handed over.
//! None is lost between two operations (RACE-63). The file is written whole or not at all, and what it
//! holds is found again after a crash at any moment (RACE-69).
//!
//! **The algorithm.** One [`TMap`] from a notifier's id to an immutable list that shares its structure with
//! the lists before it. The list is the map's value, not a cell beside it: there is nothing that a
//! removed entry could leave behind for somebody to append to. And a snapshot of the map, which takes
//! constant time, is the whole store at one moment: counting, saving and delivering begin with one and wait
//! for nobody.
//!
//! **The two semantics** differ where the reference leaves things behind:
//!
//! | | `Strict` | `Reference` |
//! |---|---|---|
//! | the last notification of a list goes, by expiry or delivery | its key goes with it (RACE-65) | an empty list stays (MN-3) |
//! | expiry | every notification older than the bound | none, when the oldest by arrival isn't (MN-2) |
//! | a line of the file can't be read | it is skipped and reported | the restore is refused (MN-7) |
//!
//! ```
//! use simplex_stores::ntf_store::pending::{HandedOver, PendingNtfStore};
//! use simplex_stores::protocol::{Blob, NotifierId, RoundedSeconds, Semantics};
//! use simplex_stores::protocol::ntf::{Nonce, PendingNtf};
//! use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pending = PendingNtfStore::new(Semantics::Strict);
//! let notifier = NotifierId::from_bytes(b"a notifier").ok_or("empty")?;
//! let ntf = PendingNtf {
//!     message_id: Blob::from(&b"message 1"[..]),
//!     at: RoundedSeconds::from_seconds(1_735_690_000),
//!     nonce: Nonce([0; 24]),
//!     meta: Blob::from(&b"encrypted"[..]),
//! };
//! assert_eq!(pending.store(&notifier, &ntf), 1);
//! assert_eq!(pending.delete_expired(RoundedSeconds::from_seconds(1_735_690_000)), 0);
//!
//! // Nobody has a queue with this notifier, so a pass drops what waits for it.
//! let queues = StmQueueStore::new(BasicFactory, Semantics::Strict);
//! let pass = pending.deliver(&queues, |_service, _entries| HandedOver::All)?;
//! assert_eq!((pass.dead_notifiers, pass.dead_ntfs, pass.handed_over), (1, 1, 0));
//! assert_eq!(pending.counts().ntfs, 0);
//! # Ok(())
//! # }
//! ```
//!
//! **Tests.** `tests/ntf_store/` has each item (MN-1 to MN-8), a sequential model, histories of threads, and
//! every failing step of the file; `loom-tests/tests/races/` has RACE-63 and RACE-65.

mod delivery;
mod file;
mod invariants;
mod list;
mod operations;
mod parts;
mod restore;
mod save;

use std::fmt;

pub use delivery::{DeliveryError, DeliveryReport, HandedOver};
pub use file::{
    BadLine, BadLineReason, DEFAULT_MAX_LINE, PendingFileError, PendingFileStep, PendingNtfFile,
};
pub use invariants::{PendingInvariants, PendingViolation};
pub use operations::{PendingCounts, PendingEntry};
pub use restore::RestoreReport;
pub use save::SaveReport;

use self::list::NtfList;
use crate::protocol::{NotifierId, Semantics};
use crate::stm::TMap;
use crate::sync::Mutex;
use crate::sync::atomic::AtomicBool;

/// A router's notifications that wait for delivery. See the [module](self).
pub struct PendingNtfStore {
    semantics: Semantics,
    ntfs: TMap<NotifierId, NtfList>,
    /// Whether a delivery pass is under way.
    delivering: AtomicBool,
    /// Held while a save writes: one at a time, so that the last to end is the last to have looked.
    saving: Mutex<()>,
}

impl PendingNtfStore {
    /// An empty store.
    #[must_use]
    pub fn new(semantics: Semantics) -> Self {
        Self {
            semantics,
            ntfs: TMap::new(),
            delivering: AtomicBool::new(false),
            saving: Mutex::new(()),
        }
    }

    /// The semantics that the store was made with.
    #[must_use]
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    fn is_strict(&self) -> bool {
        self.semantics == Semantics::Strict
    }
}

impl fmt::Debug for PendingNtfStore {
    /// Shows how many notifiers there are, and nothing of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingNtfStore")
            .field("semantics", &self.semantics)
            .field("notifiers", &self.ntfs.len_atomic())
            .finish_non_exhaustive()
    }
}
