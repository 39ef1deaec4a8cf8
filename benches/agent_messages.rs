//! What does the agent store cost above the bare drivers on the way of a message?
//!
//! Each operation is one transaction, on a random connection of a database of an agent's, which holds 100,000
//! connections with 10 messages each unless `SIMPLEX_STORES_BENCH_CONNECTIONS` says otherwise. *Bare* is the driver
//! with the same statements, prepared once and kept, in transactions that begin alike, on a connection with the
//! same settings; it takes every column out of a row, and makes nothing of it. Both use the same database, in turn.
//!
//! SQLite is measured with its file in memory (`/dev/shm`), where the disk costs nothing and our part shows as large
//! as it gets, and on the disk, in its default synchronous mode FULL. The PostgreSQL server is on a Unix socket and
//! doesn't sync its files. At the end the ratios are printed, each the median of turns: above one, the store is the
//! faster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // the ratios

mod agent_peers;
mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use agent_peers::postgres::Postgres;
use agent_peers::sqlite::Sqlite;
use agent_peers::{Chat, Message, MessagePath};
use common::trial;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use simplex_stores::agent_store::types::{ConnId, ConnQueues, InternalId, Semantics};
use simplex_stores::agent_store::{AgentStore, SchemaOptions};
use simplex_stores::db::{DatabaseConfig, Sql, fault};
use simplex_stores::testing::agent::{Shape, fill};
use simplex_stores::testing::postgres::{Cluster, TestDatabase};

const OPERATIONS: [&str; 5] =
    ["receive", "acknowledge", "send", "take_pending", "delete_delivered"];

/// How many connections the messages are of, spread over all there are.
const CHATS: usize = 5_000;

/// How often both sides are measured for the ratios, in turn, so that whatever else the machine does slows both.
const TURNS: usize = 21;

/// Connections with both queues and nothing to deliver.
const SUITED: Sql = Sql::new(
    "look for connections to measure with",
    "SELECT c.conn_id FROM connections c
      WHERE c.deleted = 0
        AND EXISTS (SELECT 1 FROM rcv_queues q WHERE q.conn_id = c.conn_id AND q.deleted = 0)
        AND EXISTS (SELECT 1 FROM snd_queues q WHERE q.conn_id = c.conn_id)
        AND NOT EXISTS (SELECT 1 FROM snd_message_deliveries d WHERE d.conn_id = c.conn_id)",
);
const SETTINGS: Sql = Sql::new(
    "read a connection's settings",
    "SELECT name, setting FROM pg_settings
      WHERE name IN ('search_path', 'client_min_messages', 'statement_timeout', 'lock_timeout',
                     'idle_in_transaction_session_timeout')",
);
const PREPARED: Sql =
    Sql::new("list prepared statements", "SELECT statement FROM pg_prepared_statements");

/// A database, and both ways to use it.
struct Subject {
    name: &'static str,
    ours: AgentStore,
    bare: Box<dyn MessagePath>,
    chats: Vec<Chat>,
    /// How many messages a turn has.
    count: usize,
    /// The number of the next message.
    next: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Bare,
}

/// How long each operation took.
type Times = [Duration; OPERATIONS.len()];

fn connections() -> u32 {
    match std::env::var("SIMPLEX_STORES_BENCH_CONNECTIONS") {
        Ok(number) => number.parse().expect("SIMPLEX_STORES_BENCH_CONNECTIONS: not a number"),
        Err(_) if trial() => 300,
        Err(_) => 100_000,
    }
}

/// Fills a database, and says how long that took.
fn filled(config: &DatabaseConfig) {
    let started = Instant::now();
    let shape = Shape { connections: connections(), messages: 10, seed: 1 };
    let filled = fill(config, &shape, |_| {}).unwrap();
    if !trial() {
        println!("{filled:?} in {:.1} s", started.elapsed().as_secs_f64());
    }
}

fn open(config: &DatabaseConfig) -> AgentStore {
    AgentStore::open(config, SchemaOptions::default(), Semantics::Strict, |_| false).unwrap()
}

