//! Each statement of the queue store, on a real server.

mod associations;
mod ids;
mod model;
mod outcomes;
mod queues;
mod races;
mod reading;
mod services;

pub(crate) use races::wait_until_blocked;

use std::time::Duration;

use simplex_stores::protocol::{QueueRec, RecipientId, Semantics, ServiceRec, ServiceRole};
use simplex_stores::queue_store::database::{QueueDatabase, ServiceFound};
use simplex_stores::queue_store::postgres::{PostgresQueueStoreConfig, PostgresQueues, Sharing};
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::sample;

use crate::fixture;

pub(crate) const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

/// Settings for a database of the fixture's: a small pool, no cache, no waiting for who keeps one out.
pub(crate) fn config(database: &TestDatabase) -> PostgresQueueStoreConfig {
    let config = database.config().unwrap().pool_size(3);
    let config = PostgresQueueStoreConfig::new(config).use_cache(false);
    config.lock_wait(Duration::from_millis(1))
}

pub(crate) fn open(config: &PostgresQueueStoreConfig) -> PostgresQueues {
    PostgresQueues::open(config, |_| panic!("nobody is to be asked")).unwrap().0
}

/// A new database, opened by one process.
pub(crate) fn queues(semantics: Semantics) -> (TestDatabase, PostgresQueues) {
    let database = fixture::with_schema();
    let queues = open(&config(&database).semantics(semantics));
    (database, queues)
}

/// One of several processes in a database.
pub(crate) fn process(database: &TestDatabase, semantics: Semantics) -> PostgresQueues {
    open(&config(database).semantics(semantics).sharing(Sharing::Processes))
}

pub(crate) fn service(number: u8, role: ServiceRole) -> ServiceRec {
    sample::service(number, number, role)
}

pub(crate) fn add_service(queues: &PostgresQueues, number: u8, role: ServiceRole) {
    let made = queues.find_or_insert_service(&service(number, role)).unwrap();
    assert_eq!(made, ServiceFound::Made(sample::service_id(number)));
}

/// A queue with everything that it can have, but services.
pub(crate) fn full(number: u8) -> QueueRec {
    use simplex_stores::protocol::QueueLink;

    QueueRec {
        sender_key: Some(sample::key(number)),
        link: Some(Box::new(QueueLink {
            id: sample::link(number),
            data: sample::link_data(number, number),
        })),
        notifier: Some(Box::new(sample::creds(number, None))),
        ..sample::record(number)
    }
}

pub(crate) fn add(queues: &PostgresQueues, number: u8, record: &QueueRec) -> RecipientId {
    let id = sample::recipient(number);
    queues.insert_queue(&id, record).unwrap();
    id
}

/// The record of a live queue.
pub(crate) fn record(queues: &PostgresQueues, id: &RecipientId) -> Option<QueueRec> {
    queues.find_queue(&id.clone().into()).unwrap().map(|(found, record)| {
        assert_eq!(found, *id);
        record
    })
}
