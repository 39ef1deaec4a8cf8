//! The engine of our own.
//!
//! **The promise.** All laws of [`stm`](crate::stm), *opaque* in full: whatever a body reads, it sees the state of
//! one moment.
//!
//! **The algorithm.** TL2 with extension of timestamps. One clock counts commits. A variable has its value and
//! the *version* at which that was written, the clock's reading of that commit. A run of a body begins by taking the time,
//! and everything that it reads must have been written by then. When it meets something newer, it
//! looks whether all that it has read still stands; if so, the present time takes the place of the earlier one, else the
//! run has met a conflict. A run that wrote nothing needs nothing else: what it read was the state at its time.
//! One that wrote locks the variables to be written, in the order of their ids, takes the clock's next number, checks that what it
//! read is neither newer than its time nor locked by another commit, publishes, and unlocks.
//!
//! A retry puts the thread on the list of each variable that was read, and sleeps; a commit wakes who is on
//! the lists of what it wrote.
//!
//! **Why the ordering is right.** A commit takes its number only when it holds all its locks, and a reader takes a variable's
//! lock to look at it. So a reader whose time is not before a commit's number comes after its locking, and waits until it
//! has published: it never misses half of a commit. Of two commits of which each read what the other writes, the one with
//! the later number finds the other's lock, or its new version, and gives up. Locks are taken in one order, and
//! nothing waits for a lock while it holds one otherwise, so no two wait for each other. A thread that is going to sleep looks at a
//! variable's version and enters its list under one lock, and a commit changes the version and takes the list under the same: no
//! wake-up is lost. No user's code runs under a lock: values that die in a commit are dropped after it.
//!
//! **No unsafe code.** A variable's lock is one byte and held for a few instructions.
//!
//! **Tests.** `tests/stm_laws/` on real threads; `loom-tests/tests/stm_native.rs` and `stm_maps/` under loom, with a twin for each guard
//! in `fault.rs`, and `random_maps.rs` under shuttle.

mod clock;
mod commit;
pub(in crate::stm) mod fault;
mod identity;
mod map;
mod parts;
mod run;
mod var;
mod wait;

pub(in crate::stm) use map::{Map, Viewed, Whole, register_all};
pub(in crate::stm) use parts::Parts;
pub(in crate::stm) use run::{Reader, run};
pub(in crate::stm) use var::Var;
