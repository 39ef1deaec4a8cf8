//! `TMap`: each TM- item of formats.md, and random operations against `BTreeMap`.

use super::harness::{STEPS, explore, once, spawn};
use quickcheck::{Arbitrary, Gen, QuickCheck};
use simplex_stores::stm::{TMap, TVar, atomically, guard, retry, snapshot_together};
use std::collections::BTreeMap;

type Map = TMap<u8, u16>;

fn map_of(entries: impl IntoIterator<Item = (u8, u16)> + Clone) -> Map {
    let map = Map::new();
    atomically(|tx| map.union(tx, entries.clone()));
    map
}

fn entries(map: &Map) -> Vec<(u8, u16)> {
    map.snapshot_atomic().iter_sorted()
}

#[test]
fn tm1_tm2_new_maps_are_empty_or_have_one_entry() {
    once(|| {
        assert_eq!(entries(&Map::new()), []);
        let map = atomically(|tx| TMap::singleton(tx, 1, 2));
        assert_eq!(entries(&map), [(1, 2)]);
    });
}

#[test]
fn tm2_a_singleton_exists_only_if_its_transaction_commits() {
    once(|| {
        let shared: TVar<Option<Map>> = TVar::new(None);
        atomically(|tx| {
            tx.or_else(
                |tx| {
                    let map = TMap::singleton(tx, 1, 2)?;
                    shared.write(tx, Some(map))?;
                    retry()
                },
                |_| Ok(()),
            )
        });
        assert!(shared.read_atomic().is_none());
    });
}

#[test]
fn tm3_tm4_clear_empties() {
    once(|| {
        let map = map_of([(1, 1), (2, 2)]);
        let seen = atomically(|tx| {
            let before = map.is_empty(tx)?;
            map.clear(tx)?;
            Ok((before, map.is_empty(tx)?, map.len(tx)?))
        });
        assert_eq!((seen, entries(&map)), ((false, true, 0), vec![]));
    });
}

#[test]
fn tm5_to_tm8_lookups_inside_and_outside() {
    once(|| {
        let map = map_of([(1, 10)]);
        let seen = atomically(|tx| {
            map.insert(tx, 2, 20)?;
            Ok((
                (map.get(tx, &1)?, map.get(tx, &2)?, map.get(tx, &3)?),
                (map.contains_key(tx, &2)?, map.contains_key(tx, &3)?),
                (map.get_atomic(&2), map.contains_key_atomic(&2), map.len_atomic()),
            ))
        });
        let outside_saw_only_what_was_committed = (None, false, 1);
        assert_eq!(
            seen,
            ((Some(10), Some(20), None), (true, false), outside_saw_only_what_was_committed)
        );
        assert_eq!((map.get_atomic(&2), map.contains_key_atomic(&2)), (Some(20), true));
    });
}

#[test]
fn tm9_insert_replaces() {
    once(|| {
        let map = map_of([(1, 1)]);
        atomically(|tx| {
            map.insert(tx, 1, 2)?;
            map.insert(tx, 3, 4)
        });
        assert_eq!(entries(&map), [(1, 2), (3, 4)]);
    });
}

#[test]
fn tm10_what_the_action_does_to_the_map_is_kept_except_for_the_key() {
    once(|| {
        let map = map_of([(1, 1)]);
        atomically(|tx| {
            map.insert_with(tx, 5, |tx| {
                map.insert(tx, 2, 2)?;
                map.insert(tx, 5, 99)?;
                map.remove(tx, &1)?;
                Ok(50)
            })
        });
        assert_eq!(entries(&map), [(2, 2), (5, 50)]);
    });
}

#[test]
fn tm11_delete_removes_and_ignores_an_absent_key() {
    once(|| {
        let map = map_of([(1, 1), (2, 2)]);
        atomically(|tx| {
            map.remove(tx, &1)?;
            map.remove(tx, &7)
        });
        assert_eq!(entries(&map), [(2, 2)]);
    });
}

#[test]
fn tm12_tm13_tm20_swaps_return_what_was_there() {
    once(|| {
        let map = map_of([(1, 1)]);
        let seen = atomically(|tx| {
            Ok([
                map.replace(tx, 1, 2)?,
                map.replace(tx, 3, 4)?,
                map.take(tx, &1)?,
                map.take(tx, &1)?,
            ])
        });
        assert_eq!((seen, entries(&map)), ([Some(1), None, Some(2), None], vec![(3, 4)]));
    });
}

