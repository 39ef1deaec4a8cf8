//! The contract suite, which the in-memory store passes too. `SIMPLEX_STORES_HISTORIES` says how many sequences and
//! how many histories (default 25 each).

use simplex_stores::queue_store::postgres::{PostgresQueueStore, Sharing};
use simplex_stores::testing::queue_store::contract;

use super::support::Databases;

fn check(new: &dyn Fn() -> PostgresQueueStore, seed: u64) {
    let runs = std::env::var("SIMPLEX_STORES_HISTORIES").ok();
    contract::check_runs(new, seed, runs.map_or(25, |runs| runs.parse().unwrap()));
}

#[test]
fn cached_it_keeps_the_contract() {
    let databases = Databases::new();
    let config = databases.config();
    check(&|| databases.empty(&config), 1);
}

#[test]
fn uncached_it_keeps_the_contract() {
    let databases = Databases::new();
    let config = databases.config().use_cache(false);
    check(&|| databases.empty(&config), 2);
}

#[test]
fn among_several_processes_it_keeps_the_contract() {
    let databases = Databases::new();
    let config = databases.config().sharing(Sharing::Processes);
    check(&|| databases.empty(&config), 3);
}
