//! Every statement of the store's functions is explained on a filled database of each kind: what reads a whole
//! table, or sorts, is listed with the reason why.
//!
//! The tests of the functions are run once more in a process that explains each statement with its values just
//! before it runs: the ledger has a test for every function, so that no statement is left out.

mod permitted;
mod plan;
mod sources;

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use simplex_stores::agent_store::AgentStore;
use simplex_stores::db::{DatabaseConfig, Dialect, Params, Sql, fault};
use simplex_stores::testing::agent::Shape;

use crate::generated::Generated;
use permitted::PERMITTED;
use plan::{Cost, costs, explained};

/// Enough rows that a plan for many is worth it; made in seconds.
const SHAPE: Shape = Shape { connections: 2_000, messages: 3, seed: 11 };

/// Tells a process of this program where plans go, and the filled databases.
const FOLDER: &str = "SIMPLEX_STORES_PLANS";
const FILE: &str = "SIMPLEX_STORES_FILLED_FILE";
const SERVER: &str = "SIMPLEX_STORES_FILLED_SERVER";

/// Where statements are explained, and where it is written down.
struct Explainer {
    folder: PathBuf,
    names: BTreeSet<String>,
    file: AgentStore,
    server: AgentStore,
}

impl Explainer {
    /// As the environment says; there is none in other processes.
    fn of_this_process() -> Option<&'static Self> {
        static EXPLAINER: OnceLock<Option<Explainer>> = OnceLock::new();
        let made = EXPLAINER.get_or_init(|| {
            let folder = std::env::var_os(FOLDER)?.into();
            let open = |name: &str| {
                let config: DatabaseConfig =
                    AgentStore::config(&std::env::var(name).unwrap()).unwrap();
                let semantics = simplex_stores::protocol::Semantics::Strict;
                AgentStore::open(&config, crate::fixture::UP, semantics, |_| false).unwrap()
            };
            let names = sources::names();
            Some(Self { folder, names, file: open(FILE), server: open(SERVER) })
        });
        made.as_ref()
    }

    /// Explains a statement of the store, unless that was done.
    fn explain(&self, dialect: Dialect, sql: &Sql, params: Params<'_>) {
        if !self.names.contains(sql.name()) {
            return;
        }
        let (store, text) = match dialect {
            Dialect::Sqlite => (&self.file, sql.sqlite().to_owned()),
            Dialect::Postgres => (&self.server, sql.postgres().into_owned()),
        };
        let mut hasher = DefaultHasher::new();
        (sql.name(), &text).hash(&mut hasher);
        let path = self.folder.join(format!("{dialect:?}-{:016x}.json", hasher.finish()));
        // Whoever makes the file is the first; what it holds is looked at when all is done.
        if fs::File::create_new(&path).is_err() {
            return;
        }
        let plan = explained(store, &text, params);
        let found = json!({ "name": sql.name(), "sqlite": dialect == Dialect::Sqlite, "text": text, "plan": plan });
        fs::write(&path, found.to_string()).unwrap();
    }
}

/// Runs a test; in a process that is to explain, every statement of this thread is explained before it runs.
pub(crate) fn explaining<T>(dialect: Dialect, work: impl FnOnce() -> T) -> T {
    match Explainer::of_this_process() {
        Some(explainer) => fault::seeing_each_statement(
            move |sql, params| explainer.explain(dialect, sql, params),
            work,
        ),
        None => work(),
    }
}

/// Runs the tests of the functions in a process that explains, and gives the tables, and what it wrote.
fn run_and_explain() -> (Vec<String>, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let (file, server) = (Generated::file(SHAPE), Generated::server(SHAPE));
    let Generated::Server(database) = &server else { unreachable!("it is one") };
    let child = Command::new(std::env::current_exe().unwrap())
        // The names of these tests begin with the number of a function, or of a question about some.
        .args(["::f0", "::f1", "::f2", "::q", "::as45_q16", "--skip", "races::"])
        .env(FOLDER, folder.path())
        .env(FILE, file.path())
        .env(SERVER, crate::fixture::url_of(database.url()))
        .output()
        .unwrap();
    let said = [child.stdout, child.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(child.status.success(), "{}\n{}", said[0], said[1]);
    let read = |path: &Path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let tables = crate::catalogue::sqlite_lines(&file.path(), tables);
    (tables, files.map(|path| read(&path)).collect())
}

/// A statement that was run, as it was explained.
struct Explained {
    name: String,
    costs: Vec<Cost<String>>,
    plan: String,
}

impl Explained {
    fn of(found: &Value, tables: &[String]) -> Self {
        let text = |field: &str| found[field].as_str().unwrap();
        let dialect = if found["sqlite"] == true { Dialect::Sqlite } else { Dialect::Postgres };
        let lines = found["plan"].as_array().unwrap().iter();
        let plan: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        let mut costs = costs(dialect, text("text"), &plan);
        // What a part of the statement gave is no table.
        costs.retain(|cost| !matches!(cost, Cost::Scan(name) if !tables.contains(name)));
        Self {
            name: text("name").to_owned(),
            costs,
            plan: format!("{dialect:?}\n  {}", plan.join("\n  ")),
        }
    }
}

/// What may not be, of all that was run.
fn problems(names: &BTreeSet<String>, ran: &[Explained]) -> Vec<String> {
    let costs = || ran.iter().flat_map(|one| one.costs.iter().map(move |cost| (one, cost)));
    let permitted = || {
        PERMITTED.iter().flat_map(|one| one.statements.iter().map(move |name| (*name, &one.cost)))
    };
    let is = |(one, cost): (&Explained, &Cost<String>), (name, listed): (&str, &Cost)| {
        one.name == name && listed.is(cost)
    };
    let unlisted = costs().filter(|found| !permitted().any(|listed| is(*found, listed)));
    let unlisted = unlisted.map(|(one, cost)| format!("{cost:?}: {} on {}", one.name, one.plan));
    let better = permitted().filter(|listed| !costs().any(|found| is(found, *listed)));
    let better =
        better.map(|(name, cost)| format!("listed, and not so any more: {name}: {cost:?}"));
    let never = names.iter().filter(|name| !ran.iter().any(|one| one.name == **name));
    let never = never.map(|name| format!("never run: {name}"));
    unlisted.chain(better).chain(never).collect()
}

#[test]
fn every_statement_is_explained_on_a_filled_database_and_reads_no_table_without_a_reason() {
    let names = sources::names();
    assert!(names.len() > 200, "the sources are not read: {} names", names.len());
    let (tables, found) = run_and_explain();
    let ran: Vec<_> = found.iter().map(|one| Explained::of(one, &tables)).collect();
    let problems = problems(&names, &ran);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn what_is_not_listed_and_what_is_listed_in_vain_is_told() {
    let costs = vec![Cost::Scan("users".to_owned())];
    let one =
        |name: &str| Explained { name: name.to_owned(), costs: costs.clone(), plan: String::new() };
    let names = ["list users", "new", "never"].map(str::to_owned).into();
    let found = problems(&names, &[one("list users"), one("new")]);
    let told = |what: &str| found.iter().filter(|problem| problem.contains(what)).count();
    assert_eq!((told("list users"), told(": new on"), told("never run: never")), (0, 1, 1));
    assert!(told("not so any more: load the token: Scan(\"ntf_tokens\")") == 1, "{found:?}");
}
