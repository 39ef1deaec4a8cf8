//! Several stores on one schema, and calls from within a fold.

use std::sync::Arc;
use std::time::Duration;

use simplex_stores::protocol::{ErrorType, QueueRec, ServiceParty, ServiceRole};
use simplex_stores::queue_store::postgres::{
    PostgresQueueStore, PostgresQueueStoreConfig, Sharing,
};
use simplex_stores::queue_store::{QueueKey, QueueStore, StoreQueue};
use simplex_stores::sync::thread;
use simplex_stores::testing::queue_store::sample;

use super::support::{Databases, WAITING, open, rows, until};
use crate::fixture::client;

/// Two stores, each over a row of its own of what the other changes at the same time.
struct Two {
    // Closed before their database goes.
    stores: [Arc<PostgresQueueStore>; 2],
    databases: Databases,
}

impl Two {
    fn new(use_cache: bool) -> Self {
        let databases = Databases::new();
        let config = databases.config().sharing(Sharing::Processes).use_cache(use_cache);
        let first = databases.empty(&config);
        first.add_queue(sample::recipient(1), sample::record(1)).unwrap();
        let stores = [Arc::new(first), Arc::new(open(&config))];
        Self { stores, databases }
    }

    /// Makes a change in both stores, when both have found the queue and wait for its row.
    fn at_once<T: Send + 'static>(
        &self,
        change: impl Fn(&PostgresQueueStore, &QueueRef, u8) -> Result<T, ErrorType>
        + Send
        + Sync
        + 'static,
    ) -> Vec<Result<T, ErrorType>> {
        let mut other = client(&self.databases.database);
        let mut lock = other.transaction().unwrap();
        lock.batch_execute("SELECT 1 FROM msg_queues FOR UPDATE").unwrap();
        let change = Arc::new(change);
        let running = (1..).zip(&self.stores).map(|(number, store)| {
            let (store, change) = (Arc::clone(store), Arc::clone(&change));
            let queue = store.get_queue(&QueueKey::Recipient(sample::recipient(1))).unwrap();
            thread::spawn(move || change(&store, &queue, number))
        });
        let running: Vec<_> = running.collect();
        until(&mut client(&self.databases.database), WAITING, 2);
        lock.commit().unwrap();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    }

    fn row(&self) -> QueueRec {
        rows(&mut client(&self.databases.database)).remove(&sample::recipient(1)).unwrap()
    }
}

type QueueRef = Arc<simplex_stores::queue_store::BasicQueue>;

#[test]
fn race38_of_two_processes_that_secure_a_queue_one_succeeds() {
    for use_cache in [false, true] {
        let two = Two::new(use_cache);
        let answers =
            two.at_once(|store, queue, number| store.secure_queue(queue, sample::key(number)));
        let row = two.row().sender_key;
        let winner = if row == Some(sample::key(1)) { 0 } else { 1 };
        assert_eq!(row, Some(sample::key(winner as u8 + 1)));
        assert_eq!(answers[winner], Ok(()));
        assert_eq!(answers[1 - winner], Err(ErrorType::Auth));
    }
}

#[test]
fn race38_of_two_processes_that_set_a_notifier_the_later_is_told_of_the_other_s() {
    for use_cache in [false, true] {
        let two = Two::new(use_cache);
        let answers = two
            .at_once(|store, queue, number| store.add_notifier(queue, sample::creds(number, None)));
        let row = two.row().notifier.map(|creds| creds.notifier_id);
        let last = if row == Some(sample::notifier(1)) { 0 } else { 1 };
        assert_eq!(answers[1 - last], Ok(None));
        assert_eq!(answers[last], Ok(Some(sample::creds(2 - last as u8, None))));
        // Whoever deletes it, whatever was cached before, gets the one that is there.
        let deleted = two.at_once(|store, queue, _| store.delete_notifier(queue));
        let deleted: Vec<_> = deleted.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(deleted, [sample::creds(last as u8 + 1, None)]);
    }
}

#[test]
fn race38_of_two_processes_that_set_a_link_one_sets_its_fixed_part() {
    for use_cache in [false, true] {
        let two = Two::new(use_cache);
        let answers = two.at_once(|store, queue, number| {
            store.add_link_data(queue, sample::link(1), sample::link_data(number, 1))
        });
        let fixed = two.row().link.unwrap().data.fixed;
        let winner = usize::from(fixed != sample::link_data(1, 1).fixed);
        assert_eq!(answers[winner], Ok(()));
        assert_eq!(answers[1 - winner], Err(ErrorType::Auth));
    }
}

#[test]
fn race46_race47_a_fold_holds_no_connection_while_its_step_uses_the_store() {
    for use_cache in [false, true] {
        let databases = Databases::new();
        let settings =
            databases.settings().pool_size(1).checkout_timeout(Duration::from_millis(500));
        let store = databases.empty(&PostgresQueueStoreConfig::new(settings).use_cache(use_cache));
        let service =
            store.get_or_create_service(sample::service(1, 1, ServiceRole::Messaging)).unwrap();
        for number in 1..=5 {
            let record =
                QueueRec { rcv_service_id: Some(service.clone()), ..sample::record(number) };
            store.add_queue(sample::recipient(number), record).unwrap();
        }
        let store = Arc::new(store);
        let other = Arc::clone(&store);
        let folded = store.fold_service_queues(&service, 0, |count, id, _| {
            let queue = other.get_queue(&QueueKey::Recipient(id.clone())).unwrap();
            other.secure_queue(&queue, sample::key(1)).unwrap();
            // Somebody else, too, gets the one connection and the queue's lock while this step lasts.
            let (other, id) = (Arc::clone(&other), queue.recipient_id().clone());
            let changed = thread::spawn(move || {
                let queue = other.get_queue(&QueueKey::Recipient(id)).unwrap();
                other.set_queue_service(&queue, ServiceParty::Receiver, None)
            });
            changed.join().unwrap().unwrap();
            count + 1
        });
        assert_eq!(folded, Ok(5));
        store.close().unwrap();
    }
}
