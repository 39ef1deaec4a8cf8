//! A database of either kind, chosen when the program runs.

use std::str::FromStr;

#[cfg(feature = "postgres")]
use super::postgres::{Pool, Pools, PostgresConfig};
#[cfg(feature = "sqlite")]
use super::sqlite::{SqliteConfig, SqliteDatabase};
use super::{Connection, DbError, DbErrorKind, Dialect, Priority, Tx};

/// Where a database is: a file, or a server's URL.
///
/// ```
/// use simplex_stores::db::{DatabaseConfig, Dialect};
///
/// # fn main() -> Result<(), simplex_stores::db::DbError> {
#[cfg_attr(
    feature = "sqlite",
    doc = "assert_eq!(\"/var/lib/agent.db\".parse::<DatabaseConfig>()?.dialect(), Dialect::Sqlite);"
)]
#[cfg_attr(
    feature = "postgres",
    doc = "assert_eq!(\"postgres://agent@db.example/agents\".parse::<DatabaseConfig>()?.dialect(), Dialect::Postgres);"
)]
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DatabaseConfig {
    /// A file.
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConfig),
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresConfig>),
}

impl DatabaseConfig {
    /// Which kind of database it is.
    pub fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs `work` as one transaction that only reads, on a connection of its own, and sees the database as it
    /// was at one moment. It may take as long as it needs. Nothing is made that isn't there.
    ///
    /// On SQLite, what other processes write meanwhile is committed when this has ended, and they may give up
    /// waiting for that. What a process that was killed had not committed is taken back first, as by whatever
    /// opens the file.
    ///
    /// # Errors
    ///
    /// What `work` returned; or why it could not be begun: [`DbErrorKind::Connect`] also for a file that isn't
    /// there.
    pub fn snapshot<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(config) => super::sqlite::snapshot(config, label, work),
            #[cfg(feature = "postgres")]
            Self::Postgres(config) => {
                let unlimited = std::time::Duration::ZERO;
                let config = (**config).clone().pool_size(1);
                let config =
                    config.statement_timeout(unlimited).idle_transaction_timeout(unlimited);
                Pool::open(&config)?.snapshot(label, |tx| work(&mut Tx::on(tx)))
            }
        }
    }
}

/// What begins with `postgres://` or `postgresql://` is a server, everything else a path.
impl FromStr for DatabaseConfig {
    type Err = DbError;

    fn from_str(text: &str) -> Result<Self, DbError> {
        let server = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        if server { at_server(text) } else { in_file(text) }
    }
}

#[cfg(feature = "postgres")]
fn at_server(url: &str) -> Result<DatabaseConfig, DbError> {
    PostgresConfig::parse(url).map(|config| DatabaseConfig::Postgres(Box::new(config)))
}

#[cfg(not(feature = "postgres"))]
fn at_server(_: &str) -> Result<DatabaseConfig, DbError> {
    let problem = "this program was built without PostgreSQL: give a file's path";
    Err(DbError::new("reading the settings", DbErrorKind::Settings, problem))
}

#[cfg(feature = "sqlite")]
fn in_file(path: &str) -> Result<DatabaseConfig, DbError> {
    SqliteConfig::new(path).map(DatabaseConfig::Sqlite)
}

#[cfg(not(feature = "sqlite"))]
fn in_file(_: &str) -> Result<DatabaseConfig, DbError> {
    let problem = "this program was built without SQLite: give a postgres:// URL";
    Err(DbError::new("reading the settings", DbErrorKind::Settings, problem))
}

/// An open database of either kind; threads share it.
#[derive(Debug)]
pub struct Database(Kind);

#[derive(Debug)]
enum Kind {
    #[cfg(feature = "sqlite")]
    Sqlite(Box<SqliteDatabase>),
    #[cfg(feature = "postgres")]
    Postgres(Box<Pools>),
}

impl Database {
    /// Opens it.
    ///
    /// # Errors
    ///
    /// What kept the file from being opened, or the server from being connected.
    pub fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        match config {
            #[cfg(feature = "sqlite")]
            DatabaseConfig::Sqlite(config) => {
                SqliteDatabase::open(config).map(|file| Kind::Sqlite(Box::new(file)))
            }
            #[cfg(feature = "postgres")]
            DatabaseConfig::Postgres(config) => {
                Pools::open(config).map(|pools| Kind::Postgres(Box::new(pools)))
            }
        }
        .map(Self)
    }

    /// Which kind of database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs `work` as one transaction: committed when it returns `Ok` and none of its statements failed
    /// outside a savepoint, otherwise taken back whole. The label names it in errors and logs. `work` runs
    /// once at most.
    ///
    /// # Errors
    ///
    /// What `work` returned; or why it could not be begun or committed;
    /// [`DbErrorKind::Closed`] after [`close`](Self::close).
    pub fn transaction<T, E: From<DbError>>(
        &self,
        priority: Priority,
        label: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(database) => database.transaction(priority, label, work),
            #[cfg(feature = "postgres")]
            Kind::Postgres(pools) => pools.transaction(priority, label, work),
        }
    }

    /// Runs `work` on a connection without a transaction: each statement is one by itself. The label names
    /// it in errors.
    ///
    /// # Errors
    ///
    /// What `work` returned, or why there is no connection; [`DbErrorKind::Closed`] after
    /// [`close`](Self::close).
    pub fn with_connection<T, E: From<DbError>>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Connection<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(database) => database.with_connection(label, work),
            #[cfg(feature = "postgres")]
            Kind::Postgres(pools) => pools.with_connection(label, work),
        }
    }

    /// Refuses new work, waits until what runs has ended, and closes the connections.
    ///
    /// # Errors
    ///
    /// What SQLite said; it is closed all the same.
    pub fn close(&self) -> Result<(), DbError> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(database) => database.close(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(pools) => {
                pools.close();
                Ok(())
            }
        }
    }

    /// Opens a closed database again; an open one stays as it is.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then it stays closed.
    pub fn reopen(&self) -> Result<(), DbError> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(database) => database.reopen(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(pools) => pools.reopen(),
        }
    }

    /// Opens a closed, encrypted SQLite file again with its key, and says whether to keep that from now on
    /// (AS-7).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); then it stays closed. On PostgreSQL, that there are no keys.
    #[cfg(feature = "sqlite")]
    pub fn reopen_with_key(
        &self,
        key: super::sqlite::DatabaseKey,
        keep: bool,
    ) -> Result<(), DbError> {
        match &self.0 {
            Kind::Sqlite(database) => database.reopen_with_key(Some(key), keep),
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {
                let problem = "a key is for SQLite files";
                Err(DbError::new("reopen", DbErrorKind::Settings, problem))
            }
        }
    }

    /// Runs any statements and gives what they select as lines of text. SQLite only (AS-11).
    ///
    /// # Errors
    ///
    /// What SQLite said; on PostgreSQL, that it isn't offered there.
    pub fn exec_sql(&self, text: &str) -> Result<Vec<String>, DbError> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(database) => database.exec_sql(text),
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {
                let _ = text;
                let problem = "statements as text are not offered on PostgreSQL: use psql";
                Err(DbError::new("exec sql", DbErrorKind::Other, problem))
            }
        }
    }
}
