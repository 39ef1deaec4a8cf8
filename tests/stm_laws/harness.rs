//! Runs a scenario on real threads or under loom.

pub(crate) use simplex_stores::sync::thread::{JoinHandle, spawn};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a thread of a scenario repeats, so that threads meet on real processors.
#[cfg(not(loom))]
pub(crate) const STEPS: usize = 300;
/// loom meets them all with one.
#[cfg(loom)]
pub(crate) const STEPS: usize = 1;

/// Runs `scenario` many times.
#[cfg(not(loom))]
pub(crate) fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    for _ in 0..30 {
        scenario();
    }
}

/// Runs `scenario` in every interleaving that switches away from a running thread at most three times.
///
/// The limits that could end the exploration early are off, so it returns only when it is complete.
#[cfg(loom)]
pub(crate) fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.max_permutations = None;
    model.max_duration = None;
    // Not a limit of the exploration: going beyond it fails.
    model.max_branches = 100_000;
    model.check(scenario);
}

/// Runs `scenario` once, on one thread.
#[cfg(not(loom))]
pub(crate) fn once(scenario: impl Fn() + Send + Sync + 'static) {
    scenario();
}

/// Runs `scenario`, which uses one thread and so has one interleaving.
#[cfg(loom)]
pub(crate) fn once(scenario: impl Fn() + Send + Sync + 'static) {
    explore(scenario);
}

/// What `work` panics with.
pub(crate) fn panic_of(work: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("it should have panicked");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a panic with a text")).to_owned(),
    }
}

/// Panics without a message on the terminal: for panics that a test wants.
pub(crate) fn quiet_panic<T>(text: &'static str) -> T {
    std::panic::resume_unwind(Box::new(text))
}
