//! The store over a database, on the model of one: its answers are those of the in-memory store.

mod coherence;
mod faults;
mod rules;

use std::sync::Arc;

use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::database::{DatabaseQueueStore, DatabaseStoreConfig};
use simplex_stores::queue_store::{BasicFactory, QueueKey, QueueStore};
use simplex_stores::testing::queue_store::sample::{key, recipient, record, sender};
use simplex_stores::testing::queue_store::{ModelDatabase, contract};

fn store(use_cache: bool) -> DatabaseQueueStore<ModelDatabase> {
    store_with(&DatabaseStoreConfig::default().use_cache(use_cache))
}

fn small_cache() -> DatabaseQueueStore<ModelDatabase> {
    store_with(&DatabaseStoreConfig::default().cache_capacity(Some(2)))
}

fn store_with(config: &DatabaseStoreConfig) -> DatabaseQueueStore<ModelDatabase> {
    let db = ModelDatabase::new(Semantics::Strict);
    DatabaseQueueStore::open(db, BasicFactory, config, None).unwrap()
}

#[test]
fn cached_it_keeps_the_contract() {
    contract::check(&|| store(true), 1);
}

#[test]
fn uncached_it_keeps_the_contract() {
    contract::check(&|| store(false), 1);
}

#[test]
fn with_a_cache_that_is_always_too_full_it_keeps_the_contract() {
    contract::check(&small_cache, 1);
}

#[test]
fn race21_a_cache_has_no_more_queues_than_its_capacity() {
    let store = small_cache();
    for number in 0..100 {
        store.add_queue(recipient(number), record(number)).unwrap();
        store.get_queue(&QueueKey::from(sender(number / 2))).unwrap();
        assert!(store.loaded_queues().unwrap().len() <= 2);
        assert!(store.resting() <= 4, "{} rest", store.resting());
    }
}

#[test]
fn race37_a_queue_that_was_taken_out_of_the_cache_gets_the_object_again_that_is_held() {
    let store = small_cache();
    let held = store.add_queue(recipient(1), record(1)).unwrap();
    for number in 2..50 {
        store.add_queue(recipient(number), record(number)).unwrap();
    }
    let loaded = store.loaded_queues().unwrap();
    assert!(!loaded.iter().any(|queue| Arc::ptr_eq(queue, &held)));
    store.secure_queue(&held, key(9)).unwrap();
    let (again, record) = store.get_queue_rec(&QueueKey::from(sender(1))).unwrap();
    assert!(Arc::ptr_eq(&again, &held));
    assert_eq!(record.sender_key, Some(key(9)));
}

#[test]
fn nothing_is_kept_of_queues_that_were_taken_out_and_are_not_held() {
    let store = small_cache();
    let mut held = Vec::new();
    for number in 0..50 {
        held.push(store.add_queue(recipient(number), record(number)).unwrap());
    }
    assert_eq!(store.resting(), 48);
    drop(held);
    for number in 100..200 {
        store.add_queue(recipient(number), record(number)).unwrap();
    }
    assert!(store.resting() <= 4, "{} rest", store.resting());
}

#[test]
fn race21_batches_fill_a_cache_no_further_either() {
    let db = ModelDatabase::new(Semantics::Strict);
    let uncached = DatabaseStoreConfig::default().use_cache(false);
    let filled = DatabaseQueueStore::open(db.clone(), BasicFactory, &uncached, None).unwrap();
    for number in 0..200 {
        filled.add_queue(recipient(number), record(number)).unwrap();
    }
    let config = DatabaseStoreConfig::default().cache_capacity(Some(2));
    let store = DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap();
    let ids: Vec<_> = (0..200).map(recipient).collect();
    for _round in 0..3 {
        let found = store.get_queues(&ids).unwrap();
        assert!(found.iter().all(Result::is_ok));
        assert!(store.loaded_queues().unwrap().len() <= 2);
    }
}
