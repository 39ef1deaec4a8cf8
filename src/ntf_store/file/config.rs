//! How a file of notifications is read and written.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::protocol::Semantics;
use crate::store_log::storage::with_suffix;
use crate::store_log::{
    Clock, DEFAULT_MAX_LINE, DEFAULT_MAX_WARNINGS, FsStorage, Phase, Progress, ProgressFn, Storage,
};

/// In which form a store is saved. Loading tells them apart by the first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NtfFileForm {
    /// The reference's records, one a line. A damaged line loses only itself; what the records have no place for
    /// is in [`NtfNotHeld`](super::NtfNotHeld).
    #[default]
    Text,
    /// A snapshot in a frame with a checksum: everything that the store holds. A damaged one is refused whole.
    Binary,
}

/// How a file of notifications is read and written. Made with [`NtfFileConfig::new`], then changed method by
/// method.
///
/// ```
/// use simplex_stores::ntf_store::{NtfFileConfig, NtfFileForm};
/// let config = NtfFileConfig::new("/var/opt/simplex-notifications/ntf-store.log")
///     .form(NtfFileForm::Binary);
/// assert!(config.path().ends_with("ntf-store.log"));
/// ```
#[derive(Clone)]
pub struct NtfFileConfig {
    pub(super) path: PathBuf,
    pub(super) form: NtfFileForm,
    pub(super) semantics: Semantics,
    pub(super) last_ntf_limit: Option<Option<NonZeroUsize>>,
    pub(super) max_line: usize,
    pub(super) max_warnings: usize,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) clock: Clock,
    progress: Option<ProgressFn>,
}

impl NtfFileConfig {
    /// A file at `path` on the operating system's files, saved as text, read under strict semantics.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            form: NtfFileForm::default(),
            semantics: Semantics::default(),
            last_ntf_limit: None,
            max_line: DEFAULT_MAX_LINE,
            max_warnings: DEFAULT_MAX_WARNINGS,
            storage: Arc::new(FsStorage),
            clock: Arc::new(OffsetDateTime::now_utc),
            progress: None,
        }
    }

    /// Sets the form of what is saved.
    #[must_use]
    pub fn form(mut self, form: NtfFileForm) -> Self {
        self.form = form;
        self
    }

    /// Sets the semantics of the store that is loaded, and which lines are readable.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    /// Sets how many last notifications of a token the store that is loaded keeps, the newest; `None` is all.
    /// Unless it is set, it is what a snapshot of the same semantics says, else what
    /// [`NtfStore::new`](crate::ntf_store::NtfStore::new) does.
    #[must_use]
    pub fn last_ntf_limit(mut self, limit: Option<NonZeroUsize>) -> Self {
        self.last_ntf_limit = Some(limit);
        self
    }

    /// Sets the longest line held in memory, in bytes (at least 1). A longer one is skipped and reported when it
    /// is read, and left out and reported when it should be written.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes.max(1);
        self
    }

    /// Sets how many warnings a report lists one by one; beyond it they are counted and logged.
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

    /// Takes the time in the name of a kept file from `clock` instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Reports the progress of loading a text to `progress`, on the thread that loads, every few thousand lines.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// The file's path, F in the documentation.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        with_suffix(&self.path, ".lock")
    }

    pub(super) fn report_progress(&self, lines: u64, bytes: u64, total_bytes: u64) {
        if let Some(report) = &self.progress {
            report(Progress { phase: Phase::Replaying, lines, bytes, total_bytes });
        }
    }
}

impl fmt::Debug for NtfFileConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtfFileConfig")
            .field("path", &self.path)
            .field("form", &self.form)
            .field("semantics", &self.semantics)
            .finish_non_exhaustive()
    }
}
