//! The store over a database in random schedules: programs that are drawn anew for each schedule from its seed.
//!
//! **The promise.** With a cache, a cache that is always too full, or none, the answers are those of some order of the calls; and in the
//! end the cache has what the database has, each queue has one object, and nobody holds a lock.
//!
//! **The twins.** Rows that enter the cache unchecked, and changes without locks: each fails, and its seed makes it fail again.
#![cfg(shuttle)]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use loom_tests::database::{DbStore, assert_coherent};
use loom_tests::record;
use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{RecipientId, Semantics};
use simplex_stores::queue_store::database::{
    DatabaseQueueStore, DatabaseStoreConfig, StoreFault, without,
};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore, StoreQueue};
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::history::{Recorder, SequentialModel, check};
use simplex_stores::testing::model_check::{Checker, seed};
use simplex_stores::testing::queue_store::{ModelDatabase, QueueModel, QueueOp, run, sample};
use std::sync::Arc;

/// How many queues the programs are about.
const QUEUES: u8 = 3;

/// Calls that are one step by contract, on these queues.
fn is_kept(op: &QueueOp) -> bool {
    let known = |id: &RecipientId| (0..QUEUES).any(|number| sample::recipient(number) == *id);
    match op {
        QueueOp::Restart | QueueOp::SetServices(..) | QueueOp::Fold(_) => false,
        QueueOp::Add(id, _)
        | QueueOp::Get(QueueKey::Recipient(id))
        | QueueOp::GetLink(id, _)
        | QueueOp::AddLink(id, ..)
        | QueueOp::DeleteLink(id)
        | QueueOp::Secure(id, _)
        | QueueOp::Keys(id, _)
        | QueueOp::AddNotifier(id, _)
        | QueueOp::DeleteNotifier(id)
        | QueueOp::Suspend(id)
        | QueueOp::Block(id, _)
        | QueueOp::Unblock(id)
        | QueueOp::Time(id, _)
        | QueueOp::Delete(id)
        | QueueOp::SetService(id, ..) => known(id),
        _ => true,
    }
}

fn calls(g: &mut Gen, count: usize) -> Vec<QueueOp> {
    let mut calls = Vec::new();
    while calls.len() < count {
        calls.extend(Some(QueueOp::arbitrary(g)).filter(is_kept));
    }
    calls
}

fn open(config: DatabaseStoreConfig) -> Arc<DbStore> {
    let db = ModelDatabase::new(Semantics::Strict);
    Arc::new(DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap())
}

/// Three threads of six calls, on a store in which something is already.
fn history(config: DatabaseStoreConfig) {
    let mut g = Gen::from_size_and_seed(60, seed());
    let store = open(config);
    let mut model = QueueModel::default();
    for op in calls(&mut g, 12) {
        assert_eq!(run(&*store, &op), model.apply(&op), "one thread alone, {op:?}");
    }
    let recorder = Arc::new(Recorder::new());
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (store, recorder, program) = (store.clone(), recorder.clone(), calls(&mut g, 6));
            spawn(move || {
                let call = |op| recorder.record(op, |op| run(&*store, op));
                program.into_iter().map(call).collect::<Vec<_>>()
            })
        })
        .collect();
    let calls: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    if let Err(error) = check(&model, &calls) {
        panic!("{error}");
    }
    assert_eq!(store.locks_held(), 0, "a lock is held after the last call");
    for queue in store.loaded_queues().unwrap() {
        let in_database = store.database().record(queue.recipient_id());
        let record = queue.record().read_atomic();
        assert!(record.as_deref() == in_database.as_ref(), "the cache and the database differ");
    }
}

fn cached() {
    history(DatabaseStoreConfig::default());
}

fn explore(name: &str, scenario: fn()) {
    record(name, Checker::new().schedules(1_000).check(scenario));
}

#[test]
fn histories_of_a_cached_store_are_linearizable() {
    explore("random/database_cached", || {
        cached();
    });
}

#[test]
fn histories_with_a_cache_that_is_too_full_are_linearizable() {
    explore("random/database_small", || {
        history(DatabaseStoreConfig::default().cache_capacity(Some(1)));
    });
}

#[test]
fn histories_without_a_cache_are_linearizable() {
    explore("random/database_uncached", || {
        history(DatabaseStoreConfig::default().use_cache(false));
    });
}

/// Two processes with caches on one database, each told of the other when all is done: both have what the database has.
fn two_processes() {
    let mut g = Gen::from_size_and_seed(60, seed());
    let db = ModelDatabase::new(Semantics::Strict);
    let open = |db: ModelDatabase| {
        let config = DatabaseStoreConfig::default();
        Arc::new(DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap())
    };
    let stores = [open(db.another_process()), open(db)];
    for op in calls(&mut g, 12) {
        let _any_answer = run(&*stores[0], &op);
    }
    stores.iter().for_each(|store| store.database().deliver());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (store, program) = (stores[thread % 2].clone(), calls(&mut g, 6));
            spawn(move || {
                for (number, op) in program.iter().enumerate() {
                    let _any_answer = run(&*store, op);
                    if number % 3 == 2 {
                        store.database().deliver();
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for store in &stores {
        store.database().deliver();
        assert_coherent(store, &[0, 1, 2]);
    }
}

#[test]
fn two_processes_that_are_told_of_each_other_have_what_the_database_has() {
    explore("random/database_processes", two_processes);
}

#[test]
fn twins_without_a_guard_they_are_not() {
    let twins: [(&str, fn()); 2] = [
        ("", || without(StoreFault::UncheckedLoads, cached)),
        ("", || without(StoreFault::NoLocks, cached)),
    ];
    for (text, twin) in twins {
        let failure = Checker::new().must_fail(text, twin);
        let again = Checker::replay(failure.seed.unwrap(), twin).unwrap_err();
        assert_eq!(again.text, failure.text, "the seed gave another failure");
    }
}
