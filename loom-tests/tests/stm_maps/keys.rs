//! Transactions conflict by key: not on different ones, and always on one that another has changed, an absent one too.

use super::{Map, map_of, moves, put, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, atomically, without};
use simplex_stores::sync::Tally;
use std::sync::Arc;

/// Two threads add to keys of their own, to one each, or to the same; says how often bodies ran.
fn additions(map: &Map, keys: [u32; 2]) -> u64 {
    let runs = Arc::new(Tally::new());
    let add = |key: u32| {
        let (map, runs) = (map.clone(), runs.clone());
        move || {
            atomically(|tx| {
                runs.add(1);
                let value = map.get(tx, &key)?.unwrap_or(0);
                map.insert(tx, key, value + 1)
            });
        }
    };
    two(add(keys[0]), add(keys[1]));
    runs.sum()
}

fn assert_undisturbed(map: &Map, keys: [u32; 2]) {
    assert_eq!(additions(map, keys), 2, "a body ran again");
    let added: u32 = map.snapshot_atomic().iter().map(|(_, value)| value).sum();
    assert_eq!(added, 2);
}

#[test]
fn proof_different_keys_do_not_conflict() {
    explore("stm_maps/other_shard", 4, || {
        assert_undisturbed(&map_of(&[(stays(0), 0), (moves(0), 0)]), [stays(0), moves(0)]);
    });
}

#[test]
fn proof_absent_keys_of_one_shard_do_not_conflict_though_it_splits() {
    explore("stm_maps/same_shard", 4, || assert_undisturbed(&Map::new(), [stays(0), stays(1)]));
}

#[test]
fn twin_the_same_key_conflicts() {
    must_fail("stm_maps/same_key_runs", 4, "a body ran again", || {
        assert_undisturbed(&Map::new(), [stays(0), stays(0)]);
    });
}

/// Two threads add to the value of one key.
fn no_update_is_lost() {
    let map = map_of(&[(stays(0), 0)]);
    additions(&map, [stays(0), stays(0)]);
    assert_eq!(map.get_atomic(&stays(0)), Some(2), "an update is lost");
}

#[test]
fn proof_no_update_of_a_key_is_lost() {
    explore("stm_maps/updates", 4, no_update_is_lost);
}

#[test]
fn twin_unchecked_keys_lose_updates() {
    without(EngineFault::UncheckedKeys, || {
        must_fail("stm_maps/unchecked_keys", 4, "an update is lost", no_update_is_lost);
    });
}

/// Each thread writes its own key if the other's is as it was at first.
fn skew(first: Option<u32>, keys: [u32; 2]) {
    let map = Map::new();
    for key in keys {
        first.into_iter().for_each(|value| put(&map, key, value));
    }
    let set = |mine: u32, others: u32| {
        let map = map.clone();
        move || {
            atomically(|tx| match map.get(tx, &others)? == first {
                true => map.insert(tx, mine, 7),
                false => Ok(()),
            });
        }
    };
    two(set(keys[0], keys[1]), set(keys[1], keys[0]));
    let written = keys.iter().filter(|key| map.get_atomic(key) == Some(7)).count();
    assert_eq!(written, 1, "the writes are skewed");
}

#[test]
fn proof_writes_do_not_skew_through_absent_keys() {
    explore("stm_maps/skew_absent_same_shard", 4, || skew(None, [stays(0), stays(1)]));
}

#[test]
fn proof_writes_do_not_skew_through_keys_of_two_shards() {
    explore("stm_maps/skew_present", 4, || skew(Some(1), [stays(0), moves(0)]));
}

#[test]
fn proof_writes_do_not_skew_through_a_split() {
    explore("stm_maps/skew_absent", 4, || skew(None, [stays(0), moves(0)]));
}

#[test]
fn twin_unchecked_absence_skews() {
    without(EngineFault::UncheckedAbsence, || {
        must_fail("stm_maps/unchecked_absence", 4, "are skewed", || {
            skew(None, [stays(0), stays(1)]);
        });
    });
}

#[test]
fn twin_unchecked_keys_skew() {
    without(EngineFault::UncheckedKeys, || {
        must_fail("stm_maps/unchecked_keys_skew", 4, "are skewed", || {
            skew(Some(1), [stays(0), moves(0)]);
        });
    });
}
