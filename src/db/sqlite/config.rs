//! The settings of a SQLite database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::key::DatabaseKey;
use super::query_stats::QueryTracking;
use crate::db::{DbError, DbErrorKind};

/// About what the reference waits in all: 56 tries of 100 ms each, and 3 s between them (AS-5).
const BUSY_LIMIT: Duration = Duration::from_millis(8_600);

/// Registers functions on a new connection, for the triggers and statements that call them.
pub type RegisterFunctions =
    dyn Fn(&rusqlite::Connection) -> rusqlite::Result<()> + Send + Sync + 'static;

/// Where a database is and how it is used.
#[derive(Clone)]
pub struct SqliteConfig {
    pub(super) path: PathBuf,
    pub(super) busy_limit: Duration,
    pub(super) migration_lock_limit: Duration,
    pub(super) backup_folder: Option<PathBuf>,
    pub(super) vacuum: bool,
    pub(super) tracking: QueryTracking,
    pub(super) key: Option<DatabaseKey>,
    pub(super) keep_key: bool,
    pub(super) functions: Vec<Arc<RegisterFunctions>>,
}

impl SqliteConfig {
    /// The database in this file.
    ///
    /// Waiting for another process may take 8.6 seconds, for its migration 60; no backup is made, and
    /// nothing is compacted after a migration.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Settings`] for an empty path, and for `:memory:`, which are no files.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, DbError> {
        let path = path.into();
        if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
            let problem = "a database is a file: give its path";
            return Err(DbError::new("reading the settings", DbErrorKind::Settings, problem));
        }
        Ok(Self {
            path,
            busy_limit: BUSY_LIMIT,
            migration_lock_limit: Duration::from_secs(60),
            backup_folder: None,
            vacuum: false,
            tracking: QueryTracking::Off,
            key: None,
            keep_key: false,
            functions: Vec::new(),
        })
    }

    /// How long connecting, and beginning or committing a transaction, waits for another process. What is
    /// tried once may take a tenth of a second, whatever the limit is.
    #[must_use]
    pub fn busy_limit(mut self, limit: Duration) -> Self {
        self.busy_limit = limit;
        self
    }

    /// How long a migration waits until no other process uses the file.
    #[must_use]
    pub fn migration_lock_limit(mut self, limit: Duration) -> Self {
        self.migration_lock_limit = limit;
        self
    }

    /// Before an existing database is migrated, it is copied into this folder, under its name with `.bak`
    /// appended; an earlier copy is replaced. An empty path means the database's own folder.
    #[must_use]
    pub fn backup_into(mut self, folder: impl Into<PathBuf>) -> Self {
        self.backup_folder = Some(folder.into());
        self
    }

    /// Whether the file is compacted after migrations were applied.
    #[must_use]
    pub fn vacuum_after_migration(mut self, vacuum: bool) -> Self {
        self.vacuum = vacuum;
        self
    }

    /// Which statements' times are kept in the [statistics](super::SqliteDatabase::query_stats).
    #[must_use]
    pub fn track_queries(mut self, tracking: QueryTracking) -> Self {
        self.tracking = tracking;
        self
    }

    /// The file is encrypted with this key, or is to be when it is made. `keep` says whether an open database
    /// keeps the key in memory, so that it can be closed and opened again without it (AS-7).
    ///
    /// Needs the feature `sqlcipher`: without it, opening is refused.
    #[must_use]
    pub fn encrypted(mut self, key: DatabaseKey, keep: bool) -> Self {
        self.key = Some(key);
        self.keep_key = keep;
        self
    }

    /// Has functions registered on every connection.
    #[must_use]
    pub fn with_functions(
        mut self,
        register: impl Fn(&rusqlite::Connection) -> rusqlite::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.functions.push(Arc::new(register));
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a backup goes, if one is made.
    pub(super) fn backup_path(&self) -> Option<PathBuf> {
        let folder = self.backup_folder.as_ref()?;
        let mut name = self.path.file_name()?.to_owned();
        name.push(".bak");
        Some(match folder.as_os_str().is_empty() {
            true => self.path.with_file_name(name),
            false => folder.join(name),
        })
    }
}

impl fmt::Debug for SqliteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteConfig")
            .field("path", &self.path)
            .field("busy_limit", &self.busy_limit)
            .field("migration_lock_limit", &self.migration_lock_limit)
            .field("backup_folder", &self.backup_folder)
            .field("vacuum", &self.vacuum)
            .finish_non_exhaustive()
    }
}
