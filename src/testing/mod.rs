//! What tests of a store need: disks that forget, and disks that fail. Behind the feature `testing`.

mod failing_storage;
mod mem_storage;

pub use failing_storage::{Done, FailingStorage, Fault, Operation, Plan};
pub use mem_storage::{Crash, MemStorage};
