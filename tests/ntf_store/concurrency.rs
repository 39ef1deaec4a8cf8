//! Many threads on one store: whatever the schedule, it stays sound, and nothing is lost that has to be unsubscribed.

use std::collections::BTreeMap;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::ntf_store::{NtfStore, StoredNtf, Subscription, Token};
use simplex_stores::protocol::Semantics;
use simplex_stores::protocol::ntf::{SubscriptionRec, TokenRec};
use simplex_stores::stm::{StmResult, TVar, Transaction, atomically};
use simplex_stores::sync::thread;
use simplex_stores::testing::ntf_store::sample::{
    device, ntf, queue, subscription, subscription_id, token, token_id, verify_key,
};
use simplex_stores::testing::ntf_store::{NtfAnswer, NtfOp, run};

const THREADS: u64 = 4;
const OPERATIONS: usize = 1_500;

/// Runs `work` on each of the threads, and gives what they give.
fn on_threads<T: Send + 'static>(work: impl Fn(u64) -> T + Clone + Send + 'static) -> Vec<T> {
    let spawned = (0..THREADS).map(|number| {
        let work = work.clone();
        thread::spawn(move || work(number))
    });
    let threads: Vec<_> = spawned.collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// How often each object of these was put in, less how often it was taken out; told apart by a field that nothing else has.
type Balance<T> = BTreeMap<Vec<u8>, (i64, T)>;

fn count<T: Clone>(balance: &mut Balance<T>, key: &[u8], value: &T, by: i64) {
    balance.entry(key.to_vec()).or_insert((0, value.clone())).0 += by;
}

/// What a thread put into the store and what it took out, by the answers that it got.
#[derive(Default)]
struct Account {
    tokens: Balance<TokenRec>,
    subscriptions: Balance<SubscriptionRec>,
}

impl Account {
    fn token(&mut self, record: &TokenRec, by: i64) {
        count(&mut self.tokens, record.reg_code.0.as_bytes(), record, by);
    }

    fn subscription(&mut self, record: &SubscriptionRec, by: i64) {
        count(&mut self.subscriptions, &record.notifier_key.to_der(), record, by);
    }

    fn note(&mut self, op: &NtfOp, answer: &NtfAnswer) {
        match (op, answer) {
            (NtfOp::AddToken(record), NtfAnswer::AddedToken { replaced, .. }) => {
                self.token(record, 1);
                replaced.iter().for_each(|record| self.token(record, -1));
            }
            (_, NtfAnswer::Removed(removed)) => {
                let tokens = removed.iter().flat_map(|one| &one.token);
                tokens.for_each(|record| self.token(record, -1));
                let subscriptions = removed.iter().flat_map(|one| &one.subscriptions);
                subscriptions.for_each(|record| self.subscription(record, -1));
            }
            (
                NtfOp::AddSubscription(record),
                NtfAnswer::AddedSubscription { same_id, same_queue },
            ) => {
                self.subscription(record, 1);
                let replaced = same_id.iter().chain(same_queue);
                replaced.for_each(|record| self.subscription(record, -1));
            }
            (NtfOp::DeleteSubscription(_), NtfAnswer::Subscription(Some(record))) => {
                self.subscription(record, -1);
            }
            _ => {}
        }
    }
}

/// The same call, with a mark in what it puts in by which the answers tell it apart from all others.
fn marked(op: NtfOp, thread: u64, number: usize) -> NtfOp {
    let mut mark = [0; 32];
    mark[..8].copy_from_slice(&thread.to_be_bytes());
    mark[8..16].copy_from_slice(&number.to_be_bytes());
    match op {
        NtfOp::AddToken(mut record) => {
            record.reg_code.0 = mark[..].into();
            NtfOp::AddToken(record)
        }
        NtfOp::AddSubscription(mut record) => {
            record.notifier_key = simplex_stores::protocol::ntf::AuthPrivateKey::X25519(mark);
            NtfOp::AddSubscription(record)
        }
        op => op,
    }
}

#[test]
fn what_was_put_in_is_in_the_store_or_was_given_back_once() {
    let store = Arc::new(NtfStore::new(Semantics::Strict));
    let shared = Arc::clone(&store);
    let accounts = on_threads(move |thread| {
        let mut g = Gen::from_size_and_seed(20, thread);
        let mut account = Account::default();
        for number in 0..OPERATIONS {
            let op = marked(NtfOp::arbitrary(&mut g), thread, number);
            let answer = run(&shared, &op);
            account.note(&op, &answer);
        }
        account
    });
    store.check_invariants().unwrap();
    let mut all = Account::default();
    for account in accounts {
        for (key, (sum, record)) in account.tokens {
            count(&mut all.tokens, &key, &record, sum);
        }
        for (key, (sum, record)) in account.subscriptions {
            count(&mut all.subscriptions, &key, &record, sum);
        }
    }
    let state = store.snapshot();
    state.tokens.iter().for_each(|record| all.token(record, -1));
    state.subscriptions.iter().for_each(|record| all.subscription(record, -1));
    assert!(all.tokens.len() > 500 && all.subscriptions.len() > 300);
    let lost: Vec<_> = all.tokens.values().filter(|(sum, _)| *sum != 0).collect();
    assert!(lost.is_empty(), "tokens put in and taken out a different number of times: {lost:?}");
    let lost: Vec<_> = all.subscriptions.values().filter(|(sum, _)| *sum != 0).collect();
    assert!(lost.is_empty(), "the same of subscriptions: {lost:?}");
}

#[test]
fn a_store_with_the_references_semantics_loses_subscriptions_in_the_same_account() {
    let store = NtfStore::new(Semantics::Reference);
    let mut account = Account::default();
    let adds = [subscription(1, 1, 1), subscription(2, 1, 1)];
    for op in adds.map(|record| NtfOp::AddSubscription(Box::new(record))) {
        let answer = run(&store, &op);
        account.note(&op, &answer);
    }
    store.snapshot().subscriptions.iter().for_each(|record| account.subscription(record, -1));
    assert!(
        account.subscriptions.values().any(|(sum, _)| *sum != 0),
        "said to be replaced, and there"
    );
}

#[test]
fn no_notification_is_lost_while_others_are_stored_and_tokens_come() {
    let store = Arc::new(NtfStore::with_last_ntf_limit(Semantics::Strict, None));
    let shared = Arc::clone(&store);
    let stored = on_threads(move |thread| {
        let number = thread as u8;
        shared.add_token(Arc::new(Token::new(token(number, number, 3))));
        let mut stored = BTreeMap::<u8, usize>::new();
        for message in 0..=255u8 {
            for token in 0..THREADS as u8 {
                let ntf = ntf(number, message);
                if shared.store_last_ntf(&token_id(token), ntf) != StoredNtf::UnknownToken {
                    *stored.entry(token).or_default() += 1;
                }
            }
        }
        stored
    });
    for token in 0..THREADS as u8 {
        let told: usize = stored.iter().flat_map(|stored| stored.get(&token)).sum();
        assert_eq!(store.last_ntfs(&token_id(token)).len(), told);
        assert!(told >= 256, "its own thread's, at least");
    }
    store.check_invariants().unwrap();
}

#[test]
fn each_queue_has_one_subscription_whoever_came_last() {
    for round in 0..50 {
        let store = Arc::new(NtfStore::new(Semantics::Strict));
        store.add_token(Arc::new(Token::new(token(1, 1, 3))));
        let shared = Arc::clone(&store);
        let replaced: usize = on_threads(move |thread| {
            let one = Subscription::new(subscription(thread as u8, 1, 1));
            usize::from(shared.add_subscription(Arc::new(one)).unwrap().existed())
        })
        .into_iter()
        .sum();
        assert_eq!(replaced, THREADS as usize - 1, "round {round}");
        let last = store.find_subscription(&queue(1)).unwrap();
        assert_eq!(store.snapshot().subscriptions, [last.record()]);
        assert!((0..THREADS as u8).any(|number| *last.id() == subscription_id(number)));
        store.check_invariants().unwrap();
    }
}

/// Runs a transaction that looks at a store with one token, to which another thread does something in the middle of
/// the first run; gives the number of runs and what the last one saw.
fn beside<T: Clone + Send + Sync + 'static>(
    look: impl Fn(&mut Transaction<'_>, &NtfStore) -> StmResult<T>,
    act: impl FnOnce(&NtfStore, &Token) + Send + 'static,
) -> (u32, Option<T>) {
    let store = Arc::new(NtfStore::new(Semantics::Strict));
    let held = Arc::new(Token::new(token(1, 1, 1)));
    store.add_token(Arc::clone(&held));
    let (mut runs, mut act, seen) = (0, Some(act), TVar::new(None));
    atomically(|tx| {
        runs += 1;
        let looked = look(tx, &store)?;
        if let Some(act) = act.take() {
            let (store, held) = (Arc::clone(&store), Arc::clone(&held));
            thread::spawn(move || act(&store, &held)).join().unwrap();
        }
        seen.write(tx, Some(looked))
    });
    (runs, seen.read_atomic())
}

#[test]
fn a_token_that_was_found_is_still_registered_when_the_transaction_ends() {
    let seen = beside(
        |tx, store| Ok(store.find_token_tx(tx, &device(1), &verify_key(1))?.is_some()),
        |store, held| assert!(store.remove_registration(held)),
    );
    assert_eq!(seen, (2, Some(false)));
}

#[test]
fn an_activation_without_rivals_changes_nothing() {
    let seen = beside(
        |tx, store| Ok(store.registrations_tx(tx, &device(1))?.len()),
        |store, held| assert!(store.remove_rivals(held).unwrap().is_empty()),
    );
    assert_eq!(seen, (1, Some(1)));
}
