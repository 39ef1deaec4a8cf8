//! A queue's status, and why it was blocked (SE-37 to SE-41).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClientNotice, Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser};

/// Whether a queue takes part in traffic (SE-37). Its text is also its database form (SE-41).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntityStatus {
    /// In use.
    #[default]
    Active,
    /// Suspended by its owner.
    Off,
    /// Blocked by the router's operator.
    Blocked(BlockingInfo),
}

/// Why a queue was blocked, and what clients are told (SE-38).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockingInfo {
    /// The reason.
    pub reason: BlockingReason,
    /// What clients show, if anything.
    pub notice: Option<ClientNotice>,
}

/// The reason for blocking a queue (SE-38).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BlockingReason {
    /// `spam`
    Spam,
    /// `content`
    Content,
}

impl TextEncode for EntityStatus {
    fn encode_text(&self, out: &mut Vec<u8>) {
        match self {
            Self::Active => out.extend_from_slice(b"active"),
            Self::Off => out.extend_from_slice(b"off"),
            Self::Blocked(info) => {
                out.extend_from_slice(b"blocked,");
                info.encode_text(out);
            }
        }
    }
}

impl TextDecode for EntityStatus {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        if parser.skip(b"active") {
            return Ok(Self::Active);
        }
        if parser.skip(b"off") {
            return Ok(Self::Off);
        }
        parser.literal(b"blocked,", "a status")?;
        BlockingInfo::decode_text(parser, semantics).map(Self::Blocked)
    }
}

impl TextEncode for BlockingInfo {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"reason=");
        self.reason.encode_text(out);
        if let Some(notice) = &self.notice {
            out.extend_from_slice(b",notice=");
            notice.encode_text(out);
        }
    }
}

impl TextDecode for BlockingInfo {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        parser.literal(b"reason=", "reason=")?;
        let reason = BlockingReason::decode_text(parser, semantics)?;
        let notice = match parser.skip(b",notice=") {
            true => Some(ClientNotice::decode_text(parser, semantics)?),
            false => None,
        };
        Ok(Self { reason, notice })
    }
}

/// The text form, which holds no secret (SE-38).
impl fmt::Display for BlockingInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_text()))
    }
}

impl TextEncode for BlockingReason {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Spam => b"spam",
            Self::Content => b"content",
        });
    }
}

impl TextDecode for BlockingReason {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        if parser.skip(b"spam") {
            return Ok(Self::Spam);
        }
        parser.literal(b"content", "a blocking reason")?;
        Ok(Self::Content)
    }
}
