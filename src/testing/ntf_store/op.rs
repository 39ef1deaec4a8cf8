//! Calls of the store as data, and how to make them.

use std::sync::Arc;

use crate::ntf_store::{
    NtfCounts, NtfStore, NtfStoreError, RemovedToken, StoredNtf, Subscription, SubscriptionState,
    Token, TokenRegistration, TokenState,
};
use crate::protocol::ntf::{
    DeviceToken, NotifierQueue, SmpServer, SubscriptionRec, TokenNtf, TokenRec,
};
use crate::protocol::{AuthKey, ServiceId, SubscriptionId, TokenId};
use crate::stm::{atomically, try_atomically};

/// The token object that a call is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenArg {
    /// The object that the store has under this id.
    Stored(TokenId),
    /// Another object, made of this record: what somebody holds whose token was deleted or replaced meanwhile.
    Apart(Box<TokenRec>),
}

/// One call, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfOp {
    /// `add_token`.
    AddToken(Box<TokenRec>),
    /// `remove_rivals`; in one transaction with the lookup of a stored token.
    RemoveRivals(TokenArg),
    /// `remove_registration`; as above.
    RemoveRegistration(TokenArg),
    /// `delete_token`.
    DeleteToken(TokenId),
    /// A token's `state` is written.
    SetTokenState(TokenId, TokenState),
    /// `add_subscription`.
    AddSubscription(Box<SubscriptionRec>),
    /// `delete_subscription`.
    DeleteSubscription(SubscriptionId),
    /// A subscription's `state` is written.
    SetSubscriptionState(SubscriptionId, SubscriptionState),
    /// `store_last_ntf`.
    StoreNtf(TokenId, Arc<TokenNtf>),
    /// `set_service`.
    SetService(SmpServer, Option<ServiceId>),
    /// A call that changes nothing.
    LookUp(NtfLookup),
}

/// One call that changes nothing, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfLookup {
    /// `get_token`, with its record.
    Token(TokenId),
    /// `find_token`, with its record.
    RegisteredToken(DeviceToken, AuthKey),
    /// `registrations`.
    Registrations(DeviceToken),
    /// `get_subscription`, with its record.
    Subscription(SubscriptionId),
    /// `find_subscription`, with its record.
    QueueSubscription(NotifierQueue),
    /// `token_subscriptions`, with their records.
    TokenSubscriptions(TokenId),
    /// `last_ntfs`.
    LastNtfs(TokenId),
    /// `service`.
    Service(SmpServer),
    /// `counts`.
    Counts,
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NtfAnswer {
    /// Of a call on a stored token or subscription that is not there.
    Absent,
    /// A token that was looked for.
    Token(Option<TokenRec>),
    /// What a new token took the place of.
    AddedToken {
        /// The token with its id.
        replaced: Option<TokenRec>,
        /// The token with its registration.
        displaced: Option<TokenId>,
    },
    /// The tokens that are gone.
    Removed(Vec<Removed>),
    /// Whether the call did something.
    Done(bool),
    /// The tokens of a device.
    Registrations(Vec<TokenRegistration>),
    /// A subscription that was looked for, or deleted.
    Subscription(Option<SubscriptionRec>),
    /// What a new subscription took the place of.
    AddedSubscription {
        /// The one with its id.
        same_id: Option<SubscriptionRec>,
        /// The one with its queue.
        same_queue: Option<SubscriptionRec>,
    },
    /// The subscriptions of a token.
    Subscriptions(Vec<SubscriptionRec>),
    /// What became of a notification.
    Stored(StoredNtf),
    /// The notifications of a token.
    Ntfs(Vec<Arc<TokenNtf>>),
    /// The service at a router.
    Service(Option<ServiceId>),
    /// How many there are.
    Counts(NtfCounts),
    /// The call was refused.
    Refused(NtfStoreError),
}

/// A token that is gone, with its subscriptions, as records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its id.
    pub id: TokenId,
    /// The token, if there was one with this id.
    pub token: Option<TokenRec>,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionRec>,
}

impl From<RemovedToken> for Removed {
    fn from(removed: RemovedToken) -> Self {
        Self {
            id: removed.id,
            token: removed.token.map(|token| token.record()),
            subscriptions: removed.subscriptions.iter().map(|one| one.record()).collect(),
        }
    }
}

