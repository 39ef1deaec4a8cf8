//! Elements that move between two places are always in exactly one of them.

use crate::harness::{pause, rounds, together};
use quickcheck::{Arbitrary, Gen};
use simplex_stores::stm::{TMap, TSet, atomically};

const ELEMENTS: u8 = 6;

fn elements(seed: u64) -> impl Iterator<Item = u8> {
    let mut g = Gen::from_size_and_seed(10, seed);
    std::iter::repeat_with(move || u8::arbitrary(&mut g) % ELEMENTS).take(rounds() as usize)
}

#[test]
fn an_element_is_in_exactly_one_of_two_sets() {
    let (left, right) = (TSet::new(), TSet::new());
    atomically(|tx| (0..ELEMENTS).try_for_each(|element| left.insert(tx, element).map(drop)));
    let sets = [left, right];
    together(4, move |thread| match thread {
        0 | 1 => {
            for element in elements(thread as u64) {
                let moved = atomically(|tx| {
                    let from = usize::from(!pause(sets[0].contains(tx, &element)?));
                    Ok(sets[from].remove(tx, &element)? && sets[1 - from].insert(tx, element)?)
                });
                assert!(moved);
            }
        }
        2 => {
            for element in elements(2) {
                let found = atomically(|tx| {
                    Ok([pause(sets[1].contains(tx, &element)?), sets[0].contains(tx, &element)?])
                });
                assert!(found[0] != found[1], "{element} is in both sets or in none: {found:?}");
            }
        }
        _ => {
            for _ in 0..rounds() {
                let [left, right] =
                    atomically(|tx| Ok([pause(sets[0].snapshot(tx)?), sets[1].snapshot(tx)?]));
                assert_eq!(left.len() + right.len(), usize::from(ELEMENTS));
                assert!(
                    (0..ELEMENTS)
                        .all(|element| left.contains(&element) != right.contains(&element))
                );
                let lengths = atomically(|tx| Ok(pause(sets[1].len(tx)?) + sets[0].len(tx)?));
                assert_eq!(lengths, usize::from(ELEMENTS));
            }
        }
    });
}

/// The value counts the moves, so none is lost or done twice.
#[test]
fn an_entry_is_in_exactly_one_of_two_maps_and_under_one_key() {
    let maps = [TMap::<u8, u64>::new(), TMap::new()];
    atomically(|tx| maps[0].union(tx, (0..ELEMENTS).map(|element| (element, 0))));
    let end = maps.clone();
    let wide = |element: u8| element + ELEMENTS;
    together(4, move |thread| match thread {
        0 | 1 => {
            for element in elements(10 + thread as u64) {
                atomically(|tx| match pause(maps[0].take(tx, &element)?) {
                    Some(moves) => maps[1].insert(tx, wide(element), moves + 1),
                    None => {
                        let moves = maps[1].take(tx, &wide(element))?;
                        maps[0].alter(tx, element, |_| moves.map(|moves| moves + 1))
                    }
                });
            }
        }
        2 => {
            for element in elements(12) {
                let found = atomically(|tx| {
                    Ok((pause(maps[1].get(tx, &wide(element))?), maps[0].get(tx, &element)?))
                });
                assert!(found.0.is_some() != found.1.is_some(), "{found:?}");
            }
        }
        _ => {
            let mut last = 0;
            for _ in 0..rounds() {
                let snapshots =
                    atomically(|tx| Ok([pause(maps[0].snapshot(tx)?), maps[1].snapshot(tx)?]));
                let moves: Vec<_> = snapshots
                    .iter()
                    .flat_map(|snapshot| snapshot.iter().map(|(_, moves)| moves.to_owned()))
                    .collect();
                assert_eq!(moves.len(), usize::from(ELEMENTS));
                let sum: u64 = moves.iter().sum();
                assert!(last <= sum, "{sum} moves after {last}");
                last = sum;
            }
        }
    });
    let moves = end.iter().flat_map(|map| {
        map.snapshot_atomic().iter().map(|(_, moves)| moves.to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(moves.sum::<u64>(), 2 * rounds());
}
