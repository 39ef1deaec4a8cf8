//! Snapshots are of one moment, keep what they saw to their end, and leave nothing behind.

use super::{Map, map_of, moves, put, stays};
use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{
    EngineFault, Snapshot, TMap, TVar, atomically, snapshot_together, without,
};
use std::sync::{Arc, Weak};

/// One thread takes the map through four states, the other takes a snapshot and reads it in every way.
fn a_snapshot_is_one_moment() {
    let (a, b) = (stays(0), moves(0));
    let map = map_of(&[(a, 0)]);
    let held = map.snapshot_atomic();
    let other = map.clone();
    let write = move || {
        atomically(|tx| {
            other.insert(tx, a, 1)?;
            other.insert(tx, b, 1)
        });
        atomically(|tx| {
            other.remove(tx, &a)?;
            other.insert(tx, b, 2)
        });
        put(&other, a, 3);
    };
    two(write, || {
        let all = map.snapshot_atomic();
        let seen = (all.get(&a), all.get(&b));
        let states = [(Some(0), None), (Some(1), Some(1)), (None, Some(2)), (Some(3), Some(2))];
        assert!(states.contains(&seen), "a snapshot of two moments: {seen:?}");
        assert_same(&all, a, b, seen);
    });
    assert_same(&held, a, b, (Some(0), None));
}

/// The snapshot, read as a whole, has what its keys had when they were looked up.
fn assert_same(all: &Snapshot<u32, u32>, a: u32, b: u32, seen: (Option<u32>, Option<u32>)) {
    let mut entries: Vec<_> =
        [(a, seen.0), (b, seen.1)].into_iter().filter_map(|(k, v)| Some((k, v?))).collect();
    entries.sort_unstable();
    assert_eq!(all.iter_sorted(), entries, "a snapshot of two moments");
    assert_eq!(all.len(), entries.len(), "a snapshot of two moments");
}

#[test]
fn proof_a_snapshot_is_one_moment() {
    explore("stm_maps/snapshot", 4, a_snapshot_is_one_moment);
}

#[test]
fn twins_of_the_snapshot_are_of_two_moments() {
    for fault in
        [EngineFault::ForgottenSnapshots, EngineFault::LateSnapshots, EngineFault::EarlyNumber]
    {
        without(fault, || {
            must_fail("stm_maps/snapshots", 4, "of two moments", a_snapshot_is_one_moment);
        });
    }
}

/// An entry is carried from one map to another while both are looked at together, or one after the other.
fn a_carried_entry_is_in_one_place(together: bool) {
    let (a, b) = (map_of(&[(stays(0), 0)]), Map::new());
    let (a2, b2) = (a.clone(), b.clone());
    let carry = move || {
        atomically(|tx| {
            a2.remove(tx, &stays(0))?;
            b2.insert(tx, stays(0), 0)
        });
    };
    two(carry, || {
        let (a, b) = match together {
            true => snapshot_together((&a, &b)),
            false => (a.snapshot_atomic(), b.snapshot_atomic()),
        };
        assert_eq!(a.len() + b.len(), 1, "an entry is in two places or none");
    });
}

#[test]
fn proof_snapshots_taken_together_are_of_one_moment() {
    explore("stm_maps/together", 4, || a_carried_entry_is_in_one_place(true));
}

#[test]
fn twin_snapshots_taken_one_after_the_other_are_of_two_moments() {
    must_fail("stm_maps/apart", 4, "in two places or none", || {
        a_carried_entry_is_in_one_place(false);
    });
}

/// A map of values that tell whether anything still holds them.
type Watched = TMap<u32, Arc<u32>>;

fn watched(map: &Watched, key: u32) -> Weak<u32> {
    let value = Arc::new(0);
    let watch = Arc::downgrade(&value);
    atomically(|tx| map.insert(tx, key, value.clone()));
    watch
}

/// One snapshot goes while another comes, with a writer who overwrites what both see: each sees what it saw to its end.
fn snapshots_overlap() {
    let map = map_of(&[(stays(0), 0)]);
    let first = map.snapshot_atomic();
    put(&map, stays(0), 1);
    let other = map.clone();
    two(
        move || drop(first),
        || {
            let second = other.snapshot_atomic();
            put(&other, stays(0), 2);
            assert_eq!(second.get(&stays(0)), Some(1), "a snapshot has lost what it saw");
        },
    );
    assert_eq!(map.snapshot_atomic().iter_sorted(), [(stays(0), 2)]);
}

