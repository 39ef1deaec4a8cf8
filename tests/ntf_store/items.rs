//! Each item of the specification of a notification server's store, under both semantics.

use std::sync::Arc;

use simplex_stores::ntf_store::{
    AddedSubscription, DEFAULT_LAST_NTF_LIMIT, NtfStore, NtfStoreError, StoredNtf, Subscription,
    SubscriptionState, Token, TokenState,
};
use simplex_stores::protocol::ntf::{
    InvalidReason, SubscriptionRec, SubscriptionStatus, TokenRec, TokenStatus,
};
use simplex_stores::protocol::{RoundedDate, Semantics, SubscriptionId, TokenId};
use simplex_stores::stm::{abort, try_atomically};
use simplex_stores::testing::ntf_store::sample::{
    device, ntf, queue, server, subscription, subscription_id, token, token_id, verify_key,
};
use simplex_stores::testing::queue_store::sample::service_id;

const STRICT: Semantics = Semantics::Strict;
const REFERENCE: Semantics = Semantics::Reference;
const BOTH: [Semantics; 2] = [STRICT, REFERENCE];

/// Adds a token of this record, and gives it.
pub(crate) fn with_token(store: &NtfStore, record: TokenRec) -> Arc<Token> {
    let token = Arc::new(Token::new(record));
    store.add_token(Arc::clone(&token));
    token
}

/// Adds a subscription of this record, which the store must accept.
pub(crate) fn added(store: &NtfStore, record: SubscriptionRec) -> AddedSubscription {
    store.add_subscription(Arc::new(Subscription::new(record))).unwrap()
}

/// Stores a notification of a token that is there.
fn notified(store: &NtfStore, number: u8) {
    let stored = store.store_last_ntf(&token_id(number), ntf(number, 1));
    assert!(matches!(stored, StoredNtf::Stored { .. }));
}

/// A store with tokens of the device 1 under their own keys, each with a subscription and a notification.
fn store_of(semantics: Semantics, numbers: &[u8]) -> (NtfStore, Vec<Arc<Token>>) {
    let store = NtfStore::new(semantics);
    let tokens = numbers.iter().map(|number| {
        let token = with_token(&store, token(*number, 1, number + 2));
        added(&store, subscription(*number, *number, *number));
        notified(&store, *number);
        token
    });
    let tokens = tokens.collect();
    (store, tokens)
}

fn is_sound(store: &NtfStore) -> bool {
    store.check_invariants().is_ok()
}

fn found(store: &NtfStore, device_number: u8, key_number: u8) -> Option<TokenId> {
    let token = store.find_token(&device(device_number), &verify_key(key_number))?;
    Some(token.id().clone())
}

fn ids<'s>(subscriptions: impl IntoIterator<Item = &'s Arc<Subscription>>) -> Vec<SubscriptionId> {
    subscriptions.into_iter().map(|one| one.id().clone()).collect()
}

#[test]
fn ns1_a_device_token_has_a_registration_for_each_key() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        for (number, key) in [(1, 3), (2, 4), (3, 2)] {
            with_token(&store, token(number, 1, key));
        }
        assert_eq!(
            [3, 4, 2].map(|key| found(&store, 1, key)),
            [1, 2, 3].map(|n| Some(token_id(n)))
        );
        assert_eq!(found(&store, 2, 3), None);
        assert!(is_sound(&store));
    }
}

#[test]
fn ns1_keys_with_the_same_bytes_share_a_registration_whatever_their_algorithm() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        with_token(&store, token(1, 1, 0));
        let other = store.add_token(Arc::new(Token::new(token(2, 1, 1))));
        assert_eq!(other.displaced, Some(token_id(1)));
        assert_eq!([0, 1].map(|key| found(&store, 1, key)), [2, 2].map(|n| Some(token_id(n))));
    }
}

