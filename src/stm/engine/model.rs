//! The engine under a model checker.
//!
//! **The promise.** Every transaction is one indivisible step, so the laws hold by construction, and the checker
//! explores the orders in which transactions, locks, channels and files can interleave: loom all of them, shuttle many.
//!
//! **The algorithm.** One mutex of the checker is held from the beginning of a body to its end; reading takes
//! a variable's present value, and what the log gathered is stored before the lock is given up. A
//! retry waits on one condition variable that every commit which wrote something notifies, until a
//! variable that it read has changed. Reading outside a transaction takes the same lock, for one step.
//!
//! **Why the ordering is right.** The checker sees each transaction as one critical section, so its
//! happens-before edges are those of a lock. The values themselves are in locks that it doesn't
//! see and that are never contended: it runs one thread at a time, and none is switched away while it
//! holds one. The lock and the condition variable are made anew for each execution (the checker's
//! `lazy_static`).
//!
//! **Tests.** `tests/stm_laws/` under both checkers; `loom-tests/tests/stm_model.rs`.

use super::super::log::Log;
use super::super::transaction::{Transaction, is_running};
use super::{End, Step, Value};
use crate::stm::error::StmError;
use crate::sync::{Condvar, Mutex, checker};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

struct World {
    step: Mutex<()>,
    changed: Condvar,
}

checker::lazy_static! {
    static ref WORLD: World = World { step: Mutex::new(()), changed: Condvar::new() };
}

/// A variable.
#[derive(Clone)]
pub(in crate::stm) struct Var(Arc<parking_lot::Mutex<Value>>);

impl Var {
    pub(in crate::stm) fn new(value: Value) -> Self {
        Var(Arc::new(parking_lot::Mutex::new(value)))
    }

    /// Tells variables apart for as long as both exist.
    pub(in crate::stm) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The present value, outside of any transaction: a step of its own.
    pub(in crate::stm) fn committed(&self) -> Value {
        if is_running() {
            return self.peek();
        }
        let _step = WORLD.step.lock();
        self.peek()
    }

    /// The present value, without being a step of its own.
    pub(in crate::stm) fn peek(&self) -> Value {
        self.0.lock().clone()
    }

    fn store(&self, value: Value) -> Value {
        std::mem::replace(&mut *self.0.lock(), value)
    }
}

/// Reads variables for one run of a body.
pub(in crate::stm) struct Reader<'t>(PhantomData<&'t mut ()>);

impl Reader<'_> {
    pub(in crate::stm) fn read(&mut self, var: &Var, _: &Log) -> Result<Value, StmError> {
        Ok(var.peek())
    }
}

type Body<'b> = dyn FnMut(&mut Transaction<'_>) -> Step + 'b;

/// Runs `body` until it has ended.
pub(in crate::stm) fn run(log: &mut Log, body: &mut Body<'_>, _: &mut dyn FnMut(u64)) -> End {
    let mut step = WORLD.step.lock();
    loop {
        let mut transaction = Transaction::new(log, Reader(PhantomData));
        match catch_unwind(AssertUnwindSafe(|| body(&mut transaction))) {
            Ok(Step::Commit) => {
                publish(log);
                return End::Done;
            }
            Ok(Step::Discard) => return End::Done,
            Ok(Step::Retry) if !log.has_read() => return End::NothingToWaitFor,
            Ok(Step::Retry) => {
                log.count.add(|counters| &counters.retries, 1);
                while log.is_current() {
                    WORLD.changed.wait(&mut step);
                }
            }
            Ok(Step::Conflict) => log.count.add(|counters| &counters.reruns, 1),
            Err(payload) => return End::Panicked(payload),
        }
        // Not dropped here: destructors of users' values must not run under the lock.
        log.retire_all();
    }
}

fn publish(log: &mut Log) {
    let mut replaced = Vec::new();
    for entry in log.entries_mut() {
        if let Some(value) = entry.written.take() {
            replaced.push(entry.var.store(value));
        }
    }
    if !replaced.is_empty() {
        WORLD.changed.notify_all();
    }
    log.retired.append(&mut replaced);
}
