//! A connection: the driver's, set up as every connection is.

use std::time::{Duration, Instant};

use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;

use super::config::SqliteConfig;
use super::error::{classified, is_busy};
use crate::db::{DbError, DbErrorKind};

/// How long SQLite itself waits for a lock before it says that the database is busy.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);
/// Statements that are kept prepared: more than the agent store has, and there is an end to them.
const STATEMENTS: usize = 512;

/// What a connection begins with (AS-3). The mode of vacuum counts only where there is no table yet.
const SETUP: &str =
    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA auto_vacuum = FULL;";

/// Reads the file, so that a key that isn't its key is noticed at once.
const LOOK: &str = "SELECT count(*) FROM sqlite_master";

/// Opens the file, and makes it and its folder when they aren't there.
pub(super) fn open(config: &SqliteConfig) -> Result<rusqlite::Connection, DbError> {
    if let Some(folder) = config.path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let place = format!("opening {}", config.path.display());
            DbError::new(place, DbErrorKind::Connect, error)
        })?;
    }
    open_with(config, OpenFlags::SQLITE_OPEN_CREATE, |connection| {
        // What SQLite tells about a pragma's new value is a row.
        while_busy(config.busy_limit, || connection.execute_batch(SETUP))?;
        config.functions.iter().try_for_each(|register| register(connection))
    })
}

/// Opens a file that is there, for statements that change nothing.
///
/// What a process that was killed left unfinished is taken back by SQLite first, as by whatever opens the
/// file; so it is opened for writing where that is allowed.
pub(super) fn open_to_read(config: &SqliteConfig) -> Result<rusqlite::Connection, DbError> {
    open_with(config, OpenFlags::empty(), |connection| {
        connection.execute_batch("PRAGMA query_only = ON")
    })
}

fn open_with(
    config: &SqliteConfig,
    create: OpenFlags,
    set_up: impl Fn(&rusqlite::Connection) -> rusqlite::Result<()>,
) -> Result<rusqlite::Connection, DbError> {
    let place = format!("opening {}", config.path.display());
    if config.key.is_some() && !cfg!(feature = "sqlcipher") {
        let problem = "this program was built without SQLCipher: it can't open encrypted files";
        return Err(DbError::new(place, DbErrorKind::Settings, problem));
    }
    // Without the flag for URIs a path is a path, whatever it begins with.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let connection = rusqlite::Connection::open_with_flags(&config.path, flags);
    let connection = connection.map_err(|error| classified(&place, &error))?;
    let ready = unlock(&connection, config).and_then(|()| set_up(&connection));
    let ready = ready.and_then(|()| look(&connection, config));
    ready.map_err(|error| match classified(&place, &error) {
        error if config.key.is_some() && *error.kind() == DbErrorKind::Damaged => {
            let problem = "the key is not this file's, or it is no encrypted database";
            DbError::new(&place, DbErrorKind::Damaged, problem)
        }
        error => error,
    })?;
    Ok(connection)
}

fn unlock(connection: &rusqlite::Connection, config: &SqliteConfig) -> rusqlite::Result<()> {
    if let Some(key) = &config.key {
        key.unlock(connection)?;
    }
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan doesn't depend on the values that are bound. Otherwise a statement whose plan might is prepared again for
    // each run, since the driver takes the values back after the one before.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn look(connection: &rusqlite::Connection, config: &SqliteConfig) -> rusqlite::Result<()> {
    match config.key {
        Some(_) => while_busy(config.busy_limit, || connection.query_row(LOOK, [], |_| Ok(()))),
        None => Ok(()),
    }
}

/// Tries again while another process has the lock, until the limit is over (AS-5). Between two tries
/// nothing waits: each of them is SQLite's own waiting.
pub(super) fn while_busy<T>(
    limit: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let started = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && started.elapsed() < limit => {
                tracing::debug!("another process has the lock: trying again");
            }
            result => return result,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_whose_plan_might_depend_on_values_is_prepared_once() {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("plans.db")).unwrap();
        let connection = open(&config).unwrap();
        let table = "CREATE TABLE queues (id, deleted);
            CREATE INDEX live ON queues (id) WHERE deleted = 0";
        connection.execute_batch(table).unwrap();
        let find = "SELECT id FROM queues WHERE id = $1 AND deleted = $2";
        for _ in 0..3 {
            let mut statement = connection.prepare_cached(find).unwrap();
            assert!(!statement.exists([1, 0]).unwrap());
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }
}
