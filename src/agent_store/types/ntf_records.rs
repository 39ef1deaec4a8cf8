//! Tokens and subscriptions for notifications, as operations take and give them (sections 3.11 and 3.12).

use super::{
    ConnId, DeviceToken, NotificationsMode, NotifierId, NtfAgentSubStatus, NtfServer, NtfSubAction,
    NtfSubNtfAction, NtfSubSmpAction, NtfSubscriptionId, NtfTknAction, NtfTknStatus, NtfTokenId,
    NtfTokenToDeleteId, QueueNumber, SmpServer, UserId,
};
use crate::db::UtcTime;
use crate::protocol::ntf::{AuthPrivateKey, X25519KeyPair};
use crate::protocol::{AuthKey, DhSecret};

/// The device's token on a notification router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfToken {
    /// Where pushes go.
    pub device_token: DeviceToken,
    /// The router that pushes.
    pub ntf_server: NtfServer,
    /// The router's id for it, after registration.
    pub ntf_token_id: Option<NtfTokenId>,
    /// The key by which the router checks commands.
    pub ntf_pub_key: AuthKey,
    /// The key that authorizes commands.
    pub ntf_priv_key: AuthPrivateKey,
    /// The keys that it is registered with.
    pub ntf_dh_keys: X25519KeyPair,
    /// The secret under which notifications are encrypted, after registration.
    pub ntf_dh_secret: Option<DhSecret>,
    /// How far its registration has come.
    pub ntf_tkn_status: NtfTknStatus,
    /// What is to be done with it on the router.
    pub ntf_tkn_action: Option<NtfTknAction>,
    /// How notifications come.
    pub ntf_mode: NotificationsMode,
}

impl NtfToken {
    /// A token that is to be registered: without id and secret.
    pub fn new(
        device_token: DeviceToken,
        ntf_server: NtfServer,
        (ntf_pub_key, ntf_priv_key): (AuthKey, AuthPrivateKey),
        ntf_dh_keys: X25519KeyPair,
        ntf_mode: NotificationsMode,
    ) -> Self {
        Self {
            device_token,
            ntf_server,
            ntf_token_id: None,
            ntf_pub_key,
            ntf_priv_key,
            ntf_dh_keys,
            ntf_dh_secret: None,
            ntf_tkn_status: NtfTknStatus::New,
            ntf_tkn_action: Some(NtfTknAction::Register),
            ntf_mode,
        }
    }
}

/// A token that was removed here, and is to be deleted on its router (AS-77).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfTokenToDelete {
    /// Its row.
    pub id: NtfTokenToDeleteId,
    /// The key that authorizes the deletion.
    pub priv_key: AuthPrivateKey,
    /// The router's id for it.
    pub token_id: NtfTokenId,
}

/// A connection's subscription for notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfSubscription {
    /// The connection's user.
    pub user_id: UserId,
    /// The connection.
    pub conn_id: ConnId,
    /// The router of the queue that is watched.
    pub smp_server: SmpServer,
    /// The notifier's id there, once it has one.
    pub ntf_queue_id: Option<NotifierId>,
    /// The router that notifies.
    pub ntf_server: NtfServer,
    /// The subscription's id there, once it has one.
    pub ntf_sub_id: Option<NtfSubscriptionId>,
    /// How it stands.
    pub ntf_sub_status: NtfAgentSubStatus,
}

/// A subscription as the supervisor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfSupervisorSub {
    /// The subscription.
    pub subscription: NtfSubscription,
    /// What is to be done next, and not before when. Without it, the supervisor has to begin anew (AS-80).
    pub action: Option<(NtfSubAction, UtcTime)>,
}

/// Work on a notification router. The time may be yet to come: the worker compares it with the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfSubNtfWork {
    /// What is to be done.
    pub action: NtfSubNtfAction,
    /// For which subscription.
    pub subscription: NtfSubscription,
    /// Not before then.
    pub action_ts: UtcTime,
}

/// Work on a message router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfSubSmpWork {
    /// What is to be done.
    pub action: NtfSubSmpAction,
    /// For which subscription.
    pub subscription: NtfSubscription,
}

/// What reading a notification takes, of the queue that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfRcvQueue {
    /// The queue's connection.
    pub conn_id: ConnId,
    /// The queue's number within it.
    pub db_queue_id: QueueNumber,
    /// The secret under which the notification is encrypted.
    pub rcv_ntf_dh_secret: DhSecret,
    /// The newest time that its router gave a message.
    pub last_broker_ts: Option<UtcTime>,
}
