//! What a replay and a start report: counts, warnings, damage, and what became of the files.
//!
//! No report ever holds a line of the log: places are given as line number, byte offset and length,
//! since lines hold secrets (RACE-17). Lists are bounded; what a list leaves out is counted and
//! logged.

use std::{fmt, io, path::PathBuf};

use crate::protocol::{ErrorType, ServiceParty};

/// Something that a replay left out or found odd, and where (RP-1, RP-18 to RP-20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayWarning {
    /// The line, counted from 1; zero when no single line is meant.
    pub line: u64,
    /// The offset of the line's first byte in the file.
    pub offset: u64,
    /// What it was.
    pub kind: WarningKind,
}

/// What kind of thing a replay left out or found odd. Ids are given as their base64url text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// The line is not a record; it was skipped (RP-1).
    Parse {
        /// What the parser expected, and where in the line.
        reason: String,
        /// The line's length in bytes.
        length: u64,
    },
    /// The line is longer than is held in memory; it was skipped.
    TooLong {
        /// The line's length in bytes.
        length: u64,
    },
    /// The last line has no newline: it was never acknowledged, and is set aside unread (RACE-7).
    TornTail {
        /// Its length in bytes.
        length: u64,
    },
    /// The operation refused the record; it had no effect.
    Rejected {
        /// The operation, as the reference names it.
        operation: &'static str,
        /// The queue, or the service, that the record is about.
        entity: String,
        /// The operation's answer.
        error: ErrorType,
    },
    /// The record is about a queue that an earlier record deleted (RP-18).
    AlreadyDeleted {
        /// The operation, as the reference names it.
        operation: &'static str,
        /// The queue.
        entity: String,
    },
    /// The service's certificate is registered under another id, which stays (RP-19).
    ServiceWrongId {
        /// The id in the record.
        stored: String,
        /// The id that the certificate has.
        existing: String,
    },
    /// A queue or notifier names a service that is not registered (RP-20).
    DanglingService {
        /// The queue.
        entity: String,
        /// Whether the queue or its notifier names it.
        party: ServiceParty,
        /// The service.
        service: String,
    },
    /// A queue was kept without its link, for the link is another queue's (RACE-19).
    LinkDropped {
        /// The queue.
        entity: String,
        /// The link.
        link: String,
    },
    /// A queue was kept without its notifier, for the notifier's id is another queue's.
    NotifierDropped {
        /// The queue.
        entity: String,
        /// The notifier's id.
        notifier: String,
    },
    /// The last start had ended before its compaction did; its partial file was set aside as
    /// `F.bak` (CP-7).
    UnfinishedStart,
    /// There was no log, and yet there are backups of one: a new, empty log was made beside them.
    BackupsWithoutLog {
        /// The newest of them.
        newest: PathBuf,
    },
    /// The integrity sidecar is about another file, or cannot be read; it was not used.
    SidecarUnusable {
        /// Why.
        reason: &'static str,
    },
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse { reason, length } => {
                write!(f, "not a record ({length} bytes): {reason}")
            }
            Self::TooLong { length } => write!(f, "line too long ({length} bytes), skipped"),
            Self::TornTail { length } => {
                write!(f, "last line has no newline ({length} bytes), set aside")
            }
            Self::Rejected { operation, entity, error } => {
                write!(f, "{operation}, stored entity {entity}, {error}")
            }
            Self::AlreadyDeleted { operation, entity } => {
                write!(f, "{operation}, stored queue {entity}, already deleted")
            }
            Self::ServiceWrongId { stored, existing } => {
                write!(f, "stored service {stored}, registered with another id {existing}")
            }
            Self::DanglingService { entity, party, service } => {
                write!(f, "queue {entity} names unknown service {service} ({party:?})")
            }
            Self::LinkDropped { entity, link } => {
                write!(f, "queue {entity} kept without link {link}, which another queue has")
            }
            Self::NotifierDropped { entity, notifier } => {
                write!(
                    f,
                    "queue {entity} kept without notifier {notifier}, which another queue has"
                )
            }
            Self::UnfinishedStart => {
                f.write_str("the last start did not end; its partial file, if any, is now F.bak")
            }
            Self::BackupsWithoutLog { newest } => write!(
                f,
                "there was no log, but there is a backup of one, {}: an empty log was made",
                newest.display()
            ),
            Self::SidecarUnusable { reason } => write!(f, "integrity sidecar not used: {reason}"),
        }
    }
}

impl fmt::Display for ReplayWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.kind),
            line => write!(f, "line {line} (offset {}): {}", self.offset, self.kind),
        }
    }
}