#[test]
fn ns2_activation_leaves_one_token_of_the_device() {
    for semantics in BOTH {
        let (store, tokens) = store_of(semantics, &[1, 2, 3]);
        with_token(&store, token(4, 2, 3));
        let removed = store.remove_rivals(&tokens[1]).unwrap();
        let removed: Vec<_> =
            removed.iter().map(|one| (one.id.clone(), ids(&one.subscriptions))).collect();
        let expected = [1, 3].map(|number| (token_id(number), vec![subscription_id(number)]));
        assert_eq!(removed, expected);
        for number in [1, 3] {
            assert!(store.get_token(&token_id(number)).is_none());
            assert!(store.find_subscription(&queue(number)).is_none());
            assert_eq!(store.last_ntfs(&token_id(number)), []);
        }
        assert_eq!(store.registrations(&device(1)).len(), 1);
        assert_eq!(
            (found(&store, 1, 4), found(&store, 2, 3)),
            (Some(token_id(2)), Some(token_id(4)))
        );
        assert!(store.find_subscription(&queue(2)).is_some());
        assert_eq!(store.last_ntfs(&token_id(2)).len(), 1);
        assert!(is_sound(&store));
    }
}

#[test]
fn ns3_a_notification_of_an_unknown_token_is_not_stored_and_the_caller_is_told() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let before = store.snapshot();
        assert_eq!(store.store_last_ntf(&token_id(2), ntf(1, 1)), StoredNtf::UnknownToken);
        assert_eq!(store.snapshot(), before);
        store.delete_token(&token_id(1));
        assert_eq!(store.store_last_ntf(&token_id(1), ntf(1, 1)), StoredNtf::UnknownToken);
        assert_eq!(store.counts().tokens_with_ntfs, 0);
    }
}

#[test]
fn ns4_notifications_accumulate_newest_first_and_strict_keeps_the_newest() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        with_token(&store, token(1, 1, 3));
        let limit = store.last_ntf_limit().map(|limit| limit.get());
        assert_eq!(limit, (semantics == STRICT).then_some(DEFAULT_LAST_NTF_LIMIT.get()));
        let mut dropped = Vec::new();
        for message in 0..120 {
            match store.store_last_ntf(&token_id(1), ntf(1, message)) {
                StoredNtf::Stored { dropped: oldest } => dropped.extend(oldest),
                StoredNtf::UnknownToken => panic!("the token is there"),
            }
        }
        let kept = limit.unwrap_or(120) as u8;
        let expected: Vec<_> = (120 - kept..120).rev().map(|message| ntf(1, message)).collect();
        assert_eq!(store.last_ntfs(&token_id(1)), expected);
        assert_eq!(dropped, (0..120 - kept).map(|message| ntf(1, message)).collect::<Vec<_>>());
    }
}

#[test]
fn ns5_a_device_token_goes_with_its_last_token_and_strict_keeps_the_survivors_registration() {
    for semantics in BOTH {
        let strict = semantics == STRICT;
        let (store, tokens) = store_of(semantics, &[1, 2]);
        assert!(store.remove_registration(&tokens[0]));
        assert_eq!(found(&store, 1, 3), None);
        assert_eq!(store.remove_rivals(&tokens[0]).unwrap().len(), 1);
        assert_eq!(found(&store, 1, 3).is_some(), strict);
        let entries = store.registrations(&device(1)).len();
        assert_eq!((entries, store.counts().devices), (usize::from(strict), 1));
        assert_eq!(is_sound(&store), strict);
        store.delete_token(&token_id(1));
        assert_eq!(store.counts().devices, 0);
    }
}

#[test]
fn ns6_a_registration_is_removed_only_by_the_token_that_has_it() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        let first = with_token(&store, token(1, 1, 3));
        let second = with_token(&store, token(2, 1, 3));
        assert!(!store.remove_registration(&first), "another token took it over");
        assert_eq!(found(&store, 1, 3), Some(token_id(2)));
        assert!(store.remove_registration(&second));
        assert_eq!(found(&store, 1, 3), None);
        assert!(!store.remove_registration(&second), "a second time");
        assert_eq!(store.counts().tokens, 2, "the tokens stay");
    }
}

#[test]
fn ns6_race67_deleting_a_token_leaves_anothers_registration_only_under_strict() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        with_token(&store, token(1, 1, 3));
        with_token(&store, token(2, 1, 3));
        store.delete_token(&token_id(1));
        let expected = (semantics == STRICT).then(|| token_id(2));
        assert_eq!((found(&store, 1, 3), is_sound(&store)), (expected, semantics == STRICT));
    }
}

