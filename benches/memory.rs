//! How much memory does a queue take?
//!
//! Each store is filled in a process of its own, which says how much memory it has in the end
//! and at most (`VmRSS` and `VmHWM` of `/proc/self/status`) beyond what it had at its start. The
//! output is one line for each: name, number of queues, bytes per queue, bytes per queue at the peak.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // this is its report

mod common;
mod peers;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use common::{queue, queues};
use peers::Peer;
use peers::dash::Dash;
use peers::locked::Locked;
use peers::stm::Stm;
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::store_log::StoreLogConfig;

/// The argument that makes this program fill one store: its name follows, then the log to replay.
const CHILD: &str = "--fill";

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--list") {
        return;
    }
    match args.iter().position(|arg| arg == CHILD) {
        Some(at) => fill(&args[at + 1], Path::new(&args[at + 2]), args[at + 3].parse().unwrap()),
        None => measure_all(),
    }
}

fn measure_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("store.log");
    common::write_log(&log, queues());
    println!("{:16} {:>10} {:>14} {:>14}", "store", "queues", "bytes/queue", "at the peak");
    for name in ["stm", "rwlock", "dashmap", "stm_replayed"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, name, log.to_str().unwrap(), &queues().to_string()])
            .status()
            .unwrap();
        assert!(status.success(), "{name} could not be filled");
    }
}

fn fill(name: &str, log: &Path, count: usize) {
    let before = resident("VmRSS:");
    match name {
        "stm" => report(name, count, before, &added::<Stm>(count)),
        "rwlock" => report(name, count, before, &added::<Locked>(count)),
        "dashmap" => report(name, count, before, &added::<Dash>(count)),
        "stm_replayed" => {
            let store = StmQueueStore::replay(&StoreLogConfig::new(log), BasicFactory).unwrap();
            report(name, count, before, &store);
        }
        _ => panic!("no store is called {name}"),
    }
}

/// A store to which the queues were added one by one.
fn added<P: Peer>(count: usize) -> P {
    let store = P::new();
    for (id, record) in (0..count).map(queue) {
        assert!(store.add(id, record).is_some(), "a new queue is added");
    }
    store
}

fn report<T>(name: &str, count: usize, before: u64, store: &T) {
    black_box(store);
    let each = |field| (resident(field) - before) / count as u64;
    println!("{name:16} {count:>10} {:>14} {:>14}", each("VmRSS:"), each("VmHWM:"));
    black_box(store);
}

/// A field of `/proc/self/status`, in bytes.
fn resident(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
