//! What a token wants to be notified of (NE-4, NE-11).

use serde::{Deserialize, Serialize};

use super::{AuthPrivateKey, NotifierQueue};
use crate::encoding::{ParseResult, Parser, number};
use crate::protocol::fields::{field, required};
use crate::protocol::{Blob, Semantics, SubscriptionId, TextDecode, TextEncode, TokenId};

/// How a subscription stands with its router (NE-4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SubscriptionStatus {
    /// `NEW`: not sent to the router yet.
    New,
    /// `PENDING`: sent, and not answered.
    Pending,
    /// `ACTIVE`: the router notifies.
    Active,
    /// `INACTIVE`: the connection to the router is lost.
    Inactive,
    /// `END`: another server subscribed.
    End,
    /// `DELETED`: the queue was deleted.
    Deleted,
    /// `AUTH`: the router refuses the notifier's key.
    Auth,
    /// `SERVICE`: the router refuses the service.
    Service,
    /// `ERR`: another error, in words.
    Err(Blob),
}

impl SubscriptionStatus {
    /// Whether the server (re)subscribes in this status, and counts it for the service of the
    /// router (section 4 of ntf-store.md).
    pub fn is_subscribed(&self) -> bool {
        matches!(self, Self::New | Self::Pending | Self::Active | Self::Inactive)
    }
}

/// A subscription as it is written down (NE-11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRec {
    /// The id by which the device's owner knows the subscription.
    pub id: SubscriptionId,
    /// The queue that is watched.
    pub queue: NotifierQueue,
    /// The key that authorizes the notifier's commands at the router.
    pub notifier_key: AuthPrivateKey,
    /// The token that is notified.
    pub token_id: TokenId,
    /// How it stands with the router.
    pub status: SubscriptionStatus,
    /// Whether the queue is associated with the server's service at the router.
    pub service_associated: bool,
}

impl TextEncode for SubscriptionStatus {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::New => b"NEW",
            Self::Pending => b"PENDING",
            Self::Active => b"ACTIVE",
            Self::Inactive => b"INACTIVE",
            Self::End => b"END",
            Self::Deleted => b"DELETED",
            Self::Auth => b"AUTH",
            Self::Service => b"SERVICE",
            Self::Err(_) => b"ERR ",
        });
        if let Self::Err(text) = self {
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// An error takes everything to the end (NE-4).
impl TextDecode for SubscriptionStatus {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        Ok(match parser.take_while(|byte| byte.is_ascii_uppercase()) {
            b"NEW" => Self::New,
            b"PENDING" => Self::Pending,
            b"ACTIVE" => Self::Active,
            b"INACTIVE" => Self::Inactive,
            b"END" => Self::End,
            b"DELETED" => Self::Deleted,
            b"AUTH" => Self::Auth,
            b"SERVICE" => Self::Service,
            b"ERR" => {
                parser.space()?;
                Self::Err(parser.take_rest().into())
            }
            _ => return Err(start.error("a subscription status")),
        })
    }
}

/// Written last in a record, as a name and a value.
const SERVICE_ASSOCIATED: &[u8] = b" serviceAssoc=";

impl TextEncode for SubscriptionRec {
    fn encode_text(&self, out: &mut Vec<u8>) {
        field(out, b"subId=", &self.id);
        field(out, b" smpQueue=", &self.queue);
        field(out, b" notifierKey=", &self.notifier_key);
        field(out, b" tknId=", &self.token_id);
        field(out, b" subStatus=", &self.status);
        out.extend_from_slice(SERVICE_ASSOCIATED);
        number::write_bool(self.service_associated, out);
    }
}

impl TextDecode for SubscriptionRec {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let id = required(parser, "subId=", semantics)?;
        let queue = required(parser, " smpQueue=", semantics)?;
        let notifier_key = required(parser, " notifierKey=", semantics)?;
        let token_id = required(parser, " tknId=", semantics)?;
        let status = required(parser, " subStatus=", semantics)?;
        let (status, service_associated) = match status {
            SubscriptionStatus::Err(text) if semantics == Semantics::Strict => split_error(text),
            // The flag is younger than the record.
            status if !parser.skip(SERVICE_ASSOCIATED) => (status, false),
            status => (status, number::parse_bool(parser)?),
        };
        Ok(Self { id, queue, notifier_key, token_id, status, service_associated })
    }
}

/// Takes the flag, where there is one, off the end of an error's text. Every record that has a flag
/// ends in it, so the last ` serviceAssoc=T` or ` serviceAssoc=F` is the flag and whatever comes
/// before it the text, another such flag included (NE-11, RACE-15).
fn split_error(text: Blob) -> (SubscriptionStatus, bool) {
    let flag = |value: &[u8]| text.as_bytes().strip_suffix(value)?.strip_suffix(SERVICE_ASSOCIATED);
    let (error, associated) = match (flag(b"T"), flag(b"F")) {
        (Some(error), _) => (error.into(), true),
        (_, Some(error)) => (error.into(), false),
        (None, None) => (text, false),
    };
    (SubscriptionStatus::Err(error), associated)
}
