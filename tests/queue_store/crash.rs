//! A process killed under load has, after a restart, everything that it acknowledged.
//!
//! The child is this test binary again, running [`child`]: several threads work on one store with
//! `Fsync` durability and print a line for every call that returned success. The parent reads a
//! random number of lines, kills the child, reads what is left in the pipe, and starts the store
//! again from the journal. `SIMPLEX_STORES_KILLS` sets how many times (default 50).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use simplex_stores::protocol::{RecipientId, SenderId};
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{Durability, StoreLogConfig};
use simplex_stores::sync::thread;

use simplex_stores::testing::queue_store::sample as ops;

const FOLDER: &str = "SIMPLEX_STORES_CRASH_FOLDER";
const THREADS: u64 = 3;

fn config(folder: &Path) -> StoreLogConfig {
    StoreLogConfig::new(folder.join("store.log")).durability(Durability::Fsync)
}

/// Says that a call was acknowledged: one write a line, so that lines are never torn.
fn acknowledge(what: &str, id: &RecipientId) {
    let line = format!("ack {what} {id}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// Works until it is killed; does nothing unless the parent started it.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let (store, _) = StmQueueStore::open(&config(Path::new(&folder)), BasicFactory).unwrap();
    let store = Arc::new(store);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let store = Arc::clone(&store);
            thread::spawn(move || work(&store))
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}

fn work(store: &StmQueueStore) {
    let mut rng = rand::rng();
    loop {
        let id = RecipientId::random(&mut rng);
        let mut record = ops::record(1);
        record.sender_id = SenderId::random(&mut rng);
        let queue = store.add_queue(id.clone(), record).unwrap();
        acknowledge("add", &id);
        store.secure_queue(&queue, ops::key(7)).unwrap();
        acknowledge("secure", &id);
        if rng.random_bool(0.3) {
            store.delete_queue(&queue).unwrap();
            acknowledge("delete", &id);
        }
    }
}

/// What was acknowledged about each queue, in the order of its calls.
fn run_and_kill(folder: &Path, lines: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, ack)) = line.split_once("ack ") else {
            continue;
        };
        let (what, id) = ack.split_once(' ').unwrap();
        acknowledged.entry(id.into()).or_default().insert(what.into());
        seen += 1;
        if seen == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= lines, "the child ended after {seen} acknowledgements");
    acknowledged
}

#[test]
fn killed_process_keeps_everything_acknowledged_with_fsync() {
    let kills = std::env::var("SIMPLEX_STORES_KILLS").ok().and_then(|n| n.parse().ok());
    let mut rng = SmallRng::seed_from_u64(20);
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..kills.unwrap_or(50) {
        acknowledged.extend(run_and_kill(folder.path(), rng.random_range(1..60)));
        let (store, _) = StmQueueStore::open(&config(folder.path()), BasicFactory).unwrap();
        store.check_invariants().unwrap();
        let state: BTreeMap<String, bool> = store
            .snapshot()
            .queues
            .into_iter()
            .map(|queue| (queue.id.to_string(), queue.record.unwrap().sender_key.is_some()))
            .collect();
        for (id, acks) in &acknowledged {
            check(id, acks, state.get(id).copied());
        }
        store.close().unwrap();
    }
}

/// `secured` is what the restarted store says of the queue: `None` when it is not there.
fn check(id: &str, acks: &BTreeSet<String>, secured: Option<bool>) {
    if acks.contains("delete") {
        assert_eq!(secured, None, "{id} was deleted and is there");
        return;
    }
    // Without an acknowledged deletion the queue may still have been deleted by the call that the
    // kill cut off, which follows an acknowledged `secure` only.
    match secured {
        None => assert!(acks.contains("secure"), "{id} was added and is lost"),
        Some(secured) => {
            assert!(secured || !acks.contains("secure"), "{id} was secured and is not")
        }
    }
}