#[test]
fn proof_a_snapshot_that_goes_takes_nothing_of_another() {
    explore("stm_maps/overlap", 4, snapshots_overlap);
}

#[test]
fn twin_a_greedy_sweep_takes_what_another_sees() {
    without(EngineFault::GreedySweeps, || {
        must_fail("stm_maps/greedy_sweeps", 4, "has lost what it saw", snapshots_overlap);
    });
}

/// A snapshot goes while another thread overwrites what it saw.
fn nothing_stays_alive() {
    let map = Watched::new();
    let watch = watched(&map, stays(0));
    let held = map.snapshot_atomic();
    let other = map.clone();
    let overwrite = move || atomically(|tx| other.insert(tx, stays(0), Arc::new(1)));
    two(overwrite, move || drop(held));
    assert_eq!(watch.strong_count(), 0, "an old value stays alive");
}

#[test]
fn proof_nothing_that_a_snapshot_saw_stays_alive() {
    explore("stm_maps/swept", 4, nothing_stays_alive);
}

/// Two snapshots go while the shard splits that keeps something for each, on either side of the split. The shard was noted for its
/// first key.
fn nothing_stays_alive_in_either_half(keys: [u32; 2]) {
    let map = Watched::new();
    let removed = watched(&map, keys[0]);
    let first = map.snapshot_atomic();
    atomically(|tx| map.remove(tx, &keys[0]));
    let overwritten = watched(&map, keys[1]);
    let second = map.snapshot_atomic();
    atomically(|tx| map.insert(tx, keys[1], Arc::new(1)));
    let other = map.clone();
    let split = move || atomically(|tx| other.insert(tx, keys[0], Arc::new(1)));
    two(split, move || drop((first, second)));
    for watch in [removed, overwritten] {
        assert_eq!(watch.strong_count(), 0, "an old value stays alive");
    }
    assert_eq!(map.len_atomic(), 2);
}

#[test]
fn proof_nothing_stays_alive_when_a_shard_splits() {
    explore("stm_maps/swept_halves/noted_moves", 3, || {
        nothing_stays_alive_in_either_half([moves(0), stays(0)]);
    });
    explore("stm_maps/swept_halves/noted_stays", 3, || {
        nothing_stays_alive_in_either_half([stays(0), moves(0)]);
    });
}

#[test]
fn twin_unswept_halves_stay_alive() {
    without(EngineFault::UnsweptHalves, || {
        for keys in [[moves(0), stays(0)], [stays(0), moves(0)]] {
            must_fail("stm_maps/unswept_halves", 3, "stays alive", move || {
                nothing_stays_alive_in_either_half(keys);
            });
        }
    });
}

/// Counts in a transaction of its own when it is dropped.
struct Bell(TVar<u32>);

impl Drop for Bell {
    fn drop(&mut self) {
        atomically(|tx| self.0.modify(tx, |n| n + 1));
    }
}

/// As before, with destructors that start transactions; the snapshots go inside of one.
fn destructors_run_in_no_transaction() {
    let (map, rung) = (TMap::<u32, Option<Arc<Bell>>>::new(), TVar::new(0));
    let ring = |key: u32| {
        let bell = Arc::new(Bell(rung.clone()));
        atomically(|tx| map.insert(tx, key, Some(bell.clone())));
    };
    ring(moves(0));
    let first = map.snapshot_atomic();
    atomically(|tx| map.remove(tx, &moves(0)));
    ring(stays(0));
    let second = map.snapshot_atomic();
    atomically(|tx| map.insert(tx, stays(0), None));
    let other = map.clone();
    let split = move || atomically(|tx| other.insert(tx, moves(0), None));
    let mut held = Some((first, second));
    two(split, || {
        atomically(|_| {
            drop(held.take());
            Ok(())
        });
    });
    assert_eq!(rung.read_atomic(), 2, "an old value stays alive");
}

#[test]
fn proof_destructors_of_old_values_run_in_no_transaction() {
    explore("stm_maps/destructors", 2, destructors_run_in_no_transaction);
}
