//! The recorded edge cases of the reference's store: its states under `Reference`, and what `Strict` does instead.

use std::sync::Arc;

use serde_json::{Value, json};
use simplex_stores::ntf_store::{NtfStore, StoredNtf, Subscription, Token};
use simplex_stores::protocol::ntf::{
    DeviceToken, NotifierQueue, PushProvider, SubscriptionRec, TokenRec,
};
use simplex_stores::protocol::{NotifierId, Semantics, SubscriptionId, TokenId};
use simplex_stores::testing::ntf_store::sample;

const REFERENCE: Semantics = Semantics::Reference;
const STRICT: Semantics = Semantics::Strict;

/// What was observed in the case whose name begins so.
fn observed(case: &str) -> Value {
    let recorded = include_str!("../vectors/edge/edge.jsonl").lines();
    let mut cases = recorded.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let begins = |recorded: &Value| recorded["case"].as_str().unwrap().starts_with(case);
    cases.find(begins).unwrap()["observed"].take()
}

fn token_id(id: &str) -> TokenId {
    TokenId::from_bytes(id.as_bytes()).unwrap()
}

fn subscription_id(id: &str) -> SubscriptionId {
    SubscriptionId::from_bytes(id.as_bytes()).unwrap()
}

/// A token with this device token and the key with this number.
fn token(id: &str, device: &str, key: u8) -> Arc<Token> {
    let device = DeviceToken::new(PushProvider::ApnsTest, device);
    Arc::new(Token::new(TokenRec { id: token_id(id), device, ..sample::token(1, 1, key) }))
}

/// A subscription of a token to the queue with this notifier.
fn subscription(id: &str, token: &str, notifier: &str) -> Arc<Subscription> {
    let notifier_id = NotifierId::from_bytes(notifier.as_bytes()).unwrap();
    Arc::new(Subscription::new(SubscriptionRec {
        id: subscription_id(id),
        queue: NotifierQueue { server: sample::server(1), notifier_id },
        token_id: token_id(token),
        ..sample::subscription(1, 1, 1)
    }))
}

fn text(id: &[u8]) -> &str {
    std::str::from_utf8(id).unwrap()
}

fn notifiers<'q>(queues: impl Iterator<Item = &'q NotifierQueue>) -> Value {
    queues.map(|queue| json!(text(queue.notifier_id.as_bytes()))).collect()
}

/// The store in the form of the recorded states; a token that lost its registration is listed with a question mark.
fn state(store: &NtfStore) -> Value {
    let state = store.snapshot();
    let registrations = state.registrations.iter().map(|device| {
        let ids = device.tokens.iter().map(|one| {
            let mark = if one.registered { "" } else { "?" };
            format!("{}{mark}", text(one.token_id.as_bytes()))
        });
        json!([device.device.text(), ids.collect::<Vec<_>>()])
    });
    let ids = |ids: &[SubscriptionId]| ids.iter().map(|id| json!(text(id.as_bytes()))).collect();
    let sets = state.token_subscriptions.iter();
    let sets = sets.map(|(id, set)| json!([text(id.as_bytes()), Value::Array(ids(set))]));
    let lookup = state
        .queue_subscriptions
        .iter()
        .map(|(queue, id)| json!([text(queue.notifier_id.as_bytes()), text(id.as_bytes())]));
    let ntfs = state.last_ntfs.iter();
    json!({
        "tokens": state.tokens.iter().map(|rec| text(rec.id.as_bytes())).collect::<Vec<_>>(),
        "registrations": registrations.collect::<Vec<_>>(),
        "subscriptions": state.subscriptions.iter().map(|rec| text(rec.id.as_bytes())).collect::<Vec<_>>(),
        "tokenSubscriptions": sets.collect::<Vec<_>>(),
        "lookup": lookup.collect::<Vec<_>>(),
        "lastNtfs": ntfs.map(|(id, ntfs)| json!([text(id.as_bytes()), ntfs.len()])).collect::<Vec<_>>(),
    })
}

