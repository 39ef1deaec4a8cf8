//! The stores of notifications, in memory on software transactional memory: a notification server's
//! ([`NtfStore`]) here, and a router's own, of what waits for delivery, in [`pending`].
//!
//! **The promise.** Every operation is one transaction over all the maps that it touches, so that no
//! thread ever sees an index entry without its record. What is deleted leaves every index, and says
//! what it took along: which subscriptions' queues must be unsubscribed at their routers.
//!
//! **The algorithm.** Seven maps: tokens by id; registrations by device token; subscriptions by id; of
//! each token, the set of its subscriptions and the list of its last notifications; subscription ids
//! by queue; service ids by router. Each operation is written once, as a *transaction part* (`…_tx`),
//! to be joined with others and with variables of a caller's own; the *finished operation* of the
//! same name runs it. Parts look up everything inside the transaction, never before it
//! (RACE-64). What changes often, a token's or a subscription's status, is in a
//! variable of the object itself ([`Token::state`], [`Subscription::state`]) and touches no map.
//!
//! **Two semantics.** Under [`Semantics::Reference`] the visible contents of the maps are the reference's, after
//! any sequence of operations. Under [`Semantics::Strict`] the maps agree with each other
//! at all times ([`NtfStore::check_invariants`]): a subscription belongs to a token that is there and has its
//! queue to itself, a replaced token or subscription leaves nothing behind (NS-13, NS-14), a registration is removed
//! only by the token that holds it (RACE-67), activation finds rivals that lost their registration (RACE-68),
//! and nothing empty stays (RACE-65).
//!
//! **Files.** [`NtfFile`] keeps a store in a file, as the reference's records or as a binary snapshot.
//!
//! **The tests that show it.** `tests/ntf_store/` (each item of the specification, the sequential model,
//! histories, files), `tests/cli/` (the recorded runs of the reference) and `loom-tests/`.

mod device;
mod error;
mod file;
mod invariants;
mod last_ntfs;
mod lookups;
pub mod pending;
mod services;
mod snapshot;
mod subscription;
mod subscriptions;
mod token;
mod tokens;

use std::num::NonZeroUsize;
use std::sync::Arc;

pub use device::{RegistrationKey, TokenRegistration};
pub use error::NtfStoreError;
pub use file::{
    NTF_SNAPSHOT, NtfFile, NtfFileConfig, NtfFileError, NtfFileForm, NtfFileStep, NtfLoadReport,
    NtfLoadWarning, NtfLoadWarningKind, NtfNotHeld, NtfNotHeldItem, NtfRecord, NtfRecordKind,
    NtfSaveReport,
};
pub use invariants::{NtfInvariantReport, NtfViolation};
pub use last_ntfs::StoredNtf;
pub use lookups::NtfCounts;
pub use snapshot::{DeviceSnapshot, NtfSnapshot};
pub use subscription::{Subscription, SubscriptionState};
pub use subscriptions::AddedSubscription;
pub use token::{Token, TokenState};
pub use tokens::{AddedToken, RemovedToken};

use self::device::Device;
use self::last_ntfs::LastNtfs;
use crate::protocol::ntf::{DeviceToken, NotifierQueue, SmpServer};
use crate::protocol::{Semantics, ServiceId, SubscriptionId, TokenId};
use crate::stm::{TMap, TSet, TVar};

/// How many of a token's last notifications a `Strict` store keeps unless told otherwise: far more than one
/// push can carry.
pub const DEFAULT_LAST_NTF_LIMIT: NonZeroUsize = match NonZeroUsize::new(100) {
    Some(limit) => limit,
    None => NonZeroUsize::MIN,
};

