//! The queue store's statements over a pool of connections.

use std::fmt;
use std::sync::Arc;

use super::announcement::{ANNOUNCE, SENDER_SETTING, Sender};
use super::config::{PostgresQueueStoreConfig, Sharing};
use super::guard::{Guard, GuardConfig};
use super::schema::migrate;
use crate::db::migrations::{Migrated, MigrationError, Question};
use crate::db::postgres::{Params, Pool, Row, Session, Statements, Transaction};
use crate::db::{DbError, DbErrorKind};
use crate::protocol::{RecipientId, Semantics};
use crate::queue_store::database::{CacheEvents, Refusal, StatementError};
use crate::sync::RwLock;

use super::statements::Change;

/// How often a transaction is run that the server refused for what ran beside it.
const ATTEMPTS: usize = 10;

/// The tables of queues and services in a schema of a PostgreSQL database:
/// [`QueueDatabase`](crate::queue_store::database::QueueDatabase) on a real server.
///
/// A change of one queue is one statement, and a transaction by itself; what needs more than one
/// statement is one transaction (`statements` says which, and in which order rows are locked). A
/// transaction that the server refuses only for what runs beside it is run again, a few times. When the
/// connection breaks while a change may have been committed, the error is
/// [`DbErrorKind::Unclear`] (RACE-70); it is, too, when the change was made and what it gives back can't
/// be read. The purge is the exception to one transaction: it goes in portions.
///
/// Dropping it closes it.
pub struct PostgresQueues {
    pool: RwLock<Option<Pool>>,
    semantics: Semantics,
    sharing: Sharing,
    sender: Sender,
    guard: Guard,
}

impl PostgresQueues {
    /// Makes sure that the schema is this process's, or shared with others that say what they change;
    /// brings it to the program's version, as far as the settings permit; and connects. `ask` is called
    /// where the settings say that somebody is asked.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::LockTimeout`] within [`MigrationError::Database`] when another process keeps this
    /// one out (RACE-53); what kept it from migrating or connecting.
    pub fn open(
        config: &PostgresQueueStoreConfig,
        ask: impl FnMut(&Question<'_>) -> bool,
    ) -> Result<(Self, Migrated), MigrationError> {
        config.check()?;
        let sender = Sender::new(config.database.schema_name());
        let guard = Guard::open(GuardConfig {
            database: config.database.clone(),
            sharing: config.sharing,
            sender: sender.clone(),
            lock_wait: config.lock_wait,
            heartbeat: config.heartbeat,
        })?;
        let migrated = migrate(&config.database, config.schema, ask)?;
        let database = config.database.clone().session_setting(SENDER_SETTING, sender.prefix());
        let queues = Self {
            pool: RwLock::new(Some(Pool::open(&database)?)),
            semantics: config.store.semantics,
            sharing: config.sharing,
            sender,
            guard,
        };
        if !config.store.use_cache {
            queues.guard.watch(Arc::new(NoCache))?;
        }
        Ok((queues, migrated))
    }

    pub(super) fn semantics(&self) -> Semantics {
        self.semantics
    }

    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Whether others are told of changes: also when this process was alone and has lost the lock, for another
    /// that has it may have cached what is changed here.
    pub(super) fn announces(&self) -> bool {
        self.sharing == Sharing::Processes || self.guard.is_lost()
    }

    fn pool(&self) -> Result<Pool, DbError> {
        let pool = self.pool.read().clone();
        pool.ok_or_else(|| {
            DbError::new("using a database", DbErrorKind::NoConnection, "it was closed")
        })
    }

    /// Runs a statement that only reads. On a connection that had broken it is run once more.
    pub(super) fn read<T>(
        &self,
        label: &'static str,
        mut work: impl FnMut(&mut Session<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let pool = self.pool()?;
        let read = match pool.session(label, &mut work) {
            Err(error) if error.is_lost() => pool.session(label, &mut work),
            read => read,
        };
        read.map_err(DbError::of_reading)
    }

    /// Runs one statement that changes something.
    pub(super) fn change<T, E: From<DbError> + Refused>(
        &self,
        label: &'static str,
        mut work: impl FnMut(&mut Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let pool = self.pool()?;
        again(label, || pool.session(label, &mut work))
    }

    /// Runs several statements as one transaction.
    pub(super) fn transaction<T, E: From<DbError> + Refused>(
        &self,
        label: &'static str,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let pool = self.pool()?;
        again(label, || pool.transaction(label, &mut work))
    }

    /// Changes a queue that meets the statement's condition.
    pub(super) fn change_queue(
        &self,
        change: &Change,
        params: Params<'_>,
    ) -> Result<(), StatementError> {
        let sql = change.sql(self.announces());
        let changed = self.change(sql.name(), |session| session.execute(sql, params))?;
        if changed == 0 { Err(Refusal::Missing.into()) } else { Ok(()) }
    }

    /// The same, with what the statement gives back.
    pub(super) fn change_returning(
        &self,
        change: &Change,
        params: Params<'_>,
    ) -> Result<Row, StatementError> {
        let sql = change.sql(self.announces());
        let row = self.change(sql.name(), |session| session.query_opt(sql, params))?;
        row.ok_or(Refusal::Missing.into())
    }

    pub(super) fn watch_for(&self, cache: Arc<dyn CacheEvents>) -> Result<(), DbError> {
        self.guard.watch(cache)
    }

    /// What runs goes on to its end, on connections that are closed after it.
    pub(super) fn close_all(&self) {
        self.guard.close(|| {
            let woken = self.change("wake the watching thread", |session: &mut Session<'_>| {
                session.query(&ANNOUNCE, &[&vec![self.sender.of_nothing()]])
            });
            if let Err(error) = woken {
                let error: DbError = error;
                tracing::debug!(%error, "the watching thread ends at its next look");
            }
        });
        *self.pool.write() = None;
    }
}

/// An error that may say that only what ran beside a transaction kept it from being committed.
pub(super) trait Refused {
    fn is_refused_for_others(&self) -> bool;
}

impl Refused for DbError {
    fn is_refused_for_others(&self) -> bool {
        self.is_retryable()
    }
}

impl Refused for StatementError {
    fn is_refused_for_others(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_retryable())
    }
}

fn again<T, E: Refused>(label: &str, mut run: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    for _ in 1..ATTEMPTS {
        match run() {
            Err(error) if error.is_refused_for_others() => {
                tracing::debug!(label, "the server refused a transaction for another; again");
            }
            ended => return ended,
        }
    }
    run()
}

impl Drop for PostgresQueues {
    fn drop(&mut self) {
        self.close_all();
    }
}

impl fmt::Debug for PostgresQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresQueues")
            .field("semantics", &self.semantics)
            .field("sharing", &self.sharing)
            .finish_non_exhaustive()
    }
}

/// Without a cache only the lock is watched.
struct NoCache;

impl CacheEvents for NoCache {
    fn changed(&self, _: &[RecipientId]) {}

    fn lost(&self) {}

    fn regained(&self) {}
}