fn chats(store: &AgentStore) -> Vec<Chat> {
    let all = store.transaction("look for connections", |tx| {
        Ok(tx.statements().query(&SUITED, &[], |row| row.next::<ConnId>("connections.conn_id"))?)
    });
    let all = all.unwrap();
    let step = all.len().div_ceil(CHATS);
    let chat = |conn_id: ConnId| {
        let conn = store.transaction("load a connection", |tx| tx.get_conn(&conn_id)).unwrap();
        let ConnQueues::Duplex(rcv, snd) = conn.queues else { panic!("{:?}", conn.conn_type()) };
        Chat { conn_id, rcv: rcv.into_first(), snd: snd.into_first() }
    };
    let mut chats: Vec<Chat> = all.into_iter().step_by(step).map(chat).collect();
    // Not in the order of their ids, in which they lie in the tables.
    chats.sort_by(|one, other| one.rcv.rcv_id.as_bytes().cmp(other.rcv.rcv_id.as_bytes()));
    chats
}

impl Subject {
    fn new(
        name: &'static str,
        config: &DatabaseConfig,
        bare: impl MessagePath + 'static,
        count: usize,
    ) -> Self {
        let chats = chats(&open(config));
        let count = if trial() { 5 } else { count };
        Self { name, ours: open(config), bare: Box::new(bare), chats, count, next: 0 }
    }

    fn sqlite(name: &'static str, file: &Path, count: usize) -> Self {
        Self::new(name, &file_config(file), Sqlite::open(file), count)
    }

    fn postgres(database: &TestDatabase, count: usize) -> Self {
        let config = database.config().unwrap().pool_size(1);
        let config = config.schema("agent_store".parse().unwrap());
        let config = DatabaseConfig::Postgres(Box::new(config));
        filled(&config);
        let mut client = database.client().unwrap();
        client.batch_execute("VACUUM ANALYZE").unwrap();
        for (name, value) in settings(&open(&config)) {
            client.execute("SELECT set_config($1, $2, false)", &[&name, &value]).unwrap();
        }
        let mut bare = Postgres::on(client);
        let prepared = bare.texts();
        let mut subject = Self::new("postgres", &config, bare, count);
        subject.turn(Side::Ours);
        let ours = subject.ours.transaction("list prepared statements", |tx| {
            let column = "pg_prepared_statements.statement";
            Ok(tx.statements().query(&PREPARED, &[], |row| row.next::<String>(column))?)
        });
        assert_eq!(texts(ours.unwrap()), texts(prepared), "bare runs other statements");
        subject
    }

    /// The way of so many messages, the next ones.
    fn turn(&mut self, side: Side) -> Times {
        let path: &mut dyn MessagePath = match side {
            Side::Ours => &mut self.ours,
            Side::Bare => &mut *self.bare,
        };
        let numbers = self.next..self.next + self.count;
        self.next = numbers.end;
        let chats: Vec<&Chat> =
            numbers.clone().map(|number| &self.chats[number % self.chats.len()]).collect();
        let mut messages: Vec<Message> =
            numbers.map(|number| Message::new(number as u64)).collect();
        let mut both = chats.iter().zip(&mut messages);
        let (receive, ids) =
            timed(|| all(both.by_ref().map(|(chat, message)| path.receive(chat, message))));
        let (acknowledge, ()) =
            timed(|| chats.iter().zip(&ids).for_each(|(chat, id)| path.acknowledge(chat, *id)));
        let mut both = chats.iter().zip(&mut messages);
        let (send, ids) =
            timed(|| all(both.by_ref().map(|(chat, message)| path.send(chat, message))));
        let (take, taken) = timed(|| all(chats.iter().map(|chat| path.take_pending(chat))));
        assert_eq!(taken, ids);
        let (delete, ()) = timed(|| {
            chats.iter().zip(&ids).for_each(|(chat, id)| path.delete_delivered(chat, *id));
        });
        [receive, acknowledge, send, take, delete]
    }

