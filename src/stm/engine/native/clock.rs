//! The clock that counts commits.

use crate::sync::atomic::{AtomicU64, Ordering};
#[cfg(any(loom, shuttle))]
use crate::sync::checker;

/// The time: how many commits have begun to publish.
pub(super) struct Clock(AtomicU64);

#[cfg(not(any(loom, shuttle)))]
static CLOCK: Clock = Clock(AtomicU64::new(0));

#[cfg(any(loom, shuttle))]
checker::lazy_static! {
    static ref CLOCK: Clock = Clock(AtomicU64::new(0));
}

/// The number of the last commit that has taken one. Acquire: whoever sees a commit's number comes after
/// its locking.
pub(super) fn now() -> u64 {
    CLOCK.0.load(Ordering::Acquire)
}

/// The next number, for a commit that holds its locks. Release, for [`now`]; acquire, so that of two commits the
/// later one sees the locks of the earlier.
pub(super) fn tick() -> u64 {
    CLOCK.0.fetch_add(1, Ordering::AcqRel) + 1
}

/// The number of the last commit that has taken one, read so that every commit which takes a later one comes after the caller.
pub(super) fn now_for_all() -> u64 {
    CLOCK.0.fetch_add(0, Ordering::AcqRel)
}
