//! The settings of a PostgreSQL database.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use postgres::config::Host;

use crate::db::{DbError, DbErrorKind};

/// The schema of the reference's router.
const DEFAULT_SCHEMA: &str = "smp_server";
/// How many connections the reference's router opens.
const DEFAULT_POOL_SIZE: u32 = 10;
/// How long connecting may take, where the URL doesn't say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest name that a server doesn't cut, in bytes.
const MAX_NAME: usize = 63;

/// The name of a schema: 1 to 63 bytes without NUL. Any other character may stand in it, for it never
/// becomes a part of a statement's text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// The name, as a server gives it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SchemaName {
    type Err = DbError;

    fn from_str(name: &str) -> Result<Self, DbError> {
        if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
            let problem = "a schema's name has 1 to 63 bytes, none of them NUL";
            return Err(DbError::new("reading the settings", DbErrorKind::Settings, problem));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a database is and how it is used. Neither `Debug` nor an error shows the password.
#[derive(Clone)]
pub struct PostgresConfig {
    pub(super) server: postgres::Config,
    pub(super) schema: SchemaName,
    pub(super) pool_size: u32,
    pub(super) checkout_timeout: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) idle_transaction_timeout: Duration,
    pub(super) migration_lock_timeout: Duration,
    /// What a program's own statements read with `current_setting`.
    pub(super) session: Vec<(&'static str, String)>,
}

impl PostgresConfig {
    /// Reads a URL (`postgres://user:password@host:port/database`) or pairs (`host=… user=…`).
    ///
    /// The schema is `smp_server`, the pool has 10 connections; connecting and waiting for a free
    /// connection may take 10 seconds each, a statement 30, an idle transaction 60, and waiting for
    /// the lock of a migration 60.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Settings`] for what is neither; the text isn't repeated, for it may hold a
    /// password.
    pub fn parse(url: &str) -> Result<Self, DbError> {
        let mut server = postgres::Config::from_str(url).map_err(|_| {
            let problem = "not a database URL (postgres://user@host:port/database) nor pairs \
                           (host=… user=… dbname=…)";
            DbError::new("reading the settings", DbErrorKind::Settings, problem)
        })?;
        if server.get_application_name().is_none() {
            server.application_name("simplex-stores");
        }
        if server.get_connect_timeout().is_none() {
            server.connect_timeout(CONNECT_TIMEOUT);
        }
        // A server that is gone without a word is noticed after a minute.
        if server.get_tcp_user_timeout().is_none() {
            let (quiet, between) = (Duration::from_secs(30), Duration::from_secs(10));
            server.keepalives_idle(quiet).keepalives_interval(between).keepalives_retries(3);
            server.tcp_user_timeout(quiet);
        }
        server.notice_callback(|notice| {
            tracing::debug!(severity = notice.severity(), message = notice.message(), "notice");
        });
        Ok(Self {
            server,
            schema: SchemaName(DEFAULT_SCHEMA.to_owned()),
            pool_size: DEFAULT_POOL_SIZE,
            checkout_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            idle_transaction_timeout: Duration::from_secs(60),
            migration_lock_timeout: Duration::from_secs(60),
            session: Vec::new(),
        })
    }

    /// The schema that holds the tables.
    #[must_use]
    pub fn schema(mut self, schema: SchemaName) -> Self {
        self.schema = schema;
        self
    }

    /// How many connections the pool keeps; at least one.
    #[must_use]
    pub fn pool_size(mut self, connections: u32) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// How long a call waits for a free connection: a millisecond at least, a day at most.
    #[must_use]
    pub fn checkout_timeout(mut self, limit: Duration) -> Self {
        self.checkout_timeout = limit.clamp(Duration::from_millis(1), Duration::from_secs(86_400));
        self
    }

    /// How long one statement may run; zero for as long as it takes. Whole milliseconds count.
    /// Migrations have no such limit.
    #[must_use]
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = limit;
        self
    }

    /// How long a transaction may wait for its next statement before the server ends its connection;
    /// zero for no limit. Whole milliseconds count.
    #[must_use]
    pub fn idle_transaction_timeout(mut self, limit: Duration) -> Self {
        self.idle_transaction_timeout = limit;
        self
    }

    /// How long a migration waits for another process's migration, or for a table that is in use;
    /// zero for no limit. Whole milliseconds count.
    #[must_use]
    pub fn migration_lock_timeout(mut self, limit: Duration) -> Self {
        self.migration_lock_timeout = limit;
        self
    }

    /// What statements read with `current_setting` on every connection. The name has a dot in it: it is
    /// the program's, not the server's.
    #[must_use]
    pub fn session_setting(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.session.push((name, value.into()));
        self
    }

    /// How long a call waits for a free connection.
    pub fn checkout_limit(&self) -> Duration {
        self.checkout_timeout
    }

    /// The schema that holds the tables.
    pub fn schema_name(&self) -> &SchemaName {
        &self.schema
    }

    /// How long connecting may take, and filling the pool.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.server.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
    }

    /// The server, database and user, for messages.
    pub(super) fn place(&self) -> String {
        let hosts: Vec<String> = self.server.get_hosts().iter().map(host_text).collect();
        let host = if hosts.is_empty() { "?".to_owned() } else { hosts.join(",") };
        let user = self.server.get_user().unwrap_or("?");
        let database = self.server.get_dbname().unwrap_or(user);
        format!("database {database} at {host} as {user}")
    }
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("place", &self.place())
            .field("schema", &self.schema.0)
            .field("pool_size", &self.pool_size)
            .field("checkout_timeout", &self.checkout_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("idle_transaction_timeout", &self.idle_transaction_timeout)
            .field("migration_lock_timeout", &self.migration_lock_timeout)
            .finish()
    }
}
