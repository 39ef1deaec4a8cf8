//! Random schedules, by shuttle.

use super::schedule::Schedules;
pub(super) use super::schedule::seed;
use super::{Checker, Failed};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// An execution with more steps fails: it does not end.
const MAX_STEPS: usize = 1_000_000;
/// What a thread of a scenario has for its stack, in bytes. Only what is used of it takes memory.
const STACK: usize = 1024 * 1024;

pub(super) fn run(
    _: &Checker,
    seeds: Range<u64>,
    scenario: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
) -> Result<(), Failed> {
    let enough = Arc::new(OnceLock::new());
    let schedules = Schedules::new(seeds, enough.clone());
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.stack_size = STACK;
    // The seed is shorter than the schedule.
    config.failure_persistence = FailurePersistence::None;
    // That all orderings are one to it is said in `sync/model.rs`.
    config.silence_warnings = true;
    let explore = || {
        Runner::new(schedules, config).run(move || {
            if scenario().is_break() {
                enough.get_or_init(|| ());
            }
        });
    };
    catch_unwind(AssertUnwindSafe(explore)).map_err(|payload| (payload, seed()))
}
