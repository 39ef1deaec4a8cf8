//! A connection by itself, on which notifications are waited for.

use std::fmt;
use std::time::Duration;

use postgres::fallible_iterator::FallibleIterator as _;

use super::config::PostgresConfig;
use super::connection::{Connection, Limits};
use super::error::classified;
use super::server_session::ServerSession;
use super::transaction::Session;
use crate::db::{DbError, DbErrorKind};

/// What is being done, for messages.
const WAITING: &str = "waiting for notifications";

/// How many notifications are given at a time.
const AT_ONCE: usize = 10_000;

/// A connection outside the pool: what belongs to a session (`LISTEN`, an advisory lock) lasts as long
/// as this value, or until the connection breaks.
///
/// Through a proxy that gives a session's transactions to several connections of the server neither
/// means anything: connect directly.
pub struct Listener {
    connection: Connection,
}

impl Listener {
    /// Connects. A statement waits for a lock for `lock_wait` at most; zero for as long as it takes.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Connect`] and its like.
    pub fn open(config: &PostgresConfig, lock_wait: Duration) -> Result<Self, DbError> {
        let limits = Limits {
            statement: config.statement_timeout,
            lock: lock_wait,
            idle_transaction: config.idle_transaction_timeout,
        };
        Ok(Self { connection: Connection::open(config, &limits)? })
    }

    /// Statements on this connection, each a transaction by itself.
    pub fn session(&mut self) -> Session<'_> {
        Session::on(&mut self.connection)
    }

    /// Which session of the server this is.
    pub fn server_session(&self) -> &ServerSession {
        &self.connection.session
    }

    /// Ends the session of an earlier connection, where the server may not know yet that it broke: what that
    /// one held is free then.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Timeout`] when it doesn't end in time; what the server said.
    pub fn end(&mut self, earlier: &ServerSession, limit: Duration) -> Result<(), DbError> {
        earlier.end(&mut self.session(), limit)
    }

    /// The notifications of the channels that this session listens to, in the order in which they were
    /// committed: all that have come, or after `limit` none.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Lost`].
    pub fn wait(&mut self, limit: Duration) -> Result<Vec<Notification>, DbError> {
        let client = &mut self.connection.client;
        let first = client.notifications().timeout_iter(limit).next();
        let Some(first) = first.map_err(|error| classified(WAITING, &error))? else {
            return match client.is_closed() {
                true => Err(DbError::new(WAITING, DbErrorKind::Lost, "connection closed")),
                false => Ok(Vec::new()),
            };
        };
        let mut came = vec![Notification(first)];
        let mut notifications = client.notifications();
        let mut rest = notifications.iter();
        // An error here is met again by the next call: what came before it is not lost.
        while came.len() < AT_ONCE
            && let Ok(Some(next)) = rest.next()
        {
            came.push(Notification(next));
        }
        Ok(came)
    }

    /// Whether the server answers in time. A connection whose other end is gone without a word shows
    /// only when something is asked on it.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Lost`].
    pub fn check(&mut self, limit: Duration) -> Result<(), DbError> {
        self.connection.answers(limit)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

/// What somebody told a channel.
pub struct Notification(postgres::Notification);

impl Notification {
    /// The channel.
    pub fn channel(&self) -> &str {
        self.0.channel()
    }

    /// The text.
    pub fn payload(&self) -> &str {
        self.0.payload()
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification").field("channel", &self.channel()).finish_non_exhaustive()
    }
}
