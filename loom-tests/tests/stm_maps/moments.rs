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

/// A key comes with one variable and goes with another, which is read before the key; the first one after it.
fn an_absent_key_is_so_when_the_time_is_brought_forward() {
    let (map, came, gone) = (Map::new(), TVar::new(false), TVar::new(false));
    let (map2, came2, gone2) = (map.clone(), came.clone(), gone.clone());
    let write = move || {
        atomically(|tx| {
            map2.insert(tx, stays(0), 1)?;
            came2.write(tx, true)
        });
        atomically(|tx| {
            map2.remove(tx, &stays(0))?;
            gone2.write(tx, true)
        });
    };
    two(write, || {
        atomically(|tx| {
            let gone = gone.read(tx)?;
            let present = map.contains_key(tx, &stays(0))?;
            let came = came.read(tx)?;
            assert_eq!(present, came && !gone, "a body sees two moments");
            Ok(())
        });
    });
}

#[test]
fn proof_an_absent_key_is_so_when_the_time_is_brought_forward() {
    explore("stm_maps/absent_extended", 4, an_absent_key_is_so_when_the_time_is_brought_forward);
}

/// One thread adds a key if a variable is not set, then removes it and sets another. The other sets the first variable, and looks at the second and
/// at the key: when it finds neither, it was first.
fn an_absent_key_is_so_when_a_transaction_commits() {
    let (map, noted, gone) = (Map::new(), TVar::new(false), TVar::new(false));
    let (map2, noted2, gone2) = (map.clone(), noted.clone(), gone.clone());
    let write = move || {
        let was_noted = atomically(|tx| {
            let was_noted = noted2.read(tx)?;
            if !was_noted {
                map2.insert(tx, stays(0), 1)?;
            }
            Ok(was_noted)
        });
        atomically(|tx| {
            map2.remove(tx, &stays(0))?;
            gone2.write(tx, true)
        });
        was_noted
    };
    let look = || {
        atomically(|tx| {
            noted.write(tx, true)?;
            Ok((gone.read(tx)?, map.contains_key(tx, &stays(0))?))
        })
    };
    let (was_noted, seen) = two(write, look);
    assert!(seen != (false, false) || was_noted, "no order explains what was seen");
}

#[test]
fn proof_an_absent_key_is_so_when_a_transaction_commits() {
    explore("stm_maps/absent_at_commit", 4, an_absent_key_is_so_when_a_transaction_commits);
}

/// One thread adds an entry and counts it, the other looks at the length, then at the count.
fn a_length_is_of_one_moment(first: &[(u32, u32)]) {
    let (map, count) = (map_of(first), TVar::new(first.len()));
    let (map2, count2) = (map.clone(), count.clone());
    let write = move || {
        atomically(|tx| {
            map2.insert(tx, stays(2), 1)?;
            count2.modify(tx, |n| n + 1)
        });
    };
    two(write, || {
        atomically(|tx| {
            let len = map.len(tx)?;
            assert_eq!(len, count.read(tx)?, "a body sees two moments");
            Ok(())
        });
    });
}

#[test]
fn proof_a_length_is_of_one_moment() {
    explore("stm_maps/len_moment/one_shard", 3, || a_length_is_of_one_moment(&[]));
    explore("stm_maps/len_moment/shards", 3, || {
        a_length_is_of_one_moment(&[(stays(0), 0), (moves(0), 0)]);
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
