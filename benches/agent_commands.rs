//! How long do the commands `agent init`, `status`, `stats` and `check` take beside the bare drivers?
//!
//! A database of an agent's with 100,000 connections of 10 messages each, unless `SIMPLEX_STORES_BENCH_CONNECTIONS`
//! says otherwise. *Bare* is the driver on a new connection with the statements that the command sends, its settings
//! and its transaction; it reads every column of every row where it lies, and keeps nothing. For `init` it is the
//! schema's script. A command is measured as the library's function that it calls; the program adds its start and
//! what it prints. Files are on the disk, in the system's cache; the server doesn't sync its files.
//!
//! At the end the ratios are printed, of medians of turns: above one, the command is the faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // the times

mod common;

use std::cell::RefCell;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use common::trial;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{FromSql, ToSql, Type};
use simplex_stores::agent_store::maintenance::{check, stats, status};
use simplex_stores::agent_store::{AgentStore, SchemaOptions, migrate, migrations};
use simplex_stores::db::{DatabaseConfig, Dialect, Params, Sql, fault};
use simplex_stores::testing::agent::{Shape, fill};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

/// A command's name, and what it runs.
type Command = (&'static str, fn(&DatabaseConfig));

const COMMANDS: [Command; 3] = [("status", run_status), ("stats", run_stats), ("check", run_check)];

/// What makes tables where there are none.
const NEW: SchemaOptions = SchemaOptions {
    confirm: simplex_stores::db::migrations::ConfirmMode::Error,
    create_schema: true,
};

fn run_status(config: &DatabaseConfig) {
    assert!(status(config).unwrap().is_ready());
}

fn run_stats(config: &DatabaseConfig) {
    assert_eq!(stats(config).unwrap().tables.len(), 35);
}

fn run_check(config: &DatabaseConfig) {
    assert!(check(config, |_| {}).unwrap().holds());
}

/// How often each command is measured, beside the bare driver: the long one less often.
fn turns(command: &str) -> usize {
    match command {
        _ if trial() => 1,
        "check" => 3,
        "stats" => 5,
        _ => 7,
    }
}

fn connections() -> u32 {
    match std::env::var("SIMPLEX_STORES_BENCH_CONNECTIONS") {
        Ok(number) => number.parse().expect("SIMPLEX_STORES_BENCH_CONNECTIONS: not a number"),
        Err(_) if trial() => 300,
        Err(_) => 100_000,
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// The statements that a command sends on this database, in its words; those with parameters look up a name.
fn statements(config: &DatabaseConfig, command: fn(&DatabaseConfig)) -> Vec<String> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let keep = Rc::clone(&seen);
    let dialect = config.dialect();
    let keep_text = move |sql: &Sql, _: Params<'_>| {
        keep.borrow_mut().push(match dialect {
            Dialect::Sqlite => sql.sqlite().to_owned(),
            Dialect::Postgres => sql.postgres().into_owned(),
        });
    };
    fault::seeing_each_statement(keep_text, || command(config));
    let mut texts = seen.take();
    texts.retain(|text| !text.contains("$1"));
    assert!(!texts.is_empty());
    texts
}

/// The bare driver of a database.
enum Bare<'d> {
    File(&'d Path),
    Server(&'d TestDatabase),
}

impl Bare<'_> {
    fn read(&self, statements: &[String]) {
        match self {
            Self::File(file) => read_file(file, statements),
            Self::Server(database) => read_server(database, statements),
        }
    }
}

fn read_file(file: &Path, statements: &[String]) {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch("PRAGMA query_only = ON; BEGIN").unwrap();
    for text in statements {
        let mut statement = connection.prepare(text).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                black_box(row.get_ref(column).unwrap());
            }
        }
    }
    connection.execute_batch("COMMIT").unwrap();
}

