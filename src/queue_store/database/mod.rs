//! The queue store over a database, with a cache that is coherent with it.
//!
//! **The promise.** Every operation of the [contract](crate::queue_store::QueueStore) takes effect as one
//! transaction of the database, but the purge, which goes in portions, and the fold, which reads in pages. Under
//! `Strict` its answers are those of the in-memory store, and where one process changes the database, every
//! answer, from the cache or not, is what the database had at one moment between call and return. What another
//! process changed is in the answers without a cache at once, and from a cache when it was told of. The cache
//! never holds what the database refused, and when it isn't known what the database did, it asks again (RACE-70).
//!
//! **The algorithm.** [`QueueDatabase`] says what is asked of a database: a method for each statement, with its
//! condition in it. [`DatabaseQueueStore`] is the rest, for any such database:
//!
//! | file | what is there |
//! |---|---|
//! | `queue_database` | the trait, and what a database answers |
//! | `locks` | locks by recipient id, and by certificate |
//! | `cache` | the four indexes, and when what was read may enter them |
//! | `ages` | which queues are taken out of a full cache |
//! | `control` | who may still begin a call, and whether the cache may be served |
//! | `lookup` | finding queues, singly and in batches |
//! | `change` | changing one: lock, statement, cache and journal |
//! | `coherence` | what others changed |
//! | `operations`, `services` | the operations of the contract |
//! | `answers` | what a caller is told when the database refused or failed |
//! | `fault` | the guards that a test can take out |
//! | `journal` | the optional journal beside the database |
//!
//! **Why the cache is right.** See `cache`, and the order of steps in `change`.
//!
//! **Locks.** A call holds the lock of a queue, or of all the queues of a batch, taken in one step; then a
//! connection; never the other way round (RACE-46). User code is called while nothing is held.
//!
//! **The tests that show it.** `loom-tests/` runs this code over a model of a database in which each statement
//! is one step; `tests/postgres/` runs it on a real server.

mod ages;
mod answers;
mod cache;
mod change;
mod coherence;
mod control;
mod fault;
mod journal;
mod locks;
mod lookup;
mod operations;
mod queue_database;
mod services;

use std::sync::Arc;
use std::time::Duration;

#[cfg(any(loom, shuttle))]
pub use fault::{StoreFault, without};
pub use queue_database::{
    CacheEvents, NtfServices, PartyResults, QueueDatabase, QueueRow, ReadRow, Refusal,
    ServiceFound, StatementError,
};

use self::cache::Cache;
use self::coherence::Coherence;
use self::control::Control;
use self::fault::is_cut_off;
use self::journal::ExtraJournal;
use self::locks::Locks;
use super::queue::{BasicFactory, QueueFactory};
use crate::db::DbError;
use crate::protocol::{CertFingerprint, RecipientId, Semantics};
use crate::store_log::{Clock, Journal};

/// How long a deleted queue stays in the database, where nothing else is said: 21 days.
pub const DEFAULT_RETENTION: Duration = Duration::from_secs(21 * 24 * 60 * 60);

/// How many queues are cached, where nothing else is said.
pub const DEFAULT_CACHE_CAPACITY: usize = 1_000_000;

/// How a [`DatabaseQueueStore`] works: with strict semantics, a cache of a million queues, and a retention of 21
/// days unless changed method by method.
#[derive(Clone)]
pub struct DatabaseStoreConfig {
    pub(super) semantics: Semantics,
    pub(super) use_cache: bool,
    cache_capacity: Option<usize>,
    pub(super) retention: Duration,
    clock: Clock,
}

impl Default for DatabaseStoreConfig {
    fn default() -> Self {
        Self {
            semantics: Semantics::Strict,
            use_cache: true,
            cache_capacity: Some(DEFAULT_CACHE_CAPACITY),
            retention: DEFAULT_RETENTION,
            clock: Arc::new(time::OffsetDateTime::now_utc),
        }
    }
}

impl DatabaseStoreConfig {
    /// Sets whose answers the store gives; the database must be opened for the same.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    /// Sets whether queues are cached (PG-18). Without a cache each lookup asks the database and makes an
    /// object of its own.
    #[must_use]
    pub fn use_cache(mut self, on: bool) -> Self {
        self.use_cache = on;
        self
    }

