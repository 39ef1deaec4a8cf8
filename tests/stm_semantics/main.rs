//! The published semantics of STM, written down as an interpreter, and random programs run on it and on the engine.
//!
//! The semantics is that of *Composable Memory Transactions* (Harris, Marlow, Peyton Jones, Herlihy, PPoPP 2005,
//! with the rules for exceptions of its 2006 version): `interpreter.rs` has its rules under their names. The maps
//! are what `formats.md` says of them (TM-), desugared to reads and writes of one cell.
//!
//! | file | what it is |
//! |---|---|
//! | `program.rs`, `values.rs` | the language: programs of transactions, and the values that they handle |
//! | `generate.rs`, `shrink.rs` | random programs, and smaller ones |
//! | `interpreter.rs`, `maps.rs` | the semantics, over a plain heap that is copied wherever a branch begins |
//! | `engine.rs` | the same programs on `simplex_stores::stm` |
//! | `observe.rs` | what can be seen of a run, whatever its variables are called |
//! | `sequential.rs` | one thread: each answer, and the heap after each transaction |
//! | `interleavings.rs`, `concurrent.rs` | threads: the outcome is one of those that the semantics allows |
//! | `answers.rs` | the same programs on every engine: one file of answers for all of them |
//! | `twins.rs` | wrong semantics and wrong engines, which must be found out |
//!
//! `SIMPLEX_STORES_PROGRAMS` sets how many programs are run; thousands by default, and a hundred thousand and
//! more want `--release`. A failure tells its seed and the program, made small.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(missing_docs, reason = "tests")]

mod answers;
#[path = "../campaign/mod.rs"]
mod campaign;
mod concurrent;
mod engine;
mod generate;
mod interleavings;
mod interpreter;
mod maps;
mod observe;
mod program;
mod sequential;
mod shrink;
mod twins;
mod values;
