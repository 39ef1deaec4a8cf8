//! The engines that are measured side by side: the library's, the `stm` crate used bare, and `fast-stm`.
//!
//! Each changes a variable by the call that its documentation offers for that: `update`, which changes the value in place, here;
//! `modify`, which makes a new one of a copy, there. The bare crates have no maps: theirs is what their users
//! write, a variable around a persistent map.

use im::HashMap;
use simplex_stores::stm::{TMap, TVar, atomically};

use crate::common::ENGINE;

/// How many variables a small transaction uses.
pub(crate) const VARIABLES: usize = 4;

/// Entries added in one transaction where nothing is timed.
const BATCH: u64 = 10_000;

/// The transactions that are measured, on any of the engines.
pub(crate) trait Engine {
    /// The name in the reports.
    const NAME: &'static str;
    /// A variable that holds a number.
    type Var: Send + Sync;
    /// A map from numbers to numbers.
    type Map: Send + Sync;

    /// Variables that hold zero.
    fn variables() -> [Self::Var; VARIABLES];

    /// Adds one to each of them, in one transaction.
    fn increment(variables: &[Self::Var; VARIABLES]);

    /// Their sum, read in one transaction.
    fn sum(variables: &[Self::Var; VARIABLES]) -> u64;

    /// A map of the numbers from 0 to `count`.
    fn map(count: u64) -> Self::Map;

    /// Inserts an entry in one transaction and removes it in another.
    fn insert_and_remove(map: &Self::Map, key: u64);
}

/// The library's engine, native or reference.
pub(crate) struct Ours;

impl Engine for Ours {
    const NAME: &'static str = ENGINE;
    type Var = TVar<u64>;
    type Map = TMap<u64, u64>;

    fn variables() -> [TVar<u64>; VARIABLES] {
        std::array::from_fn(|_| TVar::new(0))
    }

    fn increment(variables: &[TVar<u64>; VARIABLES]) {
        atomically(|tx| variables.iter().try_for_each(|var| var.update(tx, |n| *n += 1)));
    }

    fn sum(variables: &[TVar<u64>; VARIABLES]) -> u64 {
        atomically(|tx| variables.iter().try_fold(0, |sum, var| Ok(sum + var.read(tx)?)))
    }

    fn map(count: u64) -> TMap<u64, u64> {
        let map = TMap::new();
        for first in (0..count).step_by(BATCH as usize) {
            let entries = first..count.min(first + BATCH);
            atomically(|tx| map.union(tx, entries.clone().map(|key| (key, key))));
        }
        map
    }

    fn insert_and_remove(map: &TMap<u64, u64>, key: u64) {
        atomically(|tx| map.insert(tx, key, key));
        atomically(|tx| map.remove(tx, &key));
    }
}

/// The `stm` crate, bare.
pub(crate) struct StmCrate;

impl Engine for StmCrate {
    const NAME: &'static str = "stm_crate";
    type Var = stm::TVar<u64>;
    type Map = stm::TVar<HashMap<u64, u64>>;

    fn variables() -> [stm::TVar<u64>; VARIABLES] {
        std::array::from_fn(|_| stm::TVar::new(0))
    }

    fn increment(variables: &[stm::TVar<u64>; VARIABLES]) {
        stm::atomically(|tx| variables.iter().try_for_each(|var| var.modify(tx, |n| n + 1)));
    }

    fn sum(variables: &[stm::TVar<u64>; VARIABLES]) -> u64 {
        stm::atomically(|tx| variables.iter().try_fold(0, |sum, var| Ok(sum + var.read(tx)?)))
    }

    fn map(count: u64) -> stm::TVar<HashMap<u64, u64>> {
        stm::TVar::new((0..count).map(|key| (key, key)).collect())
    }

    fn insert_and_remove(map: &stm::TVar<HashMap<u64, u64>>, key: u64) {
        stm::atomically(|tx| map.modify(tx, |map| map.update(key, key)));
        stm::atomically(|tx| map.modify(tx, |map| map.without(&key)));
    }
}

/// `fast-stm`.
pub(crate) struct FastStm;

impl Engine for FastStm {
    const NAME: &'static str = "fast_stm";
    type Var = fast_stm::TVar<u64>;
    type Map = fast_stm::TVar<HashMap<u64, u64>>;

    fn variables() -> [fast_stm::TVar<u64>; VARIABLES] {
        std::array::from_fn(|_| fast_stm::TVar::new(0))
    }

    fn increment(variables: &[fast_stm::TVar<u64>; VARIABLES]) {
        fast_stm::atomically(|tx| variables.iter().try_for_each(|var| var.modify(tx, |n| n + 1)));
    }

    fn sum(variables: &[fast_stm::TVar<u64>; VARIABLES]) -> u64 {
        fast_stm::atomically(|tx| variables.iter().try_fold(0, |sum, var| Ok(sum + var.read(tx)?)))
    }

    fn map(count: u64) -> fast_stm::TVar<HashMap<u64, u64>> {
        fast_stm::TVar::new((0..count).map(|key| (key, key)).collect())
    }

    fn insert_and_remove(map: &fast_stm::TVar<HashMap<u64, u64>>, key: u64) {
        fast_stm::atomically(|tx| map.modify(tx, |map| map.update(key, key)));
        fast_stm::atomically(|tx| map.modify(tx, |map| map.without(&key)));
    }
}
