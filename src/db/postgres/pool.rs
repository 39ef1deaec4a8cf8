//! The pool of connections, and transactions that run on it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use r2d2::ManageConnection as _;

use super::config::PostgresConfig;
use super::connection::{Connection, Limits};
use super::server_session::ServerSession;
use super::transaction::{Kind, Session, Transaction};
use crate::db::{DbError, DbErrorKind};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Connections to one database, shared by threads; cloning gives the same pool.
#[derive(Clone)]
pub struct Pool {
    connections: r2d2::Pool<Connector>,
    config: Arc<PostgresConfig>,
    /// How many connections were found broken. One that was last seen working before the latest of
    /// those is looked at before it is used: what broke one may have broken all.
    broken: Arc<AtomicU64>,
    /// Sessions whose connections broke in use. The server may not know that yet, and may still commit
    /// what it does for them.
    unsettled: Arc<Mutex<Vec<ServerSession>>>,
}

impl Pool {
    /// Connects, as often as the settings say.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Connect`] and its like when the server can't be reached,
    /// [`DbErrorKind::NoConnection`] when it accepts fewer connections than the pool should have.
    pub fn open(config: &PostgresConfig) -> Result<Self, DbError> {
        let config = Arc::new(config.clone());
        let broken = Arc::new(AtomicU64::new(0));
        let connector = Connector { config: Arc::clone(&config), broken: Arc::clone(&broken) };
        // The pool would go on trying until its time is over; one attempt tells at once.
        connector.connect()?;
        let connections = r2d2::Pool::builder()
            .max_size(config.pool_size)
            .connection_timeout(config.connect_timeout())
            .test_on_check_out(false)
            .error_handler(Box::new(Log))
            .build(connector)
            .map_err(|error| no_connection(&error).within("opening the pool"))?;
        Ok(Self { connections, config, broken, unsettled: Arc::default() })
    }

    /// The settings that it was opened with.
    pub fn config(&self) -> &PostgresConfig {
        &self.config
    }

    /// Runs `work` as one transaction: committed when it returns `Ok` and none of its statements failed
    /// outside a savepoint, otherwise taken back whole. The label names it in errors and logs.
    ///
    /// # Errors
    ///
    /// What `work` returned; or why it could not be begun or committed.
    pub fn transaction<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(label, Kind::ReadCommitted, work)
    }

    /// Runs `work` as a transaction that only reads and sees the database as it was at one moment.
    ///
    /// # Errors
    ///
    /// As [`transaction`](Self::transaction).
    pub fn snapshot<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run(label, Kind::Snapshot, work)
    }

    /// Runs `work` on a connection on which each statement is a transaction by itself.
    ///
    /// # Errors
    ///
    /// What `work` returned, or why there is no connection.
    pub fn session<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.checkout(label).map_err(|error| error.within(label))?;
        let mut session = Session::on(&mut connection);
        let result = work(&mut session);
        if session.is_lost() {
            self.discard(connection);
        }
        result
    }

    fn run<T, E: From<DbError>>(
        &self,
        label: &'static str,
        kind: Kind,
        mut work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut again = true;
        loop {
            let mut connection = self.checkout(label).map_err(|error| error.within(label))?;
            let begun = match Transaction::begin(&mut connection, kind) {
                Ok(transaction) => Ok(transaction.run(label, work)),
                Err(error) => Err((error, work)),
            };
            let error = match begun {
                Ok(ended) => {
                    if ended.lost {
                        self.discard(connection);
                    }
                    return ended.result;
                }
                Err((error, undone)) => {
                    work = undone;
                    error
                }
            };
            let lost = error.is_lost();
            if lost {
                self.discard(connection);
            }
            // It broke while it lay idle. Nothing was done on it, so another can take its place.
            if !(lost && std::mem::take(&mut again)) {
                return Err(error.within(label).into());
            }
        }
    }

    /// A connection that works, when nothing can come any more of what was begun on broken ones (RACE-70).
    fn checkout(&self, label: &'static str) -> Result<Checkout, DbError> {
        let mut connection = self.working(label)?;
        match self.settle(&mut connection) {
            Ok(()) => Ok(connection),
            Err(error) => {
                if error.is_lost() {
                    self.discard(connection);
                }
                Err(error)
            }
        }
    }

    fn settle(&self, connection: &mut Connection) -> Result<(), DbError> {
        let unsettled = self.unsettled.lock().clone();
        for session in unsettled {
            session.end(&mut Session::on(connection), self.config.checkout_timeout)?;
            self.unsettled.lock().retain(|other| *other != session);
        }
        Ok(())
    }

    /// A connection that worked after the latest broken one was found.
    fn working(&self, label: &'static str) -> Result<Checkout, DbError> {
        let mut tries = self.config.pool_size;
        loop {
            let connection = self.connections.get_timeout(self.config.checkout_timeout);
            let mut connection = connection.map_err(|error| no_connection(&error))?;
            let broken = self.broken.load(Ordering::Acquire);
            if connection.seen == broken {
                return Ok(connection);
            }
            let answer = connection.answers(self.config.checkout_timeout);
            connection.seen = broken;
            let Err(error) = answer else { return Ok(connection) };
            tracing::debug!(label, %error, "a connection of the pool is broken");
            connection.broken = true;
            if tries == 0 {
                return Err(error);
            }
            tries -= 1;
        }
    }

    /// Takes a broken connection out of the pool, which makes another, and has all others looked at and
    /// its session ended before one is used.
    fn discard(&self, mut connection: Checkout) {
        connection.broken = true;
        self.unsettled.lock().push(connection.session.clone());
        self.broken.fetch_add(1, Ordering::AcqRel);
    }
}

type Checkout = r2d2::PooledConnection<Connector>;

fn no_connection(error: &r2d2::Error) -> DbError {
    DbError::new("waiting for a connection", DbErrorKind::NoConnection, error)
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Makes the pool's connections.
struct Connector {
    config: Arc<PostgresConfig>,
    broken: Arc<AtomicU64>,
}

impl r2d2::ManageConnection for Connector {
    type Connection = Connection;
    type Error = DbError;

    fn connect(&self) -> Result<Connection, DbError> {
        // Read before connecting: what breaks meanwhile may break this one, too.
        let broken = self.broken.load(Ordering::Acquire);
        let config = &self.config;
        let limits = Limits {
            statement: config.statement_timeout,
            lock: Duration::ZERO,
            idle_transaction: config.idle_transaction_timeout,
        };
        let mut connection = Connection::open(config, &limits)?;
        connection.seen = broken;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), DbError> {
        connection.answers(self.config.checkout_timeout)
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken()
    }
}

/// What the pool's own threads meet; a caller meets it as [`DbErrorKind::NoConnection`].
#[derive(Debug)]
struct Log;

impl r2d2::HandleError<DbError> for Log {
    fn handle_error(&self, error: DbError) {
        tracing::warn!(%error, "the pool can't connect");
    }
}
