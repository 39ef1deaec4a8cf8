//! What loading and saving report.
//!
//! No report holds a part of a line: places are given as line number, byte offset and length, since lines hold
//! secrets (RACE-17). Lists are bounded; what a list leaves out is counted and logged.

use std::fmt;
use std::path::PathBuf;

use super::{NtfFileForm, NtfRecordKind};
use crate::protocol::ntf::SmpServer;
use crate::protocol::{SubscriptionId, TokenId};

/// What a load did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NtfLoadReport {
    /// The file.
    pub path: PathBuf,
    /// Whether there was none, so that the store is empty.
    pub absent: bool,
    /// Its form.
    pub form: NtfFileForm,
    /// Complete lines read; none of a binary file.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Records of tokens that reached the store.
    pub tokens: u64,
    /// Records of subscriptions that reached the store.
    pub subscriptions: u64,
    /// Last notifications that reached the store.
    pub last_ntfs: u64,
    /// Services' ids; a text has none.
    pub services: u64,
    /// Records that the file has and the store has not: unreadable, refused, or replaced by a later one. When
    /// there are any, the next save keeps a copy of the file.
    pub lost: u64,
    /// Last notifications that gave way to newer ones, since the store keeps only so many of a token.
    pub over_limit: u64,
    /// What was lost, in the order of the file, at most as much as the configuration lists.
    pub warnings: Vec<NtfLoadWarning>,
}

/// Something that a load left out, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfLoadWarning {
    /// The line, counted from 1.
    pub line: u64,
    /// The offset of the line's first byte in the file.
    pub offset: u64,
    /// What it was.
    pub kind: NtfLoadWarningKind,
}

/// What kind of thing a load left out. Ids are given as their base64url text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NtfLoadWarningKind {
    /// The line is not a record.
    Unreadable {
        /// What the parser expected, and where in the line.
        reason: String,
        /// The line's length in bytes.
        length: u64,
    },
    /// The line is longer than is held in memory.
    TooLong {
        /// The line's length in bytes.
        length: u64,
    },
    /// The last line has no newline, so nobody knows whether it is whole (RACE-7).
    TornTail {
        /// Its length in bytes.
        length: u64,
    },
    /// A subscription or a notification belongs to a token that no line before it has; a subscription only under
    /// `Strict`.
    UnknownToken {
        /// What the record is of.
        record: NtfRecordKind,
        /// Its id.
        id: String,
        /// The token.
        token: TokenId,
    },
    /// A record with the same id stands in an earlier line; this one takes its place.
    Twice {
        /// What the records are of.
        record: NtfRecordKind,
        /// Their id.
        id: String,
    },
    /// An earlier line has another subscription for the same queue; this one takes its place. Only under
    /// `Strict`.
    SameQueue {
        /// This one.
        subscription: SubscriptionId,
        /// The earlier one.
        earlier: SubscriptionId,
    },
}

impl fmt::Display for NtfLoadWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} (offset {}): {}", self.line, self.offset, self.kind)
    }
}

impl fmt::Display for NtfLoadWarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { reason, length } => {
                write!(f, "not a record ({length} bytes), skipped: {reason}")
            }
            Self::TooLong { length } => write!(f, "line too long ({length} bytes), skipped"),
            Self::TornTail { length } => {
                write!(f, "last line has no newline ({length} bytes), skipped")
            }
            Self::UnknownToken { record: NtfRecordKind::LastNtf, token, .. } => {
                write!(f, "notification of token {token}, which no line before has, skipped")
            }
            Self::UnknownToken { record, id, token } => {
                write!(f, "{record} {id} of token {token}, which no line before has, skipped")
            }
            Self::Twice { record, id } => {
                write!(f, "{record} {id} stands in an earlier line, too, which is lost")
            }
            Self::SameQueue { subscription, earlier } => write!(
                f,
                "subscription {subscription} is for the queue of subscription {earlier} in an \
                 earlier line, which is lost"
            ),
        }
    }
}

/// What a save did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NtfSaveReport {
    /// The file.
    pub path: PathBuf,
    /// Its form.
    pub form: NtfFileForm,
    /// Bytes written.
    pub bytes: u64,
    /// Tokens written.
    pub tokens: u64,
    /// Subscriptions written.
    pub subscriptions: u64,
    /// Last notifications written.
    pub last_ntfs: u64,
    /// Services' ids written; a text has none.
    pub services: u64,
    /// The copy of the earlier file, which had records that could not be loaded.
    pub kept: Option<PathBuf>,
    /// What the store has and a load of this file will not give; nothing of a binary file.
    pub not_held: NtfNotHeld,
}

/// What a store has and a load of its text does not give: counts, and the things by name.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct NtfNotHeld {
    /// Services' ids: no record has a place for them (NS-11).
    pub services: u64,
    /// Tokens that have no registration and will have one: a record does not say that it was removed.
    pub registrations: u64,
    /// Records that will be read as slightly other ones, see [`NtfNotHeldItem::Altered`].
    pub altered: u64,
    /// Records that could not be read again, and are not in the file.
    pub left_out: u64,
    /// Records in a form that the reference writes and cannot read, only under `Reference`; a strict load
    /// gives them (SE-16).
    pub strict_only: u64,
    /// Index entries that do not agree with the records, only under `Reference`: a load makes the indexes
    /// from the records.
    pub index_entries: u64,
    /// The things by name but index entries, at most as many as the configuration lists.
    pub items: Vec<NtfNotHeldItem>,
}

impl NtfNotHeld {
    /// How much it is in all; 0 says that a load gives what was saved.
    pub fn total(&self) -> u64 {
        let records = self.altered + self.left_out + self.strict_only;
        self.services + self.registrations + records + self.index_entries
    }
}

/// Something that a store has and a load of its text does not give.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NtfNotHeldItem {
    /// The id of the service at this router.
    Service(SmpServer),
    /// The token is loaded with a registration, which it has not.
    Registration(TokenId),
    /// The record is read as another one with the same id: a router's onion host is added (NE-6), line ends in
    /// the text of an error are spaces, or, only under `Reference`, the flag behind an error is a part of
    /// its text (RACE-15).
    Altered {
        /// What the record is of.
        record: NtfRecordKind,
        /// Its id.
        id: String,
    },
    /// The record is written as the reference writes it, which cannot read it.
    StrictOnly {
        /// What the record is of.
        record: NtfRecordKind,
        /// Its id.
        id: String,
    },
    /// The record is not in the file.
    LeftOut {
        /// What the record is of.
        record: NtfRecordKind,
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for NtfNotHeldItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(server) => write!(f, "the service's id at {server} is not in a text"),
            Self::Registration(token) => {
                write!(f, "token {token} has no registration, and will have one when it is loaded")
            }
            Self::Altered { record, id } => {
                write!(f, "{record} {id} will be read as slightly another one")
            }
            Self::StrictOnly { record, id } => {
                write!(f, "{record} {id} will be read by a strict load only")
            }
            Self::LeftOut { record, id, reason } => write!(f, "{record} {id} left out: {reason}"),
        }
    }
}

/// Puts something on a list while there is room, else into the program's log.
pub(super) fn list_or_log<T: fmt::Display>(list: &mut Vec<T>, limit: usize, one: T, doing: &str) {
    if list.len() < limit {
        list.push(one);
    } else {
        tracing::warn!("{doing}: {one}");
    }
}
