//! A device's registration with a notification server (NE-3, NE-10).

use serde::{Deserialize, Serialize};

use super::{DeviceToken, RegCode, X25519KeyPair};
use crate::encoding::{ParseResult, Parser, number};
use crate::protocol::fields::{field, optional, required};
use crate::protocol::{AuthKey, DhSecret, RoundedDate, Semantics, TextDecode, TextEncode, TokenId};

/// How far a token's registration has come (NE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TokenStatus {
    /// `NEW`: made, and nothing sent to the device yet.
    New,
    /// `REGISTERED`: the code was sent to the device.
    Registered,
    /// `INVALID`: the provider refuses the device token, with its reason if it gave one.
    Invalid(Option<InvalidReason>),
    /// `CONFIRMED`: the device sent the code back.
    Confirmed,
    /// `ACTIVE`: in use.
    Active,
    /// `EXPIRED`: not used for too long.
    Expired,
}

/// Why a push provider refuses a device token (NE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InvalidReason {
    /// `BAD`
    Bad,
    /// `TOPIC`
    Topic,
    /// `EXPIRED`
    Expired,
    /// `UNREGISTERED`
    Unregistered,
}

impl TokenStatus {
    /// Whether a token in this status may be verified (section 4 of ntf-store.md).
    pub fn allows_verification(self) -> bool {
        matches!(self, Self::Registered | Self::Confirmed | Self::Active)
    }

    /// Whether a token in this status may have its subscriptions changed (section 4 of
    /// ntf-store.md).
    pub fn allows_subscription_commands(self) -> bool {
        matches!(self, Self::Active | Self::Invalid(_) | Self::Expired)
    }
}

/// A token as it is written down (NE-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRec {
    /// The id by which the device's owner knows the token.
    pub id: TokenId,
    /// Where pushes go.
    pub device: DeviceToken,
    /// How far the registration has come.
    pub status: TokenStatus,
    /// The key that authorizes commands for the token.
    pub verify_key: AuthKey,
    /// The server's keys for the agreement on `dh_secret`.
    pub dh_keys: X25519KeyPair,
    /// The secret under which pushes are encrypted for the device.
    pub dh_secret: DhSecret,
    /// The code that the device has to send back.
    pub reg_code: RegCode,
    /// How often to push without a message, in minutes; 0 is never.
    pub cron: u16,
    /// The last day on which the token was used (NS-18).
    pub updated_at: Option<RoundedDate>,
}

impl TextEncode for TokenStatus {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::New => b"NEW",
            Self::Registered => b"REGISTERED",
            Self::Invalid(_) => b"INVALID",
            Self::Confirmed => b"CONFIRMED",
            Self::Active => b"ACTIVE",
            Self::Expired => b"EXPIRED",
        });
        if let Self::Invalid(Some(reason)) = self {
            out.push(b',');
            reason.encode_text(out);
        }
    }
}

impl TextDecode for TokenStatus {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        Ok(match parser.take_while(|byte| byte.is_ascii_uppercase()) {
            b"NEW" => Self::New,
            b"REGISTERED" => Self::Registered,
            b"INVALID" => Self::Invalid(optional(parser, b",", semantics)?),
            b"CONFIRMED" => Self::Confirmed,
            b"ACTIVE" => Self::Active,
            b"EXPIRED" => Self::Expired,
            _ => return Err(start.error("a token status")),
        })
    }
}

impl TextEncode for InvalidReason {
    fn encode_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Bad => b"BAD",
            Self::Topic => b"TOPIC",
            Self::Expired => b"EXPIRED",
            Self::Unregistered => b"UNREGISTERED",
        });
    }
}

impl TextDecode for InvalidReason {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        Ok(match parser.take_while(|byte| byte.is_ascii_uppercase()) {
            b"BAD" => Self::Bad,
            b"TOPIC" => Self::Topic,
            b"EXPIRED" => Self::Expired,
            b"UNREGISTERED" => Self::Unregistered,
            _ => return Err(start.error("why a device token is refused")),
        })
    }
}

impl TextEncode for TokenRec {
    fn encode_text(&self, out: &mut Vec<u8>) {
        field(out, b"tknId=", &self.id);
        field(out, b" token=", &self.device);
        field(out, b" tokenStatus=", &self.status);
        field(out, b" verifyKey=", &self.verify_key);
        field(out, b" dhKeys=", &self.dh_keys);
        field(out, b" dhSecret=", &self.dh_secret);
        field(out, b" regCode=", &self.reg_code);
        out.extend_from_slice(b" cron=");
        number::write_u64(self.cron.into(), out);
        if let Some(date) = &self.updated_at {
            field(out, b" updatedAt=", date);
        }
    }
}

impl TextDecode for TokenRec {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        Ok(Self {
            id: required(parser, "tknId=", semantics)?,
            device: required(parser, " token=", semantics)?,
            status: required(parser, " tokenStatus=", semantics)?,
            verify_key: required(parser, " verifyKey=", semantics)?,
            dh_keys: required(parser, " dhKeys=", semantics)?,
            dh_secret: required(parser, " dhSecret=", semantics)?,
            reg_code: required(parser, " regCode=", semantics)?,
            cron: {
                parser.literal(b" cron=", " cron=")?;
                number::parse_u16(parser)?
            },
            updated_at: optional(parser, b" updatedAt=", semantics)?,
        })
    }
}