/// Why a place in the log counts as damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageReason {
    /// A line that is not a record, or too long to be read, with readable ones after it.
    Unreadable {
        /// What the parser expected, and where in the line.
        reason: String,
    },
    /// The bytes are not those that were written, as the integrity sidecar shows.
    Changed,
    /// The file ends before the end that the integrity sidecar has on record as synced.
    Missing,
}

/// A damaged place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first line of it, counted from 1.
    pub line: u64,
    /// The offset of its first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Why it counts as damaged.
    pub reason: DamageReason,
    /// Whether the integrity sidecar proves it.
    pub proven: bool,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at line {} (offset {}, {} bytes): ", self.line, self.offset, self.length)?;
        match &self.reason {
            DamageReason::Unreadable { reason } => write!(f, "not a record: {reason}"),
            DamageReason::Changed => f.write_str("changed since it was written"),
            DamageReason::Missing => f.write_str("missing from the end of the file"),
        }
    }
}

/// A last line without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Its line number, counted from 1.
    pub line: u64,
    /// The offset of its first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// What the integrity sidecar said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Integrity {
    /// There is none, or it was not asked for.
    #[default]
    Absent,
    /// There is one, and it is about another file or cannot be read.
    Unusable,
    /// Every byte that it covers is as it was written.
    Intact {
        /// How many bytes from the start it covers.
        covered: u64,
    },
    /// Some bytes are not as they were written.
    Damaged,
}

/// What a replay did (RP-3).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ReplayReport {
    /// The file that was read: F, or F.start where a start had not ended.
    pub source: PathBuf,
    /// Complete lines read, unreadable ones included.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Records handed to the store.
    pub records: u64,
    /// Lines that were not records, or too long.
    pub unreadable: u64,
    /// Warnings, in the order of the file, at most as many as the configuration lists.
    pub warnings: Vec<ReplayWarning>,
    /// How many warnings there were in all; those beyond the list are in the program's log.
    pub warnings_total: u64,
    /// Damaged places, at most as many as the configuration lists.
    pub damage: Vec<Damage>,
    /// How many damaged places there were in all.
    pub damage_total: u64,
    /// How many of them the integrity sidecar proves.
    pub damage_proven: u64,
    /// The last line, when it has no newline.
    pub torn_tail: Option<TornTail>,
    /// What the integrity sidecar said.
    pub integrity: Integrity,
}

/// What a compaction wrote (CP-6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompactReport {
    /// Records written.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// What a start did (section 5.2).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct StartReport {
    /// The replay; all zero when there was no log.
    pub replay: ReplayReport,
    /// The compacted log that is now in use.
    pub compacted: CompactReport,
    /// Whether there was no log, so that a new one was made (N1).
    pub created: bool,
    /// Whether an unfinished start was recovered from (R1, R2; CP-7).
    pub recovered: bool,
    /// The backup of the log as it was; none when there was no log. It ends in `.damaged` when
    /// lines could not be read: retention never deletes that name, of which the operator disposes.
    pub backup: Option<PathBuf>,
    /// Names of the timed backups that retention deleted (CP-9).
    pub removed_backups: Vec<PathBuf>,
    /// What retention could not do; it never fails a start (CP-11).
    pub retention_errors: Vec<RetentionError>,
}

/// What opening a log for appending did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct AppendReport {
    /// The length of the log that is appended to, in bytes.
    pub length: u64,
    /// Whether an unfinished start was recovered from (R1, R2; CP-7).
    pub recovered: bool,
    /// The length of a torn last line that was cut off, and the file that keeps it (RACE-8).
    pub torn_tail: Option<(u64, PathBuf)>,
}

/// A backup that could not be deleted, or a folder that could not be listed.
#[derive(Debug)]
pub struct RetentionError {
    /// The backup, or the folder.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

impl fmt::Display for RetentionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

/// Gathers warnings up to a limit; the rest is counted and logged.
#[derive(Debug)]
pub(crate) struct Warnings {
    pub(crate) list: Vec<ReplayWarning>,
    pub(crate) total: u64,
    limit: usize,
}

impl Warnings {
    pub(crate) fn new(limit: usize) -> Self {
        Self { list: Vec::new(), total: 0, limit }
    }

    pub(crate) fn push(&mut self, warning: ReplayWarning) {
        self.total += 1;
        if self.list.len() < self.limit {
            self.list.push(warning);
        } else {
            tracing::warn!("replay: {warning}");
        }
    }
}
