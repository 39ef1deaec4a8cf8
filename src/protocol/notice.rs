//! The notice that clients see on a blocked queue, as JSON (SE-39, SE-40).

use serde::{Deserialize, Serialize};

use super::{Semantics, TextDecode, TextEncode};
use crate::encoding::number;
use crate::encoding::{ParseResult, Parser};

/// What clients are told about a blocked queue (SE-39).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientNotice {
    /// For how many seconds the notice holds; `None` for ever.
    pub ttl: Option<i64>,
}

impl TextEncode for ClientNotice {
    fn encode_text(&self, out: &mut Vec<u8>) {
        match self.ttl {
            None => out.extend_from_slice(b"{}"),
            Some(seconds) => {
                out.extend_from_slice(b"{\"ttl\":");
                number::write_i64(seconds, out);
                out.push(b'}');
            }
        }
    }
}

impl TextDecode for ClientNotice {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        parser.literal(b"{}", "a notice")?;
        Ok(Self { ttl: None })
    }
}
