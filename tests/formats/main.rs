//! The text and byte formats of formats.md: every vector both ways, every acceptance rule, the
//! recorded runs line by line, properties over generated values, and bounded fuzzing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acceptance;
#[path = "../campaign/mod.rs"]
mod campaign;
mod edge;
mod fuzzing;
mod hashes;
mod keys;
mod ntf_fields;
mod ntf_properties;
mod ntf_records;
mod ntf_runs;
mod numbers;
mod properties;
mod queue_fields;
mod records;
mod runs;
mod services;
mod support;
mod timestamps;