#[test]
fn ns6_strict_means_the_very_object_not_one_with_its_id() {
    for semantics in BOTH {
        let strict = semantics == STRICT;
        let (store, tokens) = store_of(semantics, &[1, 2]);
        // The server loaded the token anew; somebody still holds the old object.
        with_token(&store, token(1, 1, 3));
        let before = store.snapshot();
        let removed = store.remove_rivals(&tokens[0]);
        assert_eq!(removed.err(), strict.then(|| NtfStoreError::UnknownToken(token_id(1))));
        assert_eq!(store.remove_registration(&tokens[0]), !strict);
        assert_eq!(store.snapshot() == before, strict);
    }
}

#[test]
fn ns7_deleting_a_missing_token_succeeds_and_says_so() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let before = store.snapshot();
        let removed = store.delete_token(&token_id(9));
        assert_eq!((removed.id, removed.subscriptions.len()), (token_id(9), 0));
        assert!(removed.token.is_none(), "unlike a token without subscriptions");
        assert_eq!(store.snapshot(), before);
        with_token(&store, token(2, 1, 5));
        assert!(store.delete_token(&token_id(2)).token.is_some());
    }
    let store = NtfStore::new(REFERENCE);
    added(&store, subscription(1, 9, 1));
    let removed = store.delete_token(&token_id(9));
    assert_eq!(
        removed.queues().collect::<Vec<_>>(),
        [&queue(1)],
        "the subscriptions go all the same"
    );
    assert_eq!(store.counts().subscriptions, 0);
}

#[test]
fn ns8_what_has_to_be_unsubscribed_is_given_for_deleted_tokens_and_for_rivals() {
    for semantics in BOTH {
        let (store, tokens) = store_of(semantics, &[1, 2]);
        added(&store, subscription(5, 2, 5));
        let rivals = store.remove_rivals(&tokens[0]).unwrap();
        let queues: Vec<_> = rivals.iter().flat_map(|rival| rival.queues()).collect();
        assert_eq!(queues, [&queue(2), &queue(5)]);
        assert_eq!(store.delete_token(&token_id(1)).queues().collect::<Vec<_>>(), [&queue(1)]);
    }
}

#[test]
fn ns9_adding_a_subscription_overwrites_and_says_what_was_there() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        assert!(!added(&store, subscription(2, 1, 2)).existed());
        let again = added(&store, subscription(2, 1, 3));
        assert_eq!(
            (ids(&again.same_id), ids(&again.same_queue)),
            (vec![subscription_id(2)], vec![])
        );
        assert_eq!(again.same_id.unwrap().queue(), &queue(2));
        let other = added(&store, subscription(4, 1, 3));
        assert_eq!(
            (ids(&other.same_id), ids(&other.same_queue)),
            (vec![], vec![subscription_id(2)])
        );
        assert_eq!(store.find_subscription(&queue(3)).unwrap().id(), &subscription_id(4));
    }
}

#[test]
fn ns10_an_empty_set_stays_only_under_reference() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        store.delete_subscription(&subscription_id(1)).unwrap();
        let kept = if semantics == STRICT { vec![] } else { vec![(token_id(1), vec![])] };
        assert_eq!(store.snapshot().token_subscriptions, kept);
        store.delete_token(&token_id(1));
        assert_eq!(store.snapshot().token_subscriptions, []);
    }
}

#[test]
fn ns11_the_service_of_a_server_is_a_plain_value_of_its_own() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let before = store.snapshot();
        assert_eq!(store.set_service(&server(1), Some(service_id(1))), None);
        assert_eq!(store.set_service(&server(1), Some(service_id(2))), Some(service_id(1)));
        assert_eq!(
            (store.service(&server(1)), store.service(&server(0))),
            (Some(service_id(2)), None)
        );
        assert_eq!(store.snapshot().subscriptions, before.subscriptions);
        assert_eq!(store.set_service(&server(1), None), Some(service_id(2)));
        assert_eq!(store.set_service(&server(1), None), None);
        assert_eq!(store.snapshot(), before);
    }
}

#[test]
fn ns12_a_subscription_is_in_three_indexes_or_in_none() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        added(&store, subscription(2, 1, 2));
        let in_indexes = || {
            let of_token = ids(&store.token_subscriptions(&token_id(1)));
            (
                store.get_subscription(&subscription_id(2)).is_some(),
                store.find_subscription(&queue(2)).is_some(),
                of_token.contains(&subscription_id(2)),
            )
        };
        assert_eq!(in_indexes(), (true, true, true));
        assert!(store.delete_subscription(&subscription_id(2)).is_some());
        assert_eq!(in_indexes(), (false, false, false));
        assert!(store.delete_subscription(&subscription_id(2)).is_none());
        added(&store, subscription(2, 1, 2));
        store.delete_token(&token_id(1));
        assert_eq!(in_indexes(), (false, false, false));
        assert_eq!(store.snapshot().queue_subscriptions, []);
    }
}

