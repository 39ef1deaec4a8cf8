//! Many threads on one store: whatever the schedule, the invariants hold, and the journal
//! explains the state.

use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::{BasicFactory, QueueStore, StmQueueStore};
use simplex_stores::store_log::{Durability, StoreLogConfig};
use simplex_stores::sync::thread;

use simplex_stores::testing::queue_store::sample::{key, recipient, record};
use simplex_stores::testing::queue_store::{Answer, QueueOp, run as call};

const THREADS: u64 = 4;
const OPERATIONS: usize = 1_500;

#[test]
fn concurrent_operations_keep_the_invariants_and_the_journal_explains_the_state() {
    for durability in [Durability::Memory, Durability::Flush] {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreLogConfig::new(folder.path().join("store.log"))
            .semantics(Semantics::Strict)
            .durability(durability);
        let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        let store = Arc::new(store);
        let workers: Vec<_> = (0..THREADS)
            .map(|_| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    let mut g = Gen::new(20);
                    for _ in 0..OPERATIONS {
                        let _ = call_tolerantly(&store, &QueueOp::arbitrary(&mut g));
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        store.check_invariants().unwrap();
        let state = store.snapshot();
        store.close().unwrap();
        let (replayed, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
        assert!(report.warnings.is_empty(), "{:?}", report.warnings);
        assert_eq!(replayed.snapshot(), state, "the journal's order explains the state");
    }
}

/// `call`, less the one check in it that holds only without other threads.
fn call_tolerantly(store: &StmQueueStore, op: &QueueOp) -> Answer {
    match op {
        QueueOp::Get(key) => store.get_queue_rec(key).map(|_| String::new()),
        op => call(store, op),
    }
}

#[test]
fn one_of_many_threads_secures_a_queue_and_the_others_are_told() {
    let mut rng = SmallRng::seed_from_u64(3);
    for _ in 0..50 {
        let store = Arc::new(StmQueueStore::new(BasicFactory, Semantics::Strict));
        let queue = store.add_queue(recipient(1), record(1)).unwrap();
        let offset: u8 = rng.random_range(0..100);
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (store, queue) = (Arc::clone(&store), Arc::clone(&queue));
                thread::spawn(move || store.secure_queue(&queue, key(offset + number)).is_ok())
            })
            .collect();
        let told: Vec<bool> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(told.iter().filter(|ok| **ok).count(), 1);
        let winner = told.iter().position(|ok| *ok).unwrap() as u8;
        let (_, record) = store.get_queue_rec(&recipient(1).into()).unwrap();
        assert_eq!(record.sender_key, Some(key(offset + winner)));
    }
}

#[test]
fn closing_under_load_acknowledges_nothing_that_is_not_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreLogConfig::new(folder.path().join("store.log"));
    let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
    let store = Arc::new(store);
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                let mut rng = rand::rng();
                let mut added = Vec::new();
                loop {
                    let id = simplex_stores::protocol::RecipientId::random(&mut rng);
                    let mut record = record(1);
                    record.sender_id = simplex_stores::protocol::SenderId::random(&mut rng);
                    if store.add_queue(id.clone(), record).is_err() {
                        return added;
                    }
                    added.push(id);
                }
            })
        })
        .collect();
    while store.entity_counts().unwrap().queues < 200 {
        thread::yield_now();
    }
    store.close().unwrap();
    let added: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    let (replayed, _) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    for id in &added {
        assert!(
            replayed.get_queue(&id.clone().into()).is_ok(),
            "{id} was acknowledged and is lost"
        );
    }
}
