//! The store over a database, on the model of one: its answers are those of the in-memory store.

use simplex_stores::protocol::Semantics;
use simplex_stores::queue_store::BasicFactory;
use simplex_stores::queue_store::database::{DatabaseQueueStore, DatabaseStoreConfig};
use simplex_stores::testing::queue_store::{ModelDatabase, contract};

fn store(use_cache: bool) -> DatabaseQueueStore<ModelDatabase> {
    let config = DatabaseStoreConfig::default().use_cache(use_cache);
    let db = ModelDatabase::new(Semantics::Strict);
    DatabaseQueueStore::open(db, BasicFactory, &config, None).unwrap()
}

#[test]
fn cached_it_keeps_the_contract() {
    contract::check(&|| store(true), 1);
}

#[test]
fn uncached_it_keeps_the_contract() {
    contract::check(&|| store(false), 1);
}
