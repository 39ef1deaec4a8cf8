//! What tests share, of this crate and of projects upon it (feature `testing`).
//!
//! - Disks that forget ([`MemStorage`]) and disks that fail ([`FailingStorage`]), to put under a
//!   journal; under loom, too.
//! - Generators: every type of [`crate::protocol`] and [`crate::store_log::LogRecord`] is
//!   `quickcheck::Arbitrary`, edges included (ids of one byte and of a hundred, empty link data,
//!   times before 1970). The generator decides everything, so a seeded one repeats itself.
//! - [`history`]: histories of concurrent calls, and whether a sequential model explains them.
//! - `queue_store`: calls of the contract as data, sequences of them, and the sequential model.
//! - `mutate`: small damage to valid input.
//! - `fuzz`: the properties that any input must satisfy, as functions of bytes. The fuzzer's
//!   targets in `fuzz/` and the bounded run in `tests/formats/` call the same ones.

#[cfg(feature = "testing")]
mod arbitrary;
#[cfg(feature = "testing")]
mod arbitrary_ntf;
mod failing_storage;
#[cfg(feature = "testing")]
pub mod fuzz;
#[cfg(feature = "testing")]
mod fuzz_log;
#[cfg(feature = "testing")]
mod fuzz_ntf;
pub mod history;
mod mem_storage;
#[cfg(feature = "testing")]
pub mod mutate;
#[cfg(feature = "testing")]
pub mod queue_store;

#[cfg(feature = "testing")]
pub use arbitrary::{Certificate, reference_can_read};
pub use failing_storage::{Done, FailingStorage, Fault, Operation, Plan};
pub use mem_storage::{Crash, MemStorage};