/// Makes the call on a store, as one step.
///
/// Objects that a call took out of the store are shown after it: nothing here changes them any more. Those that are
/// still in it are shown as of the moment of the call.
pub fn run(store: &NtfStore, op: &NtfOp) -> NtfAnswer {
    match op {
        NtfOp::AddToken(rec) => {
            let added = store.add_token(Arc::new(Token::new((**rec).clone())));
            let replaced = added.replaced.map(|token| token.record());
            NtfAnswer::AddedToken { replaced, displaced: added.displaced }
        }
        NtfOp::RemoveRivals(token) => remove_rivals(store, token),
        NtfOp::RemoveRegistration(token) => remove_registration(store, token),
        NtfOp::DeleteToken(id) => NtfAnswer::Removed(vec![store.delete_token(id).into()]),
        NtfOp::SetTokenState(id, state) => atomically(|tx| match store.get_token_tx(tx, id)? {
            Some(token) => token.state().write(tx, *state).map(|()| NtfAnswer::Done(true)),
            None => Ok(NtfAnswer::Absent),
        }),
        NtfOp::AddSubscription(rec) => {
            match store.add_subscription(Arc::new(Subscription::new((**rec).clone()))) {
                Ok(added) => NtfAnswer::AddedSubscription {
                    same_id: added.same_id.map(|one| one.record()),
                    same_queue: added.same_queue.map(|one| one.record()),
                },
                Err(error) => NtfAnswer::Refused(error),
            }
        }
        NtfOp::DeleteSubscription(id) => {
            NtfAnswer::Subscription(store.delete_subscription(id).map(|one| one.record()))
        }
        NtfOp::SetSubscriptionState(id, state) => atomically(|tx| {
            let Some(subscription) = store.get_subscription_tx(tx, id)? else {
                return Ok(NtfAnswer::Absent);
            };
            subscription.state().write(tx, state.clone()).map(|()| NtfAnswer::Done(true))
        }),
        NtfOp::StoreNtf(id, ntf) => NtfAnswer::Stored(store.store_last_ntf(id, Arc::clone(ntf))),
        NtfOp::SetService(server, id) => NtfAnswer::Service(store.set_service(server, id.clone())),
        NtfOp::LookUp(lookup) => look_up(store, lookup),
    }
}

fn remove_rivals(store: &NtfStore, token: &TokenArg) -> NtfAnswer {
    let removed = match token {
        TokenArg::Apart(rec) => store.remove_rivals(&Token::new((**rec).clone())).map(Some),
        TokenArg::Stored(id) => try_atomically(|tx| match store.get_token_tx(tx, id)? {
            Some(token) => store.remove_rivals_tx(tx, &token).map(Some),
            None => Ok(None),
        }),
    };
    match removed {
        Ok(Some(removed)) => NtfAnswer::Removed(removed.into_iter().map(Removed::from).collect()),
        Ok(None) => NtfAnswer::Absent,
        Err(error) => NtfAnswer::Refused(error),
    }
}

fn remove_registration(store: &NtfStore, token: &TokenArg) -> NtfAnswer {
    match token {
        TokenArg::Apart(rec) => {
            NtfAnswer::Done(store.remove_registration(&Token::new((**rec).clone())))
        }
        TokenArg::Stored(id) => atomically(|tx| match store.get_token_tx(tx, id)? {
            Some(token) => store.remove_registration_tx(tx, &token).map(NtfAnswer::Done),
            None => Ok(NtfAnswer::Absent),
        }),
    }
}

fn look_up(store: &NtfStore, lookup: &NtfLookup) -> NtfAnswer {
    match lookup {
        NtfLookup::Token(id) => NtfAnswer::Token(atomically(|tx| {
            store.get_token_tx(tx, id)?.map(|token| token.record_tx(tx)).transpose()
        })),
        NtfLookup::RegisteredToken(device, key) => NtfAnswer::Token(atomically(|tx| {
            store.find_token_tx(tx, device, key)?.map(|token| token.record_tx(tx)).transpose()
        })),
        NtfLookup::Registrations(device) => NtfAnswer::Registrations(store.registrations(device)),
        NtfLookup::Subscription(id) => NtfAnswer::Subscription(atomically(|tx| {
            store.get_subscription_tx(tx, id)?.map(|one| one.record_tx(tx)).transpose()
        })),
        NtfLookup::QueueSubscription(queue) => NtfAnswer::Subscription(atomically(|tx| {
            store.find_subscription_tx(tx, queue)?.map(|one| one.record_tx(tx)).transpose()
        })),
        NtfLookup::TokenSubscriptions(id) => NtfAnswer::Subscriptions(atomically(|tx| {
            let found = store.token_subscriptions_tx(tx, id)?;
            found.iter().map(|one| one.record_tx(tx)).collect()
        })),
        NtfLookup::LastNtfs(id) => NtfAnswer::Ntfs(store.last_ntfs(id)),
        NtfLookup::Service(server) => NtfAnswer::Service(store.service(server)),
        NtfLookup::Counts => NtfAnswer::Counts(store.counts()),
    }
}
