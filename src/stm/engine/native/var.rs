//! A variable: a value, the version at which it was written, and who waits for another.

use super::super::Value;
use super::fault::{EngineFault, is_out};
use super::identity::Identity;
use super::wait::Waiter;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::sync::Arc;

/// The lowest bit of the word: a commit is about to write the variable.
const LOCKED: u64 = 1;

/// A variable. A clone is another handle to the same one.
#[derive(Clone)]
pub(in crate::stm) struct Var(Arc<Cell>);

struct Cell {
    identity: Identity,
    /// The version, times two, and whether a commit has the lock in order to write. Changes only under `content`'s
    /// lock; commits look at it without.
    word: AtomicU64,
    content: Mutex<Content>,
}

/// What is under a variable's lock.
struct Content {
    value: Value,
    /// Threads that sleep until the value changes. Nearly always there is none.
    #[allow(clippy::box_collection, reason = "a variable without waiters should be small")]
    waiters: Option<Box<Vec<Arc<Waiter>>>>,
}

impl Var {
    pub(in crate::stm) fn new(value: Value) -> Self {
        let content = Mutex::new(Content { value, waiters: None });
        Var(Arc::new(Cell { identity: Identity::new(), word: AtomicU64::new(0), content }))
    }

    /// Tells variables apart for as long as both exist.
    pub(in crate::stm) fn id(&self) -> usize {
        self.0.identity.of(&*self.0)
    }

    /// The present value, outside of any transaction.
    pub(in crate::stm) fn committed(&self) -> Value {
        self.0.content.lock().value.clone()
    }

    /// The present value, without being a step of its own.
    #[allow(dead_code, reason = "the engines that compare values ask for it")]
    pub(in crate::stm) fn peek(&self) -> Value {
        self.committed()
    }

    /// The present value and its version.
    pub(super) fn read(&self) -> (Value, u64) {
        let content = self.0.content.lock();
        (content.value.clone(), self.settled_version())
    }

    /// Waits until no commit is about to write, and gives the version.
    pub(super) fn version(&self) -> u64 {
        let _content = self.0.content.lock();
        self.settled_version()
    }

    /// The version, if no commit is about to write. Acquire: see [`clock::tick`](super::clock::tick).
    pub(super) fn version_now(&self) -> Option<u64> {
        let word = self.0.word.load(Ordering::Acquire);
        (word & LOCKED == 0).then_some(word >> 1)
    }

    /// Locks the variable for a commit, and waits for that.
    pub(super) fn lock(&self) -> Locked<'_> {
        Locked { word: &self.0.word, content: self.0.content.lock() }
    }

    /// The version of a variable that this commit itself is about to write.
    pub(super) fn announced_version(&self) -> u64 {
        self.settled_version()
    }

    /// The version, under the lock of the content.
    fn settled_version(&self) -> u64 {
        self.0.word.load(Ordering::Relaxed) >> 1
    }

    /// Puts a thread on the list of those to be woken, unless the variable has been written after `time`.
    pub(super) fn enlist(&self, waiter: &Arc<Waiter>, time: u64) -> bool {
        let mut content = self.0.content.lock();
        if self.settled_version() > time && !is_out(EngineFault::UncheckedSleep) {
            return false;
        }
        content.waiters.get_or_insert_default().push(Arc::clone(waiter));
        true
    }

    /// Takes a thread off the list.
    pub(super) fn strike(&self, waiter: &Arc<Waiter>) {
        let mut content = self.0.content.lock();
        if let Some(waiters) = &mut content.waiters {
            waiters.retain(|other| !Arc::ptr_eq(other, waiter));
            if waiters.is_empty() {
                content.waiters = None;
            }
        }
    }
}

/// A variable that a commit has locked.
pub(super) struct Locked<'v> {
    word: &'v AtomicU64,
    content: MutexGuard<'v, Content>,
}

impl Locked<'_> {
    /// Shows other commits that this one is about to write.
    pub(super) fn announce(&self) {
        let word = self.word.load(Ordering::Relaxed);
        // Relaxed: the clock's tick, which comes after it, makes it visible to those who must see it.
        self.word.store(word | LOCKED, Ordering::Relaxed);
    }

    /// Exchanges the value, which ends what [`announce`](Self::announce) began, and collects whom to wake.
    pub(super) fn publish(&mut self, value: &mut Value, version: u64, wake: &mut Vec<Arc<Waiter>>) {
        std::mem::swap(&mut self.content.value, value);
        if let Some(waiters) = self.content.waiters.take() {
            wake.extend(*waiters);
        }
        // Release: a commit that sees the version comes after everything that was published with it.
        self.word.store(version << 1, Ordering::Release);
    }
}

impl Drop for Locked<'_> {
    /// Takes [`announce`](Self::announce) back when nothing was published.
    fn drop(&mut self) {
        let word = self.word.load(Ordering::Relaxed);
        if word & LOCKED != 0 {
            self.word.store(word & !LOCKED, Ordering::Release);
        }
    }
}
