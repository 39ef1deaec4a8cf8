//! Sessions of the server, by which it knows a connection.

use std::time::Duration;

use postgres::Row;

use super::columns::Columns;
use super::transaction::{Session, Statements};
use crate::db::{DbError, DbErrorKind, Sql};

const END: Sql = Sql::new(
    "end an earlier session",
    "SELECT pg_terminate_backend(pid, $3) AS ended FROM pg_stat_activity
      WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2",
);

/// A session of the server. Numbers of its processes come again; with the time of its start it is one
/// session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSession {
    pid: i32,
    started: String,
}

impl ServerSession {
    /// The session that a row is about.
    pub(super) fn read(row: &Row) -> Result<Self, DbError> {
        let mut columns = Columns::of("pg_stat_activity", row);
        Ok(Self { pid: columns.next("pid")?, started: columns.next("started")? })
    }

    /// Ends it, where it hasn't ended yet: from then on nothing comes of what it was doing.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Timeout`] when it doesn't end in time; what the server said.
    pub(super) fn end(&self, on: &mut Session<'_>, limit: Duration) -> Result<(), DbError> {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).max(1);
        let row = on.query_opt(&END, &[&self.pid, &self.started, &limit]);
        let Some(row) = row.map_err(DbError::of_reading)? else { return Ok(()) };
        if Columns::of("pg_stat_activity", &row).next("ended")? {
            return Ok(());
        }
        let problem = "what was begun on a connection that broke has not ended yet";
        Err(DbError::new(END.name(), DbErrorKind::Timeout, problem))
    }
}
