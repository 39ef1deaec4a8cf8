//! `TSet`.

use super::harness::once;
use quickcheck::QuickCheck;
use simplex_stores::stm::{TSet, atomically};
use std::collections::BTreeSet;

#[test]
fn adding_and_removing_say_whether_anything_changed() {
    once(|| {
        let set = TSet::new();
        let seen = atomically(|tx| {
            Ok([
                set.insert(tx, 1)?,
                set.insert(tx, 1)?,
                set.contains(tx, &1)?,
                set.remove(tx, &1)?,
                set.remove(tx, &1)?,
                set.contains(tx, &1)?,
            ])
        });
        assert_eq!(seen, [true, false, true, true, false, false]);
    });
}

#[test]
fn a_snapshot_does_not_change_and_lists_in_order() {
    once(|| {
        let set = TSet::new();
        atomically(|tx| [5, 1, 3].iter().try_for_each(|n| set.insert(tx, *n).map(drop)));
        let snapshot = set.snapshot_atomic();
        atomically(|tx| set.clear(tx));
        assert_eq!(snapshot.iter_sorted(), [1, 3, 5]);
        assert_eq!((snapshot.len(), snapshot.contains(&3), set.len_atomic()), (3, true, 0));
        assert!(atomically(|tx| set.is_empty(tx)));
    });
}

#[test]
fn random_operations_agree_with_a_btreeset() {
    fn property(ops: Vec<(bool, u8)>) -> bool {
        once(move || {
            let (set, mut model) = (TSet::new(), BTreeSet::new());
            for &(add, key) in &ops {
                let key = key % 8;
                let expected = if add { model.insert(key) } else { model.remove(&key) };
                let result =
                    atomically(|tx| if add { set.insert(tx, key) } else { set.remove(tx, &key) });
                assert_eq!(result, expected);
                let snapshot = atomically(|tx| set.snapshot(tx));
                assert!(snapshot.iter_sorted().iter().eq(&model));
                assert_eq!(atomically(|tx| set.len(tx)), model.len());
                assert_eq!(set.contains_atomic(&key), add);
            }
        });
        true
    }
    let tests = if cfg!(any(loom, shuttle)) { 20 } else { 200 };
    QuickCheck::new().tests(tests).quickcheck(property as fn(Vec<(bool, u8)>) -> bool);
}
