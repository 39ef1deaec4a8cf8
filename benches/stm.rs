//! How many small transactions a second does an engine do?
//!
//! `increment` reads and writes four variables, which each thread has for itself; `increment_shared` four that the
//! threads share; `sum` only reads four that they share; `insert_and_remove` changes a map of a given size twice, by keys
//! that no two threads share. The time is that of all threads from the first start to the last end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod stm_peers;

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::Duration;

use common::{THREADS, queues, timed};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use stm_peers::{Engine, FastStm, Ours, StmCrate};

/// Measures `run`, which does `each` operations in each thread and says how long they took.
fn measure<E: Engine>(
    criterion: &mut Criterion,
    operation: &str,
    each: usize,
    mut run: impl FnMut(usize, usize) -> Duration,
) {
    let each = if common::trial() { 20 } else { each };
    let mut group = criterion.benchmark_group(operation);
    group.sampling_mode(SamplingMode::Flat);
    for threads in THREADS {
        group.throughput(Throughput::Elements((each * threads) as u64));
        let id = BenchmarkId::new(format!("{}_{threads}", E::NAME), queues());
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|rounds| (0..rounds).map(|_| run(threads, each)).sum());
        });
    }
    group.finish();
}

fn increment<E: Engine>(criterion: &mut Criterion) {
    measure::<E>(criterion, "increment", 50_000, |threads, each| {
        let own = (0..threads).map(|_| E::variables()).collect();
        let (time, variables) = timed(own, |_, variables| {
            (0..each).for_each(|_| E::increment(&variables));
            variables
        });
        variables.iter().for_each(|variables| assert_incremented::<E>(variables, each));
        time
    });
}

fn increment_shared<E: Engine>(criterion: &mut Criterion) {
    measure::<E>(criterion, "increment_shared", 20_000, |threads, each| {
        let variables = &E::variables();
        let (time, _) = timed(vec![variables; threads], |_, variables| {
            (0..each).for_each(|_| E::increment(variables));
        });
        assert_incremented::<E>(variables, threads * each);
        time
    });
}

/// No increment was lost.
fn assert_incremented<E: Engine>(variables: &[E::Var; stm_peers::VARIABLES], times: usize) {
    assert_eq!(E::sum(variables), (times * stm_peers::VARIABLES) as u64);
}

fn sum<E: Engine>(criterion: &mut Criterion) {
    let variables = &E::variables();
    measure::<E>(criterion, "sum", 50_000, |threads, each| {
        timed(vec![variables; threads], |_, variables| {
            for _ in 0..each {
                black_box(E::sum(variables));
            }
        })
        .0
    });
}

fn insert_and_remove<E: Engine>(criterion: &mut Criterion) {
    let map = LazyCell::new(|| E::map(queues() as u64));
    measure::<E>(criterion, "insert_and_remove", 5_000, |threads, each| {
        let map = &*map;
        timed(vec![(); threads], |thread, ()| {
            let first = (queues() + thread * each) as u64;
            (first..first + each as u64).for_each(|key| E::insert_and_remove(map, key));
        })
        .0
    });
}

fn all<E: Engine>(criterion: &mut Criterion) {
    increment::<E>(criterion);
    increment_shared::<E>(criterion);
    sum::<E>(criterion);
    insert_and_remove::<E>(criterion);
}

fn main() {
    let mut criterion = common::criterion();
    all::<Ours>(&mut criterion);
    if !common::REFERENCE_ENGINE {
        all::<StmCrate>(&mut criterion);
        all::<FastStm>(&mut criterion);
    }
    criterion.final_summary();
}
