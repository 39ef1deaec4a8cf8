//! The queue store in a PostgreSQL database: its schema, and how rows and records become each other.
//!
//! Table and column names, types, constraints, triggers and functions are the reference's. A database
//! that the reference made is recognised by the names of its migrations, and the other way round.

mod layout;
pub mod maintenance;
pub mod migrations;
pub mod rows;
mod schema;
pub mod transfer;

pub use schema::{SchemaOptions, migrate};
