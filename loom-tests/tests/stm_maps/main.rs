//! The maps of the native engine from the inside: locks of shards, versions of keys, splits, snapshots and who waits, in every interleaving.
//!
//! A shard splits at two entries here, and the keys are chosen so that a split parts them, or doesn't. Each guard that
//! can be taken out has a twin that must fail. `RUSTFLAGS="--cfg loom --cfg native_engine"`.
#![cfg(all(loom, native_engine))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod keys;
mod moments;
mod snapshots;
mod splits;
mod waiting;
mod whole;

use simplex_stores::stm::{TMap, atomically, hash_in_maps};

type Map = TMap<u32, u32>;

/// The `n`th key that a first split leaves where it is.
fn stays(n: usize) -> u32 {
    (0..).filter(|key| hash_in_maps(key) & 3 == 0).nth(n).unwrap()
}

/// The `n`th key that a first split moves.
fn moves(n: usize) -> u32 {
    (0..).filter(|key| hash_in_maps(key) & 3 == 1).nth(n).unwrap()
}

fn map_of(entries: &[(u32, u32)]) -> Map {
    let map = Map::new();
    atomically(|tx| map.union(tx, entries.iter().copied()));
    map
}

fn put(map: &Map, key: u32, value: u32) {
    atomically(|tx| map.insert(tx, key, value));
}