    /// The names of the statements that the store runs for one message.
    fn statements(&mut self) -> Vec<String> {
        let count = std::mem::replace(&mut self.count, 1);
        let names = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&names);
        fault::at_each_statement(
            move |name| seen.borrow_mut().push(name.to_owned()),
            || self.turn(Side::Ours),
        );
        self.count = count;
        names.take()
    }

    fn measure(&mut self, criterion: &mut Criterion) {
        for (index, operation) in OPERATIONS.into_iter().enumerate() {
            let mut group = criterion.benchmark_group(format!("agent_{operation}"));
            group.sampling_mode(SamplingMode::Flat);
            group.throughput(Throughput::Elements(self.count as u64));
            for (name, side) in [("bare", Side::Bare), ("ours", Side::Ours)] {
                group.bench_function(BenchmarkId::new(name, self.name), |bencher| {
                    bencher.iter_custom(|rounds| (0..rounds).map(|_| self.turn(side)[index]).sum());
                });
            }
        }
    }

    fn print_ratios(&mut self) {
        let turns: Vec<[Times; 2]> = (0..TURNS)
            .map(|turn| {
                // Neither always follows the other.
                if turn % 2 == 0 {
                    let ours = self.turn(Side::Ours);
                    return [ours, self.turn(Side::Bare)];
                }
                let bare = self.turn(Side::Bare);
                [self.turn(Side::Ours), bare]
            })
            .collect();
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / self.count as f64;
        for (index, operation) in OPERATIONS.into_iter().enumerate() {
            let of = |side: usize| turns.iter().map(move |turn| micros(turn[side][index]));
            let ratio = median(of(1).zip(of(0)).map(|(bare, ours)| bare / ours));
            let (name, ours, bare) = (self.name, median(of(0)), median(of(1)));
            println!("| {operation} | {name} | {ours:.1} | {bare:.1} | {ratio:.2} |");
        }
    }
}

/// The settings of a store's connection.
fn settings(store: &AgentStore) -> Vec<(String, String)> {
    let settings = store.transaction("read settings", |tx| {
        Ok(tx.statements().query(&SETTINGS, &[], |row| {
            Ok((row.next("pg_settings.name")?, row.next("pg_settings.setting")?))
        })?)
    });
    settings.unwrap()
}

/// Statements of the message path as one line each.
fn texts(statements: Vec<String>) -> BTreeSet<String> {
    let one_line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    statements.iter().map(one_line).filter(|text| !text.contains("pg_")).collect()
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let result = work();
    (started.elapsed(), result)
}

fn all(ids: impl Iterator<Item = InternalId>) -> Vec<InternalId> {
    ids.collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn file_config(file: &Path) -> DatabaseConfig {
    AgentStore::config(file.to_str().unwrap()).unwrap()
}

/// A folder in memory, where there is one.
fn folder_in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return tempfile::tempdir_in(memory).unwrap();
    }
    tempfile::tempdir().unwrap()
}

fn main() {
    let mut criterion = common::criterion();
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let (memory, disk) = (folder_in_memory(), tempfile::tempdir().unwrap());
    let files = [memory.path().join("agent.db"), disk.path().join("agent.db")];
    filled(&file_config(&files[0]));
    std::fs::copy(&files[0], &files[1]).unwrap();
    let database = Cluster::shared().unwrap().database().unwrap();
    let mut subjects = [
        Subject::sqlite("sqlite_in_memory", &files[0], 500),
        Subject::sqlite("sqlite_on_disk", &files[1], 10),
        Subject::postgres(&database, 100),
    ];
    let [first, others @ ..] = &mut subjects;
    let statements = first.statements();
    for other in others {
        assert_eq!(other.statements(), statements, "{} runs other statements", other.name);
    }
    for subject in &mut subjects {
        subject.measure(&mut criterion);
    }
    if !trial() {
        println!("| operation | database | ours, µs | bare, µs | bare / ours |");
        println!("|---|---|---|---|---|");
        subjects.iter_mut().for_each(Subject::print_ratios);
    }
    criterion.final_summary();
}
