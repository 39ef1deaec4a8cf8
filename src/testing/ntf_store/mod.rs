//! What the stores of notifications are held to: calls as data, generators of them, and the sequential model. Of a
//! notification server's store here, of a router's pending notifications in [`pending`].
//!
//! ```
//! use simplex_stores::ntf_store::NtfStore;
//! use simplex_stores::protocol::Semantics;
//! use simplex_stores::testing::history::SequentialModel;
//! use simplex_stores::testing::ntf_store::{NtfModel, NtfOp, run, sample};
//!
//! let store = NtfStore::new(Semantics::Strict);
//! let mut model = NtfModel::new(Semantics::Strict, store.last_ntf_limit());
//! let subscribe = NtfOp::AddSubscription(Box::new(sample::subscription(1, 1, 1)));
//! let register = NtfOp::AddToken(Box::new(sample::token(1, 1, 1)));
//! for op in [subscribe.clone(), register, subscribe] {
//!     assert_eq!(run(&store, &op), model.apply(&op));
//!     assert_eq!(store.snapshot(), model.snapshot());
//! }
//! ```

mod generate;
mod model;
mod op;
pub mod pending;
mod reference;
pub mod sample;
mod strict;

pub use generate::ServerOps;
pub use model::NtfModel;
pub use op::{NtfAnswer, NtfLookup, NtfOp, Removed, TokenArg, run};
pub use reference::ReferenceNtfModel;
pub use strict::{ModelToken, StrictNtfModel};
