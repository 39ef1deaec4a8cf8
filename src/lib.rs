//! The persistence layer of a SimpleX messaging router, on software transactional memory.
pub mod encoding;
pub mod protocol;
pub mod queue_store;
pub mod stm;
pub mod store_log;
pub mod sync;
#[cfg(any(feature = "testing", loom))]
pub mod testing;
