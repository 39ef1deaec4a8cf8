//! The settings of a queue store in a database.

use std::time::Duration;

use super::SchemaOptions;
use crate::db::migrations::ConfirmMode;
use crate::db::postgres::{CreateSchema, PostgresConfig};
use crate::db::{DbError, DbErrorKind};
use crate::protocol::Semantics;
use crate::queue_store::database::DatabaseStoreConfig;

const DAY: Duration = Duration::from_secs(86_400);

/// Who works in a schema at the same time (RACE-53).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// One process. It holds an exclusive lock of the server; opening fails while anybody else has the
    /// schema open.
    #[default]
    Alone,
    /// Any number of processes. Each tells the others which queues it changed, so what they have cached
    /// is not served for long; each holds a shared lock that keeps [`Alone`](Self::Alone) out.
    Processes,
}

/// Where a queue store's database is, and how it is used.
#[derive(Clone, Debug)]
pub struct PostgresQueueStoreConfig {
    pub(super) database: PostgresConfig,
    pub(super) store: DatabaseStoreConfig,
    pub(super) sharing: Sharing,
    pub(super) schema: SchemaOptions,
    pub(super) lock_wait: Duration,
    pub(super) heartbeat: Duration,
}

impl PostgresQueueStoreConfig {
    /// A store in this database: strict semantics, with a cache, alone in a schema that exists and is up
    /// to date; deleted queues are kept for 21 days.
    pub fn new(database: PostgresConfig) -> Self {
        Self {
            database,
            store: DatabaseStoreConfig::default(),
            sharing: Sharing::default(),
            schema: SchemaOptions { create: CreateSchema::Never, confirm: ConfirmMode::Error },
            lock_wait: Duration::from_secs(5),
            heartbeat: Duration::from_secs(10),
        }
    }

    /// Sets whose answers it gives.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.store = self.store.semantics(semantics);
        self
    }

    /// Sets whether queues that were found are kept in memory.
    #[must_use]
    pub fn use_cache(mut self, on: bool) -> Self {
        self.store = self.store.use_cache(on);
        self
    }

    /// Sets how many queues are kept in memory before the oldest are taken out; `None` for no limit (RACE-21).
    #[must_use]
    pub fn cache_capacity(mut self, queues: Option<usize>) -> Self {
        self.store = self.store.cache_capacity(queues);
        self
    }

    /// Sets how long deleted queues are kept: a day at least, or opening fails. Deletion is known to the
    /// second in rows written under `Strict` (decision 0032), to the day in rows of the reference, where less
    /// would mean nothing; and a number of days taken for seconds is refused (RACE-71).
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.store = self.store.retention(retention);
        self
    }

    /// Sets who else may work in the schema.
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// Sets how the schema may be changed when it is opened.
    #[must_use]
    pub fn schema(mut self, options: SchemaOptions) -> Self {
        self.schema = options;
        self
    }

    /// Sets how long opening waits for a process that keeps this one out: the server may not have
    /// noticed yet that a predecessor is gone. Whole milliseconds count, and one is the least.
    #[must_use]
    pub fn lock_wait(mut self, limit: Duration) -> Self {
        self.lock_wait = limit.max(Duration::from_millis(1));
        self
    }

    /// Sets how often the connection that says what others change is looked at while nothing comes on
    /// it; a millisecond at least, a day at most.
    #[must_use]
    pub fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every.clamp(Duration::from_millis(1), DAY);
        self
    }

    /// What the store over this database is opened with.
    pub fn store_config(&self) -> DatabaseStoreConfig {
        self.store.clone()
    }

    pub(super) fn check(&self) -> Result<(), DbError> {
        if self.store.retention < DAY {
            let problem = "deleted queues are kept for a day at least; was it meant in days?";
            return Err(DbError::new("reading the settings", DbErrorKind::Settings, problem));
        }
        Ok(())
    }
}
