//! A queue's short link and the data behind it (SE-36).

use serde::{Deserialize, Serialize};

use super::{Blob, LinkId, Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser, base64url};

/// What a link leads to: two byte strings that only clients can read (SE-36).
///
/// Either may be empty. The reference writes an empty part as nothing and then cannot read the
/// record; [`Semantics::Strict`] can (JR-20).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkData {
    /// Set once for a link.
    pub fixed: Blob,
    /// May be replaced.
    pub user: Blob,
}

/// A link id and its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueLink {
    /// The id that the link carries.
    pub id: LinkId,
    /// What it leads to.
    pub data: LinkData,
}

impl TextEncode for LinkData {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(self.fixed.as_bytes(), out);
        out.push(b' ');
        base64url::write(self.user.as_bytes(), out);
    }
}

impl TextDecode for LinkData {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let fixed = decode_part(parser, semantics)?;
        parser.space()?;
        let user = decode_part(parser, semantics)?;
        Ok(Self { fixed, user })
    }
}

/// One part. What follows link data always begins with a space, so an empty part leaves the text
/// unambiguous (JR-20).
fn decode_part(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Blob> {
    Blob::parse_maybe_empty(parser, semantics, "base64url link data")
}
