//! `TMVar`.

use super::harness::{STEPS, explore, once, spawn};
use simplex_stores::stm::{TMVar, atomically};

#[test]
fn a_full_place_is_taken_read_and_swapped() {
    once(|| {
        let place = TMVar::new(1);
        let seen = atomically(|tx| {
            Ok((place.read(tx)?, place.swap(tx, 2)?, place.take(tx)?, place.is_empty(tx)?))
        });
        assert_eq!(seen, (1, 1, 2, true));
    });
}

#[test]
fn what_would_wait_has_a_form_that_does_not() {
    once(|| {
        let place = TMVar::new_empty();
        let seen = atomically(|tx| {
            let empty = (place.try_take(tx)?, place.try_read(tx)?);
            let first = place.try_put(tx, 1)?;
            let second = place.try_put(tx, 2)?;
            Ok((empty, first, second, place.try_read(tx)?, place.try_take(tx)?))
        });
        assert_eq!(seen, ((None, None), Ok(()), Err(2), Some(1), Some(1)));
    });
}

#[test]
fn write_fills_an_empty_place_and_replaces_in_a_full_one() {
    once(|| {
        let place = TMVar::default();
        atomically(|tx| place.write(tx, 1));
        atomically(|tx| place.write(tx, 2));
        assert_eq!(atomically(|tx| place.take(tx)), 2);
    });
}

#[test]
fn what_would_wait_runs_the_other_branch() {
    once(|| {
        let (full, empty) = (TMVar::new(1), TMVar::<i32>::new_empty());
        let waits = |ok| {
            atomically(|tx| match ok {
                0 => tx.or_else(|tx| full.put(tx, 2).map(|()| false), |_| Ok(true)),
                1 => tx.or_else(|tx| empty.take(tx).map(|_| false), |_| Ok(true)),
                2 => tx.or_else(|tx| empty.read(tx).map(|_| false), |_| Ok(true)),
                _ => tx.or_else(|tx| empty.swap(tx, 3).map(|_| false), |_| Ok(true)),
            })
        };
        assert!((0..4).all(waits));
        assert_eq!(atomically(|tx| full.take(tx)), 1);
        assert!(atomically(|tx| empty.is_empty(tx)));
    });
}

#[test]
fn values_are_handed_over_one_by_one() {
    explore(|| {
        let place = TMVar::new_empty();
        let other = place.clone();
        let producer = spawn(move || {
            for n in 0..STEPS {
                atomically(|tx| other.put(tx, n));
            }
        });
        for n in 0..STEPS {
            assert_eq!(atomically(|tx| place.take(tx)), n);
        }
        producer.join().unwrap();
    });
}

#[test]
fn a_place_is_a_lock_that_a_transaction_can_hold() {
    explore(|| {
        let lock = TMVar::new(0);
        let work = |lock: TMVar<usize>| {
            move || {
                for _ in 0..STEPS {
                    let n = atomically(|tx| lock.take(tx));
                    atomically(|tx| lock.put(tx, n + 1));
                }
            }
        };
        let thread = spawn(work(lock.clone()));
        work(lock.clone())();
        thread.join().unwrap();
        assert_eq!(atomically(|tx| lock.take(tx)), 2 * STEPS);
    });
}
