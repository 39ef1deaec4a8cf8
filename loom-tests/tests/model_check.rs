//! The kit's own promises: a failure is found, told with what repeats it, and repeated by it.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use simplex_stores::stm::{TVar, atomically};
use simplex_stores::sync::Mutex;
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::model_check::Checker;
use std::sync::Arc;

/// So many threads add one to a counter, reading and writing it in two steps or in one.
fn count_together(threads: u64, in_one_step: bool) {
    let counter = TVar::new(0_u64);
    let add = move |counter: &TVar<u64>| {
        if in_one_step {
            return atomically(|tx| counter.modify(tx, |n| n + 1));
        }
        let seen = counter.read_atomic();
        atomically(|tx| counter.write(tx, seen + 1));
    };
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let counter = counter.clone();
            spawn(move || add(&counter))
        })
        .collect();
    add(&counter);
    for other in others {
        other.join().unwrap();
    }
    assert_eq!(counter.read_atomic(), threads, "an addition is lost");
}

#[test]
fn a_scenario_that_never_fails_is_explored_to_its_end() {
    let executions = Checker::new().preemptions(2).schedules(50).check(|| count_together(2, true));
    assert!(executions >= 2);
    if cfg!(shuttle) && std::env::var_os("SIMPLEX_STORES_SCHEDULES").is_none() {
        assert_eq!(executions, 50);
    }
}

#[test]
fn a_lost_addition_is_found() {
    let failure = Checker::new().preemptions(2).must_fail("is lost", || count_together(2, false));
    assert!(failure.executions > 0 && failure.seed.is_some() == cfg!(shuttle));
    assert!(failure.to_string().contains(if cfg!(shuttle) { "SEED=" } else { "again" }));
}

#[test]
#[should_panic(expected = "executions succeeded")]
fn a_twin_that_does_not_fail_is_refused() {
    Checker::new().preemptions(0).must_fail("is lost", || drop(TVar::new(0)));
}

#[test]
#[should_panic(expected = "wanted a failure with \"deadlock\"")]
fn a_twin_that_fails_otherwise_is_refused() {
    Checker::new().preemptions(2).must_fail("deadlock", || count_together(2, false));
}

#[test]
#[should_panic(expected = "came out as it should")]
fn a_witness_that_finds_nothing_is_refused() {
    Checker::new().preemptions(0).must_find(|| TVar::new(0).read_atomic() > 0);
}

/// Two locks taken in two orders: with as many threads as loom can't have.
#[test]
fn a_deadlock_is_found() {
    let threads = if cfg!(loom) { 2 } else { 6 };
    Checker::new().preemptions(2).must_fail("deadlock", move || {
        let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
        let others: Vec<_> = (0..threads)
            .map(|n| {
                let locks = locks.clone();
                spawn(move || {
                    let _first = locks[n % 2].lock();
                    let _second = locks[(n + 1) % 2].lock();
                })
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
    });
}

#[cfg(shuttle)]
mod seeds {
    use super::{Checker, count_together, spawn};
    use simplex_stores::sync::thread::yield_now;
    use simplex_stores::testing::model_check;
    use std::collections::BTreeSet;
    #[allow(clippy::disallowed_types, reason = "shuttle needn't see the list")]
    use std::sync::Mutex;
    use std::sync::{Arc, OnceLock};

    #[test]
    fn a_failure_is_replayed_by_its_seed_and_no_other_fails_before_it() {
        let scenario = || count_together(5, false);
        let failure = Checker::new().first_seed(1).must_fail("is lost", scenario);
        let seed = failure.seed.unwrap();
        for _ in 0..3 {
            let again = Checker::replay(seed, scenario).unwrap_err();
            assert_eq!((again.text, again.seed), (failure.text.clone(), Some(seed)));
        }
        for earlier in 1..seed {
            Checker::replay(earlier, scenario).unwrap();
        }
        assert_eq!(failure.executions, seed);
    }

    /// The order in which five threads took their steps in the schedule of this seed.
    #[allow(clippy::disallowed_types, reason = "shuttle needn't see the list")]
    fn order(seed: u64) -> Vec<usize> {
        let order = Arc::new(OnceLock::new());
        let kept = order.clone();
        Checker::replay(seed, move || {
            let steps = Arc::new(Mutex::new(Vec::new()));
            let threads: Vec<_> = (0..5)
                .map(|number| {
                    let steps = steps.clone();
                    spawn(move || {
                        for _ in 0..4 {
                            steps.lock().unwrap().push(number);
                            yield_now();
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(model_check::seed(), seed);
            kept.get_or_init(|| steps.lock().unwrap().clone());
        })
        .unwrap();
        order.get().unwrap().clone()
    }

    #[test]
    fn a_seed_decides_the_schedule_and_seeds_differ() {
        let orders: BTreeSet<_> = (0..100).map(order).collect();
        // The fifty walks all differ; of the priorities, some only where these threads don't look.
        assert!(orders.len() > 60, "only {} schedules", orders.len());
        for seed in 0..20 {
            assert_eq!(order(seed), order(seed));
        }
    }
}
