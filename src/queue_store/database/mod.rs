//! The queue store over a database, with a cache.

mod queue_database;

pub use queue_database::{
    CacheEvents, NtfServices, QueueDatabase, QueueRow, ReadRow, Refusal, ServiceFound,
    StatementError,
};
