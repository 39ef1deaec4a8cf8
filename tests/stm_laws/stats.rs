//! What is counted, by label, and which variables conflicts are on.

use super::harness::once;
use simplex_stores::stm::{Label, TVar, TxResult, abort, atomically, labels};
#[cfg(not(any(loom, shuttle)))]
use simplex_stores::stm::{TMap, conflicts, guard, watch_conflicts};
#[cfg(not(any(loom, shuttle)))]
use simplex_stores::sync::thread;

#[test]
fn a_label_counts_its_own_transactions() {
    static COUNTED: Label = Label::new("laws.counted");
    static UNUSED: Label = Label::new("laws.unused");
    once(|| {
        let before = COUNTED.stats();
        let var = TVar::new(0);
        COUNTED.atomically(|tx| var.write(tx, 1));
        let aborted = COUNTED.try_atomically(|_| -> TxResult<(), _> { abort("no") });
        atomically(|tx| var.write(tx, 2));
        let counted = COUNTED.stats().since(before);
        assert_eq!((aborted, counted.commits, counted.reruns), (Err("no"), 2, 0));
        let listed: Vec<_> = labels().iter().map(|label| label.name()).collect();
        assert!(listed.contains(&COUNTED.name()) && !listed.contains(&UNUSED.name()));
        assert!(listed.is_sorted());
    });
}

#[test]
#[cfg(not(any(loom, shuttle)))]
fn waiting_is_counted_under_its_label() {
    static WAITING: Label = Label::new("laws.waiting");
    once(|| {
        let var = TVar::new(false);
        let waiter = {
            let var = var.clone();
            thread::spawn(move || WAITING.atomically(|tx| guard(var.read(tx)?)))
        };
        while WAITING.stats().retries == 0 {
            thread::yield_now();
        }
        atomically(|tx| var.write(tx, true));
        waiter.join().unwrap();
        let stats = WAITING.stats();
        assert_eq!(stats.commits, 1);
        assert!(!stats.waited.is_zero());
    });
}

/// A transaction is made to run again by another one that commits in the middle of it, on a variable and on a map.
#[test]
#[cfg(not(any(loom, shuttle)))]
fn conflicts_are_on_what_has_changed() {
    static REPEATED: Label = Label::new("laws.repeated");
    let (var, map, other) = (TVar::new(0), TMap::new(), TVar::new(0));
    watch_conflicts(true);
    for on_map in [false, true] {
        let mut runs = 0;
        REPEATED.atomically(|tx| {
            runs += 1;
            let seen = if on_map { map.get(tx, &1)?.unwrap_or(0) } else { var.read(tx)? };
            if runs == 1 {
                let (var, map) = (var.clone(), map.clone());
                let change = move || {
                    atomically(|tx| if on_map { map.insert(tx, 1, 1) } else { var.write(tx, 1) });
                };
                thread::spawn(change).join().unwrap();
            }
            other.write(tx, seen)
        });
        assert_eq!(runs, 2);
    }
    watch_conflicts(false);
    let times = |id| conflicts().into_iter().find(|(on, _)| *on == id).map_or(0, |(_, n)| n);
    assert_eq!((times(var.id()), times(map.id()), times(other.id())), (1, 1, 0));
    assert_eq!((REPEATED.stats().commits, REPEATED.stats().reruns), (2, 2));
}
