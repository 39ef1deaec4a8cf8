//! `TVar`: copies are made only where somebody else holds the value.

use super::harness::once;
use simplex_stores::stm::{TVar, atomically, retry};
use simplex_stores::sync::Tally;
use std::sync::Arc;

/// Counts how often it was cloned.
#[derive(Debug)]
struct Counted(Arc<Tally>, u32);

impl Clone for Counted {
    fn clone(&self) -> Self {
        self.0.add(1);
        Counted(self.0.clone(), self.1)
    }
}

#[test]
fn update_copies_a_committed_value_once_and_then_changes_it_in_place() {
    once(|| {
        let clones = Arc::new(Tally::new());
        let var = TVar::new(Counted(clones.clone(), 0));
        atomically(|tx| (0..100).try_for_each(|_| var.update(tx, |value| value.1 += 1)));
        assert_eq!((clones.sum(), var.with_atomic(|value| value.1)), (1, 100));
    });
}

#[test]
fn update_changes_what_the_transaction_wrote_itself_without_a_copy() {
    once(|| {
        let clones = Arc::new(Tally::new());
        let var = TVar::new(Counted(clones.clone(), 0));
        atomically(|tx| {
            var.write(tx, Counted(clones.clone(), 5))?;
            var.update(tx, |value| value.1 += 1)
        });
        assert_eq!((clones.sum(), var.with_atomic(|value| value.1)), (0, 6));
    });
}

#[test]
fn update_in_a_branch_copies_once_and_leaves_the_earlier_value_whole() {
    once(|| {
        let clones = Arc::new(Tally::new());
        let var = TVar::new(Counted(clones.clone(), 0));
        let seen = atomically(|tx| {
            var.update(tx, |value| value.1 = 1)?;
            tx.or_else(
                |tx| {
                    (0..10).try_for_each(|_| var.update(tx, |value| value.1 += 1))?;
                    retry()
                },
                |tx| var.with(tx, |value| value.1),
            )
        });
        assert_eq!((seen, clones.sum()), (1, 2));
    });
}

#[test]
fn looking_at_a_value_copies_nothing() {
    once(|| {
        let clones = Arc::new(Tally::new());
        let var = TVar::new(Counted(clones.clone(), 3));
        assert_eq!(atomically(|tx| var.with(tx, |value| value.1)), 3);
        assert_eq!((var.with_atomic(|value| value.1), clones.sum()), (3, 0));
    });
}

#[test]
fn a_value_need_not_be_cloneable_to_be_written_and_looked_at() {
    struct Whole(u32);
    once(|| {
        let var = TVar::new(Whole(1));
        let seen = atomically(|tx| {
            var.write(tx, Whole(2))?;
            var.with(tx, |whole| whole.0)
        });
        assert_eq!((seen, var.with_atomic(|whole| whole.0)), (2, 2));
    });
}

#[test]
fn replace_returns_the_earlier_value_and_modify_makes_the_new_from_the_old() {
    once(|| {
        let var = TVar::new(1);
        let seen = atomically(|tx| {
            let first = var.replace(tx, 2)?;
            let second = var.replace(tx, 3)?;
            var.modify(tx, |n| n * 10)?;
            Ok((first, second))
        });
        assert_eq!((seen, var.read_atomic()), ((1, 2), 30));
    });
}

#[test]
fn a_clone_is_the_same_variable() {
    once(|| {
        let (var, other) = (TVar::new(1), TVar::new(1));
        let same = var.clone();
        atomically(|tx| same.write(tx, 2));
        assert_eq!((var.read_atomic(), other.read_atomic()), (2, 1));
        assert!(var.ptr_eq(&same) && !var.ptr_eq(&other));
        assert_eq!(format!("{var:?}"), "TVar(2)");
    });
}

#[test]
fn a_transaction_over_many_variables_finds_each_of_them() {
    once(|| {
        let vars: Vec<_> = (0..500).map(TVar::new).collect();
        let sum = atomically(|tx| {
            for var in &vars {
                var.update(tx, |n| *n += 1)?;
            }
            vars.iter().rev().map(|var| var.read(tx)).sum::<Result<i32, _>>()
        });
        assert_eq!(sum, 500 * 501 / 2);
        assert!(vars.iter().enumerate().all(|(n, var)| var.read_atomic() == n as i32 + 1));
    });
}
