//! What a token wants to be notified of (NE-4, NE-11).

use serde::{Deserialize, Serialize};

use super::{AuthPrivateKey, NotifierQueue};
use crate::protocol::{Blob, SubscriptionId, TokenId};

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
