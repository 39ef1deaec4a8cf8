//! The queue store in a PostgreSQL database: its schema, and how rows and records become each other.
//!
//! Table and column names, types, constraints, triggers and functions are the reference's. A database
//! that the reference made is recognised by the names of its migrations, and the other way round.

mod announcement;
mod config;
mod database;
mod guard;
mod layout;
mod locks;
pub mod maintenance;
pub mod migrations;
mod queues;
pub mod rows;
mod schema;
mod statements;
mod store;
pub mod transfer;

pub use config::{PostgresQueueStoreConfig, Sharing};
pub use queues::PostgresQueues;
pub use schema::{SchemaOptions, migrate};
pub use store::PostgresQueueStore;
