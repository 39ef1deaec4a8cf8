//! One store in SQLite and one in PostgreSQL, for many histories.

use std::cell::Cell;
use std::path::Path;

use simplex_stores::agent_store::maintenance::{CheckReport, check};
use simplex_stores::agent_store::{AgentStore, SchemaOptions};
use simplex_stores::db::migrations::ConfirmMode;
use simplex_stores::db::{DatabaseConfig, Sql};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::agent_store::{Answer, History, Rows, clear, rows, run};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// Both stores, empty between histories.
pub(crate) struct Pair {
    pub(crate) sqlite: One,
    pub(crate) postgres: One,
    _folder: tempfile::TempDir,
    _server: TestDatabase,
}

pub(crate) struct One {
    store: AgentStore,
    config: DatabaseConfig,
    /// Every so many histories the database is checked: all of them have the same rows on both.
    check_each: u64,
    histories: Cell<u64>,
}

/// What is left of a history: answers, rows, and what a check says.
pub(crate) struct Outcome {
    pub(crate) answers: Vec<Vec<Answer>>,
    pub(crate) rows: Rows,
    pub(crate) report: Option<CheckReport>,
}

impl Pair {
    pub(crate) fn open(semantics: Semantics) -> Self {
        // Nothing here is about disks.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory } else { &std::env::temp_dir() };
        let folder = tempfile::tempdir_in(folder).unwrap();
        let server = Cluster::shared().unwrap().database().unwrap();
        let file = folder.path().join("agent.db");
        Self {
            sqlite: One::open(file.to_str().unwrap(), semantics, 1),
            postgres: One::open(&url_of(server.url()), semantics, 10),
            _folder: folder,
            _server: server,
        }
    }

    /// Runs a history on both.
    pub(crate) fn run(&self, history: &History) -> (Outcome, Outcome) {
        (self.sqlite.run(history, None), self.postgres.run(history, None))
    }
}

impl One {
    fn open(place: &str, semantics: Semantics, check_each: u64) -> Self {
        let config = AgentStore::config(place).unwrap();
        let options = SchemaOptions { confirm: ConfirmMode::YesUp, create_schema: true };
        let store = AgentStore::open(&config, options, semantics, |_| panic!("nobody is asked"));
        Self { store: store.unwrap(), config, check_each, histories: Cell::new(0) }
    }

    /// Runs a history on the empty store; `afterwards` makes it a broken one.
    pub(crate) fn run(&self, history: &History, afterwards: Option<&Sql>) -> Outcome {
        let number = self.histories.replace(self.histories.get() + 1);
        clear(&self.store).unwrap();
        let answers = run(&self.store, history, afterwards);
        let rows = self.store.transaction("read all rows", rows).unwrap();
        let checked = number.is_multiple_of(self.check_each);
        let report = checked.then(|| check(&self.config, |_| ()).unwrap());
        Outcome { answers, rows, report }
    }

    /// What one statement finds.
    pub(crate) fn texts(&self, sql: &Sql) -> Vec<String> {
        let all = self.store.transaction("a test's query", |tx| {
            Ok(tx.statements().query(sql, &[], |row| row.next("t.found"))?)
        });
        all.unwrap()
    }
}

/// What the tests' servers give are pairs; a user gives a URL.
fn url_of(pairs: &str) -> String {
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
