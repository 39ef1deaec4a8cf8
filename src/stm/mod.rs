//! Software transactional memory.

mod engine;
mod error;
mod log;
mod snapshot;
mod stats;
mod tmap;
mod transaction;
mod tset;
mod tvar;

pub use error::{StmError, StmResult, Stop, TxError, TxResult};
pub use snapshot::Snapshot;
pub use stats::{Stats, stats};
pub use tmap::TMap;
pub use transaction::{Transaction, abort, atomically, guard, retry, try_atomically};
pub use tset::{SetSnapshot, TSet};
pub use tvar::TVar;
