//! `TSem`.

use super::harness::{STEPS, explore, once, spawn};
use simplex_stores::stm::{TSem, TVar, atomically, retry};

fn would_wait(semaphore: &TSem) -> bool {
    atomically(|tx| {
        tx.or_else(
            |tx| {
                semaphore.wait(tx)?;
                tx.or_else(|_| retry(), |_| Ok(()))?;
                semaphore.signal(tx)?;
                Ok(false)
            },
            |_| Ok(true),
        )
    })
}

#[test]
fn permits_are_counted() {
    once(|| {
        let semaphore = TSem::new(2);
        atomically(|tx| semaphore.wait(tx));
        atomically(|tx| semaphore.wait(tx));
        assert!(would_wait(&semaphore));
        atomically(|tx| semaphore.signal_n(tx, 3));
        assert_eq!(semaphore.permits_atomic(), 3);
        assert!(!would_wait(&semaphore));
    });
}

#[test]
fn a_negative_count_needs_that_many_signals_first() {
    once(|| {
        let semaphore = TSem::new(-1);
        atomically(|tx| semaphore.signal(tx));
        assert!(would_wait(&semaphore));
        atomically(|tx| semaphore.signal(tx));
        assert!(!would_wait(&semaphore));
    });
}

#[test]
fn the_count_stops_at_its_greatest_value() {
    once(|| {
        let semaphore = TSem::new(1);
        atomically(|tx| semaphore.signal_n(tx, u64::MAX));
        atomically(|tx| semaphore.signal(tx));
        assert_eq!(semaphore.permits_atomic(), i64::MAX);
    });
}

#[test]
fn a_permit_is_kept_when_the_rest_of_the_transaction_retries() {
    once(|| {
        let semaphore = TSem::new(1);
        atomically(|tx| {
            tx.or_else(
                |tx| {
                    semaphore.wait(tx)?;
                    retry()
                },
                |_| Ok(()),
            )
        });
        assert_eq!(semaphore.permits_atomic(), 1);
    });
}

#[test]
fn never_more_threads_inside_than_permits() {
    explore(|| {
        let (semaphore, inside) = (TSem::new(1), TVar::new(0));
        let work = |semaphore: TSem, inside: TVar<i32>| {
            move || {
                for _ in 0..STEPS {
                    atomically(|tx| semaphore.wait(tx));
                    let n = atomically(|tx| {
                        inside.update(tx, |n| {
                            *n += 1;
                            *n
                        })
                    });
                    assert_eq!(n, 1);
                    atomically(|tx| inside.modify(tx, |n| n - 1));
                    atomically(|tx| semaphore.signal(tx));
                }
            }
        };
        let thread = spawn(work(semaphore.clone(), inside.clone()));
        work(semaphore.clone(), inside.clone())();
        thread.join().unwrap();
        assert_eq!(semaphore.permits_atomic(), 1);
    });
}
