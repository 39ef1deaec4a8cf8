//! The file of the pending notifications: where it is, and what can go wrong with it.
//!
//! | file | what it is |
//! |---|---|
//! | `F` | the notifications as they were when they were saved |
//! | `F.tmp` | a save that has not ended; nothing reads it |
//! | `F.bak` | what was restored last; read when there is no `F` |

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::encoding::ParseError;
use crate::store_log::storage::with_suffix;
use crate::store_log::{FsStorage, Storage};

/// The longest line that is held in memory unless another length is set, in bytes. A notification takes a few hundred.
pub const DEFAULT_MAX_LINE: usize = 1024 * 1024;

/// Where pending notifications are saved. Made with [`PendingNtfFile::new`], then changed method by method.
///
/// ```
/// use simplex_stores::ntf_store::pending::PendingNtfFile;
/// let file = PendingNtfFile::new("/var/opt/simplex/smp-server-ntfs.log").max_line(64 * 1024);
/// assert!(file.path().ends_with("smp-server-ntfs.log"));
/// ```
#[derive(Clone)]
pub struct PendingNtfFile {
    path: PathBuf,
    storage: Arc<dyn Storage>,
    max_line: usize,
}

impl PendingNtfFile {
    /// A file among the operating system's, with lines of up to [`DEFAULT_MAX_LINE`] bytes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), storage: Arc::new(FsStorage), max_line: DEFAULT_MAX_LINE }
    }

    /// Sets what stands between the store and the disk.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = storage;
        self
    }

    /// Sets the longest line that is read; a longer one is a bad line, and is not held in memory.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn disk(&self) -> &dyn Storage {
        &*self.storage
    }

    pub(super) fn longest_line(&self) -> usize {
        self.max_line
    }

    pub(super) fn side(&self) -> PathBuf {
        with_suffix(&self.path, ".tmp")
    }

    pub(super) fn backup(&self) -> PathBuf {
        with_suffix(&self.path, ".bak")
    }
}

impl fmt::Debug for PendingNtfFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingNtfFile")
            .field("path", &self.path)
            .field("max_line", &self.max_line)
            .finish_non_exhaustive()
    }
}

/// What was being done to a file when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PendingFileStep {
    /// Looking whether a file is there.
    Inspect,
    /// Writing the side file.
    Write,
    /// Bringing the side file, or a new name, to stable storage.
    Sync,
    /// Giving the side file the file's name.
    Replace,
    /// Opening the file for reading.
    Open,
    /// Reading the line of this number, from 1.
    Read(u64),
    /// Renaming the file that was restored.
    SetAside,
}

impl fmt::Display for PendingFileStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inspect => f.write_str("looking for the file"),
            Self::Write => f.write_str("writing the notifications"),
            Self::Sync => f.write_str("syncing the notifications"),
            Self::Replace => f.write_str("putting the new file in place of the old one"),
            Self::Open => f.write_str("opening the notifications"),
            Self::Read(line) => write!(f, "reading line {line}"),
            Self::SetAside => f.write_str("renaming the restored file"),
        }
    }
}

/// Why pending notifications were not saved or not restored. For the operator: it names files, and never holds
/// anything of a line (RACE-17).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PendingFileError {
    /// A file operation failed. What was saved before is still there.
    #[error("{}: {step}: {source}", path.display())]
    Io {
        /// What was being done.
        step: PendingFileStep,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line could not be read, and the semantics is `Reference` (MN-7). Nothing was changed on disk.
    #[error(
        "{}: {line}; remove the line, or restore with `Semantics::Strict`, which skips it",
        path.display()
    )]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line.
        line: BadLine,
    },
}

impl PendingFileError {
    pub(super) fn io(step: PendingFileStep, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { step, path, source }
    }
}

/// A line that is no notification: where, and why. Nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub number: u64,
    /// How many bytes of the file come before it.
    pub offset: u64,
    /// How long it is, without its newline.
    pub length: u64,
    /// What is wrong with it.
    pub reason: BadLineReason,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadLineReason {
    /// It is not of the form NE-15; where in the line, and what should stand there.
    Form(ParseError),
    /// It is longer than the file's longest line may be.
    TooLong,
    /// It is the last and has no newline: the rest of it was never written.
    Torn,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, offset, length, reason } = self;
        write!(f, "line {number} (at byte {offset}, {length} bytes) is no notification: ")?;
        match reason {
            BadLineReason::Form(error) => error.fmt(f),
            BadLineReason::TooLong => f.write_str("longer than a line may be"),
            BadLineReason::Torn => f.write_str("cut off, without a newline"),
        }
    }
}
