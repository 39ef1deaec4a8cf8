//! The law *or_else*: left-biased; a retried left branch leaves no write, but its reads stay in the read
//! set, for validation and for waking.

use super::harness::{STEPS, explore, explore_as, once, spawn};
use simplex_stores::stm::{
    StmResult, TVar, Transaction, TxResult, abort, atomically, guard, retry, try_atomically,
};

/// Succeeds when the variable is set.
fn is_set(tx: &mut Transaction<'_>, var: &TVar<bool>) -> StmResult<()> {
    guard(var.read(tx)?)
}

#[test]
fn the_left_branch_comes_first() {
    once(|| {
        let chosen = atomically(|tx| tx.or_else(|_| Ok("left"), |_| Ok("right")));
        assert_eq!(chosen, "left");
        let chosen = atomically(|tx| tx.or_else(|_| retry(), |_| Ok("right")));
        assert_eq!(chosen, "right");
    });
}

#[test]
fn a_left_branch_that_retried_leaves_no_write() {
    once(|| {
        let (x, y) = (TVar::new(vec![1]), TVar::new(0));
        let seen = atomically(|tx| {
            x.update(tx, |list| list.push(2))?;
            tx.or_else(
                |tx| {
                    x.update(tx, |list| list.push(3))?;
                    y.write(tx, 9)?;
                    retry()
                },
                |tx| Ok((x.read(tx)?, y.read(tx)?)),
            )
        });
        assert_eq!(seen, (vec![1, 2], 0));
        assert_eq!((x.read_atomic(), y.read_atomic()), (vec![1, 2], 0));
    });
}

#[test]
fn a_left_branch_that_succeeded_keeps_its_writes() {
    once(|| {
        let x = TVar::new(vec![1]);
        atomically(|tx| {
            tx.or_else(|tx| x.update(tx, |list| list.push(2)), |_| retry())?;
            x.update(tx, |list| list.push(3))
        });
        assert_eq!(x.read_atomic(), [1, 2, 3]);
    });
}

#[test]
fn branches_nest_and_each_takes_back_only_its_own_writes() {
    once(|| {
        let x = TVar::new(vec![0]);
        let push = |tx: &mut Transaction<'_>, n| x.update(tx, |list: &mut Vec<i32>| list.push(n));
        atomically(|tx| {
            push(tx, 1)?;
            tx.or_else(
                |tx| {
                    push(tx, 2)?;
                    tx.or_else(
                        |tx| {
                            push(tx, 3)?;
                            retry()
                        },
                        |tx| push(tx, 4),
                    )?;
                    push(tx, 5)?;
                    tx.or_else(|tx| push(tx, 6), |_| retry())
                },
                |_| retry(),
            )?;
            tx.or_else(
                |tx| {
                    push(tx, 7)?;
                    tx.or_else(|tx| push(tx, 8), |_| retry())?;
                    push(tx, 9)?;
                    retry()
                },
                |tx| push(tx, 10),
            )
        });
        assert_eq!(x.read_atomic(), [0, 1, 2, 4, 5, 6, 10]);
    });
}

/// Exactly one of two flags is set at any time, so a transaction that finds neither has seen a state that never
/// was.
#[test]
fn no_result_says_that_neither_branch_could_run() {
    explore(|| {
        let flags = [TVar::new(true), TVar::new(false)];
        let writer = flip(flags.clone());
        for _ in 0..STEPS {
            let found = atomically(|tx| {
                tx.or_else(
                    |tx| is_set(tx, &flags[0]).map(|()| "first"),
                    |tx| {
                        tx.or_else(|tx| is_set(tx, &flags[1]).map(|()| "second"), |_| Ok("neither"))
                    },
                )
            });
            assert_ne!(found, "neither");
        }
        writer.join().unwrap();
    });
}

