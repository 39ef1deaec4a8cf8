//! The law *abort*: a transaction can end with a typed error; every write is discarded, the reads are still
//! validated (`opaque.rs` has the tests of that).

use super::harness::{STEPS, explore, once, spawn};
use simplex_stores::stm::{
    TMap, TQueue, TVar, TxError, abort, atomically, guard, retry, try_atomically,
};

#[test]
fn nothing_that_an_aborted_transaction_wrote_is_published() {
    once(|| {
        let (var, map, queue) = (TVar::new(1), TMap::new(), TQueue::new());
        let result: Result<(), u8> = try_atomically(|tx| {
            var.write(tx, 2)?;
            map.insert(tx, "key", 1)?;
            queue.write(tx, 1)?;
            abort(9)
        });
        assert_eq!(result, Err(9));
        assert_eq!(var.read_atomic(), 1);
        assert!(map.snapshot_atomic().is_empty());
        assert_eq!(atomically(|tx| queue.try_read(tx)), None);
    });
}

#[test]
fn a_transaction_that_may_abort_and_does_not_commits() {
    once(|| {
        let var = TVar::new(1);
        let result: Result<i32, ()> = try_atomically(|tx| Ok(var.replace(tx, 2)?));
        assert_eq!((result, var.read_atomic()), (Ok(1), 2));
    });
}

#[test]
fn an_abort_does_not_wake_a_thread_that_waits() {
    explore(|| {
        let var = TVar::new(0);
        let waiter = {
            let var = var.clone();
            spawn(move || {
                atomically(|tx| {
                    let n = var.read(tx)?;
                    guard(n != 0)?;
                    Ok(n)
                })
            })
        };
        let _: Result<(), ()> = try_atomically(|tx| {
            var.write(tx, 1)?;
            abort(())
        });
        atomically(|tx| var.write(tx, 2));
        assert_eq!(waiter.join().unwrap(), 2);
    });
}

#[test]
fn a_retry_waits_in_a_transaction_that_may_abort() {
    explore(|| {
        let var = TVar::new(0);
        let waiter = {
            let var = var.clone();
            spawn(move || {
                try_atomically(|tx| match var.read(tx)? {
                    0 => Ok(retry()?),
                    1 => abort("one"),
                    n => Ok(n),
                })
            })
        };
        atomically(|tx| var.write(tx, 1));
        assert_eq!(waiter.join().unwrap(), Err("one"));
    });
}

#[test]
fn a_caught_abort_takes_back_its_part_alone() {
    once(|| {
        let list = TVar::new(vec![0]);
        let caught = atomically(|tx| {
            list.update(tx, |list| list.push(1))?;
            let caught: Result<(), &str> = tx.catch_abort(|tx| {
                list.update(tx, |list| list.push(2))?;
                abort("two")
            })?;
            let kept: Result<(), &str> =
                tx.catch_abort(|tx| Ok(list.update(tx, |list| list.push(3))?))?;
            Ok((caught, kept))
        });
        assert_eq!(caught, (Err("two"), Ok(())));
        assert_eq!(list.read_atomic(), [0, 1, 3]);
    });
}

#[test]
fn what_a_caught_part_read_is_still_validated() {
    explore(|| {
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
            let (x, y) = atomically(|tx| {
                let x = tx.catch_abort(|tx| abort::<(), _>(x.read(tx)?))?;
                Ok((x, y.read(tx)?))
            });
            assert_eq!(x, Err(y));
        }
        writer.join().unwrap();
    });
}

#[test]
fn the_error_of_an_abort_can_be_changed_on_its_way() {
    let aborted: TxError<u8> = abort::<(), _>(3).unwrap_err();
    assert_eq!(aborted.map_abort(u32::from), TxError::Abort(3_u32));
}