/// Each of two threads takes what it finds and puts its own in: nothing is lost or found twice.
#[test]
fn tm12_tm20_a_swap_has_no_window() {
    explore(|| {
        let map = map_of([(0, 0)]);
        let swap = |map: Map, base: u16| {
            move || -> Vec<u16> {
                (1..=STEPS as u16)
                    .filter_map(|n| atomically(|tx| map.replace(tx, 0, base + n)))
                    .collect()
            }
        };
        let thread = spawn(swap(map.clone(), 1_000));
        let mut seen = swap(map.clone(), 2_000)();
        seen.extend(thread.join().unwrap());
        seen.extend(map.get_atomic(&0));
        seen.sort_unstable();
        let steps = STEPS as u16;
        let all = [0].into_iter().chain(1_001..=1_000 + steps).chain(2_001..=2_000 + steps);
        assert_eq!(seen, all.collect::<Vec<_>>());
    });
}

#[test]
fn tm14_adjust_changes_only_a_present_key() {
    once(|| {
        let map = map_of([(1, 1)]);
        atomically(|tx| {
            map.adjust(tx, &1, |v| v + 1)?;
            map.adjust(tx, &2, |v| v + 1)
        });
        assert_eq!(entries(&map), [(1, 2)]);
    });
}

#[test]
fn tm15_update_may_remove_and_never_adds() {
    once(|| {
        let map = map_of([(1, 1), (2, 2)]);
        atomically(|tx| {
            map.update(tx, &1, |_| None)?;
            map.update(tx, &2, |v| Some(v * 10))?;
            map.update(tx, &3, |_| Some(9))
        });
        assert_eq!(entries(&map), [(2, 20)]);
    });
}

#[test]
fn tm16_alter_adds_changes_and_removes() {
    once(|| {
        let map = map_of([(1, 1), (2, 2)]);
        atomically(|tx| {
            map.alter(tx, 1, |v| v.map(|v| v + 1))?;
            map.alter(tx, 2, |_| None)?;
            map.alter(tx, 3, |v| Some(v.unwrap_or(30)))?;
            map.alter(tx, 4, |v| v)
        });
        assert_eq!(entries(&map), [(1, 2), (3, 30)]);
    });
}

#[test]
fn tm17_what_the_action_does_to_the_same_map_is_lost() {
    once(|| {
        let (map, other) = (map_of([(1, 1), (2, 2)]), TVar::new(0));
        atomically(|tx| {
            map.alter_with(tx, 1, |tx, value| {
                map.insert(tx, 7, 7)?;
                map.remove(tx, &2)?;
                other.write(tx, 5)?;
                Ok(value.map(|v| v + 1))
            })
        });
        assert_eq!(entries(&map), [(1, 2), (2, 2)], "the early copy, with the change");
        assert_eq!(other.read_atomic(), 5, "effects on other variables stay");
    });
}

#[test]
fn tm17_an_action_may_add_and_remove_and_sees_the_early_value() {
    once(|| {
        let map = map_of([(1, 1)]);
        let mut seen = Vec::new();
        atomically(|tx| {
            seen.clear();
            map.alter_with(tx, 1, |_, value| {
                seen.push(value);
                Ok(None)
            })?;
            map.alter_with(tx, 2, |_, value| {
                seen.push(value);
                Ok(Some(20))
            })
        });
        assert_eq!((seen, entries(&map)), (vec![Some(1), None], vec![(2, 20)]));
    });
}

#[test]
fn tm17_a_retry_in_the_action_retries_the_whole_step() {
    explore(|| {
        let (map, gate) = (map_of([]), TVar::new(false));
        let waiter = {
            let (map, gate) = (map.clone(), gate.clone());
            spawn(move || {
                atomically(|tx| {
                    map.insert(tx, 1, 1)?;
                    map.alter_with(tx, 2, |tx, _| {
                        guard(gate.read(tx)?)?;
                        Ok(Some(2))
                    })
                });
            })
        };
        assert_eq!(map.len_atomic(), 0);
        atomically(|tx| gate.write(tx, true));
        waiter.join().unwrap();
        assert_eq!(entries(&map), [(1, 1), (2, 2)]);
    });
}

