//! The same test on a database of each kind.

use std::io::Write as _;

use simplex_stores::db::postgres::{PostgresConfig, SchemaName};
use simplex_stores::db::{Database, DatabaseConfig, DbError, Params, Priority, Sql, Tx};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// An empty database; it goes with this value.
pub(crate) struct TestDb {
    pub(crate) config: DatabaseConfig,
    pub(crate) database: Database,
    place: Place,
}

enum Place {
    File { _folder: tempfile::TempDir },
    Server { database: TestDatabase },
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

/// Runs a test on an empty SQLite database, and on an empty PostgreSQL one.
pub(crate) fn on_each(test: impl Fn(&TestDb)) {
    {
        let _on = On("SQLite");
        test(&sqlite());
    }
    let _on = On("PostgreSQL");
    test(&postgres());
}

pub(crate) fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let config: DatabaseConfig = path.to_str().unwrap().parse().unwrap();
    let database = Database::open(&config).unwrap();
    TestDb { config, database, place: Place::File { _folder: folder } }
}

pub(crate) fn postgres() -> TestDb {
    let place = Cluster::shared().unwrap().database().unwrap();
    let schema: SchemaName = "public".parse().unwrap();
    let config = PostgresConfig::parse(place.url()).unwrap().schema(schema).pool_size(2);
    let config = DatabaseConfig::Postgres(Box::new(config));
    let database = Database::open(&config).unwrap();
    TestDb { config, database, place: Place::Server { database: place } }
}

impl TestDb {
    /// A connection of the driver's own to the server, if there is one.
    pub(crate) fn client(&self) -> Option<postgres::Client> {
        match &self.place {
            Place::File { .. } => None,
            Place::Server { database } => Some(database.client().unwrap()),
        }
    }

    /// Runs `work` as a transaction.
    pub(crate) fn run<T>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.database.transaction(Priority::Ordinary, "test", work)
    }

    /// Runs one statement as a transaction.
    pub(crate) fn execute(&self, sql: &Sql, params: Params<'_>) -> Result<u64, DbError> {
        self.run(|tx| tx.execute(sql, params))
    }
}
