//! Repetitions on real threads.

use super::{Checker, Failed};
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) fn seed() -> Option<u64> {
    None
}

pub(super) fn run(
    _: &Checker,
    seeds: Range<u64>,
    scenario: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
) -> Result<(), Failed> {
    for _ in seeds {
        let ran = catch_unwind(AssertUnwindSafe(&scenario));
        if ran.map_err(|payload| (payload, None))?.is_break() {
            break;
        }
    }
    Ok(())
}
