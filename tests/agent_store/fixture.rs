//! The same test on a store in a database of each kind.

use std::io::Write as _;
use std::path::PathBuf;

use simplex_stores::agent_store::types::{
    ConnId, KeyHash, Port, Protocol, Server, ServerHosts, UserId,
};
use simplex_stores::agent_store::{AgentStore, AgentTx, SchemaOptions, StoreError, TxResult};
use simplex_stores::db::migrations::{ConfirmMode, MigrationError};
use simplex_stores::db::{DatabaseConfig, Params, Row, Sql};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// Makes whatever is missing.
pub(crate) const UP: SchemaOptions =
    SchemaOptions { confirm: ConfirmMode::YesUp, create_schema: true };

/// An empty place for a database; it goes with this value.
pub(crate) enum Place {
    File(tempfile::TempDir),
    Server(TestDatabase),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) fn server() -> Self {
        Self::Server(Cluster::shared().unwrap().database().unwrap())
    }

    /// A database with the schema, and nothing in it: made once for all tests of a run.
    pub(crate) fn prepared_server() -> Self {
        let migrations = simplex_stores::agent_store::migrations::POSTGRES;
        let names: Vec<&str> = migrations.list.iter().map(|one| one.name).collect();
        let key = format!("agent store {names:?} {}", migrations.baseline.script);
        let prepare = |url: &str| -> Result<(), MigrationError> {
            let config = AgentStore::config(&url_of(url))?;
            simplex_stores::agent_store::migrate(&config, UP, |_| false).map(drop)
        };
        Self::Server(Cluster::shared().unwrap().database_like(&key, prepare).unwrap())
    }

    /// What a user calls it by: a path, or a URL.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(_) => self.path().to_str().unwrap().to_owned(),
            Self::Server(database) => url_of(database.url()),
        }
    }

    pub(crate) fn config(&self) -> DatabaseConfig {
        encrypted(AgentStore::config(&self.name()).unwrap())
    }

    /// The file; of a server there is none.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("agent.db"),
            Self::Server(_) => PathBuf::new(),
        }
    }

    pub(crate) fn open(&self) -> Result<AgentStore, MigrationError> {
        self.open_with(Semantics::Strict)
    }

    pub(crate) fn open_with(&self, semantics: Semantics) -> Result<AgentStore, MigrationError> {
        AgentStore::open(&self.config(), UP, semantics, |_| panic!("nobody is to be asked"))
    }
}

/// With SQLCipher, all of these tests run on encrypted files.
#[cfg(feature = "sqlcipher")]
fn encrypted(config: DatabaseConfig) -> DatabaseConfig {
    match config {
        DatabaseConfig::Sqlite(config) => {
            let key = simplex_stores::db::sqlite::DatabaseKey::new("key").unwrap();
            DatabaseConfig::Sqlite(config.encrypted(key, true))
        }
        other => other,
    }
}

#[cfg(not(feature = "sqlcipher"))]
fn encrypted(config: DatabaseConfig) -> DatabaseConfig {
    config
}

/// What the tests' servers give are pairs; a user gives a URL.
pub(crate) fn url_of(pairs: &str) -> String {
    if pairs.starts_with("postgres") {
        return pairs.to_owned();
    }
    let encoded = |value: &str| value.replace('/', "%2F");
    let pairs = pairs.split_whitespace().filter_map(|pair| pair.split_once('='));
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={}", encoded(value.trim_matches('\''))))
        .collect();
    format!("postgres:///?{}", pairs.join("&"))
}

/// A store, and its place.
pub(crate) struct TestStore {
    pub(crate) store: AgentStore,
    pub(crate) place: Place,
}

/// Says which database a test was on when it failed.
struct On(&'static str);

impl Drop for On {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "(this was on {})", self.0);
        }
    }
}

/// Runs a test on an empty store in SQLite, and on an empty one in PostgreSQL.
pub(crate) fn on_each(test: impl Fn(&TestStore)) {
    on_each_with(Semantics::Strict, test);
}

/// The same under these semantics.
pub(crate) fn on_each_with(semantics: Semantics, test: impl Fn(&TestStore)) {
    let on = |place: Place| {
        let store = place.open_with(semantics).unwrap();
        let dialect = store.database().dialect();
        let test_store = TestStore { store, place };
        crate::explain::explaining(dialect, || test(&test_store));
    };
    {
        let _on = On("SQLite");
        on(Place::file());
    }
    let _on = On("PostgreSQL");
    on(Place::prepared_server());
}

/// Runs a test on an empty place for each kind of database.
pub(crate) fn on_each_place(test: impl Fn(&Place)) {
    {
        let _on = On("SQLite");
        test(&Place::file());
    }
    let _on = On("PostgreSQL");
    test(&Place::server());
}

impl TestStore {
    /// An empty store in an empty place.
    pub(crate) fn on(place: Place) -> Self {
        Self { store: place.open().unwrap(), place }
    }

    /// Runs `work` as a transaction.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&mut AgentTx<'_>) -> TxResult<T>,
    ) -> Result<T, StoreError> {
        self.store.transaction("test", work)
    }

    /// Runs one statement, for what no operation does; says how many rows it changed.
    pub(crate) fn execute(&self, text: &'static str, params: Params<'_>) -> u64 {
        let sql = Sql::new("a test's statement", text);
        self.run(|tx| Ok(tx.statements().execute(&sql, params)?)).unwrap()
    }

    /// What one statement finds.
    pub(crate) fn query<T>(
        &self,
        text: &'static str,
        params: Params<'_>,
        read: impl FnMut(&mut Row<'_>) -> Result<T, simplex_stores::db::DbError>,
    ) -> Vec<T> {
        let sql = Sql::new("a test's query", text);
        self.run(|tx| Ok(tx.statements().query(&sql, params, read)?)).unwrap()
    }

    /// A user.
    pub(crate) fn user(&self) -> UserId {
        self.run(|tx| tx.create_user_record()).unwrap()
    }

    /// A connection's row without queues, for areas that only refer to one.
    pub(crate) fn bare_connection(&self, user: UserId, id: &[u8]) -> ConnId {
        let insert = "INSERT INTO connections (conn_id, conn_mode, user_id) VALUES ($1, 'INV', $2)";
        self.execute(insert, &[&id, &user]);
        ConnId::from_bytes(id).unwrap()
    }
}

/// The router at these hosts, with commas between them.
pub(crate) fn server<P: Protocol>(hosts: &str, port: &str, key_hash: &[u8]) -> Server<P> {
    let hosts = ServerHosts::from_text(hosts).unwrap();
    Server::new(hosts, Port(port.to_owned()), KeyHash(key_hash.to_vec()))
}
