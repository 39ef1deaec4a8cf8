//! The primitive encodings that every stored text and every database column is made of.
//!
//! Two families (formats.md, section 2). The *string family* builds the lines of the journal:
//! elements separated by single spaces or commas, bytes as base64url. The *binary family* is
//! length-prefixed and appears only in database columns. Nothing here knows a queue, a service
//! or a store; [`crate::protocol`] builds those from these parts.
//!
//! What every function here keeps:
//! - **Readers are total.** Any bytes give a value or a [`ParseError`]; nothing panics, nothing
//!   allocates more than the input is long, and the time is linear in the input.
//! - **Readers accept what the reference accepts**, except integers that overflow (SE-6 to SE-8)
//!   and keys that are not canonical DER (SE-31), which are refused.
//! - **Writers are exact**, append to the caller's buffer, and fail rather than write a length
//!   that does not fit.
//! - **Errors hold no input.** A [`ParseError`] says where and what was expected: the input may
//!   hold secrets (RACE-17).
//!
//! Tests: `tests/formats/`, and the same entry points under the fuzzer in `fuzz/`.

pub mod base64url;
pub mod binary;
pub mod certificate;
pub mod der;
pub mod list;
pub mod number;
mod parser;
pub mod timestamp;

pub use parser::{ParseError, ParseResult, Parser};
