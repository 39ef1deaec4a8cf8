//! A device's registration with a notification server (NE-3, NE-10).

use serde::{Deserialize, Serialize};

use super::{DeviceToken, RegCode, X25519KeyPair};
use crate::protocol::{AuthKey, DhSecret, RoundedDate, TokenId};

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
