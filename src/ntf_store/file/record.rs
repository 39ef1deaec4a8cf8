//! The records of a file of notifications, one a line, told apart by how they begin.

use std::fmt;

use crate::encoding::{ParseError, Parser};
use crate::protocol::ntf::{SubscriptionRec, TokenNtfRecord, TokenRec};
use crate::protocol::{Semantics, TextDecode, TextEncode};

const TOKEN: &[u8] = b"tknId=";
const SUBSCRIPTION: &[u8] = b"subId=";
const LAST_NTF: &[u8] = b"v1 ";

/// One line of a file of notifications.
///
/// ```
/// use simplex_stores::ntf_store::NtfRecord;
/// use simplex_stores::protocol::Semantics;
///
/// let refused = NtfRecord::parse(b"v2 AAEC", Semantics::Strict).unwrap_err();
/// assert_eq!(refused.to_string(), "at byte 0: expected a token, a subscription or a notification");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfRecord {
    /// Begins with `tknId=` (NE-10).
    Token(Box<TokenRec>),
    /// Begins with `subId=` (NE-11).
    Subscription(Box<SubscriptionRec>),
    /// Begins with `v1` (NE-14).
    LastNtf(Box<TokenNtfRecord>),
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NtfRecordKind {
    /// A token.
    Token,
    /// A subscription.
    Subscription,
    /// A last notification, which goes by the id of its token.
    LastNtf,
}

impl NtfRecord {
    /// Appends the record's line to `out`, without the newline.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Token(rec) => rec.encode_text(out),
            Self::Subscription(rec) => rec.encode_text(out),
            Self::LastNtf(rec) => rec.encode_text(out),
        }
    }

    /// Reads a record from the whole of `line`, which is without its newline.
    ///
    /// # Errors
    ///
    /// Where it is not a record, and what should stand there; never what does.
    pub fn parse(line: &[u8], semantics: Semantics) -> Result<Self, ParseError> {
        Parser::whole(line, |parser| {
            let start = parser.clone();
            if line.starts_with(TOKEN) {
                return Ok(Self::Token(Box::new(TokenRec::decode_text(parser, semantics)?)));
            }
            if line.starts_with(SUBSCRIPTION) {
                let rec = SubscriptionRec::decode_text(parser, semantics)?;
                return Ok(Self::Subscription(Box::new(rec)));
            }
            if line.starts_with(LAST_NTF) {
                return Ok(Self::LastNtf(Box::new(TokenNtfRecord::decode_text(
                    parser, semantics,
                )?)));
            }
            Err(start.error("a token, a subscription or a notification"))
        })
    }

    /// Whether a record may begin like this.
    pub(super) fn may_begin(start: &[u8]) -> bool {
        [TOKEN, SUBSCRIPTION, LAST_NTF].iter().any(|begin| start.starts_with(begin))
    }

    /// What it is of.
    pub fn kind(&self) -> NtfRecordKind {
        match self {
            Self::Token(_) => NtfRecordKind::Token,
            Self::Subscription(_) => NtfRecordKind::Subscription,
            Self::LastNtf(_) => NtfRecordKind::LastNtf,
        }
    }

    /// The id that it goes by, as its base64url text.
    pub fn id(&self) -> String {
        match self {
            Self::Token(rec) => rec.id.to_string(),
            Self::Subscription(rec) => rec.id.to_string(),
            Self::LastNtf(rec) => rec.token_id.to_string(),
        }
    }
}

impl fmt::Display for NtfRecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Token => "token",
            Self::Subscription => "subscription",
            Self::LastNtf => "notification of token",
        })
    }
}
