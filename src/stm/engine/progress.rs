//! How a transaction that keeps meeting conflicts commits in the end.
//!
//! **The promise.** Every transaction whose body ends commits after a bounded number of runs, however much the
//! other threads write.
//!
//! **The algorithm.** The commit protocol already makes sure that some transaction always gets on:
//! a conflict means that another one has committed. It does not make sure that each one does; a long
//! transaction can lose to a stream of short ones for ever. So a transaction that met a conflict first steps
//! back for a little, longer each time, and after [`PATIENCE`] conflicts in a row takes a *turn*: it
//! waits for the one lock, the `turn`, and raises the flag `taken`. Every other transaction looks at the flag
//! when its body has ended and, having something to publish, waits for the lock to be free before it does.
//!
//! **Why that can't lose.** After the flag is up, a thread can publish at most what had already passed the
//! check. So the turn's holder meets at most one more conflict for each other thread. The lock is handed on fairly
//! (parking_lot), so each waiting turn comes. Waiting at the flag happens between the body and the
//! commit, where a transaction holds no lock of any variable: nobody waits for somebody who waits for
//! them. The price for all others is one read of a shared flag that almost never changes.
//!
//! **What would break it.** A body that waits for another thread outside of the STM, for example for a
//! lock held around a transaction. Bodies must not do that; see [`atomically`](crate::stm::atomically).
//!
//! **Tests.** `tests/stm_laws/progress.rs`; a unit test below. The decision: `docs/decisions/0013-turns.md`.

use super::super::stats::Count;
use crate::sync::atomic::{AtomicBool, Ordering};
#[cfg(any(loom, shuttle))]
use crate::sync::checker;
use crate::sync::{self, Mutex, MutexGuard, thread};
use std::cell::Cell;
use std::time::Instant;

/// So many conflicts in a row make a transaction take a turn.
const PATIENCE: u32 = if cfg!(any(loom, shuttle)) { 2 } else { 16 };
/// After so many conflicts, stepping back gives the processor to another thread.
const SPINS: u32 = 6;

/// The one turn.
struct Shared {
    turn: Mutex<()>,
    taken: AtomicBool,
}

#[cfg(not(any(loom, shuttle)))]
static SHARED: Shared = Shared { turn: Mutex::new(()), taken: AtomicBool::new(false) };

#[cfg(any(loom, shuttle))]
checker::lazy_static! {
    static ref SHARED: Shared = Shared { turn: Mutex::new(()), taken: AtomicBool::new(false) };
}

sync::thread_local! {
    /// Whether the turn is this thread's. Destructors can run transactions between two runs of another one.
    static MINE: Cell<bool> = Cell::default();
}

fn is_mine() -> bool {
    MINE.try_with(Cell::get).unwrap_or(false)
}

fn set_mine(mine: bool) {
    let _ = MINE.try_with(|flag| flag.set(mine));
}

/// How one transaction has fared so far.
#[derive(Default)]
pub(super) struct Progress {
    count: Count,
    conflicts: u32,
    turn: Option<Turn>,
    /// When it began to wait for a change.
    waits_since: Option<Instant>,
}

struct Turn {
    _lock: MutexGuard<'static, ()>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Release: who sees the flag down sees what was published under it.
        SHARED.taken.store(false, Ordering::Release);
        set_mine(false);
    }
}

impl Progress {
    pub(super) fn new(count: Count) -> Self {
        Progress { count, ..Progress::default() }
    }

    /// A run ended in a conflict: steps back, or takes a turn.
    pub(super) fn conflict(&mut self) {
        self.conflicts = self.conflicts.saturating_add(1);
        self.count.add(|counters| &counters.reruns, 1);
        if is_mine() {
            return;
        }
        if self.conflicts < PATIENCE {
            return step_back(self.conflicts);
        }
        let lock = self.wait_for_turn();
        // SeqCst: the argument above wants the flag seen soon, and this is the rare path.
        SHARED.taken.store(true, Ordering::SeqCst);
        set_mine(true);
        self.count.add(|counters| &counters.turns, 1);
        self.turn = Some(Turn { _lock: lock });
    }

    /// A run will wait for a change, which others must be able to make: gives up its turn.
    pub(super) fn waits(&mut self) {
        self.conflicts = 0;
        self.turn = None;
        self.count.add(|counters| &counters.retries, 1);
        self.waits_since = Some(Instant::now());
    }

    /// What was waited for has come.
    pub(super) fn woken(&mut self) {
        if let Some(since) = self.waits_since.take() {
            self.count.waited(since.elapsed());
        }
    }

    /// A run is about to publish: lets the holder of the turn go first.
    pub(super) fn before_publishing(&self) {
        if SHARED.taken.load(Ordering::Acquire) && !is_mine() {
            drop(self.wait_for_turn());
        }
    }

    fn wait_for_turn(&self) -> MutexGuard<'static, ()> {
        let since = Instant::now();
        let lock = SHARED.turn.lock();
        self.count.waited(since.elapsed());
        lock
    }
}

fn step_back(conflicts: u32) {
    if conflicts > SPINS {
        return thread::yield_now();
    }
    for _ in 0..1_u32 << conflicts {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_taken_once_and_ends_with_its_transaction_or_when_that_waits() {
        for waits in [false, true] {
            let mut progress = Progress::default();
            // The holder may meet some more conflicts.
            for _ in 0..PATIENCE + 3 {
                progress.conflict();
            }
            assert!(progress.turn.is_some() && SHARED.taken.load(Ordering::SeqCst) && is_mine());
            if waits {
                progress.waits();
                assert!(progress.turn.is_none() && progress.conflicts == 0);
            } else {
                drop(progress);
            }
            assert!(!is_mine());
            // Under the lock, so that the flag is not another thread's.
            let _nobody = SHARED.turn.lock();
            assert!(!SHARED.taken.load(Ordering::SeqCst));
        }
    }
}
