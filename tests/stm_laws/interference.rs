//! The laws once more, on real threads, with another transaction in exactly the worst place: started and
//! finished by the body itself, on another thread, in the middle of its first run.
//!
//! Where the `stm` crate by itself breaks the law, a twin shows it do so on the same steps.
#![cfg(not(any(loom, shuttle)))]

use super::harness::{panic_of, quiet_panic, spawn};
use simplex_stores::stm::{
    StmResult, TBQueue, TMVar, TMap, TQueue, TVar, Transaction, abort, atomically, guard, retry,
    stats, try_atomically,
};
use simplex_stores::sync::atomic::{AtomicU64, Ordering};
use std::cell::Cell;
use std::sync::Arc;

/// Something that another thread does once, while the first to call [`strike`](Once::strike) waits.
struct Once<F>(Cell<Option<F>>);

impl<F: FnOnce() + Send + 'static> Once<F> {
    fn new(act: F) -> Self {
        Once(Cell::new(Some(act)))
    }

    fn strike(&self) {
        if let Some(act) = self.0.take() {
            spawn(act).join().unwrap();
        }
    }
}

/// Two variables that are equal whenever nobody is changing them, and a thread that raises both.
fn pair() -> (TVar<i32>, TVar<i32>, Once<impl FnOnce() + Send + 'static>) {
    let (x, y) = (TVar::new(0), TVar::new(0));
    let (x2, y2) = (x.clone(), y.clone());
    let raise = move || {
        atomically(|tx| {
            x2.modify(tx, |n| n + 1)?;
            y2.modify(tx, |n| n + 1)
        });
    };
    (x, y, Once::new(raise))
}

#[test]
fn a_change_between_two_reads_runs_the_body_again() {
    let (x, y, other) = pair();
    let mut runs = 0;
    let seen = atomically(|tx| {
        runs += 1;
        let x = x.read(tx)?;
        other.strike();
        Ok((x, y.read(tx)?))
    });
    assert_eq!((seen, runs), ((1, 1), 2));
}

#[test]
fn a_change_between_two_reads_runs_an_aborting_body_again() {
    let (x, y, other) = pair();
    let seen: Result<(), _> = try_atomically(|tx| {
        let x = x.read(tx)?;
        other.strike();
        let y = y.read(tx)?;
        abort((x, y))
    });
    assert_eq!(seen, Err((1, 1)));
}

#[test]
fn a_change_between_two_reads_runs_a_panicking_body_again() {
    let (x, y, other) = pair();
    let before = stats();
    atomically(|tx| {
        let x = x.read(tx)?;
        other.strike();
        if x != y.read(tx)? {
            quiet_panic::<()>("an inconsistent state");
        }
        Ok(())
    });
    assert!(stats().since(before).reruns >= 1);
}

#[test]
fn twin_the_crate_alone_passes_such_a_panic_on() {
    let (x, y) = (stm_core::TVar::new(0), stm_core::TVar::new(0));
    let (x2, y2) = (x.clone(), y.clone());
    let text = panic_of(|| {
        stm_core::atomically(|tx| {
            let before = x.read(tx)?;
            let (x2, y2) = (x2.clone(), y2.clone());
            spawn(move || {
                stm_core::atomically(|tx| {
                    x2.write(tx, 1)?;
                    y2.write(tx, 1)
                });
            })
            .join()
            .unwrap();
            if before != y.read(tx)? {
                quiet_panic::<()>("an inconsistent state");
            }
            Ok(())
        });
    });
    assert_eq!(text, "an inconsistent state");
}

/// The left branch finds its flag down; before the right one ends, the flag goes up. Publishing what the right
/// branch wrote now would say that the left one could not run, at a moment when it could.
#[test]
fn a_change_to_what_the_left_branch_read_runs_the_body_again() {
    let (flag, last) = (TVar::new(false), TVar::new("none"));
    let raised = flag.clone();
    let other = Once::new(move || atomically(|tx| raised.write(tx, true)));
    let taken = atomically(|tx| {
        tx.or_else(
            |tx| guard(flag.read(tx)?).map(|()| "left"),
            |tx| {
                other.strike();
                last.write(tx, "right").map(|()| "right")
            },
        )
    });
    assert_eq!((taken, last.read_atomic()), ("left", "none"));
}

#[test]
fn twin_the_crate_alone_commits_the_right_branch_all_the_same() {
    let flag = stm_core::TVar::new(false);
    let raised = flag.clone();
    let taken = stm_core::atomically(|tx| {
        tx.or(
            |tx| stm_core::guard(flag.read(tx)?).map(|()| "left"),
            |_| {
                let raised = raised.clone();
                spawn(move || stm_core::atomically(|tx| raised.write(tx, true))).join().unwrap();
                Ok("right")
            },
        )
    });
    assert_eq!(taken, "right", "the crate has been repaired: so can be the engine over it");
}

