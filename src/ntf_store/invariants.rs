//! What must hold between the maps of a store of notifications.
//!
//! The check works on an [`NtfSnapshot`], so it can be pointed at any state, and says everything that it
//! finds, not only the first.

use std::collections::{BTreeMap, BTreeSet};

use super::{NtfSnapshot, NtfStore, RegistrationKey};
use crate::protocol::ntf::{SubscriptionRec, TokenRec};
use crate::protocol::{SubscriptionId, TokenId};

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NtfInvariantReport {
    /// Tokens.
    pub tokens: usize,
    /// Tokens listed under their device tokens.
    pub registrations: usize,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Last notifications.
    pub last_ntfs: usize,
}

/// Something that does not hold. `Display` says it in a sentence, with the ids concerned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NtfViolation {
    /// A token is not listed under its device token and key.
    #[error("token {0} is not listed under its device token")]
    TokenNotListed(TokenId),
    /// A device token lists a token that is not there, or has another device token or key.
    #[error(
        "a device token lists token {0}, which is not there or has another device token or key"
    )]
    StrayRegistration(TokenId),
    /// Two tokens have the registration under one device token and key.
    #[error("tokens {0} and {1} have the same registration")]
    SharedRegistration(TokenId, TokenId),
    /// A device token is kept though it has no tokens.
    #[error("a device token without tokens is kept")]
    EmptyDevice,
    /// A subscription names a token that is not there.
    #[error("subscription {subscription} belongs to token {token}, which does not exist")]
    UnknownToken {
        /// The subscription.
        subscription: SubscriptionId,
        /// The token that is not there.
        token: TokenId,
    },
    /// A subscription is not in its token's set.
    #[error("subscription {0} is not in its token's set")]
    NotInSet(SubscriptionId),
    /// A token's set holds a subscription that is not there, or is another token's.
    #[error("the set of token {token} holds subscription {subscription}, which does not say so")]
    StrayInSet {
        /// The token whose set it is.
        token: TokenId,
        /// What it holds.
        subscription: SubscriptionId,
    },
    /// A token's set is kept though it is empty.
    #[error("the set of token {0} is empty and kept")]
    EmptySet(TokenId),
    /// A subscription's queue does not lead to it.
    #[error("the queue of subscription {0} does not lead to it")]
    NotIndexed(SubscriptionId),
    /// A queue leads to a subscription that is not there, or watches another queue.
    #[error("a queue leads to subscription {0}, which does not exist or watches another queue")]
    Dangling(SubscriptionId),
    /// There are notifications of a token that is not there.
    #[error("there are last notifications of token {0}, which does not exist")]
    StrayNtfs(TokenId),
    /// A token's list of notifications is kept though it is empty, or is longer than the store's limit.
    #[error("the list of token {token} has {count} notifications, which is none or too many")]
    NtfCount {
        /// The token.
        token: TokenId,
        /// How many there are.
        count: usize,
    },
}

impl NtfStore {
    /// Checks the whole store, as it is at one moment: every index entry has its record and every record its
    /// index entries, no set names a missing subscription, no registration a missing token, and
    /// nothing empty is kept.
    ///
    /// # Errors
    ///
    /// Everything that does not hold: nothing under `Semantics::Strict`; under
    /// `Semantics::Reference` the defects that the reference can bring about (RACE-65 to RACE-68, NS-13) show here.
    pub fn check_invariants(&self) -> Result<NtfInvariantReport, Vec<NtfViolation>> {
        let snapshot = self.snapshot();
        let violations = snapshot.violations();
        if violations.is_empty() { Ok(snapshot.report()) } else { Err(violations) }
    }
}

impl NtfSnapshot {
    /// How much there is to check.
    pub fn report(&self) -> NtfInvariantReport {
        NtfInvariantReport {
            tokens: self.tokens.len(),
            registrations: self.registrations.iter().map(|device| device.tokens.len()).sum(),
            subscriptions: self.subscriptions.len(),
            last_ntfs: self.last_ntfs.iter().map(|(_, ntfs)| ntfs.len()).sum(),
        }
    }