#[test]
fn ns13_a_subscription_of_an_unknown_token_is_refused_only_under_strict() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        let before = store.snapshot();
        let one = Arc::new(Subscription::new(subscription(1, 9, 1)));
        let refused = (semantics == STRICT).then(|| NtfStoreError::UnknownToken(token_id(9)));
        assert_eq!(store.add_subscription(one).err(), refused);
        assert_eq!(store.snapshot() == before, semantics == STRICT);
    }
}

#[test]
fn ns13_a_token_with_another_key_leaves_its_registration_behind_only_under_reference() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let added = store.add_token(Arc::new(Token::new(token(1, 1, 9))));
        assert_eq!(added.replaced.unwrap().verify_key(), &verify_key(3));
        assert_eq!(found(&store, 1, 9), Some(token_id(1)));
        assert_eq!(found(&store, 1, 3).is_some(), semantics == REFERENCE);
        assert_eq!(is_sound(&store), semantics == STRICT);
        assert_eq!(ids(&store.token_subscriptions(&token_id(1))), [subscription_id(1)]);
        assert_eq!(store.last_ntfs(&token_id(1)).len(), 1, "what the id has stays with it");
    }
}

#[test]
fn ns14_race66_a_replaced_subscription_takes_nothing_of_the_newer_along_under_strict() {
    for semantics in BOTH {
        let strict = semantics == STRICT;
        let (store, _) = store_of(semantics, &[1]);
        added(&store, subscription(2, 1, 1));
        assert_eq!(store.get_subscription(&subscription_id(1)).is_none(), strict);
        assert_eq!(store.token_subscriptions(&token_id(1)).len(), if strict { 1 } else { 2 });
        store.delete_subscription(&subscription_id(1));
        assert_eq!(store.find_subscription(&queue(1)).is_some(), strict);
        assert_eq!(is_sound(&store), strict);
    }
}

#[test]
fn ns14_an_id_added_for_another_token_leaves_the_first_tokens_set_only_under_strict() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1, 2]);
        added(&store, subscription(1, 2, 1));
        assert_eq!(ids(&store.token_subscriptions(&token_id(2))), [1, 2].map(subscription_id));
        assert_eq!(store.token_subscriptions(&token_id(1)).is_empty(), semantics == STRICT);
        store.delete_token(&token_id(1));
        let kept = store.get_subscription(&subscription_id(1)).is_some();
        assert_eq!(kept, semantics == STRICT, "it was dropped with either token");
    }
}

#[test]
fn ns15_race68_a_rival_without_registration_is_found_only_under_strict() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let newer = with_token(&store, token(2, 1, 3));
        let removed = store.remove_rivals(&newer).unwrap();
        let expected = if semantics == STRICT { vec![token_id(1)] } else { vec![] };
        assert_eq!(removed.into_iter().map(|one| one.id).collect::<Vec<_>>(), expected);
        assert_eq!(store.find_subscription(&queue(1)).is_none(), semantics == STRICT);
        assert_eq!(is_sound(&store), semantics == STRICT);
    }
}

#[test]
fn ns16_several_operations_are_one_step_and_an_abort_leaves_nothing() {
    for semantics in BOTH {
        let (store, tokens) = store_of(semantics, &[1, 2]);
        let before = store.snapshot();
        let refused = try_atomically(|tx| {
            store.add_token_tx(tx, Arc::new(Token::new(token(3, 1, 3))))?;
            let added = Arc::new(Subscription::new(subscription(3, 3, 1)));
            let added = store.add_subscription_tx(tx, added);
            added.map_err(|error| error.map_abort(|error| error.to_string()))?;
            store.delete_subscription_tx(tx, &subscription_id(2))?;
            let _ = store.store_last_ntf_tx(tx, &token_id(3), ntf(1, 1))?;
            store.set_service_tx(tx, &server(1), Some(service_id(1)))?;
            let rivals = store.remove_rivals_tx(tx, &tokens[1]);
            let rivals = rivals.map_err(|error| error.map_abort(|error| error.to_string()))?;
            assert!(rivals.iter().any(|rival| rival.id == token_id(3)), "the part sees the others");
            store.delete_token_tx(tx, &token_id(2))?;
            abort::<(), _>("all taken back".to_owned())
        });
        assert_eq!(refused, Err("all taken back".to_owned()));
        assert_eq!(store.snapshot(), before);
    }
}

