//! The domain types of notification servers, and of the notifications that a router keeps for
//! them, each with its text form (section 6 of formats.md).
//!
//! | file | types |
//! |---|---|
//! | `device_token` | [`PushProvider`], [`DeviceToken`] |
//! | `keys` | [`X25519KeyPair`], [`AuthPrivateKey`], [`RegCode`], [`Nonce`] |
//! | `host`, `server` | [`ServerHost`], [`SmpServer`], [`NotifierQueue`] |
//! | `token` | [`TokenRec`], [`TokenStatus`] |
//! | `subscription` | [`SubscriptionRec`], [`SubscriptionStatus`] |
//! | `notification` | [`TokenNtf`], [`TokenNtfs`], [`TokenNtfRecord`], [`PendingNtf`], [`PendingNtfRecord`] |
//!
//! Records are written one per line, without the newline. An error status ([`SubscriptionStatus`])
//! and a device token may hold any text, and neither is checked when it is written: a newline in
//! one would end the line.

mod device_token;
mod host;
mod keys;
mod notification;
mod server;
mod subscription;
mod token;

pub use device_token::{DeviceToken, PushProvider};
pub use host::ServerHost;
pub use keys::{AuthPrivateKey, Nonce, RegCode, X25519KeyPair};
pub use notification::{PendingNtf, PendingNtfRecord, TokenNtf, TokenNtfRecord, TokenNtfs};
pub use server::{NotifierQueue, SmpServer};
pub use subscription::{SubscriptionRec, SubscriptionStatus};
pub use token::{InvalidReason, TokenRec, TokenStatus};
