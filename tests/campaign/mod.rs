//! Running a test on very many inputs: in pieces, on every core, in constant memory.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use simplex_stores::sync::{
    atomic::{AtomicU64, Ordering},
    thread,
};

/// How many inputs are made from one seed.
const PIECE: u64 = 1000;

/// What says how many damaged inputs to run.
#[allow(dead_code, reason = "one of the tests that share this file has inputs of another kind")]
pub(crate) const FUZZ_INPUTS: &str = "SIMPLEX_STORES_FUZZ_INPUTS";

/// How many inputs to run: what the environment variable says, or so many.
pub(crate) fn inputs(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{variable} is no number")),
        Err(_) => default,
    }
}

/// Calls `work` with the number of each piece, of which its seed is made, and with how many inputs
/// that has. The same number of inputs means the same inputs, whatever the number of cores. A tenth
/// of a long campaign is told on stderr.
pub(crate) fn run(inputs: u64, work: impl Fn(u64, u64) + Send + Sync + 'static) {
    let (next, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let work = Arc::new(work);
    let step = (inputs / 10).max(100_000);
    let worker = || {
        let (next, done, work) = (Arc::clone(&next), Arc::clone(&done), Arc::clone(&work));
        thread::spawn(move || {
            loop {
                let piece = next.fetch_add(1, Ordering::SeqCst);
                let count = inputs.saturating_sub(piece * PIECE).min(PIECE);
                if count == 0 {
                    return;
                }
                work(piece, count);
                let before = done.fetch_add(count, Ordering::SeqCst);
                if before / step < (before + count) / step {
                    tell(before + count, inputs);
                }
            }
        })
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    let workers: Vec<_> = (0..cores).map(|_| worker()).collect();
    for worker in workers {
        worker.join().unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), inputs);
}

#[allow(clippy::print_stderr, reason = "a campaign may take hours")]
fn tell(done: u64, inputs: u64) {
    eprintln!("{done} of {inputs} inputs");
}
