//! Notifications: of a token's queues at a notification server, and pending ones at a router
//! (NE-12 to NE-15).

use serde::{Deserialize, Serialize};

use super::{Nonce, NotifierQueue};
use crate::protocol::{Blob, NotifierId, RoundedSeconds, TokenId};

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
