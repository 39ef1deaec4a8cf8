//! What an operation answers instead of a result (section 5), and what keeps one from answering.

use std::fmt;
use std::sync::Arc;

use super::types::{ConnType, InvitationId};
use crate::db::{DbError, DbErrorKind, Dialect};

/// The store's answer to an operation that can't be done, or the reason why there is no answer.
///
/// Texts are for operators and developers; values of rows and credentials are never in them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The database failed, or holds what it should not.
    Internal(String),
    /// Another process kept the database locked for longer than may be waited (SQLite only).
    DatabaseBusy(String),
    /// Three random ids in a row were taken (AS-38).
    UniqueId,
    /// There is no such user, or it is marked deleted.
    UserNotFound,
    /// There is no such connection, or it is in the other state of deletion, or its queues fit no kind.
    ConnNotFound,
    /// The message router isn't registered.
    ServerNotFound,
    /// There is a connection with the given id.
    ConnDuplicate,
    /// There is a send queue with this address, and it is past `new` (AS-42).
    SndQueueExists,
    /// The connection has another kind than the operation needs.
    BadConnType {
        /// The operation, as the reference calls it; applications show it.
        context: &'static str,
        /// The kind that it has.
        found: ConnType,
    },
    /// There is no such confirmation.
    ConfirmationNotFound,
    /// There is no such invitation, or it is accepted already (AS-59).
    InvitationNotFound {
        /// The caller's own text.
        context: String,
        /// The id that was asked for.
        invitation_id: InvitationId,
    },
    /// There is no such message.
    MsgNotFound {
        /// The operation, as the reference calls it.
        context: &'static str,
    },
    /// Reserved: nothing answers with it.
    CmdNotFound,
    /// Reserved for checks of changes of a queue's status, which are not made (AS-95).
    BadQueueStatus,
    /// There is no ratchet, or no state in it.
    RatchetNotFound,
    /// The keys of a key agreement are missing.
    X3dhKeysNotFound,
    /// The caller's own error, from within a transaction (AS-96).
    AgentError(AgentError),
    /// Reserved: nothing answers with it.
    XftpServerNotFound,
    /// There is no such file, received or sent.
    FileNotFound,
    /// There is no such deleted replica.
    DeletedSndChunkReplicaNotFound,
    /// The next item of work could not be found, or a bad one not be marked: its worker has to stop
    /// (AS-97).
    WorkItem(String),
    /// The row of the statistics is missing.
    ServersStatsNotFound,
}

/// An error of the layer above the store. Two are the same when they are one value.
#[derive(Clone, Debug)]
pub struct AgentError(Arc<dyn std::error::Error + Send + Sync>);

impl AgentError {
    /// Wraps it.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// What was wrapped.
    pub fn get(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl PartialEq for AgentError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for AgentError {}

impl StoreError {
    /// Whether a worker has to stop on it (AS-97).
    pub fn is_work_item(&self) -> bool {
        matches!(self, Self::WorkItem(_))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Internal(text) => return write!(f, "internal error: {text}"),
            Self::DatabaseBusy(text) => return write!(f, "the database is busy: {text}"),
            Self::BadConnType { context, found } => {
                return write!(f, "{context}: the connection is of kind {found:?}");
            }
            Self::InvitationNotFound { context, invitation_id } => {
                return write!(f, "{context}: no invitation {invitation_id:?}");
            }
            Self::MsgNotFound { context } => return write!(f, "{context}: no such message"),
            Self::AgentError(AgentError(error)) => return error.fmt(f),
            Self::WorkItem(text) => return write!(f, "work item: {text}"),
            Self::UniqueId => "three random ids in a row were taken",
            Self::UserNotFound => "no such user",
            Self::ConnNotFound => "no such connection",
            Self::ServerNotFound => "no such server",
            Self::ConnDuplicate => "there is such a connection already",
            Self::SndQueueExists => "there is such a send queue already",
            Self::ConfirmationNotFound => "no such confirmation",
            Self::CmdNotFound => "no such command",
            Self::BadQueueStatus => "the queue's status does not allow it",
            Self::RatchetNotFound => "no ratchet",
            Self::X3dhKeysNotFound => "no keys of a key agreement",
            Self::XftpServerNotFound => "no such file server",
            Self::FileNotFound => "no such file",
            Self::DeletedSndChunkReplicaNotFound => "no such deleted replica",
            Self::ServersStatsNotFound => "no statistics of servers",
        };
        f.write_str(text)
    }
}

impl std::error::Error for StoreError {}

/// Why an operation within a transaction has no result: what the store answers, or what went wrong with
/// the database.
///
/// They end a transaction differently (AS-1). An answer is a result like any other: what was written
/// before it is committed. A failure takes the whole transaction back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxError {
    /// The store's answer.
    Store(StoreError),
    /// The database failed; also a row that can't be read.
    Database(DbError),
}

/// The result of an operation within a transaction.
pub type TxResult<T> = Result<T, TxError>;

impl TxError {
    /// What it becomes outside of its transaction: only a file can be busy.
    pub(super) fn outside(self, dialect: Dialect) -> StoreError {
        match self {
            Self::Database(error)
                if dialect == Dialect::Sqlite && *error.kind() == DbErrorKind::LockTimeout =>
            {
                StoreError::DatabaseBusy(error.to_string())
            }
            error => error.into_answer(),
        }
    }

    /// The store's answer that tells of it: a failure becomes [`StoreError::Internal`].
    pub fn into_answer(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Database(error) => StoreError::Internal(error.to_string()),
        }
    }
}

impl From<StoreError> for TxError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for TxError {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for TxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TxError {}
