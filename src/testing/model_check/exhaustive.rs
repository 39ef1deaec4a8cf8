//! Every interleaving up to a bound, by loom.

use super::{Checker, Failed};
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An execution with more steps fails: it does not end, or is too large for loom.
const MAX_STEPS: usize = 100_000;

pub(super) fn seed() -> Option<u64> {
    None
}

pub(super) fn run(
    checker: &Checker,
    _: Range<u64>,
    scenario: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
) -> Result<(), Failed> {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(checker.preemptions);
    // What would end the exploration early and call it a success, whatever the environment says.
    model.max_permutations = None;
    model.max_duration = None;
    model.checkpoint_file = None;
    model.expect_explicit_explore = false;
    model.max_branches = MAX_STEPS;
    let explore = || {
        model.check(move || {
            let _goes_on_either_way = scenario();
        });
    };
    catch_unwind(AssertUnwindSafe(explore)).map_err(|payload| (payload, None))
}
