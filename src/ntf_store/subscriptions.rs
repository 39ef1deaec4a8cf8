//! Subscriptions and their three indexes.

use std::sync::Arc;

use super::{NtfStore, NtfStoreError, Subscription};
use crate::protocol::ntf::NotifierQueue;
use crate::protocol::{SubscriptionId, TokenId};
use crate::stm::{StmResult, TSet, Transaction, TxResult, abort, atomically, try_atomically};

/// What adding a subscription took the place of (NS-9).
#[derive(Clone, Debug, Default)]
pub struct AddedSubscription {
    /// The subscription that had the same id. If it watched another queue, nobody watches that one
    /// any more.
    pub same_id: Option<Arc<Subscription>>,
    /// The subscription, of another id, that watched the same queue.
    pub same_queue: Option<Arc<Subscription>>,
}

impl AddedSubscription {
    /// Whether there was one with the id, or for the queue.
    pub fn existed(&self) -> bool {
        self.same_id.is_some() || self.same_queue.is_some()
    }
}

impl NtfStore {
    /// Adds a subscription to its token, under its id and under its queue (NS-12).
    ///
    /// Under `Strict` the one with the same id and the one for the same queue are removed whole
    /// (RACE-66). Under `Reference` they are overwritten where they stood, and their other entries stay (NS-14).
    ///
    /// # Errors
    ///
    /// [`NtfStoreError::UnknownToken`] under `Strict` when its token is not in the store.
    pub fn add_subscription_tx(
        &self,
        tx: &mut Transaction<'_>,
        subscription: Arc<Subscription>,
    ) -> TxResult<AddedSubscription, NtfStoreError> {
        let (id, token_id) = (subscription.id(), subscription.token_id());
        if self.is_strict() && !self.tokens.contains_key(tx, token_id)? {
            return abort(NtfStoreError::UnknownToken(token_id.clone()));
        }
        let same_id = self.subscriptions.get(tx, id)?;
        let same_queue = self.find_subscription_tx(tx, subscription.queue())?;
        let same_queue = same_queue.filter(|other| other.id() != id);
        if self.is_strict() {
            for replaced in [&same_id, &same_queue].into_iter().flatten() {
                self.delete_subscription_tx(tx, replaced.id())?;
            }
        }
        self.token_set(tx, token_id)?.insert(tx, id.clone())?;
        self.queue_subscriptions.insert(tx, subscription.queue().clone(), id.clone())?;
        self.subscriptions.insert(tx, id.clone(), subscription)?;
        Ok(AddedSubscription { same_id, same_queue })
    }

    /// [`add_subscription_tx`](Self::add_subscription_tx) as one transaction.
    ///
    /// # Errors
    ///
    /// As of the part.
    pub fn add_subscription(
        &self,
        subscription: Arc<Subscription>,
    ) -> Result<AddedSubscription, NtfStoreError> {
        try_atomically(|tx| self.add_subscription_tx(tx, Arc::clone(&subscription)))
    }

    /// Deletes the subscription and gives it, if there was one.
    ///
    /// Under `Strict` the queue's entry goes only if it is this subscription's (RACE-66), and the token's set with
    /// its last subscription (RACE-65).
    pub fn delete_subscription_tx(
        &self,
        tx: &mut Transaction<'_>,
        id: &SubscriptionId,
    ) -> StmResult<Option<Arc<Subscription>>> {
        let Some(subscription) = self.take_subscription(tx, id)? else {
            return Ok(None);
        };
        let token_id = subscription.token_id();
        if let Some(set) = self.token_subscriptions.get(tx, token_id)? {
            set.remove(tx, id)?;
            if self.is_strict() && set.is_empty(tx)? {
                self.token_subscriptions.remove(tx, token_id)?;
            }
        }
        Ok(Some(subscription))
    }

    /// [`delete_subscription_tx`](Self::delete_subscription_tx) as one transaction.
    pub fn delete_subscription(&self, id: &SubscriptionId) -> Option<Arc<Subscription>> {
        atomically(|tx| self.delete_subscription_tx(tx, id))
    }

    /// The subscription that watches this queue.
    pub fn find_subscription_tx(
        &self,
        tx: &mut Transaction<'_>,
        queue: &NotifierQueue,
    ) -> StmResult<Option<Arc<Subscription>>> {
        match self.queue_subscriptions.get(tx, queue)? {
            Some(id) => self.subscriptions.get(tx, &id),
            None => Ok(None),
        }
    }

    /// [`find_subscription_tx`](Self::find_subscription_tx) as one transaction.
    pub fn find_subscription(&self, queue: &NotifierQueue) -> Option<Arc<Subscription>> {
        atomically(|tx| self.find_subscription_tx(tx, queue))
    }

    /// The token's subscriptions, in ascending order of ids.
    pub fn token_subscriptions_tx(
        &self,
        tx: &mut Transaction<'_>,
        token_id: &TokenId,
    ) -> StmResult<Vec<Arc<Subscription>>> {
        let Some(set) = self.token_subscriptions.get(tx, token_id)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for id in set.snapshot(tx)?.iter_sorted() {
            found.extend(self.subscriptions.get(tx, &id)?);
        }
        Ok(found)
    }

    /// [`token_subscriptions_tx`](Self::token_subscriptions_tx) as one transaction.
    pub fn token_subscriptions(&self, token_id: &TokenId) -> Vec<Arc<Subscription>> {
        atomically(|tx| self.token_subscriptions_tx(tx, token_id))
    }

    /// Removes all subscriptions of a token, and its set; those that were there, in ascending order of ids.
    pub(super) fn drop_subscriptions(
        &self,
        tx: &mut Transaction<'_>,
        token_id: &TokenId,
    ) -> StmResult<Vec<Arc<Subscription>>> {
        let Some(set) = self.token_subscriptions.take(tx, token_id)? else {
            return Ok(Vec::new());
        };
        let mut dropped = Vec::new();
        for id in set.snapshot(tx)?.iter_sorted() {
            dropped.extend(self.take_subscription(tx, &id)?);
        }
        Ok(dropped)
    }

    /// Removes a subscription from the maps by id and by queue.
    fn take_subscription(
        &self,
        tx: &mut Transaction<'_>,
        id: &SubscriptionId,
    ) -> StmResult<Option<Arc<Subscription>>> {
        let Some(subscription) = self.subscriptions.take(tx, id)? else {
            return Ok(None);
        };
        let queue = subscription.queue();
        if !self.is_strict() || self.queue_subscriptions.get(tx, queue)?.as_ref() == Some(id) {
            self.queue_subscriptions.remove(tx, queue)?;
        }
        Ok(Some(subscription))
    }

    /// The set of the token's subscriptions, made when there is none.
    fn token_set(
        &self,
        tx: &mut Transaction<'_>,
        token_id: &TokenId,
    ) -> StmResult<TSet<SubscriptionId>> {
        if let Some(set) = self.token_subscriptions.get(tx, token_id)? {
            return Ok(set);
        }
        let set = TSet::new();
        self.token_subscriptions.insert(tx, token_id.clone(), set.clone())?;
        Ok(set)
    }
}