#[test]
fn no_result_says_so_with_the_branches_nested_on_the_left() {
    explore(|| {
        let flags = [TVar::new(true), TVar::new(false)];
        let writer = flip(flags.clone());
        for _ in 0..STEPS {
            let found = atomically(|tx| {
                tx.or_else(
                    |tx| {
                        tx.or_else(|tx| is_set(tx, &flags[0]), |tx| is_set(tx, &flags[1]))
                            .map(|()| true)
                    },
                    |_| Ok(false),
                )
            });
            assert!(found);
        }
        writer.join().unwrap();
    });
}

fn flip(flags: [TVar<bool>; 2]) -> super::harness::JoinHandle<()> {
    spawn(move || {
        for _ in 0..STEPS {
            atomically(|tx| {
                let first = flags[0].read(tx)?;
                flags[0].write(tx, !first)?;
                flags[1].write(tx, first)
            });
        }
    })
}

/// Setting ten where the left branch read a nought and another thread adds one: the ten may come before the
/// one or not at all.
#[test]
fn a_blind_write_on_the_right_does_not_hide_what_the_left_read() {
    explore(|| {
        for _ in 0..STEPS {
            let x = TVar::new(0);
            let adder = {
                let x = x.clone();
                spawn(move || atomically(|tx| x.modify(tx, |n| n + 1)))
            };
            atomically(|tx| tx.or_else(|tx| guard(x.read(tx)? == 1), |tx| x.write(tx, 10)));
            adder.join().unwrap();
            assert!([1, 11].contains(&x.read_atomic()), "{}", x.read_atomic());
        }
    });
}

#[test]
fn a_change_to_what_either_branch_read_wakes() {
    for woken_by in 0..2 {
        let name = format!("or_else/a_change_to_what_either_branch_read_wakes/{woken_by}");
        explore_as(&name, move || {
            let flags = [TVar::new(false), TVar::new(false)];
            let waiter = {
                let flags = flags.clone();
                spawn(move || {
                    atomically(|tx| {
                        tx.or_else(
                            |tx| is_set(tx, &flags[0]).map(|()| 0),
                            |tx| is_set(tx, &flags[1]).map(|()| 1),
                        )
                    })
                })
            };
            atomically(|tx| flags[woken_by].write(tx, true));
            assert_eq!(waiter.join().unwrap(), woken_by);
        });
    }
}

/// Both branches retry, and the right one blindly wrote what the left one had read.
#[test]
fn a_blind_write_on_the_right_does_not_lose_the_wake_up_of_the_left() {
    explore(|| {
        let (x, y) = (TVar::new(false), TVar::new(false));
        let waiter = {
            let (x, y) = (x.clone(), y.clone());
            spawn(move || {
                atomically(|tx| {
                    tx.or_else(
                        |tx| is_set(tx, &x),
                        |tx| {
                            x.write(tx, false)?;
                            is_set(tx, &y)
                        },
                    )
                });
            })
        };
        atomically(|tx| x.write(tx, true));
        waiter.join().unwrap();
        assert!(x.read_atomic());
    });
}

#[test]
fn an_abort_on_the_left_ends_the_transaction() {
    once(|| {
        let x = TVar::new(0);
        let result: Result<(), &str> = try_atomically(|tx| {
            tx.or_else(
                |tx| {
                    x.write(tx, 1)?;
                    abort("left")
                },
                |tx| Ok(x.write(tx, 2)?),
            )
        });
        assert_eq!((result, x.read_atomic()), (Err("left"), 0));
    });
}

#[test]
fn parts_that_can_abort_join_too() {
    fn left(tx: &mut Transaction<'_>, var: &TVar<i32>) -> TxResult<i32, String> {
        guard(var.read(tx)? > 0)?;
        Ok(1)
    }
    once(|| {
        let var = TVar::new(0);
        assert_eq!(try_atomically(|tx| tx.or_else(|tx| left(tx, &var), |_| Ok(2))), Ok(2));
    });
}
