//! What the races of a notification server's store share: stores with tokens in them, and what must hold at every moment.

use loom_tests::scenario::two;
use simplex_stores::ntf_store::{
    AddedSubscription, AddedToken, NtfStore, NtfStoreError, Subscription, Token,
};
use simplex_stores::protocol::ntf::TokenRec;
use simplex_stores::protocol::{Semantics, TokenId};
use simplex_stores::testing::ntf_store::sample;
use std::sync::Arc;

/// The number of the device, and of the key under which its tokens are registered when they share one.
pub(crate) const DEVICE: u8 = 1;
pub(crate) const KEY: u8 = 3;

pub(crate) fn ntf_store(semantics: Semantics) -> Arc<NtfStore> {
    Arc::new(NtfStore::new(semantics))
}

/// Token `number` of the device, under the shared key.
pub(crate) fn same_key(number: u8) -> TokenRec {
    sample::token(number, DEVICE, KEY)
}

/// Token `number` of the device, under a key of its own.
pub(crate) fn own_key(number: u8) -> TokenRec {
    sample::token(number, DEVICE, KEY + number)
}

/// Adds a token of this record; gives it, and what it took the place of.
pub(crate) fn add_token(store: &NtfStore, record: TokenRec) -> (Arc<Token>, AddedToken) {
    let token = Arc::new(Token::new(record));
    let added = store.add_token(Arc::clone(&token));
    (token, added)
}

/// Adds subscription `number` of a token to a queue.
pub(crate) fn subscribe(
    store: &NtfStore,
    number: u8,
    token: u8,
    queue: u8,
) -> Result<AddedSubscription, NtfStoreError> {
    store.add_subscription(Arc::new(Subscription::new(sample::subscription(number, token, queue))))
}

/// The token that is registered under the shared key.
pub(crate) fn registered(store: &NtfStore) -> Option<TokenId> {
    let token = store.find_token(&sample::device(DEVICE), &sample::verify_key(KEY))?;
    Some(token.id().clone())
}

/// Whether there is a token `number`.
pub(crate) fn lives(store: &NtfStore, number: u8) -> bool {
    store.get_token(&sample::token_id(number)).is_some()
}

/// The store as a whole holds together.
pub(crate) fn assert_ntf_sound(store: &NtfStore) {
    if let Err(found) = store.check_invariants() {
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        panic!("the store contradicts itself: {}", found.join("; "));
    }
}

/// Runs `a` and `b` on two threads while a third looks whether the store holds together.
pub(crate) fn two_beside_a_look<A: Send + 'static, B>(
    store: &Arc<NtfStore>,
    a: impl FnOnce() -> A + Send + 'static,
    b: impl FnOnce() -> B,
) -> (A, B) {
    let looked_at = store.clone();
    let ((), done) = two(move || assert_ntf_sound(&looked_at), || two(a, b));
    assert_ntf_sound(store);
    done
}
