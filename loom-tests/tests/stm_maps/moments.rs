//! What a body sees is of one moment, and what a branch wrote that retried is not there.

use super::{Map, map_of, moves, put, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, TVar, atomically, guard, without};

/// A key comes and goes; a variable says which of the three states it is.
fn an_absent_key_is_of_one_moment() {
    let (map, state) = (Map::new(), TVar::new(0));
    let (map2, state2) = (map.clone(), state.clone());
    let write = move || {
        atomically(|tx| {
            map2.insert(tx, stays(0), 1)?;
            state2.write(tx, 1)
        });
        atomically(|tx| {
            map2.remove(tx, &stays(0))?;
            state2.write(tx, 2)
        });
    };
    two(write, || {
        atomically(|tx| {
            let state = state.read(tx)?;
            let present = map.contains_key(tx, &stays(0))?;
            assert_eq!(present, state == 1, "a body sees two moments");
            Ok(())
        });
    });
}

#[test]
fn proof_an_absent_key_is_of_one_moment() {
    explore("stm_maps/absent_moment", 4, an_absent_key_is_of_one_moment);
}

#[test]
fn twin_forgotten_removals_show_two_moments() {
    without(EngineFault::ForgottenRemovals, || {
        must_fail(
            "stm_maps/forgotten_removals",
            4,
            "sees two moments",
            an_absent_key_is_of_one_moment,
        );
    });
}

/// One thread keeps two maps equal, after it has changed a variable that the other thread reads between its looks at them.
fn a_body_sees_one_moment() {
    let (a, b, between) = (map_of(&[(stays(0), 0)]), map_of(&[(stays(0), 0)]), TVar::new(0));
    let (a2, b2, between2) = (a.clone(), b.clone(), between.clone());
    let write = move || {
        atomically(|tx| between2.write(tx, 1));
        atomically(|tx| {
            a2.insert(tx, stays(0), 1)?;
            b2.insert(tx, stays(0), 1)
        });
    };
    two(write, || {
        atomically(|tx| {
            let in_a = a.get(tx, &stays(0))?;
            between.read(tx)?;
            assert_eq!(in_a, b.get(tx, &stays(0))?, "a body sees two moments");
            Ok(())
        });
    });
}

#[test]
fn proof_a_body_sees_one_moment_of_two_maps() {
    explore("stm_maps/one_moment", 4, a_body_sees_one_moment);
}

#[test]
fn twin_unchecked_reads_see_two_moments() {
    without(EngineFault::UncheckedReads, || {
        must_fail("stm_maps/unchecked_reads", 4, "sees two moments", a_body_sees_one_moment);
    });
}

#[test]
fn twin_a_number_taken_early_shows_two_moments() {
    without(EngineFault::EarlyNumber, || {
        must_fail("stm_maps/early_number", 4, "sees two moments", a_body_sees_one_moment);
    });
}

/// Two threads carry entries between two maps, in opposite directions.
fn entries_are_carried() {
    let (a, b) = (map_of(&[(stays(0), 1)]), map_of(&[(moves(0), 2)]));
    let carry = |from: &Map, to: &Map, key: u32| {
        let (from, to) = (from.clone(), to.clone());
        move || {
            atomically(|tx| match from.take(tx, &key)? {
                Some(value) => to.insert(tx, key, value),
                None => Ok(()),
            });
        }
    };
    two(carry(&a, &b, stays(0)), carry(&b, &a, moves(0)));
    assert_eq!(a.snapshot_atomic().iter_sorted(), [(moves(0), 2)]);
    assert_eq!(b.snapshot_atomic().iter_sorted(), [(stays(0), 1)]);
}

#[test]
fn proof_entries_are_carried_between_maps_both_ways() {
    explore("stm_maps/carried", 4, entries_are_carried);
}

/// A branch writes to a map and retries, unless the other thread was there before.
fn a_branch_leaves_nothing() {
    let map = Map::new();
    let other = map.clone();
    two(
        move || put(&other, moves(0), 1),
        || {
            atomically(|tx| {
                tx.or_else(
                    |tx| {
                        map.insert(tx, stays(0), 1)?;
                        guard(map.contains_key(tx, &moves(0))?)
                    },
                    |tx| map.insert(tx, stays(1), 1),
                )
            });
        },
    );
    let took = (map.contains_key_atomic(&stays(0)), map.contains_key_atomic(&stays(1)));
    assert!(took.0 != took.1, "both branches have written, or none");
}

#[test]
fn proof_a_branch_that_retried_leaves_nothing() {
    explore("stm_maps/or_else", 4, a_branch_leaves_nothing);
}

#[test]
fn twin_kept_branches_write() {
    without(EngineFault::KeptBranches, || {
        must_fail("stm_maps/kept_branches", 4, "both branches", a_branch_leaves_nothing);
    });
}
