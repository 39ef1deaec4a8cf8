//! What reads a whole map, or counts it, must see the keys that others insert and remove meanwhile.

use crate::harness::{Meeting, pause, rounds, together};
use simplex_stores::stm::{StmResult, TMap, TSet, Transaction, atomically};
use std::sync::Arc;

const THREADS: usize = 3;

/// Threads that each insert a key of their own into maps that they find empty: every map gets one.
fn one_of_all_inserts(is_empty: fn(&TMap<usize, ()>, &mut Transaction<'_>) -> StmResult<bool>) {
    let maps: Arc<Vec<TMap<usize, ()>>> = Arc::new((0..rounds()).map(|_| TMap::new()).collect());
    let (meeting, at_work) = (Meeting::of(THREADS), maps.clone());
    let inserted = together(THREADS, move |thread| {
        let mut inserted = 0;
        for map in at_work.iter() {
            meeting.wait();
            inserted += u64::from(atomically(|tx| {
                let empty = pause(is_empty(map, tx)?);
                if empty {
                    map.insert(tx, thread, ())?;
                }
                Ok(empty)
            }));
        }
        inserted
    });
    assert!(maps.iter().all(|map| map.len_atomic() == 1));
    assert_eq!(inserted.into_iter().sum::<u64>(), rounds());
}

#[test]
fn a_map_that_was_empty_by_its_length_gets_one_key() {
    one_of_all_inserts(|map, tx| Ok(map.len(tx)? == 0));
}

#[test]
fn a_map_that_was_empty_gets_one_key() {
    one_of_all_inserts(|map, tx| map.is_empty(tx));
}

#[test]
fn a_map_that_was_empty_by_its_snapshot_gets_one_key() {
    one_of_all_inserts(|map, tx| Ok(map.snapshot(tx)?.is_empty()));
}

#[test]
fn a_map_in_which_all_keys_were_absent_gets_one_key() {
    one_of_all_inserts(|map, tx| {
        (0..THREADS).try_fold(true, |empty, key| Ok(empty && !map.contains_key(tx, &key)?))
    });
}

/// Permits as the members of a set: never more than two are out, whoever counts.
#[test]
fn no_more_come_in_than_there_is_room() {
    let room = TSet::new();
    together(THREADS, move |thread| {
        for _ in 0..rounds() {
            let came_in = atomically(|tx| {
                if pause(room.len(tx)?) < THREADS - 1 { room.insert(tx, thread) } else { Ok(false) }
            });
            assert!(room.len_atomic() < THREADS && room.snapshot_atomic().len() < THREADS);
            assert_eq!(atomically(|tx| room.remove(tx, &thread)), came_in);
        }
    });
}

/// A counter beside the map says in each snapshot how many keys there are.
#[test]
fn a_count_that_is_kept_beside_the_map_is_its_length() {
    let (map, count) = (TMap::new(), TMap::<(), usize>::new());
    together(THREADS, move |thread| {
        for round in 0..rounds() {
            let key = (thread, round % 3);
            atomically(|tx| {
                let more = pause(map.replace(tx, key, round)?.is_none());
                count.alter(tx, (), |n| Some(n.unwrap_or(0) + usize::from(more)))
            });
            let (length, found, counted) = atomically(|tx| {
                Ok((map.len(tx)?, pause(map.snapshot(tx)?), count.get(tx, &())?.unwrap_or(0)))
            });
            assert_eq!((length, found.iter().count(), found.len()), (counted, counted, counted));
            atomically(|tx| {
                let less = pause(map.take(tx, &key)?.is_some());
                count.alter(tx, (), |n| n.map(|n| n - usize::from(less)))
            });
        }
    });
}
