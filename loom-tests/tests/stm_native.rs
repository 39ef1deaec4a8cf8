//! The engine of our own from the inside: every lock, every version, every wake-up is a step that loom interleaves.
//!
//! Each law has a small program of two or three threads, and the engine's guards a known-bad twin each: the
//! same engine with the guard taken out must fail. `RUSTFLAGS="--cfg loom --cfg native_engine"`.
#![cfg(all(loom, native_engine))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use loom_tests::scenario::two;
use loom_tests::{explore, must_fail};
use simplex_stores::stm::{EngineFault, TVar, Transaction, atomically, guard, without};

/// Two variables, both 0.
fn pair() -> (TVar<usize>, TVar<usize>) {
    (TVar::new(0), TVar::new(0))
}

/// Two threads add to one counter.
fn no_update_is_lost() {
    let counter = TVar::new(0);
    let other = counter.clone();
    two(
        move || atomically(|tx| other.modify(tx, |n| n + 1)),
        || atomically(|tx| counter.modify(tx, |n| n + 1)),
    );
    assert_eq!(counter.read_atomic(), 2, "an update is lost");
}

/// One thread keeps two variables equal, the other looks at both.
fn a_body_sees_one_moment() {
    let (x, y) = pair();
    let (x2, y2) = (x.clone(), y.clone());
    let write = move || {
        atomically(|tx| {
            x2.write(tx, 1)?;
            y2.write(tx, 1)
        });
    };
    two(write, || {
        atomically(|tx| {
            let seen = (x.read(tx)?, y.read(tx)?);
            assert_eq!(seen.0, seen.1, "a body sees two moments");
            Ok(())
        });
    });
}

/// Each thread sets its own variable if the other's is not set.
fn writes_do_not_skew() {
    let (x, y) = pair();
    let (x2, y2) = (x.clone(), y.clone());
    let set = |mine: &TVar<usize>, others: &TVar<usize>, tx: &mut Transaction<'_>| {
        if others.read(tx)? == 0 { mine.write(tx, 1) } else { Ok(()) }
    };
    two(move || atomically(|tx| set(&x2, &y2, tx)), || atomically(|tx| set(&y, &x, tx)));
    assert_eq!(x.read_atomic() + y.read_atomic(), 1, "the writes are skewed");
}

/// One thread waits for a flag that the other raises.
fn a_sleeper_is_woken() {
    let (flag, other) = pair();
    let raised = flag.clone();
    let raise = move || atomically(|tx| raised.write(tx, 1));
    two(raise, || {
        atomically(|tx| {
            tx.or_else(|tx| guard(flag.read(tx)? == 1), |tx| guard(other.read(tx)? == 1))
        });
    });
}

/// Two threads move an amount to and fro while a third sums up.
fn moves_keep_the_sum() {
    let (x, y) = (TVar::new(1), TVar::new(1));
    let step = |from: &TVar<usize>, to: &TVar<usize>, tx: &mut Transaction<'_>| {
        let amount = from.replace(tx, 0)?;
        to.modify(tx, |n| n + amount)
    };
    let ((x2, y2), (x3, y3)) = ((x.clone(), y.clone()), (x.clone(), y.clone()));
    two(
        move || atomically(|tx| step(&x2, &y2, tx)),
        || {
            two(
                move || atomically(|tx| step(&y3, &x3, tx)),
                || {
                    let sum = atomically(|tx| Ok(x.read(tx)? + y.read(tx)?));
                    assert_eq!(sum, 2, "the sum is another");
                },
            )
        },
    );
}

#[test]
fn proof_no_update_is_lost() {
    explore("stm_native/updates", 3, no_update_is_lost);
}

#[test]
fn twin_unchecked_commits_lose_updates() {
    without(EngineFault::UncheckedCommits, || {
        must_fail("stm_native/unchecked_commits", 3, "an update is lost", no_update_is_lost);
    });
}

#[test]
fn proof_a_body_sees_one_moment() {
    explore("stm_native/one_moment", 3, a_body_sees_one_moment);
}

#[test]
fn twin_unchecked_reads_see_two_moments() {
    without(EngineFault::UncheckedReads, || {
        must_fail("stm_native/unchecked_reads", 3, "sees two moments", a_body_sees_one_moment);
    });
}

#[test]
fn twin_a_number_taken_early_shows_two_moments() {
    without(EngineFault::EarlyNumber, || {
        must_fail("stm_native/early_number", 3, "sees two moments", a_body_sees_one_moment);
    });
}

#[test]
fn proof_writes_do_not_skew() {
    explore("stm_native/skew", 3, writes_do_not_skew);
}

#[test]
fn twin_unannounced_writes_skew() {
    without(EngineFault::UnannouncedWrites, || {
        must_fail("stm_native/unannounced_writes", 3, "are skewed", writes_do_not_skew);
    });
}

#[test]
fn proof_a_sleeper_is_woken() {
    explore("stm_native/wake", 3, a_sleeper_is_woken);
}

#[test]
fn twin_an_unchecked_sleep_misses_the_change() {
    without(EngineFault::UncheckedSleep, || {
        must_fail("stm_native/unchecked_sleep", 3, "deadlock", a_sleeper_is_woken);
    });
}

#[test]
fn proof_moves_keep_the_sum() {
    explore("stm_native/moves", 2, moves_keep_the_sum);
}