#[test]
fn ns17_results_come_in_order_of_key_bytes_and_of_subscription_ids() {
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        let survivor = with_token(&store, token(9, 1, 9));
        for (number, key) in [(1, 7), (2, 0), (3, 2), (4, 5)] {
            with_token(&store, token(number, 1, key));
        }
        for number in [8, 3, 5, 1] {
            added(&store, subscription(number, 3, number));
        }
        let listed = ids(&store.token_subscriptions(&token_id(3)));
        assert_eq!(listed, [1, 3, 5, 8].map(subscription_id));
        let removed = store.remove_rivals(&survivor).unwrap();
        let order: Vec<_> = removed.iter().map(|one| one.id.clone()).collect();
        assert_eq!(order, [2, 3, 4, 1].map(token_id), "keys 0, 2, 5, 7");
        assert_eq!(
            removed[1].queues().collect::<Vec<_>>(),
            [1, 3, 5, 8].map(queue).iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn ns18_a_tokens_state_changes_without_the_maps_and_may_be_without_a_date() {
    let day = RoundedDate::from_seconds(1_735_689_600);
    let registered = TokenState { status: TokenStatus::Registered, cron: 0, updated_at: Some(day) };
    assert_eq!(TokenState::registered(day), registered);
    for semantics in BOTH {
        let store = NtfStore::new(semantics);
        let record = TokenRec { updated_at: None, ..token(1, 1, 3) };
        let token = with_token(&store, record.clone());
        assert_eq!(token.record(), record);
        assert_eq!(NtfStore::from_snapshot(store.snapshot()).snapshot().tokens, [record]);
        let active = TokenState { status: TokenStatus::Active, cron: 20, updated_at: Some(day) };
        simplex_stores::stm::atomically(|tx| token.state().write(tx, active));
        let record = store.snapshot().tokens.remove(0);
        assert_eq!((record.status, record.cron, record.updated_at), (active.status, 20, Some(day)));
        assert_eq!(found(&store, 1, 3), Some(token_id(1)));
        let stored = store.get_token(&token_id(1)).unwrap();
        assert!(Arc::ptr_eq(&stored, &token));
    }
}

#[test]
fn a_subscriptions_state_changes_without_the_maps() {
    for semantics in BOTH {
        let (store, _) = store_of(semantics, &[1]);
        let one = store.get_subscription(&subscription_id(1)).unwrap();
        let ended = SubscriptionState { status: SubscriptionStatus::End, service_associated: true };
        simplex_stores::stm::atomically(|tx| one.state().write(tx, ended.clone()));
        let record = store.find_subscription(&queue(1)).unwrap().record();
        assert_eq!((record.status, record.service_associated), (ended.status, true));
        assert_eq!(one.server(), &server(1));
    }
}

#[test]
fn what_a_status_allows_is_the_table_of_section_4() {
    let invalid = TokenStatus::Invalid(Some(InvalidReason::Bad));
    for (status, verification, subscriptions) in [
        (TokenStatus::New, false, false),
        (TokenStatus::Registered, true, false),
        (TokenStatus::Confirmed, true, false),
        (TokenStatus::Active, true, true),
        (invalid, false, true),
        (TokenStatus::Expired, false, true),
    ] {
        assert_eq!(status.allows_verification(), verification, "{status:?}");
        assert_eq!(status.allows_subscription_commands(), subscriptions, "{status:?}");
    }
    use SubscriptionStatus::{Active, Auth, Deleted, End, Err, Inactive, New, Pending, Service};
    assert!([New, Pending, Active, Inactive].iter().all(SubscriptionStatus::is_subscribed));
    let error = Err(simplex_stores::protocol::Blob::default());
    assert!(![End, Deleted, Auth, Service, error].iter().any(SubscriptionStatus::is_subscribed));
}
