//! Runs a scenario on real threads or under a model checker.

pub(crate) use simplex_stores::sync::thread::{JoinHandle, spawn};
#[cfg(shuttle)]
use simplex_stores::testing::model_check::Checker;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a thread of a scenario repeats, so that threads meet on real processors; loom makes them meet with two.
pub(crate) const STEPS: usize = match () {
    () if cfg!(loom) => 2,
    () if cfg!(shuttle) => 10,
    () => 300,
};

/// Runs a scenario that stands in a test as a closure.
pub(crate) fn explore<F: Fn() + Send + Sync + 'static>(scenario: F) {
    explore_as(&name_of::<F>(), scenario);
}

/// Runs `scenario` many times on real threads; under loom, in every interleaving that switches away from a running thread
/// at most three times, and holds the number of executions against the table of the loom tests; under shuttle, in random schedules.
pub(crate) fn explore_as(name: &str, scenario: impl Fn() + Send + Sync + 'static) {
    record(name, runs(scenario));
}

/// Runs `scenario` as [`explore_as`] does, and says how often that was.
#[cfg(not(any(loom, shuttle)))]
pub(crate) fn runs(scenario: impl Fn() + Send + Sync + 'static) -> u64 {
    (0..30).map(|_| scenario()).count() as u64
}

#[cfg(any(loom, shuttle))]
pub(crate) fn runs(scenario: impl Fn() + Send + Sync + 'static) -> u64 {
    loom_tests::count(3, scenario)
}

/// Under loom, holds a number of executions against the table.
pub(crate) fn record(name: &str, runs: u64) {
    #[cfg(any(loom, shuttle))]
    loom_tests::record(&format!("stm_laws/{name}"), runs);
    let _ = (name, runs);
}

/// `file/test`, of a closure that stands in a test.
pub(crate) fn name_of<F>() -> String {
    let path = std::any::type_name::<F>();
    let place = path.split_once("::{{closure}}").map_or(path, |(place, _)| place);
    let parts: Vec<_> = place.split("::").collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

/// Runs `scenario` once, on one thread, which under a model checker is all there is to explore.
pub(crate) fn once(scenario: impl Fn() + Send + Sync + 'static) {
    #[cfg(loom)]
    assert_eq!(loom_tests::count(0, scenario), 1);
    #[cfg(shuttle)]
    Checker::replay(0, scenario).unwrap();
    #[cfg(not(any(loom, shuttle)))]
    scenario();
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
