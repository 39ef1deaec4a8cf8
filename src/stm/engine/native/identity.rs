//! What tells variables and maps apart, and orders their locks.
//!
//! Normally that is where they are. Under a model checker it is when they were made: addresses change from one execution to the next, and
//! executions must be repeatable.

#[cfg(any(loom, shuttle))]
#[allow(
    clippy::disallowed_types,
    reason = "the checkers needn't see it: nothing depends on the number itself"
)]
mod made {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static MADE: AtomicUsize = AtomicUsize::new(1);

    pub(super) fn next() -> usize {
        MADE.fetch_add(1, Ordering::Relaxed)
    }
}

/// Stands in what has an id.
pub(super) struct Identity(#[cfg(any(loom, shuttle))] usize);

impl Identity {
    pub(super) fn new() -> Self {
        Identity(
            #[cfg(any(loom, shuttle))]
            made::next(),
        )
    }

    /// The id of `it`, which this stands in: no other thing has it for as long as `it` exists.
    #[cfg(not(any(loom, shuttle)))]
    #[allow(clippy::unused_self, reason = "the checkers use it")]
    pub(super) fn of<T>(&self, it: &T) -> usize {
        std::ptr::from_ref(it).addr()
    }

    /// The id of what this stands in.
    #[cfg(any(loom, shuttle))]
    pub(super) fn of<T>(&self, _: &T) -> usize {
        self.0
    }
}
