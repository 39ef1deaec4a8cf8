//! Runs scenarios under the model checker loom, and makes sure that it really looked.
//!
//! **The promise.** A green test here means that loom ran its scenario in every interleaving up to the stated bound. loom by
//! itself does not say so: told to stop after a number of executions or a time, it stops and reports
//! success, and a scenario that has lost its races passes as well as one that has none.
//!
//! **How.** [`explore`] turns off every limit that could end the exploration early, so that it returns
//! only when it is complete; it counts the executions and compares them with `executions.tsv`. A count
//! below the table's fails: the scenario has become smaller, and the reason should be known. A count above it passes.
//! `update-executions.sh` writes the table anew. [`must_find`] demands that some execution has an
//! outcome, for the witness of a race; [`must_find_steps`] also keeps its steps, for the picture; [`must_fail`] demands that some execution fails, for a guard's
//! known-bad twin. A scenario that can't fail proves nothing.
//!
//! **The bound.** An execution may switch away from a thread that could have gone on only so often; switches at a
//! thread's end, or where it waits, are free. Known races need few of them: each test states its own.
//!
//! Everything here, and every test, exists only under `--cfg loom`:
//! `RUSTFLAGS="--cfg loom" cargo test -p loom-tests --release`.
#![cfg(loom)]
#![allow(clippy::panic, clippy::expect_used, reason = "a harness for tests")]

mod executions;
pub mod scenario;
mod steps;

pub use executions::record;
pub use steps::Steps;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// A number that no interleaving depends on, so loom needn't see it.
type Count = simplex_stores::sync::Tally;

/// Runs `scenario` in every interleaving with at most `preemptions` switches away from a running thread, and compares the
/// number of executions with the table's line `name`.
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
    let found = Arc::new(Count::new());
    let executions = {
        let found = found.clone();
        count(preemptions, move || {
            if scenario() {
                found.add(1);
            }
        })
    };
    assert!(found.sum() > 0, "{name}: none of {executions} executions came out as it should");
    record(name, executions);
}

/// As [`must_find`], and keeps the steps of the first execution that came out as looked for: they are compared with
/// `docs/races/steps/`, in the file named as `name` up to its slash.
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
    steps::record(name, first.get().expect("some execution was found"));
}

/// Explores a scenario that is wrong on purpose, until an execution fails with a panic whose text contains `failure`.
///
/// # Panics
///
/// When all executions succeed, or one fails in another way: the test that this is the twin of can't fail.
pub fn must_fail(
    name: &str,
    preemptions: usize,
    failure: &str,
    scenario: impl Fn() + Send + Sync + 'static,
) {
    let explored = catch_unwind(AssertUnwindSafe(|| count(preemptions, scenario)));
    let payload = match explored {
        Ok(executions) => panic!("{name}: all {executions} executions succeeded"),
        Err(payload) => payload,
    };
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    assert!(text.contains(failure), "{name}: failed with {text:?} instead of {failure:?}");
}

/// Explores `scenario` and returns the number of executions, which no table has to know.
pub fn count(preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) -> u64 {
    let executions = Arc::new(Count::new());
    let counted = executions.clone();
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    // What would end the exploration early and call it a success, whatever the environment says.
    model.max_permutations = None;
    model.max_duration = None;
    model.checkpoint_file = None;
    model.expect_explicit_explore = false;
    // Not such a limit: an execution that goes beyond it fails.
    model.max_branches = 100_000;
    model.check(move || {
        counted.add(1);
        scenario();
    });
    executions.sum()
}
