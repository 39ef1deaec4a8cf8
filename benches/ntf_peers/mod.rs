//! The stores of notifications that are measured side by side: ours, and one `RwLock` around
//! `std::collections` maps, the simplest store that is right as long as nobody needs to do two things at once.
//!
//! Both hold the same objects in the same `Arc`s, so what is compared is the maps and their protocol.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use simplex_stores::ntf_store::{
    DEFAULT_LAST_NTF_LIMIT, NtfStore, RegistrationKey, StoredNtf, Subscription, Token,
};
use simplex_stores::protocol::ntf::{
    AuthPrivateKey, DeviceToken, Nonce, NotifierQueue, PushProvider, RegCode, ServerHost,
    SmpServer, SubscriptionRec, SubscriptionStatus, TokenNtf, TokenRec, TokenStatus, X25519KeyPair,
};
use simplex_stores::protocol::{
    AuthKey, Blob, DhSecret, NotifierId, RoundedSeconds, Semantics, SubscriptionId, TokenId,
};
use simplex_stores::sync::RwLock;

/// The operations that are measured, on any of the stores.
pub(crate) trait NtfPeer: Send + Sync + Sized {
    /// The name in the reports.
    const NAME: &'static str;

    /// An empty store.
    fn new() -> Self;

    /// Adds a token.
    fn add_token(&self, token: Arc<Token>);

    /// Adds a subscription of a token that is there.
    fn add(&self, subscription: Arc<Subscription>);

    /// Deletes a subscription; whether it was there.
    fn delete(&self, id: &SubscriptionId) -> bool;

    /// Puts a notification in front of the token's others; whether there is such a token.
    fn append(&self, token_id: &TokenId, ntf: Arc<TokenNtf>) -> bool;

    /// Deletes a token with its subscriptions; how many queues are to be unsubscribed.
    fn delete_token(&self, id: &TokenId) -> usize;
}

/// Ours.
pub(crate) struct Stm(NtfStore);

impl NtfPeer for Stm {
    const NAME: &'static str = crate::common::ENGINE;

    fn new() -> Self {
        Self(NtfStore::new(Semantics::Strict))
    }

    fn add_token(&self, token: Arc<Token>) {
        self.0.add_token(token);
    }

    fn add(&self, subscription: Arc<Subscription>) {
        self.0.add_subscription(subscription).unwrap();
    }

    fn delete(&self, id: &SubscriptionId) -> bool {
        self.0.delete_subscription(id).is_some()
    }

    fn append(&self, token_id: &TokenId, ntf: Arc<TokenNtf>) -> bool {
        self.0.store_last_ntf(token_id, ntf) != StoredNtf::UnknownToken
    }

    fn delete_token(&self, id: &TokenId) -> usize {
        self.0.delete_token(id).subscriptions.len()
    }
}

/// One `RwLock` around six maps.
#[derive(Default)]
pub(crate) struct Locked(RwLock<Maps>);

#[derive(Default)]
struct Maps {
    tokens: HashMap<TokenId, Arc<Token>>,
    registrations: HashMap<DeviceToken, HashMap<RegistrationKey, TokenId>>,
    subscriptions: HashMap<SubscriptionId, Arc<Subscription>>,
    token_subscriptions: HashMap<TokenId, BTreeSet<SubscriptionId>>,
    queue_subscriptions: HashMap<NotifierQueue, SubscriptionId>,
    last_ntfs: HashMap<TokenId, VecDeque<Arc<TokenNtf>>>,
}

impl Maps {
    /// Removes a subscription from the maps by id and by queue.
    fn take(&mut self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        let subscription = self.subscriptions.remove(id)?;
        if self.queue_subscriptions.get(subscription.queue()) == Some(id) {
            self.queue_subscriptions.remove(subscription.queue());
        }
        Some(subscription)
    }

    fn delete(&mut self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        let subscription = self.take(id)?;
        let token_id = subscription.token_id();
        if let Some(set) = self.token_subscriptions.get_mut(token_id) {
            set.remove(id);
            if set.is_empty() {
                self.token_subscriptions.remove(token_id);
            }
        }
        Some(subscription)
    }
}

impl NtfPeer for Locked {
    const NAME: &'static str = "rwlock";

    fn new() -> Self {
        Self::default()
    }

    fn add_token(&self, token: Arc<Token>) {
        let maps = &mut *self.0.write();
        let device = maps.registrations.entry(token.device().clone()).or_default();
        device.insert(RegistrationKey::from(token.verify_key()), token.id().clone());
        maps.tokens.insert(token.id().clone(), token);
    }

