//! The law *panic*: a panic inside a transaction publishes nothing, and poisons and locks nothing.

use super::harness::{explore, once, panic_of, quiet_panic, spawn};
use simplex_stores::stm::{StmResult, TMap, TVar, atomically, guard};
use simplex_stores::sync::Tally;
use std::sync::Arc;

#[test]
fn a_panic_is_passed_on_and_publishes_nothing() {
    once(|| {
        let (var, map) = (TVar::new(1), TMap::new());
        let text = panic_of(|| {
            atomically(|tx| {
                var.write(tx, 2)?;
                map.insert(tx, 1, 1)?;
                quiet_panic::<StmResult<()>>("on purpose")
            });
        });
        assert_eq!(text, "on purpose");
        assert_eq!((var.read_atomic(), map.len_atomic()), (1, 0));
    });
}

#[test]
fn a_panic_half_way_through_a_change_in_place_publishes_nothing() {
    once(|| {
        let list = TVar::new(vec![1]);
        panic_of(|| {
            atomically(|tx| {
                list.update(tx, |list| list.push(2))?;
                list.update(tx, |list| {
                    list.clear();
                    quiet_panic::<()>("half way")
                })
            });
        });
        assert_eq!(list.read_atomic(), [1]);
    });
}

#[test]
fn the_thread_and_the_variables_stay_usable() {
    explore(|| {
        let var = TVar::new(1);
        panic_of(|| {
            atomically(|tx| {
                var.modify(tx, |n| n + 1)?;
                quiet_panic::<StmResult<()>>("on purpose")
            });
        });
        let thread = {
            let var = var.clone();
            spawn(move || atomically(|tx| var.modify(tx, |n| n + 10)))
        };
        atomically(|tx| var.modify(tx, |n| n + 100));
        thread.join().unwrap();
        assert_eq!(var.read_atomic(), 111);
    });
}

#[test]
fn a_panic_does_not_wake_a_thread_that_waits() {
    explore(|| {
        let var = TVar::new(0);
        let waiter = {
            let var = var.clone();
            spawn(move || atomically(|tx| guard(var.read(tx)? == 2)))
        };
        panic_of(|| {
            atomically(|tx| {
                var.write(tx, 1)?;
                quiet_panic::<StmResult<()>>("on purpose")
            });
        });
        atomically(|tx| var.write(tx, 2));
        waiter.join().unwrap();
    });
}

/// Counts its destructions, and uses a variable in each.
struct Touches {
    var: TVar<u32>,
    drops: Arc<Tally>,
}

impl Drop for Touches {
    fn drop(&mut self) {
        self.drops.add(1);
        // Inside a transaction this would be refused, and under a lock it would hang.
        atomically(|tx| self.var.modify(tx, |n| n + 1));
    }
}

/// A value that holds the variable it is held by.
type Cell = TVar<Option<Arc<Touches>>>;

/// The destructor of a replaced value runs after the commit, outside of any lock and transaction: with a blind write,
/// after a read, and for the value of an aborted transaction.
#[test]
fn the_destructor_of_a_replaced_value_may_use_the_variables() {
    once(|| {
        let drops = Arc::new(Tally::new());
        let (cell, var) = (Cell::new(None), TVar::new(0));
        let fresh = || Some(Arc::new(Touches { var: var.clone(), drops: drops.clone() }));
        atomically(|tx| cell.write(tx, fresh()));
        atomically(|tx| cell.write(tx, None));
        assert_eq!((drops.sum(), var.read_atomic()), (1, 1));

        atomically(|tx| cell.write(tx, fresh()));
        atomically(|tx| {
            let there = cell.with(tx, Option::is_some)?;
            guard(there)?;
            cell.write(tx, None)
        });
        assert_eq!((drops.sum(), var.read_atomic()), (2, 2));

        panic_of(|| {
            atomically(|tx| {
                cell.write(tx, fresh())?;
                quiet_panic::<StmResult<()>>("on purpose")
            });
        });
        assert_eq!((drops.sum(), var.read_atomic()), (3, 3));
    });
}

/// A destructor that touches the very variable whose value it ends.
struct Owner {
    of: TVar<Option<Owned>>,
    seen: TVar<bool>,
}

type Owned = Arc<Owner>;

impl Drop for Owner {
    fn drop(&mut self) {
        let empty = self.of.with_atomic(Option::is_none);
        atomically(|tx| self.seen.write(tx, empty));
    }
}

#[test]
fn the_destructor_of_a_replaced_value_may_touch_its_own_variable() {
    once(|| {
        let (var, seen) = (TVar::new(None), TVar::new(false));
        let owner = Arc::new(Owner { of: var.clone(), seen: seen.clone() });
        atomically(|tx| var.write(tx, Some(owner.clone())));
        drop(owner);
        atomically(|tx| var.write(tx, None));
        assert!(seen.read_atomic());
    });
}
