//! A race in your own code around the store, and how the kit catches it.
//!
//! Each operation of the store is one step. Code that needs two of them takes two, and something can happen between: the router here
//! allows one queue, so it counts the queues, and when there is room it adds one. Two threads can both find room. In one
//! transaction they can't.
//!
//! The kit says so in two ways. On real threads the one is stopped at the worst place, its log, while the other runs; the history of the two calls is then
//! one that no order of them explains. Under a model checker nobody has to know the place:
//!
//! ```sh
//! cargo run --features testing --example quota
//! RUSTFLAGS="--cfg loom" cargo run --release --features testing --example quota
//! RUSTFLAGS="--cfg shuttle" cargo run --release --features testing --example quota
//! ```
//!
//! It ends with an error when the race is not caught, or the right code is accused.
#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use simplex_stores::protocol::{ErrorType, Semantics};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueStore, StmQueueStore};
use simplex_stores::stm::{TVar, abort};
use simplex_stores::sync::thread::spawn;
use simplex_stores::testing::history::{Call, Recorder, SequentialModel, check};
use simplex_stores::testing::queue_store::sample;
use std::error::Error;
use std::sync::Arc;

/// How many queues the router may have.
const ALLOWED: u64 = 1;

/// Where the router tells what it does.
type Log<'l> = &'l dyn Fn(&str);

/// Your code: a store, and a rule that the store doesn't know.
struct Router {
    store: StmQueueStore,
    added: TVar<u64>,
}

impl Router {
    fn new() -> Self {
        let store = StmQueueStore::new(BasicFactory, Semantics::Strict);
        Self { store, added: TVar::new(0) }
    }

    /// Wrong: what was counted may have changed when the queue is added.
    fn add_in_two_steps(&self, number: u8, log: Log<'_>) -> bool {
        let counted = self.store.entity_counts();
        let has_room = counted.is_ok_and(|counts| counts.queues < ALLOWED);
        log(if has_room { "there is room" } else { "there is no room" });
        has_room && self.store.add_queue(sample::recipient(number), sample::record(number)).is_ok()
    }

    /// Right: the rule is checked in the transaction that adds.
    fn add_in_one_step(&self, number: u8, log: Log<'_>) -> bool {
        log("a queue is asked for");
        let record = Arc::new(sample::record(number));
        let queue = Arc::new(BasicQueue::new(sample::recipient(number), record));
        let added = self.store.transact(|tx, records| {
            if self.added.read(tx)? >= ALLOWED {
                return abort(ErrorType::Quota);
            }
            self.added.modify(tx, |added| added + 1)?;
            self.store.add_queue_tx(tx, records, &queue)
        });
        added.is_ok()
    }
}

type Add = fn(&Router, u8, Log<'_>) -> bool;

/// What a router should answer, if calls came one after the other: how many queues it has.
#[derive(Clone, PartialEq, Eq)]
struct Quota(u64);

impl SequentialModel for Quota {
    /// Add the queue of this number, which nobody else adds.
    type Op = u8;
    /// Whether it was added.
    type Answer = bool;

    fn apply(&mut self, _: &u8) -> bool {
        let has_room = self.0 < ALLOWED;
        self.0 += u64::from(has_room);
        has_room
    }
}

fn verdict(history: &[Call<u8, bool>]) -> Result<(), String> {
    let explained = check(&Quota(0), history);
    explained.map(drop).map_err(|why| format!("{why}; the calls: {history:?}"))
}

/// One call, which another thread's whole call interrupts where it writes its log. Real threads; nothing depends on their speed.
#[cfg(not(any(loom, shuttle)))]
fn explore(add: Add) -> Result<String, String> {
    use std::cell::RefCell;

    let (router, recorder) = (Arc::new(Router::new()), Arc::new(Recorder::new()));
    let interrupting = RefCell::new(None);
    let first = recorder.record(1, |number| {
        add(&router, *number, &|_| {
            let (router, recorder) = (router.clone(), recorder.clone());
            let other = spawn(move || recorder.record(2, |number| add(&router, *number, &|_| ())));
            *interrupting.borrow_mut() = other.join().ok();
        })
    });
    let second = interrupting.take().ok_or("the other thread ended abnormally")?;
    verdict(&[first, second])?;
    Ok("with a call interrupted by another".to_owned())
}

/// Two threads that add at the same time, as the model checker schedules them.
#[cfg(any(loom, shuttle))]
fn explore(add: Add) -> Result<String, String> {
    use simplex_stores::testing::model_check::Checker;

    let explored = Checker::new().preemptions(2).try_check(move || {
        let (router, recorder) = (Arc::new(Router::new()), Arc::new(Recorder::new()));
        let call = move |router: &Router, recorder: &Recorder, number| {
            recorder.record(number, |number| add(router, *number, &|_| ()))
        };
        let (its_router, its_recorder) = (router.clone(), recorder.clone());
        let other = spawn(move || call(&its_router, &its_recorder, 2));
        let first = call(&router, &recorder, 1);
        let second = other.join();
        assert!(second.is_ok(), "the other thread ended abnormally");
        let history: Vec<_> = [Ok(first), second].into_iter().flatten().collect();
        assert_eq!(verdict(&history), Ok(()));
    });
    match explored {
        Ok(executions) => Ok(format!("in {executions} executions")),
        Err(failure) => Err(failure.to_string()),
    }
}

/// Catches the race, and clears the code without it.
///
/// # Errors
///
/// When the race is not caught, or the right code is accused.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let caught = explore(Router::add_in_two_steps)
        .err()
        .ok_or("the race in `add_in_two_steps` was not caught")?;
    println!("caught: count, then add, as two steps:\n{caught}\n");
    let held = explore(Router::add_in_one_step)
        .map_err(|why| format!("`add_in_one_step` was accused: {why}"))?;
    println!("held: count and add as one step, {held}");
    Ok(())
}
