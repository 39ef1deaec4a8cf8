//! How much memory does a queue take?
//!
//! Each store is filled in a process of its own, which says how much memory it has in the end
//! and at most (`VmRSS` and `VmHWM` of `/proc/self/status`) beyond what it had at its start. `plain` queues
//! are such as a router has most of, `full` ones have every field. The output is one line for each: store,
//! shape of the queues, their number, bytes per queue, bytes per queue at the peak.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout)] // this is its report

mod common;
mod peers;

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use common::{REFERENCE_ENGINE, plain_queue, queue, queues};
use peers::Peer;
use peers::dash::Dash;
use peers::locked::Locked;
use peers::scc::Scc;
use peers::stm::Stm;
use simplex_stores::protocol::{QueueRec, RecipientId};
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::store_log::StoreLogConfig;

/// The argument that makes this program fill one store: its name follows, the shape of the queues, their number,
/// and the log to replay.
const CHILD: &str = "--fill";

/// What the queues are like, and how one is made.
const SHAPES: [(&str, MakeQueue); 2] = [("plain", plain_queue), ("full", queue)];

type MakeQueue = fn(usize) -> (RecipientId, QueueRec);

/// The library's store again, filled by a replay.
const REPLAYED: &str = if REFERENCE_ENGINE { "stm_reference_replayed" } else { "stm_replayed" };

/// The stores that this run measures.
const STORES: &[&str] = if REFERENCE_ENGINE {
    &[Stm::NAME, REPLAYED]
} else {
    &[Stm::NAME, REPLAYED, Locked::NAME, Dash::NAME, Scc::NAME]
};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.iter().any(|arg| arg == "--list") {
        return;
    }
    match args.iter().position(|arg| arg == CHILD) {
        Some(at) => {
            let (_, make) = *SHAPES.iter().find(|(shape, _)| *shape == args[at + 2]).unwrap();
            let subject =
                Subject { shape: &args[at + 2], make, count: args[at + 3].parse().unwrap() };
            subject.fill(&args[at + 1], Path::new(&args[at + 4]));
        }
        None => measure_all(),
    }
}

fn measure_all() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("store.log");
    println!(
        "{:24} {:6} {:>10} {:>14} {:>14}",
        "store", "shape", "queues", "bytes/queue", "at the peak"
    );
    for (shape, make) in SHAPES {
        common::write_log(&log, (0..queues()).map(make));
        for name in STORES {
            let status = Command::new(std::env::current_exe().unwrap())
                .args([CHILD, name, shape, &queues().to_string(), log.to_str().unwrap()])
                .status()
                .unwrap();
            assert!(status.success(), "{name} could not be filled");
        }
    }
}

/// The queues that fill a store.
struct Subject<'a> {
    shape: &'a str,
    make: MakeQueue,
    count: usize,
}

impl Subject<'_> {
    fn fill(&self, name: &str, log: &Path) {
        match name {
            Stm::NAME => self.report(name, || self.added::<Stm>()),
            REPLAYED => self.report(name, || {
                StmQueueStore::replay(&StoreLogConfig::new(log), BasicFactory).unwrap()
            }),
            Locked::NAME => self.report(name, || self.added::<Locked>()),
            Dash::NAME => self.report(name, || self.added::<Dash>()),
            Scc::NAME => self.report(name, || self.added::<Scc>()),
            _ => panic!("no store is called {name}"),
        }
    }

    /// A store to which the queues were added one by one.
    fn added<P: Peer>(&self) -> P {
        let store = P::new();
        for (id, record) in (0..self.count).map(self.make) {
            assert!(store.add(id, record).is_some(), "a new queue is added");
        }
        store
    }

    fn report<T>(&self, name: &str, make: impl FnOnce() -> T) {
        let before = resident("VmRSS:");
        let store = black_box(make());
        let each = |field| (resident(field) - before) / self.count as u64;
        let (shape, count) = (self.shape, self.count);
        println!("{name:24} {shape:6} {count:>10} {:>14} {:>14}", each("VmRSS:"), each("VmHWM:"));
        drop(black_box(store));
    }
}

/// A field of `/proc/self/status`, in bytes.
fn resident(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
