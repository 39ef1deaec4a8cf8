//! A subscription as a live object.

use crate::protocol::ntf::{
    AuthPrivateKey, NotifierQueue, SmpServer, SubscriptionRec, SubscriptionStatus,
};
use crate::protocol::{SubscriptionId, TokenId};
use crate::stm::{StmResult, TVar, Transaction};

/// A token's wish to be notified of a queue: what is fixed, and a variable with what changes.
#[derive(Debug)]
pub struct Subscription {
    id: SubscriptionId,
    queue: NotifierQueue,
    notifier_key: AuthPrivateKey,
    token_id: TokenId,
    state: TVar<SubscriptionState>,
}

/// What changes in a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// How it stands with the router.
    pub status: SubscriptionStatus,
    /// Whether the queue is associated with the server's service at the router.
    pub service_associated: bool,
}

impl Subscription {
    /// The subscription of a record.
    pub fn new(rec: SubscriptionRec) -> Self {
        let state =
            SubscriptionState { status: rec.status, service_associated: rec.service_associated };
        Self {
            id: rec.id,
            queue: rec.queue,
            notifier_key: rec.notifier_key,
            token_id: rec.token_id,
            state: TVar::new(state),
        }
    }

    /// Its id.
    pub fn id(&self) -> &SubscriptionId {
        &self.id
    }

    /// The queue that is watched.
    pub fn queue(&self) -> &NotifierQueue {
        &self.queue
    }

    /// The router that has the queue.
    pub fn server(&self) -> &SmpServer {
        &self.queue.server
    }

    /// The key that authorizes the notifier's commands at the router.
    pub fn notifier_key(&self) -> &AuthPrivateKey {
        &self.notifier_key
    }

    /// The token that is notified.
    pub fn token_id(&self) -> &TokenId {
        &self.token_id
    }

    /// What changes in it. Its owner changes it directly, alone or as a part of a transaction; no map of the
    /// store depends on it.
    pub fn state(&self) -> &TVar<SubscriptionState> {
        &self.state
    }

    /// The subscription's record, with the state that this transaction sees.
    pub fn record_tx(&self, tx: &mut Transaction<'_>) -> StmResult<SubscriptionRec> {
        self.state.read(tx).map(|state| self.record_with(state))
    }

    /// The subscription's record as of now.
    pub fn record(&self) -> SubscriptionRec {
        self.record_with(self.state.read_atomic())
    }

    fn record_with(&self, state: SubscriptionState) -> SubscriptionRec {
        SubscriptionRec {
            id: self.id.clone(),
            queue: self.queue.clone(),
            notifier_key: self.notifier_key.clone(),
            token_id: self.token_id.clone(),
            status: state.status,
            service_associated: state.service_associated,
        }
    }
}
