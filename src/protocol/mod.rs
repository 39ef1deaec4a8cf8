//! The domain types of the router: ids, keys, queue records, services, statuses and errors, each
//! with its text form both ways, byte for byte, and with the binary form that database columns
//! keep where there is one (formats.md, section 2).
//!
//! | file | types |
//! |---|---|
//! | `ids` | [`EntityId`] and one newtype for each kind of id |
//! | `keys` | [`AuthKey`], [`RecipientKeys`], [`DhSecret`] |
//! | `blob`, `link` | [`Blob`], [`LinkData`], [`QueueLink`] |
//! | `notifier` | [`NtfCreds`] |
//! | `status` | [`EntityStatus`], [`BlockingInfo`], [`ClientNotice`] |
//! | `queue` | [`QueueMode`], [`QueueRec`] |
//! | `service` | [`ServiceRec`], [`ServiceRole`], [`ServiceParty`], [`CertChain`], [`CertFingerprint`] |
//! | `hash` | [`IdsHash`], [`CountHash`], [`ServiceQueues`] |
//! | `time` | [`RoundedTime`] |
//! | `error` | [`ErrorType`] |
//! | [`ntf`] | tokens, subscriptions and notifications |
//!
//! Writing is exact. Reading has two modes, [`Semantics`]: they differ only where the reference
//! reads back something else than it wrote, or nothing.
//!
//! Secrets and link data never show in `Debug`; every type goes through serde, compactly (bytes
//! as bytes).

mod blob;
mod bytes;
mod error;
mod fields;
mod hash;
mod ids;
mod keys;
mod link;
mod notice;
mod notifier;
pub mod ntf;
mod queue;
mod service;
mod status;
mod text;
mod time;

pub use blob::Blob;
pub use error::{CommandError, ErrorType, ProxyError};
pub use hash::{CountHash, IdsHash, ServiceDifference, ServiceQueues};
pub use ids::{
    EntityId, LinkId, NotifierId, RecipientId, SenderId, ServiceId, SubscriptionId, TokenId,
};
pub use keys::{AuthKey, DhSecret, RecipientKeys};
pub use link::{LinkData, QueueLink};
pub use notice::ClientNotice;
pub use notifier::NtfCreds;
pub use queue::{QueueMode, QueueRec};
pub use service::{CertChain, CertFingerprint, ServiceParty, ServiceRec, ServiceRole};
pub use status::{BlockingInfo, BlockingReason, EntityStatus};
pub use text::{Semantics, TextDecode, TextEncode};
pub use time::{RoundedDate, RoundedSeconds, RoundedTime};
