//! What can go wrong with a journal: while it is opened ([`OpenError`]) and while it is written
//! ([`JournalError`]).

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::report::Damage;

/// What was being done to a file when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenStep {
    /// Taking the ownership lock.
    Lock,
    /// Looking whether a file is there, or how long it is.
    Inspect,
    /// Setting aside and bringing back files of a start that did not end (R1, R2).
    Recover,
    /// Reading the log (S1).
    Read,
    /// Cutting a torn last line away before appending.
    CutTail,
    /// Renaming the log before its compaction (S2).
    SetAside,
    /// Writing the compacted log (N1, S3, S4).
    Write,
    /// Bringing the compacted log to stable storage.
    Sync,
    /// Renaming the old log to its backup name (S5).
    Backup,
    /// Starting the thread that reads.
    Thread,
}

impl OpenStep {
    fn text(self) -> &'static str {
        match self {
            Self::Lock => "taking the lock",
            Self::Inspect => "looking at the file",
            Self::Recover => "recovering from an unfinished start",
            Self::Read => "reading the log",
            Self::CutTail => "cutting off the torn last line",
            Self::SetAside => "setting the log aside before compaction",
            Self::Write => "writing the compacted log",
            Self::Sync => "syncing the compacted log",
            Self::Backup => "renaming the old log to its backup name",
            Self::Thread => "reading in a thread of its own",
        }
    }
}

impl fmt::Display for OpenStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Why a journal could not be opened, replayed or compacted. These are for the operator: they name
/// files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process, or another journal of this one, owns the file (RACE-11).
    #[error("{}: in use by another process; stop it first", path.display())]
    Locked {
        /// The journal.
        path: PathBuf,
    },
    /// A file operation failed. Nothing was lost; the next start recovers (CR-11).
    #[error("{}: {step}: {source}", path.display())]
    Io {
        /// What was being done.
        step: OpenStep,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The log is damaged and the configuration says to refuse. Nothing was changed on disk.
    #[error(
        "{}: {total} damaged {}, first {}; restore a backup, or start with damage skipped \
         (the original is then kept)",
        path.display(),
        if *total == 1 { "place" } else { "places" },
        FirstDamage(damage)
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The damaged places in file order, at most as many as the configuration lists.
        damage: Vec<Damage>,
        /// How many there are in all.
        total: u64,
    },
}

impl OpenError {
    pub(crate) fn io(step: OpenStep, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { step, path, source }
    }
}

struct FirstDamage<'a>(&'a [Damage]);

impl fmt::Display for FirstDamage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some(damage) => damage.fmt(f),
            None => f.write_str("not listed"),
        }
    }
}

/// Why a record was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JournalErrorKind {
    /// A write failed. The record's group is cut away again where the disk allows it (RACE-8).
    Write,
    /// A write succeeded and bringing it to stable storage failed.
    Sync,
    /// Records were submitted that can never be in order: a sequence number came twice, or one
    /// before them never came.
    Sequence,
    /// The journal was closed before the record was submitted.
    Closed,
}

/// A record was not written, and neither is any later one: the journal is broken until it is opened
/// again.
///
/// Its text is fixed for each kind and names no file, so that it may travel to a client; what the
/// operating system said is in the program's log (RACE-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalError {
    kind: JournalErrorKind,
    io: Option<io::ErrorKind>,
}

impl JournalError {
    pub(crate) fn new(kind: JournalErrorKind) -> Self {
        Self { kind, io: None }
    }

    pub(crate) fn from_io(kind: JournalErrorKind, error: &io::Error) -> Self {
        Self { kind, io: Some(error.kind()) }
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> JournalErrorKind {
        self.kind
    }

    /// How the operating system classed it, where it was asked.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        self.io
    }

    /// The fixed text for clients; also what `Display` gives.
    pub fn client_text(&self) -> &'static str {
        match self.kind {
            JournalErrorKind::Write => "store log: write failed",
            JournalErrorKind::Sync => "store log: sync failed",
            JournalErrorKind::Sequence => "store log: records out of order",
            JournalErrorKind::Closed => "store log: closed",
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.client_text())
    }
}

impl std::error::Error for JournalError {}
