//! Numbers in the order of commits, without gaps.

use super::harness::{STEPS, explore, once};
use simplex_stores::stm::{Sequence, TVar, TxResult, abort, retry, try_atomically_numbered};
use simplex_stores::sync::{Mutex, thread};
use std::sync::Arc;

fn numbered<T>(
    body: impl FnMut(&mut simplex_stores::stm::Transaction<'_>) -> TxResult<T, &'static str>,
) -> Result<(T, Option<u64>), &'static str> {
    try_atomically_numbered(body, |_| {})
}

#[test]
fn a_transaction_gets_one_number_if_it_asks_and_commits() {
    once(|| {
        let (var, sequence) = (TVar::new(0), Sequence::new());
        let asked = numbered(|tx| {
            sequence.take(tx)?;
            sequence.take(tx)?;
            Ok(var.write(tx, 1)?)
        });
        assert_eq!(asked, Ok(((), Some(1))));
        assert_eq!(numbered(|tx| Ok(var.write(tx, 2)?)), Ok(((), None)));
        let aborted = numbered(|tx| -> TxResult<(), _> {
            sequence.take(tx)?;
            abort("no")
        });
        assert_eq!((aborted, sequence.last()), (Err("no"), 1));
        // Nothing was written, and a number was asked for.
        assert_eq!(numbered(|tx| Ok(sequence.take(tx)?)), Ok(((), Some(2))));
    });
}

#[test]
fn a_branch_that_was_taken_back_may_have_asked() {
    once(|| {
        let (var, sequence) = (TVar::new(0), Sequence::new());
        let result = numbered(|tx| {
            tx.or_else(
                |tx| {
                    sequence.take(tx)?;
                    var.read(tx)?;
                    Ok(retry::<u8>()?)
                },
                |_| Ok(7),
            )
        });
        assert_eq!(result, Ok((7, Some(1))));
    });
}

/// Threads change one variable, or one each, or read what the others change. Each number is somebody's or unused, and where
/// one transaction saw another's change, or didn't yet, their numbers say so.
#[test]
fn numbers_follow_the_commits_and_have_no_gaps() {
    explore(|| {
        let sequence = Sequence::new();
        let vars: Arc<[TVar<u64>]> = (0..2).map(|_| TVar::new(0)).collect();
        // A number, with what the two variables were after its transaction.
        let seen = Arc::new(Mutex::new(Vec::new()));
        let unused = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..2)
            .map(|own| {
                let (sequence, vars) = (sequence.clone(), Arc::clone(&vars));
                let (seen, unused) = (Arc::clone(&seen), Arc::clone(&unused));
                thread::spawn(move || {
                    for n in 0..STEPS {
                        let change = if n % 3 == 0 { 1 - own } else { own };
                        let body =
                            |tx: &mut simplex_stores::stm::Transaction<'_>| -> TxResult<_, ()> {
                                sequence.take(tx)?;
                                vars[change].update(tx, |value| *value += 1)?;
                                Ok((vars[0].read(tx)?, vars[1].read(tx)?))
                            };
                        let done =
                            try_atomically_numbered(body, |number| unused.lock().push(number));
                        let (after, number) = done.unwrap();
                        seen.lock().push((number.unwrap(), after));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut seen = seen.lock().clone();
        seen.sort_unstable();
        for ((_, earlier), (_, later)) in seen.iter().zip(&seen[1..]) {
            assert_eq!(earlier.0 + earlier.1 + 1, later.0 + later.1);
        }
        let mut all: Vec<u64> = seen.iter().map(|(number, _)| *number).collect();
        all.extend(unused.lock().iter());
        all.sort_unstable();
        assert!(all.iter().copied().eq(1..=sequence.last()));
    });
}
