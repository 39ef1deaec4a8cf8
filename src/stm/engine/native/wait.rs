//! Sleeping until a variable that was read changes.

use super::super::super::log::Log;
use crate::sync::{Condvar, Mutex};
use std::sync::Arc;

/// A thread that sleeps, or is about to.
#[derive(Default)]
pub(super) struct Waiter {
    woken: Mutex<bool>,
    wakes: Condvar,
}

impl Waiter {
    /// Wakes the thread, or keeps it from going to sleep.
    pub(super) fn wake(&self) {
        *self.woken.lock() = true;
        self.wakes.notify_one();
    }

    fn sleep(&self) {
        self.wakes.wait_while(&mut self.woken.lock(), |woken| !*woken);
    }
}

/// Sleeps until something that was read is written after `time`; not at all, if something was already.
pub(super) fn for_a_change(log: &Log, time: u64) {
    let waiter = Arc::new(Waiter::default());
    let unchanged = log.reads().all(|var| var.enlist(&waiter, time))
        && log.parts.iter().all(|part| part.enlist(&waiter, time));
    if unchanged {
        waiter.sleep();
    }
    log.reads().for_each(|var| var.strike(&waiter));
    log.parts.iter().for_each(|part| part.strike(&waiter));
}
