//! Notifications: of a token's queues at a notification server, and pending ones at a router
//! (NE-12 to NE-15).

use serde::{Deserialize, Serialize};

use super::{Nonce, NotifierQueue};
use crate::encoding::{ParseResult, Parser, base64url};
use crate::protocol::fields::required;
use crate::protocol::{
    Blob, NotifierId, RoundedSeconds, Semantics, TextDecode, TextEncode, TokenId,
};

/// The news of one message, as it is pushed to a device (NE-12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenNtf {
    /// The queue that has the message.
    pub queue: NotifierQueue,
    /// When the message came.
    pub at: RoundedSeconds,
    /// The nonce of `meta`.
    pub nonce: Nonce,
    /// The message's metadata, encrypted for the recipient.
    pub meta: Blob,
}

/// The news of several messages, one at least, in the order in which they are written (NE-13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TokenNtf>")]
pub struct TokenNtfs(Vec<TokenNtf>);

impl TokenNtfs {
    /// These notifications; `None` when there are none.
    pub fn new(ntfs: Vec<TokenNtf>) -> Option<Self> {
        (!ntfs.is_empty()).then_some(Self(ntfs))
    }

    /// The notifications, at least one.
    pub fn as_slice(&self) -> &[TokenNtf] {
        &self.0
    }

    /// The notifications, at least one.
    pub fn into_vec(self) -> Vec<TokenNtf> {
        self.0
    }
}

impl TryFrom<Vec<TokenNtf>> for TokenNtfs {
    type Error = &'static str;

    fn try_from(ntfs: Vec<TokenNtf>) -> Result<Self, Self::Error> {
        Self::new(ntfs).ok_or("a list of notifications has one at least")
    }
}

/// A token's notification as it is written down (NE-14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenNtfRecord {
    /// The token.
    pub token_id: TokenId,
    /// Its notification.
    pub ntf: TokenNtf,
}

/// The news of one message that a router keeps until the notifier has it (NE-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingNtf {
    /// The message's id.
    pub message_id: Blob,
    /// When the message came.
    pub at: RoundedSeconds,
    /// The nonce of `meta`.
    pub nonce: Nonce,
    /// The message's metadata, encrypted for the recipient.
    pub meta: Blob,
}

/// A pending notification as it is written down (NE-15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingNtfRecord {
    /// The notifier that it waits for.
    pub notifier_id: NotifierId,
    /// The notification.
    pub ntf: PendingNtf,
}

/// What every record of a notification begins with (NE-14, NE-15).
const VERSION: &str = "v1 ";

/// Time, nonce and metadata, with which both kinds of notification end.
fn encode_news(at: RoundedSeconds, nonce: Nonce, meta: &Blob, out: &mut Vec<u8>) {
    at.encode_text(out);
    out.push(b' ');
    nonce.encode_text(out);
    out.push(b' ');
    base64url::write(meta.as_bytes(), out);
}

fn decode_news(
    parser: &mut Parser<'_>,
    semantics: Semantics,
) -> ParseResult<(RoundedSeconds, Nonce, Blob)> {
    let at = RoundedSeconds::decode_text(parser, semantics)?;
    parser.space()?;
    let nonce = Nonce::decode_text(parser, semantics)?;
    parser.space()?;
    let meta = Blob::parse_maybe_empty(parser, semantics, "base64url metadata")?;
    Ok((at, nonce, meta))
}

impl TextEncode for TokenNtf {
    fn encode_text(&self, out: &mut Vec<u8>) {
        self.queue.encode_text(out);
        out.push(b' ');
        encode_news(self.at, self.nonce, &self.meta, out);
    }
}

impl TextDecode for TokenNtf {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let queue = NotifierQueue::decode_text(parser, semantics)?;
        parser.space()?;
        let (at, nonce, meta) = decode_news(parser, semantics)?;
        Ok(Self { queue, at, nonce, meta })
    }
}

/// Joined by semicolons, since addresses have commas (NE-13).
impl TextEncode for TokenNtfs {
    fn encode_text(&self, out: &mut Vec<u8>) {
        for (index, ntf) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b';');
            }
            ntf.encode_text(out);
        }
    }
}

impl TextDecode for TokenNtfs {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let mut ntfs = vec![TokenNtf::decode_text(parser, semantics)?];
        while parser.skip(b";") {
            ntfs.push(TokenNtf::decode_text(parser, semantics)?);
        }
        Ok(Self(ntfs))
    }
}

impl TextEncode for TokenNtfRecord {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(VERSION.as_bytes());
        self.token_id.encode_text(out);
        out.push(b' ');
        self.ntf.encode_text(out);
    }
}

impl TextDecode for TokenNtfRecord {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let token_id = required(parser, VERSION, semantics)?;
        parser.space()?;
        Ok(Self { token_id, ntf: TokenNtf::decode_text(parser, semantics)? })
    }
}

/// The part of its record after the notifier id.
impl TextEncode for PendingNtf {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(self.message_id.as_bytes(), out);
        out.push(b' ');
        encode_news(self.at, self.nonce, &self.meta, out);
    }
}

impl TextDecode for PendingNtf {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let message_id = Blob::parse_maybe_empty(parser, semantics, "a base64url message id")?;
        parser.space()?;
        let (at, nonce, meta) = decode_news(parser, semantics)?;
        Ok(Self { message_id, at, nonce, meta })
    }
}

impl TextEncode for PendingNtfRecord {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(VERSION.as_bytes());
        self.notifier_id.encode_text(out);
        out.push(b' ');
        self.ntf.encode_text(out);
    }
}

impl TextDecode for PendingNtfRecord {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let notifier_id = required(parser, VERSION, semantics)?;
        parser.space()?;
        Ok(Self { notifier_id, ntf: PendingNtf::decode_text(parser, semantics)? })
    }
}
