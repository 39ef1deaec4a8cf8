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
    /// A commit doesn't ask whether a map that it read as a whole has changed.
    UncheckedWhole,
    /// A bucket doesn't know when it last lost a key.
    ForgottenRemovals,
    /// Whoever gets a shard's lock takes it for the one of its hash, although it may have been split meanwhile.
    UncheckedShards,
    /// A commit does so with the shards that it writes.
    UncheckedTargets,
    /// A split leaves all waiting threads with the one half.
    ForgottenWaiters,
    /// A split doesn't see to it that both halves are swept.
    UnsweptHalves,
    /// A snapshot reads the clock, then registers.
    LateSnapshots,
    /// What a snapshot saw is swept without asking which others are held.
    GreedySweeps,
    /// A map keeps what a branch wrote that is taken back.
    KeptBranches,
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

/// The hash by which maps place a key: its lowest bits say which keys a split parts.
#[cfg(any(loom, shuttle))]
pub fn hash_in_maps<K: std::hash::Hash>(key: &K) -> u64 {
    super::map::hash_of(key)
}

#[cfg(any(loom, shuttle))]
pub(super) fn is_out(fault: EngineFault) -> bool {
    OUT.get() == Some(fault)
}

#[cfg(not(any(loom, shuttle)))]
pub(super) fn is_out(_: EngineFault) -> bool {
    false
}
