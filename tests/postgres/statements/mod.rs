//! Each statement of the queue store, on a real server.

mod model;

use std::time::Duration;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{CertChain, Semantics, ServiceRec, ServiceRole};
use simplex_stores::queue_store::postgres::{PostgresQueueStoreConfig, PostgresQueues};
use simplex_stores::testing::postgres::TestDatabase;
use simplex_stores::testing::queue_store::sample;

use crate::fixture;

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

/// A service whose certificates the table can hold.
pub(crate) fn service(number: u8, role: ServiceRole) -> ServiceRec {
    let drawn = |seed| CertChain::arbitrary(&mut Gen::from_size_and_seed(5, seed));
    let chain = (0..).map(drawn).find(|chain| !chain.certificates().is_empty());
    ServiceRec { cert_chain: chain.unwrap(), ..sample::service(number, number, role) }
}
