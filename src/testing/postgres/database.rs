//! Databases of one test each.

use std::fmt;

use super::cluster::Cluster;
use super::error::ClusterError;
use crate::db::postgres::PostgresConfig;
use crate::db::{DbError, DbErrorKind};
use crate::protocol::IdsHash;

/// A database for one test. It goes with this value, and whoever is connected to it is disconnected.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    maintenance: String,
}

impl TestDatabase {
    /// Its URL, for the superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Settings to open it with.
    ///
    /// # Errors
    ///
    /// None that a test could cause.
    pub fn config(&self) -> Result<PostgresConfig, DbError> {
        PostgresConfig::parse(&self.url)
    }

    /// A connection of the driver's own, without any of this crate's settings.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn client(&self) -> Result<postgres::Client, DbError> {
        connect(&self.url)
    }
}

/// How many of the server's processes in a connection's database wait for a lock that another one has, now.
///
/// # Errors
///
/// What the server said.
pub fn waiting_for_locks(client: &mut postgres::Client) -> Result<usize, DbError> {
    // Unlike what the processes themselves tell of their waiting, this is never late.
    let count = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
    let failed = |error: postgres::Error| {
        DbError::new("looking who waits", DbErrorKind::Other, explained(&error))
    };
    let count: i64 = client.query_one(count, &[]).map_err(failed)?.get(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The folder goes with the server anyway.
        if let Ok(mut client) = connect(&self.maintenance) {
            let _ = client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

impl Cluster {
    /// A new, empty database.
    ///
    /// # Errors
    ///
    /// What the server said.
    pub fn database(&self) -> Result<TestDatabase, ClusterError> {
        self.new_database("template1")
    }

    /// A new database like one that was prepared once for all tests of the run: `key` tells what is in
    /// it, and `prepare` is called with the URL of an empty database by the first who asks.
    ///
    /// # Errors
    ///
    /// What the server said, or `prepare`.
    pub fn database_like<E: fmt::Display>(
        &self,
        key: &str,
        prepare: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<TestDatabase, ClusterError> {
        let template = format!("template_{}", hex(IdsHash::of_id(key.as_bytes()).as_bytes()));
        self.prepared_template(&template, prepare)?;
        self.new_database(&template)
    }

    /// One process at a time; a template that was not prepared to its end is not taken for one.
    fn prepared_template<E: fmt::Display>(
        &self,
        name: &str,
        prepare: impl FnOnce(&str) -> Result<(), E>,
    ) -> Result<(), ClusterError> {
        let mut client = connect(&self.url("postgres"))?;
        let lock = "SELECT 1 FROM pg_advisory_lock(hashtextextended($1, 1))";
        client.query(lock, &[&name]).map_err(said)?;
        let found = "SELECT 1 FROM pg_database WHERE datname = $1";
        if client.query_opt(found, &[&name]).map_err(said)?.is_some() {
            return Ok(());
        }
        let unfinished = format!("unfinished_{name}");
        let remove = format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)");
        client.batch_execute(&remove).map_err(said)?;
        client.batch_execute(&format!("CREATE DATABASE {unfinished}")).map_err(said)?;
        let prepared = prepare(&self.url(&unfinished));
        prepared.map_err(|error| ClusterError::Template(error.to_string()))?;
        client
            .batch_execute(&format!("ALTER DATABASE {unfinished} RENAME TO {name}"))
            .map_err(said)?;
        Ok(())
    }

    fn new_database(&self, template: &str) -> Result<TestDatabase, ClusterError> {
        let name = format!("test_{:016x}", rand::random::<u64>());
        let maintenance = self.url("postgres");
        let mut client = connect(&maintenance)?;
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        client.batch_execute(&create).map_err(said)?;
        Ok(TestDatabase { url: self.url(&name), name, maintenance })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn connect(url: &str) -> Result<postgres::Client, DbError> {
    postgres::Client::connect(url, postgres::NoTls).map_err(|error| {
        DbError::new("connecting for a test", DbErrorKind::Connect, explained(&error))
    })
}

fn said(error: postgres::Error) -> ClusterError {
    DbError::new("preparing a database for a test", DbErrorKind::Other, explained(&error)).into()
}

fn explained(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}
