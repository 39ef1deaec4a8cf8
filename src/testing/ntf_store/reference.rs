//! What the store means under `Semantics::Reference`: the seven maps of the specification as plain maps, and each
//! function's effect on each of them (section 2 of ntf-store.md).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::op::{NtfAnswer, NtfLookup, NtfOp, Removed, TokenArg};
use crate::ntf_store::{
    DeviceSnapshot, NtfCounts, NtfSnapshot, RegistrationKey, StoredNtf, SubscriptionState,
    TokenRegistration, TokenState,
};
use crate::protocol::ntf::{
    DeviceToken, NotifierQueue, SmpServer, SubscriptionRec, TokenNtf, TokenRec,
};
use crate::protocol::{Semantics, ServiceId, SubscriptionId, TokenId};

/// The state: the maps, which need not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceNtfModel {
    limit: Option<NonZeroUsize>,
    /// M1
    pub tokens: BTreeMap<TokenId, TokenRec>,
    /// M2
    pub registrations: BTreeMap<DeviceToken, BTreeMap<RegistrationKey, TokenId>>,
    /// M3
    pub subscriptions: BTreeMap<SubscriptionId, SubscriptionRec>,
    /// M4
    pub token_subscriptions: BTreeMap<TokenId, BTreeSet<SubscriptionId>>,
    /// M5
    pub queue_subscriptions: BTreeMap<NotifierQueue, SubscriptionId>,
    /// M6
    pub last_ntfs: BTreeMap<TokenId, Vec<Arc<TokenNtf>>>,
    /// M7
    pub services: BTreeMap<SmpServer, ServiceId>,
}

