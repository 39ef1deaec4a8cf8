//! The law *atomic*: committed transactions are equivalent to one serial order that respects real time.

use super::harness::{STEPS, explore, once, spawn};
use simplex_stores::stm::{TVar, atomically};

#[test]
fn a_transaction_sees_its_own_writes() {
    once(|| {
        let var = TVar::new(1);
        let seen = atomically(|tx| {
            let before = var.read(tx)?;
            var.write(tx, 2)?;
            var.modify(tx, |n| n + 3)?;
            Ok((before, var.read(tx)?))
        });
        assert_eq!((seen, var.read_atomic()), ((1, 5), 5));
    });
}

#[test]
fn no_increment_is_lost() {
    explore(|| {
        let var = TVar::new(0);
        let other = var.clone();
        let thread = spawn(move || increment(&other));
        increment(&var);
        thread.join().unwrap();
        assert_eq!(var.read_atomic(), 2 * STEPS);
    });
}

fn increment(var: &TVar<usize>) {
    for _ in 0..STEPS {
        atomically(|tx| {
            let n = var.read(tx)?;
            var.write(tx, n + 1)
        });
    }
}

#[test]
fn money_moved_between_accounts_is_never_seen_missing() {
    explore(|| {
        let accounts = [TVar::new(10_i64), TVar::new(10), TVar::new(10)];
        let movers = [[0, 1], [1, 2]].map(|[from, to]| {
            let (from, to) = (accounts[from].clone(), accounts[to].clone());
            spawn(move || {
                for _ in 0..STEPS {
                    atomically(|tx| {
                        from.modify(tx, |n| n - 1)?;
                        to.modify(tx, |n| n + 1)
                    });
                }
            })
        });
        for _ in 0..STEPS {
            let sum: i64 = atomically(|tx| accounts.iter().map(|account| account.read(tx)).sum());
            assert_eq!(sum, 30);
        }
        for mover in movers {
            mover.join().unwrap();
        }
        assert_eq!(accounts.each_ref().map(TVar::read_atomic).iter().sum::<i64>(), 30);
    });
}

/// Two doctors on call, each of whom may leave if the other stays.
#[test]
fn two_transactions_never_both_act_on_what_the_other_changes() {
    explore(|| {
        for _ in 0..STEPS {
            let (ann, bob) = (TVar::new(true), TVar::new(true));
            let leave = |me: TVar<bool>, other: TVar<bool>| {
                move || {
                    atomically(|tx| {
                        if other.read(tx)? {
                            me.write(tx, false)?;
                        }
                        Ok(())
                    });
                }
            };
            let thread = spawn(leave(ann.clone(), bob.clone()));
            leave(bob.clone(), ann.clone())();
            thread.join().unwrap();
            assert!(ann.read_atomic() != bob.read_atomic());
        }
    });
}

/// What a thread has committed, every transaction that starts later sees, on any thread.
#[test]
fn the_order_respects_real_time() {
    explore(|| {
        for _ in 0..STEPS {
            let (x, y) = (TVar::new(0), TVar::new(0));
            let set_then_read = |set: TVar<i32>, read: TVar<i32>| {
                move || {
                    atomically(|tx| set.write(tx, 1));
                    atomically(|tx| read.read(tx))
                }
            };
            let thread = spawn(set_then_read(x.clone(), y.clone()));
            let seen_y = set_then_read(y.clone(), x.clone())();
            let seen_x = thread.join().unwrap();
            assert!(seen_x + seen_y > 0, "both transactions missed the other's earlier write");
        }
    });
}

#[test]
fn reads_outside_of_transactions_see_only_committed_values_in_order() {
    explore(|| {
        let (first, second) = (TVar::new(0), TVar::new(0));
        let writer = {
            let (first, second) = (first.clone(), second.clone());
            spawn(move || {
                for n in 1..=STEPS {
                    atomically(|tx| {
                        first.write(tx, usize::MAX)?;
                        first.write(tx, n)?;
                        second.write(tx, n)
                    });
                }
            })
        };
        for _ in 0..STEPS {
            let early = first.read_atomic();
            let late = second.read_atomic();
            assert!(early <= STEPS, "a value that was never committed");
            assert!(late + 1 >= early, "{early} was there before {late}");
        }
        writer.join().unwrap();
    });
}
