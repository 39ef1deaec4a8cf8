//! The store log: an append-only journal of the queue store, one text record per line.

mod record;

pub use record::LogRecord;
