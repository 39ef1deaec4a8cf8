//! A thread that waits for a key, or for anything in a map, is woken; also when what it waits for moves.

use super::{Map, map_of, moves, put, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, Transaction, atomically, guard, without};

/// Waits until `ready`, which the other thread's transactions make true one after the other.
fn waits(
    first: &[(u32, u32)],
    ready: impl Fn(&Map, &mut Transaction<'_>) -> bool,
    writes: &'static [fn(&Map)],
) {
    let map = map_of(first);
    let other = map.clone();
    two(
        move || writes.iter().for_each(|write| write(&other)),
        || atomically(|tx| guard(ready(&map, tx))),
    );
}

fn value(map: &Map, tx: &mut Transaction<'_>, key: u32) -> Option<u32> {
    map.get(tx, &key).unwrap_or_default()
}

fn waits_for_a_key() {
    waits(&[], |map, tx| value(map, tx, stays(0)).is_some(), &[|map| put(map, stays(0), 1)]);
}

fn waits_for_a_value() {
    let ready = |map: &Map, tx: &mut Transaction<'_>| value(map, tx, stays(0)) == Some(1);
    waits(&[(stays(0), 0)], ready, &[|map| put(map, stays(0), 1)]);
}

fn waits_for_any_entry() {
    let ready = |map: &Map, tx: &mut Transaction<'_>| map.is_empty(tx).is_ok_and(|empty| !empty);
    waits(&[], ready, &[|map| put(map, stays(0), 1)]);
}

/// The key that is waited for moves in a split before it is written.
fn waits_for_a_moving_key() {
    let ready = |map: &Map, tx: &mut Transaction<'_>| value(map, tx, moves(0)) == Some(1);
    waits(&[(moves(0), 0)], ready, &[|map| put(map, stays(0), 1), |map| put(map, moves(0), 1)]);
}

/// The shard that is waited for splits before an entry comes into its other half.
fn waits_for_an_entry_in_a_new_shard() {
    let ready = |map: &Map, tx: &mut Transaction<'_>| map.len(tx).is_ok_and(|len| len == 3);
    let first = [(stays(0), 0)];
    waits(&first, ready, &[|map| put(map, moves(0), 1), |map| put(map, moves(1), 1)]);
}

const WAITS: [(&str, fn()); 5] = [
    ("key", waits_for_a_key),
    ("value", waits_for_a_value),
    ("any_entry", waits_for_any_entry),
    ("moving_key", waits_for_a_moving_key),
    ("new_shard", waits_for_an_entry_in_a_new_shard),
];

#[test]
fn proof_a_sleeper_is_woken() {
    for (name, scenario) in WAITS {
        explore(&format!("stm_maps/wake/{name}"), 4, scenario);
    }
}

#[test]
fn twin_an_unchecked_sleep_misses_the_change() {
    without(EngineFault::UncheckedSleep, || {
        for (name, scenario) in WAITS {
            must_fail(&format!("stm_maps/unchecked_sleep/{name}"), 4, "deadlock", scenario);
        }
    });
}

#[test]
fn twin_a_split_that_forgets_who_waits() {
    without(EngineFault::ForgottenWaiters, || {
        must_fail("stm_maps/forgotten_waiters/key", 4, "deadlock", waits_for_a_moving_key);
        must_fail(
            "stm_maps/forgotten_waiters/whole",
            4,
            "deadlock",
            waits_for_an_entry_in_a_new_shard,
        );
    });
}
