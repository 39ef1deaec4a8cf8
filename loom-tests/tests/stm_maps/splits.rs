//! A shard splits while its keys are looked for and written.

use super::{map_of, moves, put, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, atomically, without};

/// A key is looked for, inside a transaction or outside, while a split moves it.
fn a_moving_key_is_found(inside: bool) {
    let map = map_of(&[(moves(0), 7)]);
    let other = map.clone();
    two(
        move || put(&other, stays(0), 1),
        || {
            let found = match inside {
                true => atomically(|tx| map.get(tx, &moves(0))),
                false => map.get_atomic(&moves(0)),
            };
            assert_eq!(found, Some(7), "a key is missed");
        },
    );
    assert_eq!(map.len_atomic(), 2);
}

#[test]
fn proof_a_moving_key_is_found() {
    explore("stm_maps/split_get", 4, || a_moving_key_is_found(true));
}

#[test]
fn proof_a_moving_key_is_found_outside_of_transactions() {
    explore("stm_maps/split_get_atomic", 4, || a_moving_key_is_found(false));
}

#[test]
fn twin_an_unchecked_shard_misses_a_key() {
    without(EngineFault::UncheckedShards, || {
        must_fail("stm_maps/unchecked_shards", 4, "a key is missed", || {
            a_moving_key_is_found(false);
        });
    });
}

/// A key is written while a split moves it.
fn a_moving_key_is_written() {
    let map = map_of(&[(moves(0), 7)]);
    let other = map.clone();
    two(move || put(&other, stays(0), 1), || put(&map, moves(0), 8));
    assert_eq!(map.get_atomic(&moves(0)), Some(8), "a write is lost");
    assert_eq!(map.len_atomic(), 2, "a key is there twice");
}

#[test]
fn proof_a_moving_key_is_written() {
    explore("stm_maps/split_write", 4, a_moving_key_is_written);
}

#[test]
fn twin_an_unchecked_target_loses_a_write() {
    without(EngineFault::UncheckedTargets, || {
        must_fail("stm_maps/unchecked_targets", 4, "a write is lost", a_moving_key_is_written);
    });
}

/// Two threads fill the map so that each makes a shard split.
fn two_splits() {
    let map = map_of(&[(moves(0), 0)]);
    let keys = [stays(0), moves(1)];
    let insert = |key: u32| {
        let map = map.clone();
        move || put(&map, key, 1)
    };
    two(insert(keys[0]), insert(keys[1]));
    assert_eq!(map.get_atomic(&moves(0)), Some(0), "a key is lost");
    for key in keys {
        assert_eq!(map.get_atomic(&key), Some(1), "a key is lost");
    }
    assert_eq!(map.snapshot_atomic().len(), 3, "a key is there twice");
}

#[test]
fn proof_two_splits_lose_nothing() {
    explore("stm_maps/two_splits", 4, two_splits);
}

#[test]
fn twin_unchecked_targets_lose_keys() {
    without(EngineFault::UncheckedTargets, || {
        must_fail("stm_maps/unchecked_targets_splits", 4, "a key is lost", two_splits);
    });
}
