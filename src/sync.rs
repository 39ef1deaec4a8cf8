//! Locks, atomics, threads and channels: the one door through which the crate reaches them.
//!
//! **The promise.** The same source runs on real threads and under two model checkers. Normally the
//! names here are parking_lot's, the standard library's and crossbeam-channel's. Under
//! `--cfg loom` each is one that loom sees, so that loom explores every interleaving of a few
//! threads; under `--cfg shuttle` each is one of shuttle's, which runs many threads in random
//! schedules. `testing::model_check` (feature `testing`) starts either.
//!
//! **How.** The two sets of names, `sync/native.rs` and `sync/model.rs`, offer the same methods;
//! this file chooses one of them. What has no meaning under a model checker (time-outs, fairness,
//! thread names) is not offered by either, so nothing can come to depend on it. A lock is never
//! poisoned: `lock()` returns the guard.
//!
//! **Why nothing goes around it.** A lock that the checker does not see is a race that it does not
//! explore, and the test that should find it stays green. `clippy.toml` therefore refuses
//! `std::sync::{Mutex, RwLock, Condvar}`, the atomics, `std::thread::spawn` and their like outside
//! this folder. `std::sync::{Arc, Weak, OnceLock}` are exceptions: they order nothing that the
//! crate relies on. Where the order of a value that is set once matters, the `OnceLock` of this module is used.
//!
//! **Tests.** `tests/stm_laws/sync.rs` on real threads; `loom-tests/tests/stm_laws.rs` under loom and
//! shuttle.

#[cfg(any(loom, shuttle))]
#[path = "sync/model.rs"]
mod chosen;
#[cfg(not(any(loom, shuttle)))]
#[path = "sync/native.rs"]
mod chosen;
mod priority_slot;
mod tally;

#[cfg(any(loom, shuttle))]
pub(crate) use chosen::checker;
pub(crate) use chosen::thread_local;
pub use chosen::{
    Condvar, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
    channel, thread,
};
pub use priority_slot::{Closed, Priority, PrioritySlot, Taken};
pub use tally::{Noted, Switch, Tally};
