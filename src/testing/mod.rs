//! What tests share, of this crate and of projects upon it (feature `testing`).
//!
//! - Disks that forget ([`MemStorage`]) and disks that fail ([`FailingStorage`]), to put under a
//!   journal; under a model checker, too.
//! - Generators: every type of [`crate::protocol`] and [`crate::store_log::LogRecord`] is
//!   `quickcheck::Arbitrary`, edges included (ids of one byte and of a hundred, empty link data,
//!   times before 1970). The generator decides everything, so a seeded one repeats itself.
//! - [`history`]: histories of concurrent calls, and whether a sequential model explains them.
//! - [`serializability`]: histories of transactions, and whether one order of whole transactions explains them.
//! - `isolation`: transactions on a real database in every order of their steps.
//! - [`model_check`]: the threads of a scenario in every interleaving (loom), or in many random
//!   schedules (shuttle).
//! - `queue_store`: calls of the contract as data, sequences of them, and the sequential model.
//! - `ntf_store`: the same for the stores of notifications.
//! - `agent` (with the feature `sqlite` or `postgres`): a database of an agent, of any size.
//! - `agent_store` (with the features `postgres` and `sqlite`): operations of an agent's store as data, histories
//!   of them, and what two databases are compared by.
//! - `postgres` (with the feature `postgres`): real servers for tests, and a database for each.
//! - `mutate`: small damage to valid input.
//! - `fuzz`: the properties that any input must satisfy, as functions of bytes. The fuzzer's
//!   targets in `fuzz/` and the bounded run in `tests/formats/` call the same ones.

#[cfg(all(feature = "testing", any(feature = "postgres", feature = "sqlite")))]
pub mod agent;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub mod agent_store;
mod arbitrary;
mod arbitrary_ntf;
mod failing_storage;
pub mod fuzz;
mod fuzz_log;
mod fuzz_ntf;
#[cfg(feature = "testing")]
mod fuzz_ntf_file;
pub mod history;
#[cfg(not(any(loom, shuttle)))]
pub mod isolation;
mod mem_storage;
pub mod model_check;
pub mod mutate;
pub mod ntf_store;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod queue_store;
pub mod serializability;

pub use arbitrary::{Certificate, reference_can_read};
pub use failing_storage::{Done, FailingStorage, Fault, Operation, Plan};
pub use mem_storage::{Crash, MemStorage};
