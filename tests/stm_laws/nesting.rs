//! The law *nesting*: a transaction started inside another one is refused with a clear message.

use super::harness::{explore, once, panic_of, spawn};
use simplex_stores::stm::{TMap, TVar, TxError, atomically, try_atomically};

#[test]
fn a_transaction_inside_another_is_refused() {
    once(|| {
        let var = TVar::new(1);
        let text = panic_of(|| {
            atomically(|tx| {
                var.write(tx, 2)?;
                atomically(|tx| var.write(tx, 3));
                Ok(())
            });
        });
        assert!(text.contains("inside another one"), "{text}");
        let text = panic_of(|| {
            let _: Result<(), ()> =
                try_atomically(|_| try_atomically(|_| Ok(())).map_err(TxError::Abort));
        });
        assert!(text.contains("inside another one"), "{text}");
        assert_eq!(var.read_atomic(), 1);
        atomically(|tx| var.write(tx, 4));
        assert_eq!(var.read_atomic(), 4, "the thread can go on");
    });
}

#[test]
fn transactions_on_two_threads_are_not_nested() {
    explore(|| {
        let var = TVar::new(0);
        let thread = {
            let var = var.clone();
            spawn(move || atomically(|tx| var.modify(tx, |n| n + 1)))
        };
        atomically(|tx| var.modify(tx, |n| n + 1));
        thread.join().unwrap();
        assert_eq!(var.read_atomic(), 2);
    });
}

#[test]
fn reading_outside_of_the_transaction_is_possible_inside_one() {
    once(|| {
        let (var, map) = (TVar::new(1), TMap::new());
        let seen = atomically(|tx| {
            var.write(tx, 2)?;
            map.insert(tx, 1, 1)?;
            Ok((var.read_atomic(), map.len_atomic()))
        });
        assert_eq!(seen, (1, 0), "what is committed, not what the transaction wrote");
    });
}
