//! What the store of pending notifications is held to: calls as data, generators of them, and the sequential model.
//!
//! ```
//! use simplex_stores::ntf_store::pending::PendingNtfStore;
//! use simplex_stores::protocol::Semantics;
//! use simplex_stores::testing::history::SequentialModel;
//! use simplex_stores::testing::ntf_store::pending::{PendingModel, PendingOp, queues, run, sample};
//!
//! let (store, queues) = (PendingNtfStore::new(Semantics::Strict), queues());
//! let mut model = PendingModel::new(Semantics::Strict);
//! let stored = PendingOp::Store(sample::notifier(1), sample::ntf(1, 10));
//! for op in [stored, PendingOp::Expire(sample::time(11)), PendingOp::Counts] {
//!     assert_eq!(run(&store, &queues, &op), model.apply(&op));
//! }
//! ```

mod model;
mod op;
pub mod sample;

pub use model::PendingModel;
pub use op::{Group, PendingAnswer, PendingOp, Waiting, run};
pub use sample::queues;
