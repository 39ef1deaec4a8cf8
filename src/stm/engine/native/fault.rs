//! The engine's guards, each of which a test under a model checker can take out.
//!
//! Without a checker none is ever out, and asking costs nothing.

/// A guard that is taken out.
#[cfg_attr(not(any(loom, shuttle)), allow(unreachable_pub, reason = "only checkers reach it"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFault {
    /// A newer value is taken without asking whether what was read before still stands.
    UncheckedReads,
    /// A commit doesn't ask whether what it read still stands.
    UncheckedCommits,
    /// A commit doesn't show others that it is about to write.
    UnannouncedWrites,
    /// A commit takes its number before it has its locks.
    EarlyNumber,
    /// A commit doesn't ask whether keys that it read still have their values.
    UncheckedKeys,
    /// A commit doesn't ask whether keys that it found absent still are.
    UncheckedAbsence,
    /// A commit keeps nothing for snapshots.
    ForgottenSnapshots,
    /// A thread goes to sleep without asking whether what it read has changed.
    UncheckedSleep,
}

#[cfg(any(loom, shuttle))]
std::thread_local! {
    // All threads of one execution run on one thread of the system.
    static OUT: std::cell::Cell<Option<EngineFault>> = const { std::cell::Cell::new(None) };
}

/// Runs `scenario` with a guard taken out, on this thread of the system.
#[cfg(any(loom, shuttle))]
pub fn without<T>(fault: EngineFault, scenario: impl FnOnce() -> T) -> T {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            OUT.set(None);
        }
    }
    let _back = Back;
    OUT.set(Some(fault));
    scenario()
}

#[cfg(any(loom, shuttle))]
pub(super) fn is_out(fault: EngineFault) -> bool {
    OUT.get() == Some(fault)
}

#[cfg(not(any(loom, shuttle)))]
pub(super) fn is_out(_: EngineFault) -> bool {
    false
}
