//! What the store means under `Semantics::Strict`, without its indexes.
//!
//! It holds nothing but tokens and subscriptions; every question about an index is answered by looking at all of
//! them. That makes it slow, and easy to believe.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::op::{NtfAnswer, NtfLookup, NtfOp, Removed, TokenArg};
use crate::ntf_store::{
    DeviceSnapshot, NtfCounts, NtfSnapshot, NtfStoreError, RegistrationKey, StoredNtf,
    SubscriptionState, TokenRegistration, TokenState,
};
use crate::protocol::ntf::{DeviceToken, SmpServer, SubscriptionRec, TokenNtf, TokenRec};
use crate::protocol::{AuthKey, Semantics, ServiceId, SubscriptionId, TokenId};

/// The state: tokens with what is theirs, subscriptions, services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictNtfModel {
    limit: Option<NonZeroUsize>,
    /// The tokens.
    pub tokens: BTreeMap<TokenId, ModelToken>,
    /// The subscriptions.
    pub subscriptions: BTreeMap<SubscriptionId, SubscriptionRec>,
    /// The services.
    pub services: BTreeMap<SmpServer, ServiceId>,
}

/// A token of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelToken {
    /// Its record.
    pub record: TokenRec,
    /// Whether it has the registration under its device token and key.
    pub registered: bool,
    /// Its last notifications, newest first.
    pub ntfs: Vec<Arc<TokenNtf>>,
}

impl ModelToken {
    fn key(&self) -> RegistrationKey {
        RegistrationKey::from(&self.record.verify_key)
    }

    /// Whether it would be registered under this device token and key.
    pub(super) fn has(&self, device: &DeviceToken, key: &AuthKey) -> bool {
        self.record.device == *device && self.key() == RegistrationKey::from(key)
    }
}

impl StrictNtfModel {
    /// An empty one that keeps this many last notifications of a token.
    pub fn new(limit: Option<NonZeroUsize>) -> Self {
        let (tokens, subscriptions, services) = Default::default();
        Self { limit, tokens, subscriptions, services }
    }

    pub(super) fn apply(&mut self, op: &NtfOp) -> NtfAnswer {
        match op {
            NtfOp::AddToken(record) => self.add_token(record),
            NtfOp::RemoveRivals(TokenArg::Stored(id)) => self.remove_rivals(id),
            NtfOp::RemoveRivals(TokenArg::Apart(record)) => unknown(&record.id),
            NtfOp::RemoveRegistration(TokenArg::Stored(id)) => match self.tokens.get_mut(id) {
                Some(token) => NtfAnswer::Done(std::mem::replace(&mut token.registered, false)),
                None => NtfAnswer::Absent,
            },
            NtfOp::RemoveRegistration(TokenArg::Apart(_)) => NtfAnswer::Done(false),
            NtfOp::DeleteToken(id) => NtfAnswer::Removed(vec![self.remove_token(id)]),
            NtfOp::SetTokenState(id, state) => self.set_token_state(id, *state),
            NtfOp::AddSubscription(record) => self.add_subscription(record),
            NtfOp::DeleteSubscription(id) => NtfAnswer::Subscription(self.subscriptions.remove(id)),
            NtfOp::SetSubscriptionState(id, state) => self.set_subscription_state(id, state),
            NtfOp::StoreNtf(id, ntf) => NtfAnswer::Stored(self.store_ntf(id, ntf)),
            NtfOp::SetService(server, Some(id)) => {
                NtfAnswer::Service(self.services.insert(server.clone(), id.clone()))
            }
            NtfOp::SetService(server, None) => NtfAnswer::Service(self.services.remove(server)),
            NtfOp::LookUp(lookup) => self.look_up(lookup),
        }
    }

    fn add_token(&mut self, record: &TokenRec) -> NtfAnswer {
        let replaced = self.tokens.remove(&record.id);
        let fits = |token: &&mut ModelToken| {
            token.registered && token.has(&record.device, &record.verify_key)
        };
        let holder = self.tokens.values_mut().find(fits);
        let displaced = holder.map(|holder| {
            holder.registered = false;
            holder.record.id.clone()
        });
        let ntfs = replaced.as_ref().map(|token| token.ntfs.clone()).unwrap_or_default();
        let token = ModelToken { record: record.clone(), registered: true, ntfs };
        self.tokens.insert(record.id.clone(), token);
        NtfAnswer::AddedToken { replaced: replaced.map(|token| token.record), displaced }
    }

    fn remove_rivals(&mut self, id: &TokenId) -> NtfAnswer {
        let Some(token) = self.tokens.get_mut(id) else {
            return NtfAnswer::Absent;
        };
        token.registered = true;
        let device = token.record.device.clone();
        let rivals = self.registrations(&device).into_iter().filter(|one| one.token_id != *id);
        let removed = rivals.map(|rival| self.remove_token(&rival.token_id));
        NtfAnswer::Removed(removed.collect())
    }

    fn remove_token(&mut self, id: &TokenId) -> Removed {
        let token = self.tokens.remove(id).map(|token| token.record);
        let subscriptions = self.subscriptions_of(id);
        self.subscriptions.retain(|_, one| one.token_id != *id);
        Removed { id: id.clone(), token, subscriptions }
    }

    fn set_token_state(&mut self, id: &TokenId, state: TokenState) -> NtfAnswer {
        let Some(token) = self.tokens.get_mut(id) else {
            return NtfAnswer::Absent;
        };
        let TokenState { status, cron, updated_at } = state;
        token.record = TokenRec { status, cron, updated_at, ..token.record.clone() };
        NtfAnswer::Done(true)
    }

