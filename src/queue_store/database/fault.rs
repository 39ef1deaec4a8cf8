//! The store's guards, each of which a test under a model checker can take out.
//!
//! Without a checker none is ever out, and asking costs nothing.

/// A guard that is taken out.
#[cfg_attr(not(any(loom, shuttle)), allow(unreachable_pub, reason = "only checkers reach it"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// Whoever asks for locks gets them, whether or not they are held.
    NoLocks,
    /// A change gives its lock back before the cache has the change.
    EarlyRelease,
    /// A change that was refused keeps its lock.
    KeptLocks,
    /// A row that was read enters the cache without asking what was changed meanwhile.
    UncheckedLoads,
    /// Lookups don't ask whether somebody holds the queue's lock.
    UncheckedLocks,
    /// A lookup without a transaction doesn't ask whether any lock is held.
    UncheckedServing,
    /// A row that was read enters the cache without asking whether another generation began.
    UncheckedGeneration,
    /// What is cached is served also while it isn't known what others change.
    ServedOutOfSight,
    /// Each load makes an object of its own.
    OwnObjects,
    /// What is cached is served although it isn't known what the database has.
    ForgottenDoubt,
    /// Closing doesn't wait for the calls that are under way.
    ImpatientClose,
}

#[cfg(any(loom, shuttle))]
std::thread_local! {
    // All threads of one execution run on one thread of the system.
    static OUT: std::cell::Cell<Option<StoreFault>> = const { std::cell::Cell::new(None) };
}

/// Runs `scenario` with a guard taken out, on this thread of the system.
#[cfg(any(loom, shuttle))]
pub fn without<T>(fault: StoreFault, scenario: impl FnOnce() -> T) -> T {
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
pub(super) fn is_out(fault: StoreFault) -> bool {
    OUT.get() == Some(fault)
}

#[cfg(not(any(loom, shuttle)))]
pub(super) fn is_out(_: StoreFault) -> bool {
    false
}

/// Whether a model checker ends this thread, whose execution has failed, by unwinding it: nothing can be given back
/// any more.
pub(super) fn is_cut_off() -> bool {
    cfg!(any(loom, shuttle)) && std::thread::panicking()
}
