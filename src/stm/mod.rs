//! Software transactional memory: variables that threads share, and transactions over them that happen at
//! one moment or not at all.
//!
//! # Choosing a structure
//!
//! | to share | use | Haskell's name |
//! |---|---|---|
//! | one value | [`TVar`] | `TVar` |
//! | values by key | [`TMap`] | the reference's `TMap` |
//! | keys alone | [`TSet`] | |
//! | one value that is there or not, to hand over or to wait for | [`TMVar`] | `TMVar` |
//! | messages, in order, as many as come | [`TQueue`] | `TQueue` |
//! | messages, in order, and writers that wait when readers are slow | [`TBQueue`] | `TBQueue` |
//! | a number of permits | [`TSem`] | `TSem` |
//!
//! All are handles: a clone is the same variable. Everything is built on [`TVar`], so what holds for one
//! holds for all, and parts that use different structures join into one transaction:
//!
//! ```
//! use simplex_stores::stm::{TMap, TQueue, TSem, atomically};
//!
//! let (owners, mail, permits) = (TMap::new(), TQueue::new(), TSem::new(1));
//! atomically(|tx| owners.insert(tx, "box", "ann"));
//!
//! // Takes a permit, moves the box to another owner and tells about it: all of it, or nothing.
//! let before = atomically(|tx| {
//!     permits.wait(tx)?;
//!     let before = owners.replace(tx, "box", "bob")?;
//!     mail.write(tx, "the box has moved")?;
//!     Ok(before)
//! });
//! assert_eq!(before, Some("ann"));
//! assert_eq!(atomically(|tx| mail.read(tx)), "the box has moved");
//! ```
//!
//! **[`TVar`] or [`TMap`]?** A transaction that reads a `TMap` depends on the keys that it looked up, and on the whole map only if it
//! asked for its length or a snapshot (on the reference engine always). A value that is large, or changes often while its key stays, is better kept in
//! a `TVar` in the map: finding it reads the map, changing it does not write it.
//!
//! ```
//! use simplex_stores::stm::{TMap, TVar, atomically};
//!
//! let counters: TMap<&str, TVar<u64>> = TMap::new();
//! atomically(|tx| counters.insert(tx, "seen", TVar::new(0)));
//!
//! if let Some(seen) = counters.get_atomic(&"seen") {
//!     atomically(|tx| seen.update(tx, |n| *n += 1));
//!     assert_eq!(seen.read_atomic(), 1);
//! }
//! ```
//!
//! **Waiting.** [`retry`] and [`guard`] wait for a change, and [`or_else`](Transaction::or_else) waits for one of two
//! things. No time-outs: another thread writes a variable when the time has come.
//!
//! ```
//! use simplex_stores::stm::{TQueue, TVar, atomically, guard};
//!
//! let (jobs, closing) = (TQueue::new(), TVar::new(true));
//! atomically(|tx| jobs.write(tx, 1));
//! let next = || atomically(|tx| {
//!     tx.or_else(
//!         |tx| jobs.read(tx).map(Some),
//!         |tx| { guard(closing.read(tx)?)?; Ok(None) },
//!     )
//! });
//! assert_eq!((next(), next()), (Some(1), None));
//! ```
//!
//! **Failing.** [`try_atomically`] and [`abort`] end a transaction with an error of your own and publish
//! nothing; [`catch_abort`](Transaction::catch_abort) takes back one part and lets the rest go on.
//!
//! # The laws
//!
//! Names follow the `stm` crate, meanings follow Haskell's STM. Each law has a file of tests in
//! `tests/stm_laws/`, which runs on every engine.
//!
//! - **atomic**: committed transactions are equivalent to one serial order that respects real time.
//! - **opaque**: a running transaction sees only states that a serial order produces. On the `reference` engine,
//!   a run that will be repeated may meanwhile see two moments; it can't publish, and a panic that
//!   comes of it is not passed on.
//! - **retry** blocks until a variable that was read changes; it loses no wake-up and doesn't spin.
//! - **or_else** prefers its left branch; a left branch that retried leaves no write, and its reads stay
//!   in the read set, for validation and for waking.
//! - **abort** discards every write and still validates the reads.
//! - **panic**: a panic inside a transaction publishes nothing, and poisons and locks nothing.
//! - **nesting**: a transaction inside another one is refused with a clear message.
//! - **progress**: under contention every transaction commits in the end.
//!
//! # Rules for a body
//!
//! It may run several times, so: no input or output, no locks, no waiting for another thread, and
//! no code that loops until two variables agree. Pass every [`StmError`] on with `?`. A destructor of a value that
//! was replaced by a commit may use variables and start transactions that do not wait; one of a value that the
//! same transaction wrote over before committing runs inside it, and may not.
//!
//! # Engines
//!
//! `native` is our own and runs normally (`docs/decisions/0023-an-engine-of-our-own.md`,
//! `docs/decisions/0025-maps-that-conflict-by-key.md`). `reference`, chosen by the feature `reference-engine`, stands on the `stm` crate;
//! `docs/decisions/stm-engine.md` says what it repairs in the crate under it, and how. `model` makes every transaction one
//! step under the model checkers loom and shuttle and is chosen by `--cfg loom` or `--cfg shuttle`; `--cfg native_engine` lets them see inside of
//! `native`.
//!
//! # What is counted
//!
//! [`stats`] counts the transactions of the process; a [`Label`] counts those of a kind: commits, conflicts, retries, fallbacks, waiting time.
//! [`watch_conflicts`] and [`conflicts`] tell which variables transactions ran again for.

mod conflicts;
mod engine;
mod error;
mod list;
mod log;
mod sequence;
mod snapshot;
mod stats;
mod tbqueue;
mod tmap;
mod tmvar;
mod tqueue;
mod transaction;
mod tsem;
mod tset;
mod tvar;

pub use conflicts::{VarId, conflicts, watch_conflicts};
#[cfg(all(native_engine, any(loom, shuttle)))]
pub use engine::fault::{EngineFault, hash_in_maps, without};
pub use error::{StmError, StmResult, Stop, TxError, TxResult};
pub use sequence::Sequence;
pub use snapshot::{Snapshot, Snapshots, snapshot_together};
pub use stats::{Label, Stats, labels, stats};
pub use tbqueue::TBQueue;
pub use tmap::TMap;
pub use tmvar::TMVar;
pub use tqueue::TQueue;
pub use transaction::{
    Transaction, abort, atomically, guard, retry, try_atomically, try_atomically_numbered,
};
pub use tsem::TSem;
pub use tset::{SetSnapshot, TSet};
pub use tvar::TVar;
