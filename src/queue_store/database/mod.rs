//! The queue store over a database, with a cache.

mod queue_database;

pub use queue_database::{
    CacheEvents, NtfServices, PartyResults, QueueDatabase, QueueRow, ReadRow, Refusal,
    ServiceFound, StatementError,
};
