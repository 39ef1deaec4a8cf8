//! The laws of the STM and the behaviour of the structures on it, one file each.
//!
//! The same scenarios run on every engine: on real threads, many rounds each, with the engine
//! that runs normally; and with the model engine under `--cfg loom`, in small sizes, over every
//! interleaving, and under `--cfg shuttle` in random schedules; that run is a test of the crate `loom-tests`, which includes these files. `harness.rs` hides the
//! difference.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod abort;
mod atomic;
mod harness;
mod interference;
mod nesting;
mod opaque;
mod or_else;
mod panics;
mod progress;
mod retry;
mod sequence;
mod serial;
mod stats;
mod sync;
mod tbqueue;
mod tmap;
mod tmvar;
mod tqueue;
mod tsem;
mod tset;
mod tvar;
