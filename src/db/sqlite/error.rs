//! The driver's errors, as [`DbError`] classifies them.

use rusqlite::ffi::{self, ErrorCode};

use crate::db::{DbError, DbErrorKind, Violation, ViolationKind};

/// An error while `doing` something. SQLite's messages name tables and columns, and hold no values.
pub(super) fn classified(doing: &str, error: &rusqlite::Error) -> DbError {
    let (code, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (code, message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error, Some(msg.clone())),
        other => return DbError::new(doing, DbErrorKind::Other, other),
    };
    let message = message.unwrap_or_else(|| code.to_string());
    DbError::new(doing, kind(code, &message), message)
}

/// Whether another process, or another connection, has the lock that is needed.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn kind(code: &ffi::Error, message: &str) -> DbErrorKind {
    match code.code {
        ErrorCode::ConstraintViolation => DbErrorKind::Constraint(violation(code, message)),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => DbErrorKind::LockTimeout,
        ErrorCode::DiskFull | ErrorCode::OutOfMemory => DbErrorKind::NoRoom,
        ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::AuthorizationForStatementDenied => DbErrorKind::Denied,
        ErrorCode::CannotOpen => DbErrorKind::Connect,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => DbErrorKind::Damaged,
        ErrorCode::SystemIoFailure => DbErrorKind::Io,
        ErrorCode::OperationInterrupted => DbErrorKind::Timeout,
        ErrorCode::SchemaChanged => DbErrorKind::Schema,
        _ if message.starts_with("no such ") => DbErrorKind::Schema,
        _ => DbErrorKind::Other,
    }
}

fn violation(code: &ffi::Error, message: &str) -> Violation {
    let kind = match code.extended_code {
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ViolationKind::ForeignKey,
        // RESTRICT is kept by a trigger of SQLite's own.
        ffi::SQLITE_CONSTRAINT_TRIGGER if message.starts_with("FOREIGN KEY") => {
            ViolationKind::ForeignKey
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => ViolationKind::NotNull,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID
        | ffi::SQLITE_CONSTRAINT_UNIQUE => ViolationKind::Unique,
        _ => ViolationKind::Check,
    };
    // `… constraint failed: table.column, table.column`; of a check, its name or its expression.
    let subject = message.split_once(": ").map(|(_, subject)| subject);
    let first = subject.and_then(|subject| subject.split(", ").next());
    let named = first.filter(|_| matches!(kind, ViolationKind::Unique | ViolationKind::NotNull));
    let (table, column) = named.and_then(|name| name.split_once('.')).unzip();
    Violation {
        kind,
        constraint: match kind {
            ViolationKind::NotNull => None,
            _ => subject.map(str::to_owned),
        },
        table: table.map(str::to_owned),
        column: column.filter(|_| kind == ViolationKind::NotNull).map(str::to_owned),
    }
}
