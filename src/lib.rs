//! The persistence layer of a SimpleX messaging router, on software transactional memory (STM).
//!
//! **The promise.** The answers of the reference implementation (simplexmq) wherever it keeps its own
//! rules, byte for byte on disk; and none of its races, leaks and lost records. Numbers in parentheses
//! in this documentation, such as (OP-12) or (RACE-7), are items of the specification; the ledger in
//! `docs/conformance` says for each what this crate does and which tests show it.
//!
//! # A map of the modules
//!
//! | module | look here for |
//! |---|---|
//! | [`queue_store`] | queues: the operations, the in-memory store that keeps them, its snapshots and invariants |
//! | [`ntf_store`] | the stores of notifications: a notification server's tokens and subscriptions, and what waits at a router for delivery |
#![cfg_attr(
    any(feature = "postgres", feature = "sqlite"),
    doc = "| [`agent_store`] | what a messaging agent must not lose, in SQLite or PostgreSQL |"
)]
//! | [`db`] | what the stores in databases share: connections, transactions, errors, migrations |
//! | [`store_log`] | the journal: its records, opening and replaying it, how durable a change is, damage |
//! | [`protocol`] | what a router speaks of: ids, keys, records, statuses, services, errors, [`Semantics`](protocol::Semantics) |
//! | [`encoding`] | how bytes, numbers, keys, lists and times are written and read |
//! | [`stm`] | transactions, and variables, maps, sets and queues that threads share |
//! | [`sync`] | locks, atomics, threads and channels that a model checker can see |
#![cfg_attr(
    feature = "testing",
    doc = "| [`testing`] | storages that forget what was not synced, or fail at a chosen step; a sequential model; histories |"
)]
//!
//! A module imports from the rows below its own only (the last, where it is there, is for tests):
//! [`stm`] knows no store, and [`store_log`] no map.
//!
//! # An example
//!
//! A store without a journal. Two operations of the store and a variable of the caller's own become
//! one step, which other threads see whole or not at all:
//!
//! ```
//! use simplex_stores::protocol::{
//!     AuthKey, DhSecret, EntityStatus, ErrorType, QueueRec, RecipientId, RecipientKeys, RoundedDate,
//!     Semantics, SenderId,
//! };
//! use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
//! use simplex_stores::stm::TVar;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
//! let record = QueueRec {
//!     recipient_keys: RecipientKeys::one(AuthKey::Ed25519([1; 32])),
//!     rcv_dh_secret: DhSecret::new([2; 32]),
//!     sender_id: SenderId::from_bytes(b"sender").ok_or("empty")?,
//!     sender_key: None,
//!     queue_mode: None,
//!     link: None,
//!     notifier: None,
//!     updated_at: None,
//!     status: EntityStatus::Active,
//!     rcv_service_id: None,
//! };
//! let queue = store.add_queue(RecipientId::from_bytes(b"recipient").ok_or("empty")?, record)?;
//!
//! let secured_today = TVar::new(0);
//! let today = RoundedDate::today();
//! store.transact(|tx, log| {
//!     store.secure_queue_tx(tx, log, &queue, &AuthKey::X25519([3; 32]))?;
//!     store.update_time_tx(tx, log, &queue, today)?;
//!     Ok(secured_today.modify(tx, |count| count + 1)?)
//! })?;
//! assert_eq!(secured_today.read_atomic(), 1);
//!
//! // A part that is refused takes back everything with it.
//! let refused = store.transact(|tx, log| {
//!     secured_today.modify(tx, |count| count + 1)?;
//!     store.secure_queue_tx(tx, log, &queue, &AuthKey::X25519([4; 32]))
//! });
//! assert_eq!(refused, Err(ErrorType::Auth));
//! assert_eq!(secured_today.read_atomic(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! With a journal, [`StmQueueStore::open`](queue_store::StmQueueStore::open) takes the place of `new`.
//!
//! # Two semantics
//!
//! [`Semantics::Strict`](protocol::Semantics::Strict), the default, keeps the rules where the reference breaks its own;
//! [`Semantics::Reference`](protocol::Semantics::Reference) gives the reference's answers, defects included. Under both, races are
//! closed and a call that returned success is in the journal as was promised.
//!
//! # Features
//!
//! None is on by default. `cli` builds the command line `simplex-stores`; `postgres` adds
//! what PostgreSQL databases need, `sqlite` what SQLite databases do; `testing` adds
#![cfg_attr(feature = "testing", doc = "[`testing`].")]
#![cfg_attr(not(feature = "testing"), doc = "the module `testing`.")]

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub mod agent_store;
pub mod db;
pub mod encoding;
pub mod ntf_store;
pub mod protocol;
pub mod queue_store;
pub mod stm;
pub mod store_log;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
