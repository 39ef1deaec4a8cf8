//! What stands behind the interface: the engine that holds variables and commits transactions.
//!
//! **The split.** Everything that can be the same on every engine is above this folder. A
//! transaction gathers what it read and what it will write in a `Log`, so an engine never
//! undoes anything: a branch of `or_else` that retried, an abort and a panic only throw entries of the
//! log away. What is left for an engine is small:
//!
//! - `Var`: a shared variable that holds one `Value`; `committed()` is its present value.
//! - `Reader::read`: the value of a variable for this attempt, tracked for validation.
//! - `run`: repeats a body until it has ended: begin, run the body, validate what it read, publish
//!   what it wrote; wait for a change after a retry; run again after a conflict.
//!
//! - `Map`: a map of which transactions read and write keys, the whole, or snapshots.
//!
//! **The engines.** `native` is our own and runs normally. `reference` keeps variables in the `stm` crate and lets it validate, publish and
//! wait; the feature `reference-engine` chooses it. `model` runs every transaction as one indivisible step under a
//! lock that the model checker sees, and is chosen by `--cfg loom` and `--cfg shuttle`; with `--cfg native_engine` the checkers see inside of
//! `native` instead. `build.rs` makes the choice. One law suite, `tests/stm_laws/`, runs on each.

#[cfg(all(any(loom, shuttle), not(native_engine)))]
mod model;
#[cfg(native_engine)]
mod native;
#[cfg(not(native_engine))]
mod persistent;
#[cfg(any(not(any(loom, shuttle)), native_engine))]
mod progress;
#[cfg(not(any(loom, shuttle, native_engine)))]
mod reference;

#[cfg(all(any(loom, shuttle), not(native_engine)))]
pub(super) use model::{Reader, Var, run};
#[cfg(all(native_engine, any(loom, shuttle)))]
pub(super) use native::fault;
#[cfg(native_engine)]
pub(super) use native::{Map, Parts, Reader, Var, Viewed, Whole, register_all, run};
#[cfg(not(native_engine))]
pub(super) use persistent::{Map, Whole};
#[cfg(not(any(loom, shuttle, native_engine)))]
pub(super) use reference::{Reader, Var, run};

use std::any::Any;
use std::sync::Arc;

/// The value of a variable, its type known only to the [`TVar`](super::TVar) around it.
pub(super) type Value = Arc<dyn Any + Send + Sync>;

/// How one run of a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Publish what was written, if what was read still stands.
    Commit,
    /// Publish nothing, if what was read still stands.
    Discard,
    /// Wait until something that was read changes, then run again.
    Retry,
    /// Run again: the engine said that the attempt can't succeed.
    Conflict,
}

/// How a transaction ended.
pub(super) enum End {
    /// It committed, or was discarded as asked.
    Done,
    /// It asked to wait and had read nothing.
    NothingToWaitFor,
    /// Its body panicked on a consistent state. Nothing was published.
    Panicked(Box<dyn Any + Send>),
}
