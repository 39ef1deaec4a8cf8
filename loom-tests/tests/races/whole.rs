//! What the races of the in-memory store share: a store with queues and services in it, and what must hold at every moment.

use loom_tests::scenario::{Store, two};
use simplex_stores::protocol::{
    CountHash, NtfCreds, QueueRec, Semantics, ServiceId, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::stm::{StmResult, Transaction};
use simplex_stores::testing::queue_store::sample;
use std::sync::Arc;

pub(crate) const BOTH: [(Semantics, &str); 2] =
    [(Semantics::Strict, "strict"), (Semantics::Reference, "reference")];

/// The numbers of the queues and services that a scenario may use.
const NUMBERS: [u8; 2] = [1, 2];

pub(crate) fn store(semantics: Semantics) -> Arc<Store> {
    Arc::new(StmQueueStore::new(BasicFactory, semantics))
}

/// A store with the services 1 and 2 of this role.
pub(crate) fn with_services(semantics: Semantics, role: ServiceRole) -> Arc<Store> {
    let store = store(semantics);
    for number in NUMBERS {
        store.get_or_create_service(sample::service(number, number, role)).unwrap();
    }
    store
}

/// Adds queue `number`, plain.
pub(crate) fn add(store: &Store, number: u8) -> Arc<BasicQueue> {
    store.add_queue(sample::recipient(number), sample::record(number)).unwrap()
}

/// Adds queue `number` with notifier `number` in this service.
pub(crate) fn add_with_notifier(store: &Store, number: u8, service: Option<u8>) -> Arc<BasicQueue> {
    let notifier = Some(Box::new(creds(number, service)));
    let record = QueueRec { notifier, ..sample::record(number) };
    store.add_queue(sample::recipient(number), record).unwrap()
}

pub(crate) fn creds(notifier: u8, service: Option<u8>) -> NtfCreds {
    sample::creds(notifier, service.map(sample::service_id))
}

/// The store as a whole holds together: indexes, records, sets and hashes.
pub(crate) fn assert_sound(store: &Store) {
    if let Err(found) = store.check_invariants() {
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        panic!("the store contradicts itself: {}", found.join("; "));
    }
}

/// Each service's count and hash are those of the records that name it, read in one transaction.
pub(crate) fn assert_agree(store: &Store) {
    let differing = store.transact(|tx, _| {
        for number in NUMBERS {
            for party in [ServiceParty::Receiver, ServiceParty::Notifier] {
                let service = sample::service_id(number);
                let told = told(store, tx, party, &service)?;
                let recorded = recorded(store, tx, party, &service)?;
                if told != recorded {
                    return Ok(Some((number, told, recorded)));
                }
            }
        }
        Ok(None)
    });
    if let Some((number, told, recorded)) = differing.unwrap() {
        panic!("service {number} does not agree with the records: {told:?}, {recorded:?}");
    }
}

/// Runs `a` and `b` on two threads while a third looks whether each service agrees with the records.
pub(crate) fn two_observed<A: Send + 'static, B>(
    store: &Arc<Store>,
    a: impl FnOnce() -> A + Send + 'static,
    b: impl FnOnce() -> B,
) -> (A, B) {
    let observed = store.clone();
    let ((), done) = two(move || assert_agree(&observed), || two(a, b));
    assert_agree(store);
    done
}

/// What the store says of a service; nothing, when there is none.
fn told(
    store: &Store,
    tx: &mut Transaction<'_>,
    party: ServiceParty,
    service: &ServiceId,
) -> StmResult<CountHash> {
    let answer = tx.catch_abort(|tx| store.service_count_hash_tx(tx, party, service))?;
    Ok(answer.unwrap_or(CountHash::EMPTY))
}

/// What the records say of it.
fn recorded(
    store: &Store,
    tx: &mut Transaction<'_>,
    party: ServiceParty,
    service: &ServiceId,
) -> StmResult<CountHash> {
    let mut sum = CountHash::EMPTY;
    for number in NUMBERS {
        let key = QueueKey::Recipient(sample::recipient(number));
        let found = tx.catch_abort(|tx| store.get_queue_rec_tx(tx, &key))?;
        let Ok((_, record)) = found else { continue };
        let (named, member) = match (party, &record.notifier) {
            (ServiceParty::Receiver, _) => {
                (&record.rcv_service_id, sample::recipient(number).as_bytes().to_vec())
            }
            (ServiceParty::Notifier, Some(creds)) => {
                (&creds.service_id, creds.notifier_id.as_bytes().to_vec())
            }
            (ServiceParty::Notifier, None) => continue,
        };
        if named.as_ref() == Some(service) {
            sum = sum.add(CountHash::of_id(&member));
        }
    }
    Ok(sum)
}
