//! The scenarios of simplex-stores under two model checkers, and what is kept of them.
//!
//! **The promise.** A green test here means under `--cfg loom` that its scenario ran in every interleaving up to the stated bound;
//! under `--cfg shuttle`, that it ran in so many random schedules, whose seeds are fixed.
//!
//! **How.** Exploring is [`Checker`]'s. Here are the names of the scenarios and the table of how many executions loom took for each:
//! [`explore`] compares with `executions.tsv`. A count below the table's fails: the scenario has become smaller, and the reason should be
//! known. A count above it passes. `update-executions.sh` writes the table anew. [`must_find`] demands that some execution has an
//! outcome, for the witness of a race; [`must_find_steps`] also keeps its steps, for the picture; [`must_fail`] demands that some execution
//! fails, for a guard's known-bad twin. A scenario that can't fail proves nothing.
//!
//! **The bound.** Under loom an execution may switch away from a thread that could have gone on only so often; switches at a
//! thread's end, or where it waits, are free. Known races need few of them: each test states its own. Under shuttle
//! `SIMPLEX_STORES_SCHEDULES` says how many schedules each scenario runs (1,000 when it doesn't); witnesses and twins are looked for until
//! they are found.
//!
//! Everything here, and every test, exists only under one of the two:
//! `RUSTFLAGS="--cfg loom" cargo test -p loom-tests --release`, and the same with `--cfg shuttle`.
#![cfg(any(loom, shuttle))]
#![allow(clippy::panic, clippy::expect_used, reason = "a harness for tests")]

pub mod database;
mod executions;
pub mod scenario;
mod steps;

pub use executions::record;
pub use steps::Steps;

use simplex_stores::testing::model_check::Checker;
use std::sync::{Arc, OnceLock};

/// Runs `scenario` in every interleaving with at most `preemptions` switches away from a running thread, and compares the
/// number of executions with the table's line `name`; under shuttle, in random schedules.
///
/// # Panics
///
/// When an execution panics, deadlocks or leaks what loom watches; and when there were fewer executions than the table says.
pub fn explore(name: &str, preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    record(name, count(preemptions, scenario));
}

/// As [`explore`], for a scenario that says whether it came out in the way looked for: some execution must.
///
/// # Panics
///
/// As [`explore`], and when no execution came out that way.
pub fn must_find(
    name: &str,
    preemptions: usize,
    scenario: impl Fn() -> bool + Send + Sync + 'static,
) {
    let executions = Checker::new().preemptions(preemptions).must_find(scenario);
    // shuttle stops when it has found.
    if cfg!(loom) {
        record(name, executions);
    }
}

/// As [`must_find`], and keeps the steps of the first execution that came out as looked for: they are compared with
/// `docs/races/steps/`, in the file named as `name` up to its slash. The pictures are drawn from what loom finds first.
///
/// # Panics
///
/// As [`must_find`], and when the steps are others than the file's.
pub fn must_find_steps(
    name: &str,
    preemptions: usize,
    scenario: impl Fn(&Steps) -> bool + Send + Sync + 'static,
) {
    let first = Arc::new(OnceLock::new());
    let kept = first.clone();
    must_find(name, preemptions, move || {
        let steps = Steps::default();
        let found = scenario(&steps);
        if found {
            kept.get_or_init(|| steps.to_text());
        }
        found
    });
    if cfg!(loom) {
        steps::record(name, first.get().expect("some execution was found"));
    }
}

/// Explores a scenario that is wrong on purpose, until an execution fails with a panic whose text contains `failure`.
///
/// # Panics
///
/// When all executions succeed, or one fails in another way: the test that this is the twin of can't fail.
pub fn must_fail(
    _name: &str,
    preemptions: usize,
    failure: &str,
    scenario: impl Fn() + Send + Sync + 'static,
) {
    Checker::new().preemptions(preemptions).must_fail(failure, scenario);
}

/// Explores `scenario` and returns the number of executions, which no table has to know.
pub fn count(preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) -> u64 {
    Checker::new().preemptions(preemptions).check(scenario)
}
