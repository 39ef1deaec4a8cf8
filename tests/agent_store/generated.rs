//! A generated database of each kind, and copies of it that can be damaged.

use std::path::PathBuf;

use simplex_stores::agent_store::AgentStore;
use simplex_stores::agent_store::migrations::POSTGRES;
use simplex_stores::db::DatabaseConfig;
use simplex_stores::db::sqlite::rusqlite;
use simplex_stores::testing::agent::{FillError, Shape, fill};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

use crate::fixture::url_of;

/// Enough connections that each table has rows, of each kind.
pub(crate) const SHAPE: Shape = Shape { connections: 300, messages: 6, seed: 7 };

/// A generated database.
pub(crate) enum Generated {
    File(tempfile::TempDir),
    Server(TestDatabase),
}

/// Runs a test on a generated database of each kind.
pub(crate) fn on_each_generated(test: impl Fn(&Generated)) {
    let file = Generated::file(SHAPE);
    test(&file);
    test(&Generated::server(SHAPE));
}

impl Generated {
    /// A file with what `shape` says.
    pub(crate) fn file(shape: Shape) -> Self {
        let file = Self::File(tempfile::tempdir().unwrap());
        fill(&file.config(), &shape, |_| {}).unwrap();
        file
    }

    /// A server's database with that; made once for all tests of a run.
    pub(crate) fn server(shape: Shape) -> Self {
        let names: Vec<&str> = POSTGRES.list.iter().map(|one| one.name).collect();
        let key = format!("agent {shape:?} {names:?} {}", POSTGRES.baseline.script);
        let prepare = |url: &str| -> Result<(), FillError> {
            fill(&AgentStore::config(&url_of(url))?, &shape, |_| {}).map(drop)
        };
        Self::Server(Cluster::shared().unwrap().database_like(&key, prepare).unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("agent.db"),
            Self::Server(_) => PathBuf::new(),
        }
    }

    pub(crate) fn config(&self) -> DatabaseConfig {
        match self {
            Self::File(_) => AgentStore::config(self.path().to_str().unwrap()).unwrap(),
            Self::Server(database) => AgentStore::config(&url_of(database.url())).unwrap(),
        }
    }

    /// Another with the same rows.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::File(_) => {
                let folder = tempfile::tempdir().unwrap();
                std::fs::copy(self.path(), folder.path().join("agent.db")).unwrap();
                Self::File(folder)
            }
            Self::Server(_) => Self::server(SHAPE),
        }
    }

    /// Runs a statement without references and triggers; says how many rows it changed.
    pub(crate) fn damage(&self, sql: &str) -> u64 {
        match self {
            Self::File(_) => {
                let connection = rusqlite::Connection::open(self.path()).unwrap();
                connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
                // Triggers would put the counts right again.
                let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
                let mut statement = connection.prepare(triggers).unwrap();
                let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
                for name in names.map(Result::unwrap).collect::<Vec<_>>() {
                    connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
                }
                let sql = sql.replace("{bytes}", "x'3f3f'");
                connection.execute(&sql, []).unwrap_or_else(|error| panic!("{sql}: {error}")) as u64
            }
            Self::Server(database) => {
                let mut client = database.client().unwrap();
                let settings =
                    "SET search_path = agent_store; SET session_replication_role = replica";
                client.batch_execute(settings).unwrap();
                let sql = sql.replace("{bytes}", "'\\x3f3f'::bytea");
                client.execute(&*sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))
            }
        }
    }

    /// What it holds: the bytes of the file, or some counts and sums of the server's tables.
    pub(crate) fn state(&self) -> Vec<u8> {
        match self {
            Self::File(_) => std::fs::read(self.path()).unwrap(),
            Self::Server(database) => {
                let mut client = database.client().unwrap();
                let rows = "SELECT md5(string_agg(m::text, ' ' ORDER BY m::text)) ||
                                   (SELECT md5(string_agg(c::text, ' ' ORDER BY c::text))
                                      FROM agent_store.connections c)
                              FROM agent_store.messages m";
                let row = client.query_one(rows, &[]).unwrap();
                row.get::<_, String>(0).into_bytes()
            }
        }
    }
}