    fn add_subscription(&mut self, record: &SubscriptionRec) -> NtfAnswer {
        if !self.tokens.contains_key(&record.token_id) {
            return unknown(&record.token_id);
        }
        let same_id = self.subscriptions.remove(&record.id);
        let other = self.subscriptions.values().find(|one| one.queue == record.queue).cloned();
        let same_queue = other.and_then(|one| self.subscriptions.remove(&one.id));
        self.subscriptions.insert(record.id.clone(), record.clone());
        NtfAnswer::AddedSubscription { same_id, same_queue }
    }

    fn set_subscription_state(
        &mut self,
        id: &SubscriptionId,
        state: &SubscriptionState,
    ) -> NtfAnswer {
        let Some(record) = self.subscriptions.get_mut(id) else {
            return NtfAnswer::Absent;
        };
        record.status = state.status.clone();
        record.service_associated = state.service_associated;
        NtfAnswer::Done(true)
    }

    fn store_ntf(&mut self, id: &TokenId, ntf: &Arc<TokenNtf>) -> StoredNtf {
        let Some(token) = self.tokens.get_mut(id) else {
            return StoredNtf::UnknownToken;
        };
        token.ntfs.insert(0, Arc::clone(ntf));
        let full = self.limit.is_some_and(|limit| token.ntfs.len() > limit.get());
        StoredNtf::Stored { dropped: if full { token.ntfs.pop() } else { None } }
    }

    fn look_up(&self, lookup: &NtfLookup) -> NtfAnswer {
        let record = |token: &ModelToken| token.record.clone();
        match lookup {
            NtfLookup::Token(id) => NtfAnswer::Token(self.tokens.get(id).map(record)),
            NtfLookup::RegisteredToken(device, key) => {
                let registered = |token: &&ModelToken| token.registered && token.has(device, key);
                NtfAnswer::Token(self.tokens.values().find(registered).map(record))
            }
            NtfLookup::Registrations(device) => {
                NtfAnswer::Registrations(self.registrations(device))
            }
            NtfLookup::Subscription(id) => {
                NtfAnswer::Subscription(self.subscriptions.get(id).cloned())
            }
            NtfLookup::QueueSubscription(queue) => {
                let found = self.subscriptions.values().find(|one| one.queue == *queue);
                NtfAnswer::Subscription(found.cloned())
            }
            NtfLookup::TokenSubscriptions(id) => {
                NtfAnswer::Subscriptions(self.subscriptions_of(id))
            }
            NtfLookup::LastNtfs(id) => {
                let token = self.tokens.get(id);
                NtfAnswer::Ntfs(token.map(|token| token.ntfs.clone()).unwrap_or_default())
            }
            NtfLookup::Service(server) => NtfAnswer::Service(self.services.get(server).cloned()),
            NtfLookup::Counts => NtfAnswer::Counts(NtfCounts {
                tokens: self.tokens.len(),
                devices: self.devices().len(),
                subscriptions: self.subscriptions.len(),
                tokens_with_ntfs: self.tokens.values().filter(|one| !one.ntfs.is_empty()).count(),
                services: self.services.len(),
            }),
        }
    }

    fn subscriptions_of(&self, id: &TokenId) -> Vec<SubscriptionRec> {
        self.subscriptions.values().filter(|one| one.token_id == *id).cloned().collect()
    }

    /// The device's tokens in order of key bytes, then ids.
    fn registrations(&self, device: &DeviceToken) -> Vec<TokenRegistration> {
        self.devices().remove(device).unwrap_or_default()
    }

    fn devices(&self) -> BTreeMap<DeviceToken, Vec<TokenRegistration>> {
        let mut devices = BTreeMap::<_, Vec<_>>::new();
        for (id, token) in &self.tokens {
            devices.entry(token.record.device.clone()).or_default().push(TokenRegistration {
                key: token.key(),
                token_id: id.clone(),
                registered: token.registered,
            });
        }
        devices.values_mut().for_each(|tokens| tokens.sort());
        devices
    }

    /// The snapshot that a store in this state gives.
    pub fn snapshot(&self) -> NtfSnapshot {
        let mut sets = BTreeMap::<_, Vec<_>>::new();
        for one in self.subscriptions.values() {
            sets.entry(one.token_id.clone()).or_default().push(one.id.clone());
        }
        let by_queue = self.subscriptions.values().map(|one| (one.queue.clone(), one.id.clone()));
        let devices = self.devices().into_iter();
        let with_ntfs = self.tokens.iter().filter(|(_, token)| !token.ntfs.is_empty());
        NtfSnapshot {
            semantics: Semantics::Strict,
            last_ntf_limit: self.limit,
            tokens: self.tokens.values().map(|token| token.record.clone()).collect(),
            registrations: devices
                .map(|(device, tokens)| DeviceSnapshot { device, tokens })
                .collect(),
            subscriptions: self.subscriptions.values().cloned().collect(),
            token_subscriptions: sets.into_iter().collect(),
            queue_subscriptions: by_queue.collect::<BTreeMap<_, _>>().into_iter().collect(),
            last_ntfs: with_ntfs.map(|(id, token)| (id.clone(), token.ntfs.clone())).collect(),
            services: self.services.clone().into_iter().collect(),
        }
    }
}

fn unknown(id: &TokenId) -> NtfAnswer {
    NtfAnswer::Refused(NtfStoreError::UnknownToken(id.clone()))
}