impl ReferenceNtfModel {
    /// An empty one that keeps this many last notifications of a token; the reference keeps all.
    pub fn new(limit: Option<NonZeroUsize>) -> Self {
        Self {
            limit,
            tokens: BTreeMap::new(),
            registrations: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            token_subscriptions: BTreeMap::new(),
            queue_subscriptions: BTreeMap::new(),
            last_ntfs: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    pub(super) fn apply(&mut self, op: &NtfOp) -> NtfAnswer {
        match op {
            NtfOp::AddToken(record) => self.add_token(record),
            NtfOp::RemoveRivals(token) => match self.argument(token) {
                Some(token) => NtfAnswer::Removed(self.remove_rivals(&token)),
                None => NtfAnswer::Absent,
            },
            NtfOp::RemoveRegistration(token) => match self.argument(token) {
                Some(token) => NtfAnswer::Done(self.remove_registration(&token)),
                None => NtfAnswer::Absent,
            },
            NtfOp::DeleteToken(id) => NtfAnswer::Removed(vec![self.delete_token(id)]),
            NtfOp::SetTokenState(id, state) => self.set_token_state(id, *state),
            NtfOp::AddSubscription(record) => self.add_subscription(record),
            NtfOp::DeleteSubscription(id) => NtfAnswer::Subscription(self.delete_subscription(id)),
            NtfOp::SetSubscriptionState(id, state) => self.set_subscription_state(id, state),
            NtfOp::StoreNtf(id, ntf) => NtfAnswer::Stored(self.store_ntf(id, ntf)),
            NtfOp::SetService(server, Some(id)) => {
                NtfAnswer::Service(self.services.insert(server.clone(), id.clone()))
            }
            NtfOp::SetService(server, None) => NtfAnswer::Service(self.services.remove(server)),
            NtfOp::LookUp(lookup) => self.look_up(lookup),
        }
    }

    fn argument(&self, token: &TokenArg) -> Option<TokenRec> {
        match token {
            TokenArg::Stored(id) => self.tokens.get(id).cloned(),
            TokenArg::Apart(record) => Some((**record).clone()),
        }
    }

    fn add_token(&mut self, record: &TokenRec) -> NtfAnswer {
        let key = RegistrationKey::from(&record.verify_key);
        let device = self.registrations.entry(record.device.clone()).or_default();
        let displaced = device.insert(key, record.id.clone()).filter(|id| *id != record.id);
        let replaced = self.tokens.insert(record.id.clone(), record.clone());
        NtfAnswer::AddedToken { replaced, displaced }
    }

    fn remove_rivals(&mut self, token: &TokenRec) -> Vec<Removed> {
        let Some(device) = self.registrations.get_mut(&token.device) else {
            return Vec::new();
        };
        let rivals: Vec<_> = device.values().filter(|id| **id != token.id).cloned().collect();
        device.retain(|_, id| *id == token.id);
        rivals.iter().map(|id| self.remove_token(id)).collect()
    }

    fn remove_registration(&mut self, token: &TokenRec) -> bool {
        let Some(device) = self.registrations.get_mut(&token.device) else {
            return false;
        };
        let key = RegistrationKey::from(&token.verify_key);
        let is_its = device.get(&key) == Some(&token.id);
        if is_its {
            device.remove(&key);
        }
        is_its
    }

    fn delete_token(&mut self, id: &TokenId) -> Removed {
        let removed = self.remove_token(id);
        let Some(token) = &removed.token else {
            return removed;
        };
        if let Some(device) = self.registrations.get_mut(&token.device) {
            device.remove(&RegistrationKey::from(&token.verify_key));
            if device.is_empty() {
                self.registrations.remove(&token.device);
            }
        }
        removed
    }

    /// M1, M6 and *drop subscriptions*.
    fn remove_token(&mut self, id: &TokenId) -> Removed {
        let token = self.tokens.remove(id);
        self.last_ntfs.remove(id);
        let ids = self.token_subscriptions.remove(id).unwrap_or_default();
        let subscriptions = ids.iter().filter_map(|id| self.take_subscription(id)).collect();
        Removed { id: id.clone(), token, subscriptions }
    }

    /// M3 and M5.
    fn take_subscription(&mut self, id: &SubscriptionId) -> Option<SubscriptionRec> {
        let record = self.subscriptions.remove(id)?;
        self.queue_subscriptions.remove(&record.queue);
        Some(record)
    }

    fn set_token_state(&mut self, id: &TokenId, state: TokenState) -> NtfAnswer {
        let Some(token) = self.tokens.get_mut(id) else {
            return NtfAnswer::Absent;
        };
        (token.status, token.cron, token.updated_at) = (state.status, state.cron, state.updated_at);
        NtfAnswer::Done(true)
    }

    fn add_subscription(&mut self, record: &SubscriptionRec) -> NtfAnswer {
        let (id, queue) = (record.id.clone(), record.queue.clone());
        let earlier = self.queue_subscriptions.insert(queue, id.clone());
        let earlier = earlier.filter(|earlier| *earlier != id);
        let same_queue = earlier.and_then(|id| self.subscriptions.get(&id).cloned());
        self.token_subscriptions.entry(record.token_id.clone()).or_default().insert(id.clone());
        let same_id = self.subscriptions.insert(id, record.clone());
        NtfAnswer::AddedSubscription { same_id, same_queue }
    }

    fn delete_subscription(&mut self, id: &SubscriptionId) -> Option<SubscriptionRec> {
        let record = self.take_subscription(id)?;
        if let Some(set) = self.token_subscriptions.get_mut(&record.token_id) {
            set.remove(id);
        }
        Some(record)
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
        if !self.last_ntfs.contains_key(id) && !self.tokens.contains_key(id) {
            return StoredNtf::UnknownToken;
        }
        let ntfs = self.last_ntfs.entry(id.clone()).or_default();
        ntfs.insert(0, Arc::clone(ntf));
        let full = self.limit.is_some_and(|limit| ntfs.len() > limit.get());
        StoredNtf::Stored { dropped: if full { ntfs.pop() } else { None } }
    }

    fn look_up(&self, lookup: &NtfLookup) -> NtfAnswer {
        match lookup {
            NtfLookup::Token(id) => NtfAnswer::Token(self.tokens.get(id).cloned()),
            NtfLookup::RegisteredToken(device, key) => {
                let device = self.registrations.get(device);
                let id = device.and_then(|device| device.get(&RegistrationKey::from(key)));
                NtfAnswer::Token(id.and_then(|id| self.tokens.get(id).cloned()))
            }
            NtfLookup::Registrations(device) => NtfAnswer::Registrations(
                self.registrations.get(device).map(listed).unwrap_or_default(),
            ),
            NtfLookup::Subscription(id) => {
                NtfAnswer::Subscription(self.subscriptions.get(id).cloned())
            }
            NtfLookup::QueueSubscription(queue) => {
                let id = self.queue_subscriptions.get(queue);
                NtfAnswer::Subscription(id.and_then(|id| self.subscriptions.get(id).cloned()))
            }
            NtfLookup::TokenSubscriptions(id) => {
                let ids = self.token_subscriptions.get(id).into_iter().flatten();
                let records = ids.filter_map(|id| self.subscriptions.get(id).cloned());
                NtfAnswer::Subscriptions(records.collect())
            }
            NtfLookup::LastNtfs(id) => {
                NtfAnswer::Ntfs(self.last_ntfs.get(id).cloned().unwrap_or_default())
            }
            NtfLookup::Service(server) => NtfAnswer::Service(self.services.get(server).cloned()),
            NtfLookup::Counts => NtfAnswer::Counts(NtfCounts {
                tokens: self.tokens.len(),
                devices: self.registrations.len(),
                subscriptions: self.subscriptions.len(),
                tokens_with_ntfs: self.last_ntfs.len(),
                services: self.services.len(),
            }),
        }
    }

    /// The snapshot that a store in this state gives.
    pub fn snapshot(&self) -> NtfSnapshot {
        let devices = self
            .registrations
            .iter()
            .map(|(device, keys)| DeviceSnapshot { device: device.clone(), tokens: listed(keys) });
        let sets = self.token_subscriptions.iter();
        NtfSnapshot {
            semantics: Semantics::Reference,
            last_ntf_limit: self.limit,
            tokens: self.tokens.values().cloned().collect(),
            registrations: devices.collect(),
            subscriptions: self.subscriptions.values().cloned().collect(),
            token_subscriptions: sets
                .map(|(id, set)| (id.clone(), set.iter().cloned().collect()))
                .collect(),
            queue_subscriptions: self.queue_subscriptions.clone().into_iter().collect(),
            last_ntfs: self.last_ntfs.clone().into_iter().collect(),
            services: self.services.clone().into_iter().collect(),
        }
    }
}

fn listed(keys: &BTreeMap<RegistrationKey, TokenId>) -> Vec<TokenRegistration> {
    let listed = keys.iter().map(|(key, token_id)| TokenRegistration {
        key: key.clone(),
        token_id: token_id.clone(),
        registered: true,
    });
    listed.collect()
}
