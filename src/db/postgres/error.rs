//! The driver's errors, as [`DbError`] classifies them.

use std::error::Error as _;

use postgres::error::{DbError as ServerError, SqlState};

use crate::db::{DbError, DbErrorKind, Violation, ViolationKind};

/// An error while `doing` something. Of what a server said, only the message is kept: its detail and
/// hint quote the values of rows.
pub(super) fn classified(doing: &str, error: &postgres::Error) -> DbError {
    if let Some(said) = error.as_db_error() {
        return DbError::new(doing, kind(said), of_server(said)).with_sqlstate(said.code().code());
    }
    // Without a cause it is about what was said on the connection: closed, or no answer to the question.
    let broken = error.source().is_none_or(|source| source.is::<std::io::Error>());
    let kind = if broken { DbErrorKind::Lost } else { DbErrorKind::Other };
    DbError::new(doing, kind, message(error))
}

/// An error while connecting: whatever it was, there is no connection.
pub(super) fn of_connecting(place: &str, error: &postgres::Error) -> DbError {
    let error = classified("", error);
    let kind = match error.kind() {
        DbErrorKind::NoRoom => DbErrorKind::NoRoom,
        DbErrorKind::Denied => DbErrorKind::Denied,
        _ => DbErrorKind::Connect,
    };
    let connecting = DbError::new(format!("connecting to {place}"), kind, error.message());
    match error.sqlstate() {
        Some(sqlstate) => connecting.with_sqlstate(sqlstate),
        None => connecting,
    }
}

/// What the server says. About a value that it can't read it says `…: "value"`.
fn of_server(said: &ServerError) -> &str {
    let message = said.message();
    match said.code().code().starts_with("22") {
        true => message.split(": \"").next().unwrap_or_default(),
        false => message,
    }
}

/// What the driver says, with the cause beneath.
fn message(error: &postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn kind(said: &ServerError) -> DbErrorKind {
    let code = said.code();
    if let Some(kind) = violation_kind(code) {
        return DbErrorKind::Constraint(Violation {
            kind,
            constraint: said.constraint().map(str::to_owned),
            table: said.table().map(str::to_owned),
            column: said.column().map(str::to_owned),
        });
    }
    if *code == SqlState::T_R_SERIALIZATION_FAILURE {
        return DbErrorKind::Serialization;
    }
    if *code == SqlState::T_R_DEADLOCK_DETECTED {
        return DbErrorKind::Deadlock;
    }
    if *code == SqlState::QUERY_CANCELED {
        return DbErrorKind::Timeout;
    }
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return DbErrorKind::LockTimeout;
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return DbErrorKind::Denied;
    }
    by_class(code.code())
}

fn violation_kind(code: &SqlState) -> Option<ViolationKind> {
    let kinds = [
        (SqlState::UNIQUE_VIOLATION, ViolationKind::Unique),
        (SqlState::FOREIGN_KEY_VIOLATION, ViolationKind::ForeignKey),
        (SqlState::RESTRICT_VIOLATION, ViolationKind::ForeignKey),
        (SqlState::NOT_NULL_VIOLATION, ViolationKind::NotNull),
        (SqlState::CHECK_VIOLATION, ViolationKind::Check),
        (SqlState::EXCLUSION_VIOLATION, ViolationKind::Exclusion),
    ];
    kinds.into_iter().find(|(of, _)| of == code).map(|(_, kind)| kind)
}

/// By the first two characters, and what else tells a server that goes down.
fn by_class(code: &str) -> DbErrorKind {
    match code {
        // Shut down by an administrator, crashed, starting; the session of an idle transaction ended.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => DbErrorKind::Lost,
        // Undefined table, column, function, object; a changed result type of a prepared statement.
        "42P01" | "42703" | "42883" | "42704" | "3F000" | "0A000" => DbErrorKind::Schema,
        _ if code.starts_with("08") => DbErrorKind::Lost,
        _ if code.starts_with("53") => DbErrorKind::NoRoom,
        _ => DbErrorKind::Other,
    }
}
