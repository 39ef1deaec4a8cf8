//! The domain types of notification servers, and of the notifications that a router keeps for
//! them, each with its text form (section 6 of formats.md).
//!
//! | file | types |
//! |---|---|
//! | `device_token` | [`PushProvider`], [`DeviceToken`] |
//! | `keys` | [`X25519KeyPair`], [`AuthPrivateKey`], [`RegCode`], [`Nonce`] |
//! | `server` | [`SmpServer`], [`ServerHost`], [`NotifierQueue`] |
//! | `token` | [`TokenRec`], [`TokenStatus`] |
//! | `subscription` | [`SubscriptionRec`], [`SubscriptionStatus`] |
//! | `notification` | [`TokenNtf`], [`TokenNtfRecord`], [`PendingNtf`], [`PendingNtfRecord`] |

mod device_token;
mod keys;
mod notification;
mod server;
mod subscription;
mod token;

pub use device_token::{DeviceToken, PushProvider};
pub use keys::{AuthPrivateKey, Nonce, RegCode, X25519KeyPair};
pub use notification::{PendingNtf, PendingNtfRecord, TokenNtf, TokenNtfRecord};
pub use server::{NotifierQueue, ServerHost, SmpServer};
pub use subscription::{SubscriptionRec, SubscriptionStatus};
pub use token::{InvalidReason, TokenRec, TokenStatus};