/// The change comes after the read and before the thread sleeps: it must not sleep.
#[test]
fn a_change_before_the_thread_sleeps_keeps_it_awake() {
    let flag = TVar::new(false);
    let raised = flag.clone();
    let other = Once::new(move || atomically(|tx| raised.write(tx, true)));
    atomically(|tx| {
        if flag.read(tx)? {
            return Ok(());
        }
        other.strike();
        retry()
    });
}

/// The same for what a left branch read, when the right one blindly wrote it and retried.
#[test]
fn a_change_to_what_the_left_branch_read_keeps_the_thread_awake() {
    let (flag, never) = (TVar::new(false), TVar::new(false));
    let raised = flag.clone();
    let other = Once::new(move || atomically(|tx| raised.write(tx, true)));
    atomically(|tx| {
        tx.or_else(
            |tx| guard(flag.read(tx)?),
            |tx| {
                flag.write(tx, false)?;
                other.strike();
                guard(never.read(tx)?)
            },
        )
    });
}

#[test]
fn a_change_to_a_variable_that_was_only_written_does_not_run_the_body_again() {
    let var = TVar::new(0);
    let changed = var.clone();
    let other = Once::new(move || atomically(|tx| changed.write(tx, 1)));
    let mut runs = 0;
    atomically(|tx| {
        runs += 1;
        var.write(tx, 2)?;
        other.strike();
        Ok(())
    });
    assert_eq!((runs, var.read_atomic()), (1, 2));
}

#[test]
fn what_is_read_of_its_own_writes_does_not_count_as_read() {
    let var = TVar::new(0);
    let changed = var.clone();
    let other = Once::new(move || atomically(|tx| changed.write(tx, 1)));
    let mut runs = 0;
    let seen = atomically(|tx| {
        runs += 1;
        var.write(tx, 2)?;
        let seen = var.read(tx)?;
        other.strike();
        Ok(seen)
    });
    assert_eq!((runs, seen, var.read_atomic()), (1, 2, 2));
}

/// How often a body runs that looks at something to which another thread then does something.
fn runs_beside(
    look: impl Fn(&mut Transaction<'_>) -> StmResult<bool>,
    act: impl FnOnce() + Send + 'static,
) -> u32 {
    let (other, looked, mut runs) = (Once::new(act), TVar::new(false), 0);
    atomically(|tx| {
        runs += 1;
        let seen = look(tx)?;
        other.strike();
        looked.write(tx, seen)
    });
    runs
}

#[test]
fn what_finds_nothing_to_take_out_is_no_change() {
    let place = TMVar::<u8>::new_empty();
    let other = place.clone();
    let runs = runs_beside(
        |tx| place.is_empty(tx),
        move || assert_eq!(atomically(|tx| other.try_take(tx)), None),
    );
    assert_eq!(runs, 1, "an empty place");

    let map = TMap::<u8, u8>::new();
    let other = map.clone();
    let runs = runs_beside(
        |tx| map.contains_key(tx, &1),
        move || assert_eq!(atomically(|tx| other.take(tx, &1)), None),
    );
    assert_eq!(runs, 1, "an absent key");

    let queue = TQueue::<u8>::new();
    for flush in [false, true] {
        let other = queue.clone();
        let runs = runs_beside(
            |tx| queue.is_empty(tx),
            move || match flush {
                true => assert!(atomically(|tx| other.flush(tx)).is_empty()),
                false => assert_eq!(atomically(|tx| other.try_read(tx)), None),
            },
        );
        assert_eq!(runs, 1, "an empty queue, flushed: {flush}");
    }

    let bounded = TBQueue::<u8>::new(0);
    let other = bounded.clone();
    let runs = runs_beside(
        |tx| bounded.is_full(tx),
        move || assert!(atomically(|tx| other.flush(tx)).is_empty()),
    );
    assert_eq!(runs, 1, "an empty bounded queue");
}

/// Counts its destructions, and uses a variable in each.
struct Counted(Arc<AtomicU64>, TVar<u32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        atomically(|tx| self.1.modify(tx, |n| n + 1));
    }
}

#[test]
fn what_a_lost_run_wrote_dies_before_the_next_one_and_its_destructor_may_use_variables() {
    let (x, _, other) = pair();
    let (drops, uses, cell) = (Arc::new(AtomicU64::new(0)), TVar::new(0), TVar::new(None));
    let mut runs = 0;
    atomically(|tx| {
        assert_eq!(drops.load(Ordering::SeqCst), runs);
        runs += 1;
        x.read(tx)?;
        cell.write(tx, Some(Arc::new(Counted(drops.clone(), uses.clone()))))?;
        other.strike();
        Ok(())
    });
    assert_eq!((runs, uses.read_atomic()), (2, 1));
}

#[test]
fn a_change_to_what_a_caught_part_read_runs_the_body_again() {
    let (x, y, other) = pair();
    let seen = atomically(|tx| {
        let x = tx.catch_abort(|tx| abort::<(), _>(x.read(tx)?))?;
        other.strike();
        Ok((x, y.read(tx)?))
    });
    assert_eq!(seen, (Err(1), 1));
}