/// The in-memory store of a notification server; see the [module](self) for how it works.
///
/// ```
/// use simplex_stores::ntf_store::{NtfStore, Subscription, Token};
/// # use simplex_stores::protocol::ntf::*;
/// # use simplex_stores::protocol::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = NtfStore::new(Semantics::Strict);
/// # let token = Token::new(TokenRec {
/// #     id: TokenId::from_bytes(b"token").ok_or("empty")?,
/// #     device: DeviceToken::new(PushProvider::ApnsProd, "abcd1234"),
/// #     status: TokenStatus::Registered,
/// #     verify_key: AuthKey::Ed25519([1; 32]),
/// #     dh_keys: X25519KeyPair::from_private([2; 32]),
/// #     dh_secret: DhSecret::new([3; 32]),
/// #     reg_code: RegCode(Blob::from(&b"code"[..])),
/// #     cron: 0,
/// #     updated_at: None,
/// # });
/// # let server = SmpServer::new(&[ServerHost::Onion("a.onion".into())], None, [4; 32]).ok_or("no host")?;
/// # let queue = NotifierQueue { server, notifier_id: NotifierId::from_bytes(b"notifier").ok_or("empty")? };
/// # let subscription = Subscription::new(SubscriptionRec {
/// #     id: SubscriptionId::from_bytes(b"subscription").ok_or("empty")?,
/// #     queue: queue.clone(),
/// #     notifier_key: AuthPrivateKey::Ed25519([5; 32]),
/// #     token_id: TokenId::from_bytes(b"token").ok_or("empty")?,
/// #     status: SubscriptionStatus::New,
/// #     service_associated: false,
/// # });
/// let token_id = token.id().clone();
/// store.add_token(token.into());
/// store.add_subscription(subscription.into())?;
/// assert!(store.find_subscription(&queue).is_some());
///
/// // Deleting a token takes its subscriptions along, and says whose queues have to be unsubscribed.
/// let removed = store.delete_token(&token_id);
/// assert!(removed.token.is_some());
/// assert_eq!(removed.queues().collect::<Vec<_>>(), [&queue]);
/// assert!(store.find_subscription(&queue).is_none());
/// # Ok(())
/// # }
/// ```
pub struct NtfStore {
    semantics: Semantics,
    last_ntf_limit: Option<NonZeroUsize>,
    tokens: TMap<TokenId, Arc<Token>>,
    registrations: TMap<DeviceToken, Device>,
    subscriptions: TMap<SubscriptionId, Arc<Subscription>>,
    token_subscriptions: TMap<TokenId, TSet<SubscriptionId>>,
    queue_subscriptions: TMap<NotifierQueue, SubscriptionId>,
    last_ntfs: TMap<TokenId, TVar<LastNtfs>>,
    services: TMap<SmpServer, ServiceId>,
}

impl NtfStore {
    /// An empty store. Under `Strict` it keeps [`DEFAULT_LAST_NTF_LIMIT`] last notifications of a token, under
    /// `Reference` all of them (NS-4).
    pub fn new(semantics: Semantics) -> Self {
        let limit = match semantics {
            Semantics::Strict => Some(DEFAULT_LAST_NTF_LIMIT),
            Semantics::Reference => None,
        };
        Self::with_last_ntf_limit(semantics, limit)
    }

    /// An empty store that keeps this many last notifications of a token, the newest; `None` is all.
    pub fn with_last_ntf_limit(semantics: Semantics, limit: Option<NonZeroUsize>) -> Self {
        Self {
            semantics,
            last_ntf_limit: limit,
            tokens: TMap::new(),
            registrations: TMap::new(),
            subscriptions: TMap::new(),
            token_subscriptions: TMap::new(),
            queue_subscriptions: TMap::new(),
            last_ntfs: TMap::new(),
            services: TMap::new(),
        }
    }

    /// The semantics that the store was made with.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// How many last notifications it keeps of a token; `None` is all.
    pub fn last_ntf_limit(&self) -> Option<NonZeroUsize> {
        self.last_ntf_limit
    }

    fn is_strict(&self) -> bool {
        self.semantics == Semantics::Strict
    }
}

impl std::fmt::Debug for NtfStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NtfStore")
            .field("semantics", &self.semantics)
            .field("tokens", &self.tokens.len_atomic())
            .field("subscriptions", &self.subscriptions.len_atomic())
            .finish_non_exhaustive()
    }
}