    fn add(&self, subscription: Arc<Subscription>) {
        let maps = &mut *self.0.write();
        assert!(maps.tokens.contains_key(subscription.token_id()), "there is such a token");
        maps.delete(subscription.id());
        if let Some(other) = maps.queue_subscriptions.get(subscription.queue()).cloned() {
            maps.delete(&other);
        }
        let id = subscription.id().clone();
        let token_id = subscription.token_id().clone();
        maps.token_subscriptions.entry(token_id).or_default().insert(id.clone());
        maps.queue_subscriptions.insert(subscription.queue().clone(), id.clone());
        maps.subscriptions.insert(id, subscription);
    }

    fn delete(&self, id: &SubscriptionId) -> bool {
        self.0.write().delete(id).is_some()
    }

    fn append(&self, token_id: &TokenId, ntf: Arc<TokenNtf>) -> bool {
        let maps = &mut *self.0.write();
        if !maps.tokens.contains_key(token_id) {
            return false;
        }
        let ntfs = maps.last_ntfs.entry(token_id.clone()).or_default();
        ntfs.push_front(ntf);
        ntfs.truncate(DEFAULT_LAST_NTF_LIMIT.get());
        true
    }

    fn delete_token(&self, id: &TokenId) -> usize {
        let maps = &mut *self.0.write();
        if let Some(token) = maps.tokens.remove(id) {
            maps.registrations.remove(token.device());
        }
        maps.last_ntfs.remove(id);
        let ids = maps.token_subscriptions.remove(id).unwrap_or_default();
        ids.iter().filter_map(|id| maps.take(id)).count()
    }
}

/// Makes tokens, subscriptions and notifications by number: always the same ones.
pub(crate) struct Sample {
    /// How many subscriptions each store holds.
    pub(crate) size: usize,
    /// How many tokens.
    pub(crate) tokens: usize,
    servers: Vec<SmpServer>,
}

impl Sample {
    pub(crate) fn new(size: usize) -> Self {
        let server = |n: u8| {
            let host = ServerHost::Domain(format!("smp{n}.example.com").into_bytes().into());
            SmpServer::new(&[host], None, [n; 32]).expect("it has a host")
        };
        Self { size, tokens: (size / 10).max(1), servers: (0..10).map(server).collect() }
    }

    fn token_id(&self, number: usize) -> TokenId {
        TokenId::random(&mut StdRng::seed_from_u64(number as u64))
    }

    pub(crate) fn token(&self, number: usize) -> Arc<Token> {
        let rng = &mut StdRng::seed_from_u64(number as u64);
        Arc::new(Token::new(TokenRec {
            id: TokenId::random(rng),
            device: DeviceToken::new(PushProvider::ApnsProd, &format!("{number:064x}")),
            status: TokenStatus::Active,
            verify_key: AuthKey::Ed25519(rng.random()),
            dh_keys: X25519KeyPair::from_private(rng.random()),
            dh_secret: DhSecret::new(rng.random()),
            reg_code: RegCode(Blob::from(&rng.random::<[u8; 32]>()[..])),
            cron: 0,
            updated_at: None,
        }))
    }

    /// Subscription `number`, of one of the tokens.
    pub(crate) fn subscription(&self, number: usize) -> Arc<Subscription> {
        self.subscription_of(number, &self.token_id(number % self.tokens))
    }

    /// Subscription `number`, of this token.
    pub(crate) fn subscription_of(&self, number: usize, token_id: &TokenId) -> Arc<Subscription> {
        // Other numbers than the tokens'.
        let rng = &mut StdRng::seed_from_u64(!(number as u64));
        Arc::new(Subscription::new(SubscriptionRec {
            id: SubscriptionId::random(rng),
            queue: self.queue(number, NotifierId::random(rng)),
            notifier_key: AuthPrivateKey::Ed25519(rng.random()),
            token_id: token_id.clone(),
            status: SubscriptionStatus::Active,
            service_associated: false,
        }))
    }

    /// Notification `number`, and the token that it is for.
    pub(crate) fn ntf(&self, number: usize) -> (TokenId, Arc<TokenNtf>) {
        let rng = &mut StdRng::seed_from_u64(!(number as u64));
        let ntf = TokenNtf {
            queue: self.queue(number, NotifierId::random(rng)),
            at: RoundedSeconds::from_seconds(1_735_690_000),
            nonce: Nonce(rng.random()),
            meta: Blob::from(&rng.random::<[u8; 32]>()[..]),
        };
        (self.token_id(number % self.tokens), Arc::new(ntf))
    }

    fn queue(&self, number: usize, notifier_id: NotifierId) -> NotifierQueue {
        NotifierQueue { server: self.servers[number % self.servers.len()].clone(), notifier_id }
    }
}
