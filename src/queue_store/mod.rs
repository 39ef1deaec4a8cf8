//! The queue store: one contract, and the stores that keep it.
//!
//! [`QueueStore`] names the operations; [`StmQueueStore`] keeps them in memory, on the
//! [`stm`](crate::stm) layer, with a [store log](crate::store_log) beneath.
//!
//! ```
//! # fn main() -> Result<(), simplex_stores::protocol::ErrorType> {
//! use simplex_stores::protocol::Semantics;
//! use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
//!
//! let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
//! assert_eq!(store.entity_counts()?.queues, 0);
//! # Ok(())
//! # }
//! ```

mod contract;
pub mod database;
#[cfg(feature = "postgres")]
pub mod postgres;
mod queue;
pub mod stm;

pub use contract::{
    EntityCounts, FoundQueues, NtfServiceGroup, NtfServiceGroups, QueueKey, QueueStore,
    ServiceResults,
};
pub use queue::{BasicFactory, BasicQueue, QueueFactory, StoreQueue};
pub use stm::StmQueueStore;