    /// Sets how many queues are cached before the oldest are taken out; `None` for no limit (RACE-21). Under
    /// `Reference` there is none (PG-34).
    #[must_use]
    pub fn cache_capacity(mut self, queues: Option<usize>) -> Self {
        self.cache_capacity = queues;
        self
    }

    /// Sets how long a deleted queue stays in the database before it may be purged (OP-5, RACE-71: a
    /// [`Duration`] has one unit).
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// Takes the time of deletions from `clock` instead of the system's.
    #[must_use]
    pub fn clock(
        mut self,
        clock: impl Fn() -> time::OffsetDateTime + Send + Sync + 'static,
    ) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The semantics.
    pub fn chosen_semantics(&self) -> Semantics {
        self.semantics
    }
}

impl std::fmt::Debug for DatabaseStoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseStoreConfig")
            .field("semantics", &self.semantics)
            .field("use_cache", &self.use_cache)
            .field("cache_capacity", &self.cache_capacity)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

/// The queue store over a database; see the [module](self) for how it works.
///
/// `F` makes the queue objects. With [`BasicFactory`] they are just an id and a record.
pub struct DatabaseQueueStore<D: QueueDatabase, F: QueueFactory = BasicFactory> {
    db: Arc<D>,
    factory: F,
    semantics: Semantics,
    retention: Duration,
    clock: Clock,
    control: Arc<Control>,
    cache: Option<Arc<Cache<F::Queue>>>,
    /// The locks of queues where there is no cache to have them.
    bare_locks: Locks<RecipientId>,
    certificates: Locks<CertFingerprint>,
    journal: ExtraJournal,
}

impl<D: QueueDatabase, F: QueueFactory> DatabaseQueueStore<D, F> {
    /// A store over a database that is open (OP-1), with an optional journal beside it (PG-17), which
    /// [`Journal::open_append`] opens.
    ///
    /// # Errors
    /// When it can't be found out what others change in the database; only with a cache.
    pub fn open(
        db: D,
        factory: F,
        config: &DatabaseStoreConfig,
        journal: Option<Journal>,
    ) -> Result<Self, DbError> {
        let (db, control) = (Arc::new(db), Arc::new(Control::new()));
        let strict = config.semantics == Semantics::Strict;
        let cache = config.use_cache.then(|| Arc::new(Cache::new(strict, config.cache_capacity)));
        if let Some(cache) = &cache {
            db.watch(Arc::new(Coherence::new(&db, &control, cache)))?;
        }
        Ok(Self {
            db,
            factory,
            semantics: config.semantics,
            retention: config.retention,
            clock: Arc::clone(&config.clock),
            control,
            cache,
            bare_locks: Locks::new(),
            certificates: Locks::new(),
            journal: ExtraJournal::new(journal),
        })
    }

    /// The database.
    pub fn database(&self) -> &D {
        &self.db
    }

    /// The semantics that the store was made with.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// How many records of acknowledged changes the journal beside the database lacks, because it could not
    /// be written (RACE-50). More than none: make it again by an export. Always zero without a journal.
    pub fn journal_lost(&self) -> u64 {
        self.journal.lost()
    }

    /// How many locks are held: none when no call is under way.
    #[cfg(any(test, feature = "testing"))]
    pub fn locks_held(&self) -> usize {
        self.locks().len() + self.certificates.len()
    }

    /// How many queues were taken out of the cache and are remembered because their objects may be held.
    #[cfg(any(test, feature = "testing"))]
    pub fn resting(&self) -> usize {
        self.cache.as_ref().map_or(0, |cache| cache.resting())
    }

    fn is_strict(&self) -> bool {
        self.semantics == Semantics::Strict
    }

    fn locks(&self) -> &Locks<RecipientId> {
        self.cache.as_ref().map_or(&self.bare_locks, |cache| &cache.locks)
    }
}

impl<D: QueueDatabase, F: QueueFactory> Drop for DatabaseQueueStore<D, F> {
    fn drop(&mut self) {
        if is_cut_off() {
            return;
        }
        if let Err(error) = self.shut() {
            tracing::error!(%error, "found when the store was dropped");
        }
    }
}

impl<D: QueueDatabase, F: QueueFactory> std::fmt::Debug for DatabaseQueueStore<D, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseQueueStore")
            .field("semantics", &self.semantics)
            .field("cache", &self.cache.is_some())
            .finish_non_exhaustive()
    }
}
