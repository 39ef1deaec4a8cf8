//! What does a store log cost, and how fast is it read again?
//!
//! `add_with_log` adds queues to stores that journal, of a given size, at each durability, and to one
//! without a journal (`none`); `replay` reads a log as a start-up compaction leaves it, one `CREATE` record for each
//! queue, into a store, or only parses it (`parsing`: line by line on one thread, each record dropped at once). The peer is
//! one lock around std maps with a log that is written under the lock; `DashMap`s have no order of
//! changes that a log could keep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod peers;

use std::cell::LazyCell;
use std::time::{Duration, Instant};

use common::{Fresh, THREADS, queue, queues, timed};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use peers::Peer;
use peers::locked::Locked;
use peers::logged::{self, Logged, Written};
use peers::stm::Stm;
use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
use simplex_stores::store_log::{Durability, StoreLogConfig};

/// Each durability with its name, the plain log's likeness of it, and the adds of one thread: few
/// where each waits for the disk.
const DURABILITIES: [(Option<Durability>, &str, Option<Written>, usize); 4] = [
    (None, "none", None, 5_000),
    (Some(Durability::Memory), "memory", None, 5_000),
    (Some(Durability::Flush), "flush", Some(Written::Flushed), 5_000),
    (Some(Durability::Fsync), "fsync", Some(Written::Synced), 50),
];

/// Measures `run`, which adds the shares it is given and says how long that took.
fn measure_adds(
    criterion: &mut Criterion,
    durability: &str,
    name: &str,
    each: usize,
    mut run: impl FnMut(Vec<common::Share>) -> Duration,
) {
    let each = if common::trial() { each.min(20) } else { each };
    let mut fresh = Fresh::from(queues());
    let mut group = criterion.benchmark_group(format!("add_with_log_{durability}"));
    group.sampling_mode(SamplingMode::Flat);
    for threads in THREADS {
        group.throughput(Throughput::Elements((each * threads) as u64));
        group.bench_function(BenchmarkId::new(format!("{name}_{threads}"), queues()), |bencher| {
            bencher
                .iter_custom(|rounds| (0..rounds).map(|_| run(fresh.shares(threads, each))).sum());
        });
    }
    group.finish();
}

fn add_with_log(criterion: &mut Criterion) {
    for (durability, name, written, each) in DURABILITIES {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("store.log");
        let store = LazyCell::new(|| {
            let store = durability.map_or_else(Stm::new, |durability| {
                let config = StoreLogConfig::new(&log).durability(durability);
                Stm(StmQueueStore::open(&config, BasicFactory).unwrap().0)
            });
            store.fill((0..queues()).map(queue));
            store
        });
        measure_adds(criterion, name, Stm::NAME, each, |shares| {
            let store = &*store;
            let (time, added) = timed(shares, |_, share| {
                let add = |(id, record)| store.add(id, record).unwrap();
                share.into_iter().map(add).collect::<Vec<_>>()
            });
            added.iter().for_each(|queues| store.remove(queues));
            time
        });
        drop(store);
        let Some(written) = written else { continue };
        let store = LazyCell::new(|| {
            let store = Logged::new(&folder.path().join("plain.log"), written).unwrap();
            store.fill((0..queues()).map(queue));
            store
        });
        measure_adds(criterion, name, Locked::NAME, each, |shares| {
            let store = &*store;
            let (time, added) = timed(shares, |_, share| {
                let add = |(id, record)| store.add(id, record).unwrap().unwrap();
                share.into_iter().map(add).collect::<Vec<_>>()
            });
            added.iter().for_each(|queues| store.remove(queues));
            time
        });
    }
}

fn replay(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("store.log");
    let written = LazyCell::new(|| common::write_log(&log, (0..queues()).map(queue)));
    let config = StoreLogConfig::new(&log);
    let mut group = criterion.benchmark_group("replay");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(queues() as u64));
    group.bench_function(BenchmarkId::new(format!("{}_1", Stm::NAME), queues()), |bencher| {
        LazyCell::force(&written);
        bencher.iter_custom(|rounds| {
            timed_replays(rounds, || StmQueueStore::replay(&config, BasicFactory).unwrap())
        });
    });
    group.bench_function(BenchmarkId::new(format!("{}_1", Locked::NAME), queues()), |bencher| {
        LazyCell::force(&written);
        bencher.iter_custom(|rounds| timed_replays(rounds, || logged::replay(&log).unwrap()));
    });
    group.bench_function(BenchmarkId::new("parsing_1", queues()), |bencher| {
        LazyCell::force(&written);
        bencher.iter_custom(|rounds| timed_replays(rounds, || logged::parse(&log, drop).unwrap()));
    });
    group.finish();
}

/// How long it takes to make the stores; dropping them is not timed.
fn timed_replays<T>(rounds: u64, mut replay: impl FnMut() -> T) -> Duration {
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            let store = replay();
            let time = start.elapsed();
            drop(store);
            time
        })
        .sum()
}

fn main() {
    let mut criterion = common::criterion();
    add_with_log(&mut criterion);
    replay(&mut criterion);
    criterion.final_summary();
}
