//! Two transactions that read the same and write different things: one of them must see the other.

use crate::harness::{Meeting, pause, rounds, together};
use simplex_stores::stm::{StmResult, TMap, TVar, Transaction, atomically};
use std::sync::Arc;

/// Has two threads come in on the same place at once, again and again, each place a new one, and says what was left in each.
fn both_come<P: Send + Sync + 'static>(
    new: impl Fn() -> P,
    come: impl Fn(&mut Transaction<'_>, &P, usize) -> StmResult<()> + Send + Sync + 'static,
    left: impl Fn(&P) -> usize,
) -> impl Iterator<Item = usize> {
    let places: Arc<Vec<P>> = Arc::new((0..rounds()).map(|_| new()).collect());
    let (meeting, at_work) = (Meeting::of(2), places.clone());
    together(2, move |thread| {
        for place in at_work.iter() {
            meeting.wait();
            atomically(|tx| come(tx, place, thread));
        }
    });
    let left: Vec<_> = places.iter().map(left).collect();
    left.into_iter()
}

#[test]
fn at_most_one_of_two_variables_is_set() {
    let left = both_come(
        || [TVar::new(0), TVar::new(0)],
        |tx, [x, y], own| {
            if pause(x.read(tx)? + y.read(tx)?) < 1 { [x, y][own].write(tx, 1) } else { Ok(()) }
        },
        |[x, y]| x.read_atomic() + y.read_atomic(),
    );
    assert!(left.eq((0..rounds()).map(|_| 1)));
}

#[test]
fn at_most_one_of_two_absent_keys_is_inserted() {
    let left = both_come(
        TMap::new,
        |tx, map: &TMap<usize, ()>, own| match pause(map.get(tx, &(1 - own))?) {
            Some(()) => Ok(()),
            None => map.insert(tx, own, ()),
        },
        TMap::len_atomic,
    );
    assert!(left.eq((0..rounds()).map(|_| 1)));
}

/// Both are there at first, and each may go if the other stays.
#[test]
fn at_most_one_of_two_keys_is_removed() {
    let both = || {
        let map = TMap::new();
        atomically(|tx| map.union(tx, [(0, ()), (1, ())]));
        map
    };
    let left = both_come(
        both,
        |tx, map: &TMap<usize, ()>, own| match pause(map.contains_key(tx, &(1 - own))?) {
            true => map.remove(tx, &own),
            false => Ok(()),
        },
        TMap::len_atomic,
    );
    assert!(left.eq((0..rounds()).map(|_| 1)));
}

/// An absent key here, a variable there.
#[test]
fn a_map_and_a_variable_are_never_both_taken() {
    let left = both_come(
        || (TMap::new(), TVar::new(0)),
        |tx, (map, var): &(TMap<u8, ()>, TVar<usize>), own| match own {
            0 if pause(var.read(tx)?) == 0 => map.insert(tx, 0, ()),
            1 if !pause(map.contains_key(tx, &0)?) => var.write(tx, 1),
            _ => Ok(()),
        },
        |(map, var)| map.len_atomic() + var.read_atomic(),
    );
    assert!(left.eq((0..rounds()).map(|_| 1)));
}
