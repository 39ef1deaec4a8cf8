//! How a journal is opened: where, how durable, how lenient.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use time::OffsetDateTime;

use super::storage::{FsStorage, Storage, with_suffix};
use crate::protocol::Semantics;

/// When a change counts as written, that is, when its [`Ticket`](super::Ticket) is answered.
///
/// Whatever is chosen, a change is visible to other threads as soon as its transaction has
/// committed, before it is durable; records stand in the file in commit order; and the first failed
/// write or fsync stops the journal. Compaction syncs its files whatever is chosen (CR-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// At once. The writer thread hands records to the operating system as soon as it can. A
    /// process crash may lose the last few.
    Memory,
    /// Once the operating system has the record (CP-3, as the reference). A process crash loses
    /// nothing; a power loss may lose what the system had not written yet.
    #[default]
    Flush,
    /// Once the record's group is on stable storage. A power loss loses nothing that was answered.
    Fsync,
}

/// What a start does about damage: a record that cannot be read with readable ones after it, or
/// bytes that the integrity sidecar proves changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDamage {
    /// The start is refused, and nothing is changed on disk.
    Refuse,
    /// Damaged records are skipped, counted and reported, as in the reference (RP-1). The original
    /// file is kept as `F.<timestamp>.damaged`, a name that no retention ever deletes.
    Skip,
    /// Refused where the sidecar proves that the file is not as it was written; skipped elsewhere,
    /// for a line may be unreadable because another program wrote it so (JR-20, JR-21).
    #[default]
    RefuseIfProven,
}

/// What is going on when a [`Progress`] is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The file is compared with its integrity sidecar.
    Verifying,
    /// Records are read and applied.
    Replaying,
    /// The compacted file is written; its final size is not known beforehand.
    Compacting,
}

/// How far a replay or a compaction has come (RP-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is going on.
    pub phase: Phase,
    /// Lines read or written so far.
    pub lines: u64,
    /// Bytes read or written so far.
    pub bytes: u64,
    /// Bytes that there are in all; zero when not known.
    pub total_bytes: u64,
}

/// Called with the progress, once per batch of at least a few thousand lines, on the thread that
/// replays.
pub type ProgressFn = Arc<dyn Fn(Progress) + Send + Sync>;

/// Gives the current UTC time, for the names and the age of backups.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// The longest line that is held in memory, in bytes.
pub const DEFAULT_MAX_LINE: usize = 16 * 1024 * 1024;

/// How many warnings and damaged places a report lists one by one; beyond it they are counted and
/// logged.
pub const DEFAULT_MAX_WARNINGS: usize = 10_000;

/// How a journal is opened. Made with [`StoreLogConfig::new`], then changed method by method.
///
/// ```
/// use simplex_stores::store_log::{Durability, OnDamage, StoreLogConfig};
/// let config = StoreLogConfig::new("/var/opt/simplex/smp-server-store.log")
///     .durability(Durability::Fsync)
///     .on_damage(OnDamage::Refuse)
///     .integrity(true);
/// assert!(config.path().ends_with("smp-server-store.log"));
/// ```
#[derive(Clone)]
pub struct StoreLogConfig {
    pub(crate) path: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) semantics: Semantics,
    pub(crate) on_damage: OnDamage,
    pub(crate) integrity: bool,
    pub(crate) max_line: usize,
    pub(crate) max_warnings: usize,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) progress: Option<ProgressFn>,
    pub(crate) clock: Clock,
}

impl StoreLogConfig {
    /// A journal at `path` on the operating system's files, with [`Durability::Flush`], strict
    /// semantics, [`OnDamage::RefuseIfProven`] and no sidecar.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durability: Durability::default(),
            semantics: Semantics::default(),
            on_damage: OnDamage::default(),
            integrity: false,
            max_line: DEFAULT_MAX_LINE,
            max_warnings: DEFAULT_MAX_WARNINGS,
            storage: Arc::new(FsStorage),
            progress: None,
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }

    /// Sets when a change counts as written.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets which lines are readable: what they mean (strict) or what the reference reads.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    /// Sets what a start does about damage.
    #[must_use]
    pub fn on_damage(mut self, on_damage: OnDamage) -> Self {
        self.on_damage = on_damage;
        self
    }

    /// Turns the integrity sidecar `F.integrity` on or off. Off, none is written; one that is there
    /// is left alone and not consulted.
    #[must_use]
    pub fn integrity(mut self, on: bool) -> Self {
        self.integrity = on;
        self
    }

    /// Sets the longest line held in memory, in bytes. A longer one is skipped and reported.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets how many warnings, and how many damaged places, a report lists one by one.
    #[must_use]
    pub fn max_warnings(mut self, count: usize) -> Self {
        self.max_warnings = count;
        self
    }

    /// Puts the files elsewhere than in the operating system's.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }

    /// Reports progress to `progress`, on the thread that replays.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Takes the time for backups from `clock` instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The journal's path, F in the documentation.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The semantics that lines are read under.
    pub fn chosen_semantics(&self) -> Semantics {
        self.semantics
    }

    /// When a change counts as written.
    pub fn chosen_durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn start_path(&self) -> PathBuf {
        with_suffix(&self.path, ".start")
    }

    pub(crate) fn bak_path(&self) -> PathBuf {
        with_suffix(&self.path, ".bak")
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        with_suffix(&self.path, ".lock")
    }

    pub(crate) fn integrity_path(&self) -> PathBuf {
        with_suffix(&self.path, ".integrity")
    }

    pub(crate) fn report_progress(&self, progress: Progress) {
        if let Some(report) = &self.progress {
            report(progress);
        }
    }
}

impl fmt::Debug for StoreLogConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLogConfig")
            .field("path", &self.path)
            .field("durability", &self.durability)
            .field("semantics", &self.semantics)
            .field("on_damage", &self.on_damage)
            .field("integrity", &self.integrity)
            .field("max_line", &self.max_line)
            .finish_non_exhaustive()
    }
}
