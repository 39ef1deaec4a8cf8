//! Why a file of notifications is not read or not written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::ntf_store::NtfViolation;
use crate::store_log::SnapshotError;

/// What was being done to a file when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NtfFileStep {
    /// Taking the ownership lock.
    Lock,
    /// Reading the file.
    Read,
    /// Copying a file with records that could not be read, before it is replaced.
    Keep,
    /// Writing the new file.
    Write,
}

impl fmt::Display for NtfFileStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lock => "taking the lock",
            Self::Read => "reading",
            Self::Keep => "keeping the file with unread records",
            Self::Write => "writing",
        })
    }
}

/// Why a file of notifications is not read or not written. These are for the operator: they name files. No text
/// holds a part of a record (RACE-17).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NtfFileError {
    /// Another process, or another handle of this one, owns the file.
    #[error("{}: in use by another process; stop it first", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A file operation failed. The earlier file is whole.
    #[error("{}: {step}: {source}", path.display())]
    Io {
        /// What was being done.
        step: NtfFileStep,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A binary file is damaged, or holds something else.
    #[error("{}: {source}; restore a backup, or move the file away to start without it", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: SnapshotError,
    },
    /// A binary file is as it was written, and no store wrote it: a list is out of order or has an entry twice.
    #[error("{}: no store wrote this: {list} are not in ascending order", path.display())]
    Disordered {
        /// The file.
        path: PathBuf,
        /// What the list is of.
        list: &'static str,
    },
    /// A binary file is as it was written, and its indexes do not agree, which only a store under `Reference`
    /// can bring about.
    #[error(
        "{}: {total} things do not hold, first: {}; no strict store wrote this: load it under \
         reference semantics, and save it as text",
        path.display(),
        First(violations)
    )]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What does not hold, at most as much as the configuration lists.
        violations: Vec<NtfViolation>,
        /// How much it is in all.
        total: u64,
    },
}

impl NtfFileError {
    pub(super) fn io(step: NtfFileStep, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { step, path, source }
    }

    /// For a failure with a binary file.
    pub(super) fn snapshot(step: NtfFileStep, path: &Path, error: SnapshotError) -> Self {
        match error {
            SnapshotError::Io { path, source } => Self::Io { step, path, source },
            source => Self::Snapshot { path: path.to_owned(), source },
        }
    }
}

struct First<'a>(&'a [NtfViolation]);

impl fmt::Display for First<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some(violation) => violation.fmt(f),
            None => f.write_str("not listed"),
        }
    }
}