    /// Everything that does not hold; see [`NtfStore::check_invariants`].
    pub fn violations(&self) -> Vec<NtfViolation> {
        let mut found = Vec::new();
        let tokens: BTreeMap<_, _> = self.tokens.iter().map(|rec| (&rec.id, rec)).collect();
        let subscriptions: BTreeMap<_, _> =
            self.subscriptions.iter().map(|rec| (&rec.id, rec)).collect();
        self.check_registrations(&tokens, &mut found);
        self.check_subscriptions(&tokens, &mut found);
        self.check_sets(&subscriptions, &mut found);
        self.check_queues(&subscriptions, &mut found);
        self.check_ntfs(&tokens, &mut found);
        found
    }

    fn check_registrations(
        &self,
        tokens: &BTreeMap<&TokenId, &TokenRec>,
        found: &mut Vec<NtfViolation>,
    ) {
        let mut unlisted: BTreeSet<_> = tokens.keys().copied().collect();
        for device in &self.registrations {
            if device.tokens.is_empty() {
                found.push(NtfViolation::EmptyDevice);
            }
            let mut holders = BTreeMap::new();
            for one in &device.tokens {
                let fits = tokens.get(&one.token_id).is_some_and(|rec| {
                    rec.device == device.device && RegistrationKey::from(&rec.verify_key) == one.key
                });
                if !fits || !unlisted.remove(&one.token_id) {
                    found.push(NtfViolation::StrayRegistration(one.token_id.clone()));
                }
                if one.registered
                    && let Some(other) = holders.insert(&one.key, &one.token_id)
                {
                    let (other, token_id) = (other.clone(), one.token_id.clone());
                    found.push(NtfViolation::SharedRegistration(other, token_id));
                }
            }
        }
        found.extend(unlisted.into_iter().cloned().map(NtfViolation::TokenNotListed));
    }

    fn check_subscriptions(
        &self,
        tokens: &BTreeMap<&TokenId, &TokenRec>,
        found: &mut Vec<NtfViolation>,
    ) {
        let in_sets: BTreeSet<_> = self
            .token_subscriptions
            .iter()
            .flat_map(|(token_id, ids)| ids.iter().map(move |id| (token_id, id)))
            .collect();
        let by_queue: BTreeMap<_, _> =
            self.queue_subscriptions.iter().map(|(q, id)| (q, id)).collect();
        for SubscriptionRec { id, queue, token_id, .. } in &self.subscriptions {
            if !tokens.contains_key(token_id) {
                let (subscription, token) = (id.clone(), token_id.clone());
                found.push(NtfViolation::UnknownToken { subscription, token });
            }
            if !in_sets.contains(&(token_id, id)) {
                found.push(NtfViolation::NotInSet(id.clone()));
            }
            if by_queue.get(queue) != Some(&id) {
                found.push(NtfViolation::NotIndexed(id.clone()));
            }
        }
    }

    fn check_sets(
        &self,
        subscriptions: &BTreeMap<&SubscriptionId, &SubscriptionRec>,
        found: &mut Vec<NtfViolation>,
    ) {
        for (token_id, ids) in &self.token_subscriptions {
            if ids.is_empty() {
                found.push(NtfViolation::EmptySet(token_id.clone()));
            }
            for id in ids {
                if subscriptions.get(id).is_none_or(|rec| rec.token_id != *token_id) {
                    let (token, subscription) = (token_id.clone(), id.clone());
                    found.push(NtfViolation::StrayInSet { token, subscription });
                }
            }
        }
    }

    fn check_queues(
        &self,
        subscriptions: &BTreeMap<&SubscriptionId, &SubscriptionRec>,
        found: &mut Vec<NtfViolation>,
    ) {
        for (queue, id) in &self.queue_subscriptions {
            if subscriptions.get(id).is_none_or(|rec| rec.queue != *queue) {
                found.push(NtfViolation::Dangling(id.clone()));
            }
        }
    }

    fn check_ntfs(&self, tokens: &BTreeMap<&TokenId, &TokenRec>, found: &mut Vec<NtfViolation>) {
        let limit = self.last_ntf_limit.map_or(usize::MAX, |limit| limit.get());
        for (token_id, ntfs) in &self.last_ntfs {
            if !tokens.contains_key(token_id) {
                found.push(NtfViolation::StrayNtfs(token_id.clone()));
            }
            if ntfs.is_empty() || ntfs.len() > limit {
                let (token, count) = (token_id.clone(), ntfs.len());
                found.push(NtfViolation::NtfCount { token, count });
            }
        }
    }
}