/// The store's state is the recorded one under `Reference`, and this one, which is sound, under `Strict`.
fn assert_state(store: &NtfStore, recorded: &Value, strict: Value) {
    if store.semantics() == STRICT {
        store.check_invariants().unwrap();
        return assert_eq!(state(store), strict);
    }
    let mut recorded = recorded.clone();
    // The case's queues are at servers of its own; all of ours are at one.
    recorded["lookup"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(state(store), recorded);
}

/// A state with these parts, and nothing else.
fn only(parts: Value) -> Value {
    let mut state = json!({
        "tokens": [], "registrations": [], "subscriptions": [], "tokenSubscriptions": [], "lookup": [], "lastNtfs": []
    });
    for (name, part) in parts.as_object().unwrap() {
        state[name] = part.clone();
    }
    state
}

#[test]
fn n1_a_token_with_another_device_token_leaves_its_registration_only_under_strict() {
    let seen = observed("N1 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        store.add_token(token("t1", "aa", 1));
        store.add_token(token("t1", "bb", 1));
        let strict = json!({"tokens": ["t1"], "registrations": [["bb", ["t1"]]]});
        assert_state(&store, &seen["after adds"], only(strict));
        store.delete_token(&token_id("t1"));
        assert_state(&store, &seen["after delete"], only(json!({})));
    }
}

#[test]
fn n2_deleting_a_token_leaves_anothers_registration_only_under_strict() {
    let seen = observed("N2 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        store.add_token(token("t1", "aa", 1));
        store.add_token(token("t2", "aa", 1));
        let strict = json!({"tokens": ["t1", "t2"], "registrations": [["aa", ["t1?", "t2"]]]});
        assert_state(&store, &seen["after adds"], only(strict));
        store.delete_token(&token_id("t1"));
        let strict = json!({"tokens": ["t2"], "registrations": [["aa", ["t2"]]]});
        assert_state(&store, &seen["after delete of t1"], only(strict));
    }
}

#[test]
fn n3_removing_a_registration_asks_whose_it_is() {
    let seen = observed("N3 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        let (first, second) = (token("t1", "aa", 1), token("t2", "aa", 1));
        store.add_token(first.clone());
        store.add_token(second.clone());
        assert!(!store.remove_registration(&first));
        let strict = json!({"tokens": ["t1", "t2"], "registrations": [["aa", ["t1?", "t2"]]]});
        assert_state(&store, &seen["remove t1"], only(strict));
        assert!(store.remove_registration(&second));
        let strict = json!({"tokens": ["t1", "t2"], "registrations": [["aa", ["t1?", "t2?"]]]});
        assert_state(&store, &seen["remove t2"], only(strict));
    }
}

#[test]
fn n4_activation_removes_rivals_and_strict_asks_whether_the_token_is_stored() {
    let seen = observed("N4 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        let tokens = [token("t1", "aa", 3), token("t2", "aa", 4), token("t3", "aa", 5)];
        for (token, number) in tokens.iter().zip(["1", "2", "3"]) {
            store.add_token(token.clone());
            let id = text(token.id().as_bytes());
            let one = subscription(&format!("sub{number}"), id, &format!("n{number}"));
            store.add_subscription(one).unwrap();
            assert!(matches!(
                store.store_last_ntf(token.id(), sample::ntf(1, 1)),
                StoredNtf::Stored { .. }
            ));
        }
        let removed = store.remove_rivals(&tokens[1]).unwrap();
        assert_eq!(json!(removed.len()), seen["removed"]);
        assert_state(&store, &seen["state"], seen["state"].clone());
        let removed = store.remove_rivals(&token("t4", "aa", 6));
        match semantics {
            REFERENCE => assert_eq!(json!(removed.unwrap().len()), seen["removed 2"]),
            STRICT => assert!(removed.is_err(), "a token that nobody stored removes nothing"),
        }
        assert_state(&store, &seen["state 2"], seen["state"].clone());
    }
}

#[test]
fn n5_a_subscription_added_again_leaves_its_first_queue_and_token_only_under_strict() {
    let seen = observed("N5 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        store.add_token(token("t1", "aa", 1));
        store.add_token(token("t2", "bb", 1));
        let added = store.add_subscription(subscription("sub1", "t1", "n1")).unwrap();
        assert!(!added.existed());
        let added = store.add_subscription(subscription("sub1", "t2", "n2")).unwrap();
        assert!(added.existed(), "the reference says {}", seen["second add"]);
        let registrations = json!([["aa", ["t1"]], ["bb", ["t2"]]]);
        let mut strict = only(json!({
            "tokens": ["t1", "t2"], "registrations": registrations, "subscriptions": ["sub1"],
            "tokenSubscriptions": [["t2", ["sub1"]]], "lookup": [["n2", "sub1"]],
        }));
        assert_state(&store, &seen["state"], strict.clone());
        let removed = store.delete_token(&token_id("t1"));
        let queues =
            if semantics == STRICT { json!([]) } else { seen["deleted t1, queues"].clone() };
        assert_eq!(notifiers(removed.queues()), queues);
        (strict["tokens"], strict["registrations"]) = (json!(["t2"]), json!([["bb", ["t2"]]]));
        assert_state(&store, &seen["state after t1"], strict);
        let removed = store.delete_token(&token_id("t2"));
        let queues =
            if semantics == STRICT { json!(["n2"]) } else { seen["deleted t2, queues"].clone() };
        assert_eq!(notifiers(removed.queues()), queues);
        assert_state(&store, &seen["state after t2"], only(json!({})));
    }
}

#[test]
fn n6_of_two_subscriptions_for_a_queue_the_newer_stays_found_only_under_strict() {
    let seen = observed("N6 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        store.add_token(token("t1", "aa", 1));
        store.add_subscription(subscription("sub1", "t1", "n1")).unwrap();
        store.add_subscription(subscription("sub2", "t1", "n1")).unwrap();
        let strict = only(json!({
            "tokens": ["t1"], "registrations": [["aa", ["t1"]]], "subscriptions": ["sub2"],
            "tokenSubscriptions": [["t1", ["sub2"]]], "lookup": [["n1", "sub2"]],
        }));
        assert_state(&store, &seen["state"], strict.clone());
        let deleted = store.delete_subscription(&subscription_id("sub1"));
        assert_eq!(deleted.is_some(), semantics == REFERENCE, "under Strict it was replaced");
        assert_state(&store, &seen["after delete sub1"], strict);
        assert!(store.delete_subscription(&subscription_id("sub2")).is_some());
        let strict = json!({"tokens": ["t1"], "registrations": [["aa", ["t1"]]]});
        assert_state(&store, &seen["after delete sub2"], only(strict));
    }
}

#[test]
fn n7_a_subscription_of_an_unknown_token_is_accepted_only_under_reference() {
    let seen = observed("N7 ");
    for semantics in [REFERENCE, STRICT] {
        let store = NtfStore::new(semantics);
        let stored = store.store_last_ntf(&token_id("tA"), sample::ntf(1, 1));
        assert_eq!(stored, StoredNtf::UnknownToken);
        let added = store.add_subscription(subscription("sub1", "tA", "n1"));
        assert_eq!(added.is_ok(), semantics == REFERENCE);
        assert_state(&store, &seen["state"], only(json!({})));
        store.add_token(token("t1", "aa", 1));
        for message in 1..=3 {
            let stored = store.store_last_ntf(&token_id("t1"), sample::ntf(1, message));
            assert_eq!(stored, StoredNtf::Stored { dropped: None });
        }
        let strict =
            json!({"tokens": ["t1"], "registrations": [["aa", ["t1"]]], "lastNtfs": [["t1", 3]]});
        assert_state(&store, &seen["state 1"], only(strict.clone()));
        let removed = store.delete_token(&token_id("tA"));
        let queues = if semantics == STRICT { json!([]) } else { seen["queues"].clone() };
        assert_eq!((removed.token.is_none(), notifiers(removed.queues())), (true, queues));
        assert_state(&store, &seen["state 2"], only(strict));
    }
}
