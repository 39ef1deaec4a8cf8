//! Running recorded operations on a store, with the answers in the recorded form.

use std::sync::Arc;

use serde::Serialize;
use simplex_stores::{
    ntf_store::{NtfSnapshot, NtfStore, NtfStoreError, RemovedToken, Subscription, Token},
    protocol::Semantics,
};

use super::call::{Call, Step, TokenArg};
use crate::{
    forms::{text, to_json},
    ntf::forms::{SubForm, TknForm},
};

/// What a step gave, in the form of `ops.jsonl`.
pub(super) struct Outcome {
    pub(super) line: String,
    pub(super) result: String,
}

/// A store that steps are run on.
pub(super) struct Runner {
    pub(super) store: NtfStore,
}

impl Runner {
    /// On a new store.
    pub(super) fn new(semantics: Semantics) -> Self {
        Self { store: NtfStore::new(semantics) }
    }

    /// On a store that holds this.
    pub(super) fn on(snapshot: NtfSnapshot) -> Self {
        Self { store: NtfStore::from_snapshot(snapshot) }
    }

    pub(super) fn run(&self, step: &Step<'_>) -> Outcome {
        let result = self.call(&step.call);
        let Step { number, op, args, .. } = step;
        let op = to_json(op);
        let line = format!("{{\"i\":{number},\"op\":{op},\"args\":{args},\"result\":{result}}}");
        Outcome { line, result }
    }

    /// Whether the store has the very object that an operation was called with.
    pub(super) fn has(&self, token: &TokenArg) -> bool {
        self.stored(token).is_some()
    }

    fn stored(&self, token: &TokenArg) -> Option<Arc<Token>> {
        let stored = self.store.get_token(&token.rec.id).filter(|_| token.stored);
        stored.filter(|stored| stored.record() == *token.rec)
    }

    /// The store's own object, or another one with the same record.
    fn object(&self, token: &TokenArg) -> Arc<Token> {
        self.stored(token).unwrap_or_else(|| Arc::new(Token::new(token.rec.as_ref().clone())))
    }

    fn call(&self, call: &Call) -> String {
        let store = &self.store;
        match call {
            Call::GetToken(id) => {
                ok(&store.get_token(id).map(|token| TknForm::from(&token.record())))
            }
            Call::AddToken(rec) => {
                drop(store.add_token(Arc::new(Token::new(rec.as_ref().clone()))));
                ok(&())
            }
            Call::RemoveRivals(token) => {
                let removed = store.remove_rivals(&self.object(token));
                answer(removed.map(|tokens| ids(&tokens)))
            }
            Call::RemoveRegistration(token) => {
                let _ = store.remove_registration(&self.object(token));
                ok(&())
            }
            Call::DeleteToken(id) => {
                ok(&store.delete_token(id).queues().map(text).collect::<Vec<_>>())
            }
            Call::GetSubscription(id) => {
                ok(&store.get_subscription(id).map(|one| SubForm::from(&one.record())))
            }
            Call::AddSubscription(rec) => {
                let subscription = Arc::new(Subscription::new(rec.as_ref().clone()));
                answer(store.add_subscription(subscription).map(|_| true))
            }
            Call::DeleteSubscription(id) => {
                drop(store.delete_subscription(id));
                ok(&())
            }
            Call::StoreNtf(id, ntf) => {
                let _ = store.store_last_ntf(id, Arc::new(ntf.as_ref().clone()));
                ok(&())
            }
        }
    }
}

fn ids(tokens: &[RemovedToken]) -> Vec<String> {
    tokens.iter().map(|token| token.id.to_string()).collect()
}

/// A result as it is recorded: the value, or what was refused.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Ok(T),
    Err(String),
}

pub(super) fn ok<T: Serialize>(value: &T) -> String {
    to_json(&Answer::Ok(value))
}

/// The answer of an operation that was refused.
pub(super) fn refused(error: &NtfStoreError) -> String {
    to_json(&Answer::<()>::Err(error.to_string()))
}

fn answer<T: Serialize>(result: Result<T, NtfStoreError>) -> String {
    match result {
        Ok(value) => ok(&value),
        Err(error) => refused(&error),
    }
}
