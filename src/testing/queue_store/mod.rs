//! What a queue store is held to: calls as data, generators of them, and the sequential model.
//!
//! ```
//! use simplex_stores::protocol::Semantics;
//! use simplex_stores::queue_store::{BasicFactory, StmQueueStore};
//! use simplex_stores::testing::history::SequentialModel;
//! use simplex_stores::testing::queue_store::{QueueModel, QueueOp, run, sample};
//!
//! let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
//! let mut model = QueueModel::default();
//! let add = QueueOp::Add(sample::recipient(1), Box::new(sample::record(1)));
//! for op in [add.clone(), add, QueueOp::Counts] {
//!     assert_eq!(run(&store, &op), model.apply(&op));
//! }
//! ```

pub mod contract;
mod database;
mod generate;
mod model;
mod op;
pub mod sample;

pub use database::{Connection, ModelDatabase, Outcome};
pub use generate::{RouterOps, keeps_rules};
pub use model::QueueModel;
pub use op::{Answer, QueueOp, run};
