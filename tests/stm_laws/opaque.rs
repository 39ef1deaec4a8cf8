//! The law *opaque*: a running transaction never sees a state that no serial order produces.
//!
//! The model engine keeps it whole. On the reference engine, what can be shown is that nothing that
//! comes of an inconsistent state leaves the transaction: no result, no abort, no panic.

use super::harness::{STEPS, explore_as, name_of, quiet_panic, spawn};
use simplex_stores::stm::{TVar, TxError, abort, atomically, try_atomically};

/// Runs `reader` beside a thread that keeps two variables equal.
fn beside_a_writer<F: Fn(&TVar<usize>, &TVar<usize>) + Send + Sync + 'static>(reader: F) {
    explore_as(&name_of::<F>(), move || {
        let (x, y) = (TVar::new(0), TVar::new(0));
        let writer = {
            let (x, y) = (x.clone(), y.clone());
            spawn(move || {
                for n in 1..=STEPS {
                    atomically(|tx| {
                        x.write(tx, n)?;
                        y.write(tx, n)
                    });
                }
            })
        };
        for _ in 0..STEPS {
            reader(&x, &y);
        }
        writer.join().unwrap();
    });
}

#[test]
fn no_result_comes_of_an_inconsistent_state() {
    beside_a_writer(|x, y| {
        let (x, y) = atomically(|tx| Ok((x.read(tx)?, y.read(tx)?)));
        assert_eq!(x, y);
    });
}

#[test]
fn no_abort_comes_of_an_inconsistent_state() {
    beside_a_writer(|x, y| {
        let seen: Result<(), _> = try_atomically(|tx| {
            let pair = (x.read(tx)?, y.read(tx)?);
            abort(pair)
        });
        let (x, y) = seen.unwrap_err();
        assert_eq!(x, y);
    });
}

#[test]
fn no_panic_comes_of_an_inconsistent_state() {
    beside_a_writer(|x, y| {
        atomically(|tx| {
            if x.read(tx)? != y.read(tx)? {
                quiet_panic::<()>("an inconsistent state");
            }
            Ok(())
        });
    });
}

#[cfg(any(loom, shuttle))]
#[test]
fn no_run_of_a_body_sees_an_inconsistent_state() {
    let torn = std::sync::Arc::new(simplex_stores::sync::Tally::new());
    let seen = torn.clone();
    beside_a_writer(move |x, y| {
        atomically(|tx| {
            if x.read(tx)? != y.read(tx)? {
                seen.add(1);
            }
            Ok(())
        });
    });
    assert_eq!(torn.sum(), 0);
}

/// What an error that the caller sees says was true at one moment, even when it is told by `?`.
#[test]
fn an_error_from_a_called_part_is_validated_too() {
    fn check(
        tx: &mut simplex_stores::stm::Transaction<'_>,
        x: &TVar<usize>,
        y: &TVar<usize>,
    ) -> Result<(), TxError<&'static str>> {
        if x.read(tx)? == y.read(tx)? { Ok(()) } else { abort("torn") }
    }
    beside_a_writer(|x, y| assert_eq!(try_atomically(|tx| check(tx, x, y)), Ok(())));
}
