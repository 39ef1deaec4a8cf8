//! Threads that wait for each other through the keys of one map. A lost wake-up would leave them waiting for ever.

use crate::harness::{pause, rounds, together};
use simplex_stores::stm::{TMap, TSet, atomically, guard, retry};

/// Takes the ball when it comes and puts it where the next one waits.
fn pass_on(map: &TMap<usize, u64>, from: usize, to: usize) -> u64 {
    atomically(|tx| match pause(map.take(tx, &from)?) {
        Some(ball) => map.insert(tx, to, ball + 1).map(|()| ball),
        None => retry(),
    })
}

/// A ball in a ring of threads, each of which gets it in its turn.
fn ring(threads: usize) {
    let map = TMap::new();
    atomically(|tx| map.insert(tx, 0, 0));
    let end = map.clone();
    together(threads, move |thread| {
        for round in 0..rounds() {
            let ball = pass_on(&map, thread, (thread + 1) % threads);
            assert_eq!(ball, round * threads as u64 + thread as u64);
        }
    });
    assert_eq!(end.get_atomic(&0), Some(rounds() * threads as u64));
}

#[test]
fn two_threads_hand_a_key_to_and_fro() {
    ring(2);
}

#[test]
fn a_ring_of_five_threads_hands_a_key_round() {
    ring(5);
}

/// Two pairs on one map, and one that only writes keys of its own, so many that the map grows: its commits wake nobody for good, and keep nobody asleep.
#[test]
fn pairs_on_one_map_do_not_lose_each_others_wake_ups() {
    const BESIDE: usize = 100;
    let map = TMap::new();
    atomically(|tx| map.union(tx, [(0, 0), (2, 0)]));
    let end = map.clone();
    together(5, move |thread| {
        for round in 0..rounds() {
            if thread == 4 {
                atomically(|tx| map.insert(tx, BESIDE + (round % 700) as usize, round));
                atomically(|tx| map.remove(tx, &(BESIDE + (round % 500) as usize)));
            } else {
                pass_on(&map, thread, thread ^ 1);
            }
        }
    });
    let balls = [0, 2].map(|key| end.get_atomic(&key));
    assert_eq!(balls, [Some(2 * rounds()); 2]);
}

/// Waiting for a key to go, for a length and for a snapshot wakes as waiting for a key to come does.
#[test]
fn whoever_waits_for_the_length_of_a_map_wakes() {
    const THREADS: usize = 3;
    let map = TMap::new();
    together(THREADS, move |thread| {
        for round in 0..rounds() {
            // One after the other they come, and the last one sends all away.
            atomically(|tx| match thread {
                0 => guard(map.is_empty(tx)?),
                1 => guard(map.len(tx)? == 1),
                _ => guard(map.snapshot(tx)?.len() == 2),
            });
            atomically(|tx| map.insert(tx, thread, round));
            match thread {
                2 => atomically(|tx| map.clear(tx)),
                own => atomically(|tx| guard(!map.contains_key(tx, &own)?)),
            }
        }
    });
}

/// A set as a slot of one: whoever finds it empty fills it, whoever finds it full empties it.
#[test]
fn members_of_a_set_are_handed_over_too() {
    let slot = TSet::new();
    let taken = together(4, move |thread| {
        let mut taken = 0;
        for round in 0..rounds() {
            let item = (thread as u64) * rounds() + round;
            if thread < 2 {
                atomically(|tx| {
                    guard(pause(slot.is_empty(tx)?))?;
                    slot.insert(tx, item)
                });
            } else {
                taken += atomically(|tx| {
                    let snapshot = slot.snapshot(tx)?;
                    let Some(item) = snapshot.iter().map(|item| item.to_owned()).next() else {
                        return retry();
                    };
                    guard(slot.remove(tx, &item)?)?;
                    Ok(item)
                });
            }
        }
        taken
    });
    assert_eq!(taken.iter().sum::<u64>(), (0..2 * rounds()).sum::<u64>());
}
