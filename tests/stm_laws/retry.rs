//! The law *retry*: it blocks until a variable that was read changes; no wake-up is lost, and nothing spins.
//!
//! A wake-up that is lost shows as a test that never ends; under loom, as a deadlock that it reports.

use super::harness::{STEPS, explore, explore_as, once, panic_of, spawn};
use simplex_stores::stm::{TVar, atomically, guard, retry};
use simplex_stores::sync::Tally;
use std::sync::Arc;

#[test]
fn a_waiting_thread_wakes_when_what_it_read_changes() {
    explore(|| {
        let var = TVar::new(0);
        let other = var.clone();
        let waiter = spawn(move || {
            atomically(|tx| {
                let n = other.read(tx)?;
                guard(n > 0)?;
                Ok(n)
            })
        });
        atomically(|tx| var.write(tx, 7));
        assert_eq!(waiter.join().unwrap(), 7);
    });
}

#[test]
fn two_threads_hand_a_turn_back_and_forth() {
    explore(|| {
        let turn = TVar::new(0_usize);
        let play = |turn: TVar<usize>, parity: usize| {
            move || {
                for _ in 0..STEPS {
                    atomically(|tx| {
                        let n = turn.read(tx)?;
                        guard(n % 2 == parity)?;
                        turn.write(tx, n + 1)
                    });
                }
            }
        };
        let thread = spawn(play(turn.clone(), 1));
        play(turn.clone(), 0)();
        thread.join().unwrap();
        assert_eq!(turn.read_atomic(), 2 * STEPS);
    });
}

#[test]
fn any_of_the_variables_read_wakes() {
    for woken_by in 0..2 {
        let name = format!("retry/any_of_the_variables_read_wakes/{woken_by}");
        explore_as(&name, move || {
            let vars = [TVar::new(false), TVar::new(false)];
            let others = vars.clone();
            let waiter = spawn(move || {
                atomically(|tx| {
                    let (a, b) = (others[0].read(tx)?, others[1].read(tx)?);
                    guard(a || b)
                });
            });
            atomically(|tx| vars[woken_by].write(tx, true));
            waiter.join().unwrap();
        });
    }
}

#[test]
fn all_threads_that_wait_for_a_variable_wake() {
    explore(|| {
        let gate = TVar::new(false);
        let waiters = [(); 2].map(|()| {
            let gate = gate.clone();
            spawn(move || atomically(|tx| guard(gate.read(tx)?)))
        });
        atomically(|tx| gate.write(tx, true));
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

#[test]
fn changes_to_other_variables_do_not_run_the_body_again() {
    explore(|| {
        let (gate, noise) = (TVar::new(false), TVar::new(0));
        let runs = Arc::new(Tally::new());
        let waiter = {
            let (gate, runs) = (gate.clone(), runs.clone());
            spawn(move || {
                atomically(|tx| {
                    runs.add(1);
                    guard(gate.read(tx)?)
                });
            })
        };
        for n in 0..STEPS {
            atomically(|tx| noise.write(tx, n));
        }
        atomically(|tx| gate.write(tx, true));
        waiter.join().unwrap();
        assert!(runs.sum() <= 2, "the body ran {} times", runs.sum());
    });
}

#[test]
fn nothing_that_a_retrying_run_wrote_is_published() {
    explore(|| {
        let (gate, mark) = (TVar::new(false), TVar::new(0));
        let waiter = {
            let (gate, mark) = (gate.clone(), mark.clone());
            spawn(move || {
                atomically(|tx| {
                    mark.update(tx, |n| *n += 1)?;
                    guard(gate.read(tx)?)
                });
            })
        };
        assert!(mark.read_atomic() == 0);
        atomically(|tx| gate.write(tx, true));
        waiter.join().unwrap();
        assert_eq!(mark.read_atomic(), 1);
    });
}

#[test]
fn a_retry_that_read_nothing_is_refused() {
    once(|| {
        let text = panic_of(|| atomically(|_| retry::<()>()));
        assert!(text.contains("without having read any variable"), "{text}");
        let var = TVar::new(0);
        let text = panic_of(|| {
            atomically(|tx| {
                var.write(tx, 1)?;
                retry::<()>()
            });
        });
        assert!(text.contains("without having read any variable"), "{text}");
        assert_eq!(
            atomically(|tx| var.read(tx)),
            0,
            "the thread can go on, and nothing was written"
        );
    });
}