/// What stands in a column.
struct Raw<'r>(#[allow(dead_code, reason = "it is only read")] &'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn read_server(database: &TestDatabase, statements: &[String]) {
    let mut client = database.client().unwrap();
    client.batch_execute("SET search_path = agent_store").unwrap();
    let builder = client.build_transaction().read_only(true);
    let mut tx = builder.isolation_level(postgres::IsolationLevel::RepeatableRead).start().unwrap();
    for text in statements {
        let statement = tx.prepare(text).unwrap();
        let none: [&dyn ToSql; 0] = [];
        let mut rows = tx.query_raw(&statement, none).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..row.len() {
                black_box(row.get::<_, Option<Raw<'_>>>(column));
            }
        }
    }
    tx.commit().unwrap();
}

/// Measures the commands that read on a database that is filled for that.
fn reading(name: &str, config: &DatabaseConfig, bare: &Bare<'_>) {
    let shape = Shape { connections: connections(), messages: 10, seed: 1 };
    let started = Instant::now();
    let filled = fill(config, &shape, |_| {}).unwrap();
    if let Bare::Server(database) = bare {
        database.client().unwrap().batch_execute("VACUUM ANALYZE").unwrap();
    }
    if !trial() {
        println!("{name}: {filled:?} in {:.1} s", started.elapsed().as_secs_f64());
    }
    for (command, run) in COMMANDS {
        let statements = statements(config, run);
        let [mut ours, mut others] = [const { Vec::new() }; 2];
        for _ in 0..turns(command) {
            ours.push(timed(|| run(config)));
            others.push(timed(|| bare.read(&statements)));
        }
        print_ratio(command, name, ours, others);
    }
}

fn print_ratio(command: &str, name: &str, ours: Vec<Duration>, bare: Vec<Duration>) {
    let (ours, bare) = (median(ours), median(bare));
    if !trial() {
        println!("| {command} | {name} | {ours:.1} | {bare:.1} | {:.2} |", bare / ours);
    }
}

fn make(config: &DatabaseConfig) {
    migrate(config, NEW, |_| false).unwrap();
}

fn init_file(folder: &Path) {
    let [mut ours, mut bare] = [const { Vec::new() }; 2];
    for turn in 0..turns("init") {
        let file = folder.join(format!("ours{turn}.db"));
        let config = AgentStore::config(file.to_str().unwrap()).unwrap();
        ours.push(timed(|| make(&config)));
        let file = folder.join(format!("bare{turn}.db"));
        bare.push(timed(|| {
            let connection = rusqlite::Connection::open(&file).unwrap();
            let settings = "PRAGMA secure_delete = ON; PRAGMA auto_vacuum = FULL; BEGIN IMMEDIATE";
            connection.execute_batch(settings).unwrap();
            connection.execute_batch(migrations::SQLITE.baseline.script).unwrap();
            connection.execute_batch("COMMIT").unwrap();
        }));
    }
    print_ratio("init", "sqlite", ours, bare);
}

fn init_server(cluster: &Cluster) {
    let [mut ours, mut bare] = [const { Vec::new() }; 2];
    for _ in 0..turns("init") {
        let database = cluster.database().unwrap();
        let config = server_config(&database);
        ours.push(timed(|| make(&config)));
        let database = cluster.database().unwrap();
        bare.push(timed(|| {
            let mut client = database.client().unwrap();
            let mut tx = client.transaction().unwrap();
            let schema = "CREATE EXTENSION pgcrypto SCHEMA public; CREATE SCHEMA agent_store;
                SET LOCAL search_path = agent_store";
            tx.batch_execute(schema).unwrap();
            tx.batch_execute(migrations::POSTGRES.baseline.script).unwrap();
            tx.commit().unwrap();
        }));
    }
    print_ratio("init", "postgres", ours, bare);
}

fn server_config(database: &TestDatabase) -> DatabaseConfig {
    let config = database.config().unwrap().schema("agent_store".parse().unwrap());
    DatabaseConfig::Postgres(Box::new(config))
}

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    if !trial() {
        println!("| command | database | ours, ms | bare, ms | bare / ours |");
        println!("|---|---|---|---|---|");
    }
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::shared().unwrap();
    init_file(folder.path());
    init_server(cluster);
    let file = folder.path().join("agent.db");
    let config = AgentStore::config(file.to_str().unwrap()).unwrap();
    reading("sqlite", &config, &Bare::File(&file));
    let database = cluster.database().unwrap();
    reading("postgres", &server_config(&database), &Bare::Server(&database));
}
