//! Snapshots that are held and dropped while others are taken and the map goes on changing.

use crate::harness::{rounds, together};
use simplex_stores::stm::{Snapshot, TMap, atomically};
use std::collections::VecDeque;

/// Elements that are at one of two places each.
const ELEMENTS: u64 = 8;
/// Keys that are always there; so many that the native engine's map has several shards.
const OTHERS: u64 = 2_000;
/// Of those, what each transaction writes.
const WRITTEN: u64 = 20;

fn place(element: u64, turn: u64) -> u64 {
    2 * element + turn % 2
}

fn other(n: u64) -> u64 {
    2 * ELEMENTS + n % OTHERS
}

/// Where each element is, by a snapshot.
fn places(snapshot: &Snapshot<u64, u64>) -> Vec<[bool; 2]> {
    let is_at = |element| [0, 1].map(|turn| snapshot.contains_key(&place(element, turn)));
    (0..ELEMENTS).map(is_at).collect()
}

/// Elements move to and fro all the time, and a snapshot has each of them at one place: the same one for as long as it is held,
/// whatever other snapshots are dropped meanwhile.
#[test]
fn a_snapshot_stays_whole_while_others_are_dropped() {
    let map = TMap::new();
    atomically(|tx| map.union(tx, (0..ELEMENTS).map(|element| (place(element, 0), 0))));
    atomically(|tx| map.union(tx, (0..OTHERS).map(|n| (other(n), 0))));
    together(4, move |thread| {
        if thread == 0 {
            for round in 0..rounds() {
                let (element, turn) = (round % ELEMENTS, round / ELEMENTS);
                atomically(|tx| {
                    map.remove(tx, &place(element, turn))?;
                    map.insert(tx, place(element, turn + 1), round)?;
                    map.union(tx, (0..WRITTEN).map(|n| (other(round + 97 * n), round)))
                });
            }
            return;
        }
        let mut held = VecDeque::new();
        for _ in 0..4 * rounds() {
            let snapshot = map.snapshot_atomic();
            let found = places(&snapshot);
            assert!(found.iter().all(|[here, there]| here != there), "{found:?}");
            held.push_back((snapshot, found));
            if held.len() == thread {
                let (snapshot, found) = held.pop_front().unwrap();
                assert_eq!(places(&snapshot), found);
            }
        }
    });
}
