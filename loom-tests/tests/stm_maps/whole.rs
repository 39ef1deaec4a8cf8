//! A transaction that has looked at a whole map depends on all of it.

use super::{Map, map_of, moves, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, Transaction, atomically, without};

/// Two threads add a key each if the map has as many entries as at first. `len`: how they count.
fn phantoms(
    first: &[(u32, u32)],
    len: impl Fn(&Map, &mut Transaction<'_>) -> usize + Copy + Send + 'static,
) {
    let map = map_of(first);
    let before = first.len();
    let add = |key: u32| {
        let map = map.clone();
        move || {
            atomically(|tx| match len(&map, tx) == before {
                true => map.insert(tx, key, 1),
                false => Ok(()),
            });
        }
    };
    two(add(stays(2)), add(moves(2)));
    assert_eq!(map.len_atomic(), before + 1, "a phantom");
}

/// A conflict gives a number that is no length: the run will be repeated.
fn by_len(map: &Map, tx: &mut Transaction<'_>) -> usize {
    map.len(tx).unwrap_or(usize::MAX)
}

fn by_snapshot(map: &Map, tx: &mut Transaction<'_>) -> usize {
    map.snapshot(tx).map_or(usize::MAX, |all| all.iter().count())
}

#[test]
fn proof_the_length_of_one_shard_has_no_phantoms() {
    explore("stm_maps/len_small", 4, || phantoms(&[], by_len));
}

#[test]
fn proof_the_length_of_several_shards_has_no_phantoms() {
    explore("stm_maps/len", 3, || phantoms(&[(stays(0), 0), (moves(0), 0)], by_len));
}

#[test]
fn proof_a_snapshot_in_a_transaction_has_no_phantoms() {
    explore("stm_maps/snapshot_inside", 4, || phantoms(&[], by_snapshot));
}

#[test]
fn twin_unchecked_whole_maps_have_phantoms() {
    without(EngineFault::UncheckedWhole, || {
        must_fail("stm_maps/unchecked_whole/len", 4, "a phantom", || phantoms(&[], by_len));
        must_fail("stm_maps/unchecked_whole/snapshot", 4, "a phantom", || {
            phantoms(&[(stays(0), 0), (moves(0), 0)], by_snapshot);
        });
    });
}

/// One thread clears the map, the other adds a key if there is one already.
fn cleared() {
    let map = map_of(&[(stays(0), 0)]);
    let other = map.clone();
    let clear = move || atomically(|tx| other.clear(tx));
    two(clear, || {
        atomically(|tx| match map.contains_key(tx, &stays(0))? {
            true => map.insert(tx, moves(0), 1),
            false => Ok(()),
        });
    });
    assert_eq!(map.len_atomic(), 0, "something is left");
}

#[test]
fn proof_clearing_leaves_nothing() {
    explore("stm_maps/clear", 4, cleared);
}

#[test]
fn twin_an_unchecked_whole_map_is_not_cleared() {
    without(EngineFault::UncheckedWhole, || {
        must_fail("stm_maps/unchecked_whole/clear", 4, "something is left", cleared);
    });
}