#[test]
fn tm18_in_a_union_the_incoming_value_wins() {
    once(|| {
        let map = map_of([(1, 1), (2, 2)]);
        atomically(|tx| map.union(tx, [(2, 20), (3, 30)]));
        assert_eq!(entries(&map), [(1, 1), (2, 20), (3, 30)]);
    });
}

/// TM-19 allows an operation that changes nothing to write nothing: it then wakes nobody.
#[test]
fn tm19_removing_an_absent_key_does_not_count_as_a_write() {
    explore(|| {
        let map = map_of([]);
        let runs = std::sync::Arc::new(simplex_stores::sync::Tally::new());
        let waiter = {
            let (map, runs) = (map.clone(), runs.clone());
            spawn(move || {
                atomically(|tx| {
                    runs.add(1);
                    guard(map.contains_key(tx, &1)?)
                });
            })
        };
        for _ in 0..STEPS {
            atomically(|tx| map.remove(tx, &2));
        }
        atomically(|tx| map.insert(tx, 1, 1));
        waiter.join().unwrap();
        assert!(runs.sum() <= 2, "the body ran {} times", runs.sum());
    });
}

/// A snapshot is one moment of the whole map, inside a transaction and outside.
#[test]
fn tm21_tm22_a_snapshot_is_one_moment() {
    explore(|| {
        let map = map_of([(1, 0), (2, 0)]);
        let writer = {
            let map = map.clone();
            spawn(move || {
                for n in 1..=STEPS as u16 {
                    atomically(|tx| {
                        map.insert(tx, 1, n)?;
                        map.insert(tx, 2, n)
                    });
                }
            })
        };
        for _ in 0..STEPS {
            let outside = map.snapshot_atomic();
            assert_eq!(outside.get(&1), outside.get(&2));
            let inside = atomically(|tx| map.snapshot(tx));
            assert_eq!(inside.get(&1), inside.get(&2));
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_map_may_stand_twice_among_those_of_a_snapshot() {
    once(|| {
        let map = map_of([(1, 1)]);
        let (one, other) = snapshot_together((&map, &map));
        atomically(|tx| map.clear(tx));
        assert_eq!(one.iter_sorted(), [(1, 1)]);
        drop(one);
        assert_eq!(other.iter_sorted(), [(1, 1)]);
    });
}

#[test]
fn tm23_a_snapshot_lists_by_ascending_key() {
    once(|| {
        let map = map_of([(9, 1), (3, 2), (200, 3), (7, 4)]);
        let keys: Vec<_> =
            map.snapshot_atomic().iter_sorted().into_iter().map(|(k, _)| k).collect();
        assert_eq!(keys, [3, 7, 9, 200]);
    });
}

#[derive(Clone, Debug)]
enum Op {
    Clear,
    Insert(u8, u16),
    InsertWith(u8, u8, u16),
    Remove(u8),
    Replace(u8, u16),
    Take(u8),
    Adjust(u8),
    Update(u8),
    Alter(u8),
    AlterWith(u8, u8, u16),
    Union(Vec<(u8, u16)>),
    /// The operations so far in this transaction, then these, taken back.
    TakenBack(Vec<Op>),
}

impl Op {
    fn random(g: &mut Gen, nested: bool) -> Op {
        let (key, other) = (u8::arbitrary(g) % 16, u8::arbitrary(g) % 16);
        let value = u16::arbitrary(g);
        match u8::arbitrary(g) % if nested { 24 } else { 26 } {
            0 => Op::Clear,
            1..6 => Op::Insert(key, value),
            6 => Op::InsertWith(key, other, value),
            7..10 => Op::Remove(key),
            10..12 => Op::Replace(key, value),
            12..14 => Op::Take(key),
            14..16 => Op::Adjust(key),
            16..18 => Op::Update(key),
            18..21 => Op::Alter(key),
            21 => Op::AlterWith(key, other, value),
            22..24 => Op::Union((0..value % 5).map(|n| (u8::arbitrary(g) % 16, n)).collect()),
            _ => Op::TakenBack((0..4).map(|_| Op::random(g, true)).collect()),
        }
    }
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        Op::random(g, false)
    }
}

fn keep_even(value: u16) -> Option<u16> {
    value.is_multiple_of(2).then_some(value / 2)
}

fn turn(value: Option<u16>) -> Option<u16> {
    match value {
        Some(value) => keep_even(value),
        None => Some(7),
    }
}

/// What the operation says about the map's earlier state, if it says anything.
fn apply(op: &Op, model: &mut BTreeMap<u8, u16>) -> Option<u16> {
    let put = |model: &mut BTreeMap<u8, u16>, key: u8, value: Option<u16>| match value {
        Some(value) => model.insert(key, value),
        None => model.remove(&key),
    };
    match op {
        Op::Clear => model.clear(),
        Op::Insert(key, value) => drop(model.insert(*key, *value)),
        Op::InsertWith(key, other, value) => {
            model.insert(*other, 1);
            model.insert(*key, *value);
        }
        Op::Remove(key) => drop(model.remove(key)),
        Op::Replace(key, value) => return model.insert(*key, *value),
        Op::Take(key) => return model.remove(key),
        Op::Adjust(key) => drop(model.get_mut(key).map(|value| *value = value.wrapping_add(1))),
        Op::Update(key) => {
            if let Some(value) = model.get(key).copied() {
                put(model, *key, keep_even(value));
            }
        }
        Op::Alter(key) | Op::AlterWith(key, ..) => {
            let value = turn(model.get(key).copied());
            put(model, *key, value);
        }
        Op::Union(entries) => model.extend(entries.iter().copied()),
        Op::TakenBack(_) => {}
    }
    None
}

fn perform(
    op: &Op,
    map: &Map,
    tx: &mut simplex_stores::stm::Transaction<'_>,
) -> simplex_stores::stm::StmResult<Option<u16>> {
    match op {
        Op::Clear => map.clear(tx)?,
        Op::Insert(key, value) => map.insert(tx, *key, *value)?,
        Op::InsertWith(key, other, value) => {
            map.insert_with(tx, *key, |tx| map.insert(tx, *other, 1).map(|()| *value))?;
        }
        Op::Remove(key) => map.remove(tx, key)?,
        Op::Replace(key, value) => return map.replace(tx, *key, *value),
        Op::Take(key) => return map.take(tx, key),
        Op::Adjust(key) => map.adjust(tx, key, |value| value.wrapping_add(1))?,
        Op::Update(key) => map.update(tx, key, keep_even)?,
        Op::Alter(key) => map.alter(tx, *key, turn)?,
        Op::AlterWith(key, other, value) => map.alter_with(tx, *key, |tx, present| {
            map.insert(tx, *other, *value)?;
            Ok(turn(present))
        })?,
        Op::Union(entries) => map.union(tx, entries.iter().copied())?,
        Op::TakenBack(ops) => tx.or_else(
            |tx| {
                for op in ops {
                    perform(op, map, tx)?;
                }
                retry()
            },
            |_| Ok(()),
        )?,
    }
    Ok(None)
}

/// Transactions of random operations leave the map, and return, what a `BTreeMap` does; after each, lookups,
/// lengths and the enumeration agree too.
#[test]
fn random_operations_agree_with_a_btreemap() {
    fn property(transactions: Vec<Vec<Op>>) -> bool {
        once(move || {
            let (map, mut model) = (Map::new(), BTreeMap::new());
            for ops in &transactions {
                let held = map.snapshot_atomic();
                let before: Vec<_> = model.clone().into_iter().collect();
                let expected: Vec<_> = ops.iter().map(|op| apply(op, &mut model)).collect();
                let results: Vec<_> = atomically(|tx| {
                    ops.iter().map(|op| perform(op, &map, tx)).collect::<Result<_, _>>()
                });
                assert_eq!(results, expected);
                assert_eq!(entries(&map), model.clone().into_iter().collect::<Vec<_>>());
                assert_eq!(map.len_atomic(), model.len());
                assert!((0..16).all(|key| map.get_atomic(&key) == model.get(&key).copied()));
                assert_eq!(held.iter_sorted(), before, "a snapshot doesn't change");
            }
        });
        true
    }
    let tests = if cfg!(any(loom, shuttle)) { 20 } else { 200 };
    QuickCheck::new().tests(tests).quickcheck(property as fn(Vec<Vec<Op>>) -> bool);
}
