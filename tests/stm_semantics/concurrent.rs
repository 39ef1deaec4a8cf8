//! Two or three threads, with transactions that really wait: what they come to is one of the outcomes that the
//! semantics allows.
//!
//! Programs that may come to wait for ever are left out: the interpreter knows them, since it tries every order. So
//! a program that doesn't end on the engine has lost a wake-up. The seeds are told on stderr as they begin, for
//! that case (`--nocapture`). `SIMPLEX_STORES_PROGRAMS` sets how many programs (default 300); each runs a few times.

use super::campaign;
use super::engine::{Engine, Real};
use super::generate::Concurrent;
use super::interleavings::{Outcomes, outcomes};
use super::observe::{Observation, observe};
use super::program::Block;
use super::sequential::{PROGRAMS, hold, seeded};
use super::values::Answer;
use quickcheck::{Arbitrary, TestResult};
use simplex_stores::sync::atomic::{AtomicUsize, Ordering};
use simplex_stores::sync::thread;
use std::sync::Arc;

/// How often each program runs.
const ROUNDS: usize = 3;

/// So many programs are made of one seed, and among so many one has to look for one that doesn't end.
const OF_ONE_SEED: u64 = 50;

/// Runs each thread of the program as one, all from the same moment on. They give way to each other between
/// statements, so that transactions overlap.
fn by_engine(program: &[Vec<Block>]) -> Observation {
    let engine = Arc::new(Engine::new().pausing(thread::yield_now));
    let missing = Arc::new(AtomicUsize::new(program.len()));
    let work = |transactions: Vec<Block>| {
        let (engine, missing) = (Arc::clone(&engine), Arc::clone(&missing));
        move || -> Vec<Answer<Real>> {
            missing.fetch_sub(1, Ordering::SeqCst);
            while missing.load(Ordering::SeqCst) > 0 {
                thread::yield_now();
            }
            transactions.iter().map(|transaction| engine.run(transaction)).collect()
        }
    };
    let threads = program.iter().cloned();
    let threads: Vec<_> = threads.map(|transactions| thread::spawn(work(transactions))).collect();
    let answers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    observe(&*engine, &answers)
}

fn comes_to_an_allowed_outcome(program: Concurrent) -> TestResult {
    let Outcomes::All { seen: allowed, .. } = outcomes(&program.0) else {
        return TestResult::discard();
    };
    for _ in 0..ROUNDS {
        let outcome = by_engine(&program.0);
        if !allowed.contains(&outcome) {
            let message = format!("the engine came to {outcome:?}, the semantics to {allowed:?}");
            return TestResult::error(message);
        }
    }
    TestResult::passed()
}

#[test]
#[allow(clippy::print_stderr, reason = "a test that doesn't end can't say where it was")]
fn random_threads_come_to_an_outcome_of_the_semantics() {
    campaign::run(campaign::inputs(PROGRAMS, 300), |piece, count| {
        for part in 0..count.div_ceil(OF_ONE_SEED) {
            let seed = piece * 1_000 + part;
            eprintln!("seed {seed}");
            let programs = OF_ONE_SEED.min(count - part * OF_ONE_SEED);
            hold(seed, programs, comes_to_an_allowed_outcome);
        }
    });
}

/// Of the random programs enough are run, and of those enough wait in some order, and have more outcomes than one.
#[test]
fn enough_of_the_programs_wait_and_have_several_outcomes() {
    let mut g = seeded(0);
    let (mut run, mut wait, mut choose) = (0, 0, 0);
    for _ in 0..1_000 {
        let Outcomes::All { seen, waits } = outcomes(&Concurrent::arbitrary(&mut g).0) else {
            continue;
        };
        run += 1;
        wait += usize::from(waits);
        choose += usize::from(seen.len() > 1);
    }
    let counts = (run, wait, choose);
    assert!(run > 300 && wait > 100 && choose > 200, "run, wait, have several: {counts:?}");
}
