//! Whole transactions on real threads: random histories checked for serializability, and programs that keep an invariant.
//!
//! `tests/stm_laws/` holds each law against small scenarios in every interleaving; here are more threads, objects and
//! transactions than any model checker gets through. `SIMPLEX_STORES_HISTORIES` sets how many histories (default 400),
//! `SIMPLEX_STORES_ROUNDS` how often a program's threads repeat what they do (default 2,000).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod bank;
mod handover;
mod harness;
mod histories;
mod moves;
mod or_else;
mod perform;
mod phantoms;
mod program;
mod snapshots;
mod split;
mod split_random;
mod write_skew;
