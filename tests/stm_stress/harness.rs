//! Threads that begin together and meet again.

use simplex_stores::sync::thread::{spawn, yield_now};
use simplex_stores::sync::{Condvar, Mutex};
use std::sync::Arc;

/// How often a thread repeats what it does.
pub(crate) fn rounds() -> u64 {
    number("SIMPLEX_STORES_ROUNDS").unwrap_or(2_000)
}

/// How many random histories are made.
pub(crate) fn histories() -> u64 {
    number("SIMPLEX_STORES_HISTORIES").unwrap_or(400)
}

fn number(variable: &str) -> Option<u64> {
    let set = std::env::var(variable).ok()?;
    Some(set.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {set}")))
}

/// Lets another thread run, where a transaction has read and not yet written: that is where they meet.
pub(crate) fn pause<T>(value: T) -> T {
    yield_now();
    value
}

/// Runs `work` on so many threads at once, each with its number, and gives what they return in that order.
pub(crate) fn together<T: Send + 'static>(
    threads: usize,
    work: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let (work, meeting) = (Arc::new(work), Meeting::of(threads));
    let threads: Vec<_> = (0..threads)
        .map(|thread| {
            let (work, meeting) = (work.clone(), meeting.clone());
            spawn(move || {
                meeting.wait();
                work(thread)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// A place where threads wait for each other, again and again. Without transactions: those are what is tested.
#[derive(Clone)]
pub(crate) struct Meeting {
    parties: usize,
    arrived: Arc<Mutex<usize>>,
    complete: Arc<Condvar>,
}

impl Meeting {
    pub(crate) fn of(parties: usize) -> Self {
        Meeting { parties, arrived: Arc::default(), complete: Arc::default() }
    }

    /// Waits until all are here.
    pub(crate) fn wait(&self) {
        let mut arrived = self.arrived.lock();
        let all = *arrived - *arrived % self.parties + self.parties;
        *arrived += 1;
        if *arrived == all {
            self.complete.notify_all();
        }
        self.complete.wait_while(&mut arrived, |arrived| *arrived < all);
    }
}
