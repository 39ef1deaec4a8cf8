//! The names of [`sync`](crate::sync) under a model checker: loom or shuttle.
//!
//! Thin shells around the checker's own types that give them the methods of the native ones: a lock
//! returns its guard, and a condition variable borrows it. The two checkers have the names that are
//! used here in common, so one file serves both.
//!
//! Shuttle knows no weak memory: it takes every ordering for `SeqCst`, and a fence for nothing. What
//! an ordering is for, loom alone can show.

#[cfg(all(loom, shuttle))]
compile_error!("choose one model checker: `--cfg loom` or `--cfg shuttle`");

#[cfg(loom)]
pub(crate) use loom as checker;
#[cfg(all(shuttle, not(loom)))]
pub(crate) use shuttle as checker;

pub(crate) use checker::thread_local;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

#[path = "model_channel.rs"]
pub mod channel;

/// Atomic integers and flags.
pub mod atomic {
    pub use super::checker::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
}

/// Threads.
pub mod thread {
    pub use super::checker::thread::{JoinHandle, panicking, spawn, yield_now};
}

/// A lock for one thread at a time.
#[derive(Debug, Default)]
pub struct Mutex<T>(checker::sync::Mutex<T>);

/// The right to use what a [`Mutex`] guards, until dropped.
pub struct MutexGuard<'a, T>(Option<checker::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A lock, free, around `value`.
    pub fn new(value: T) -> Self {
        Mutex(checker::sync::Mutex::new(value))
    }

    /// Waits for the lock and takes it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }

    /// The guarded value, when nobody else can reach the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the lock for the value that it guarded.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[allow(clippy::expect_used, reason = "empty only inside `Condvar::wait`")]
    fn deref(&self) -> &T {
        self.0.as_ref().expect("the guard is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[allow(clippy::expect_used, reason = "empty only inside `Condvar::wait`")]
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the guard is held")
    }
}

/// Lets threads wait, with a lock given up meanwhile, until another thread notifies them.
#[derive(Debug, Default)]
pub struct Condvar(checker::sync::Condvar);

impl Condvar {
    /// A condition variable on which nobody waits.
    pub fn new() -> Self {
        Condvar(checker::sync::Condvar::new())
    }

    /// Gives up the lock, waits for a notification and takes the lock again.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        if let Some(held) = guard.0.take() {
            guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Waits for as long as `condition` holds.
    pub fn wait_while<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(&mut *guard) {
            self.wait(guard);
        }
    }

    /// Wakes one waiting thread.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all waiting threads.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A value that is set once, by whoever comes first.
#[derive(Debug)]
pub struct OnceLock<T> {
    is_set: atomic::AtomicBool,
    setting: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// A place for a value.
    pub fn new() -> Self {
        OnceLock {
            is_set: atomic::AtomicBool::new(false),
            setting: Mutex::new(()),
            value: std::sync::OnceLock::new(),
        }
    }

    /// The value, if it has been set.
    pub fn get(&self) -> Option<&T> {
        match self.is_set.load(atomic::Ordering::Acquire) {
            true => self.value.get(),
            false => None,
        }
    }

    /// The value, which is made if there is none.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _setting = self.setting.lock();
        let value = self.value.get_or_init(make);
        self.is_set.store(true, atomic::Ordering::Release);
        value
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A lock for many readers or one writer.
#[derive(Debug, Default)]
pub struct RwLock<T>(checker::sync::RwLock<T>);

/// The right to read what an [`RwLock`] guards, until dropped.
pub type RwLockReadGuard<'a, T> = checker::sync::RwLockReadGuard<'a, T>;

/// The right to change what an [`RwLock`] guards, until dropped.
pub type RwLockWriteGuard<'a, T> = checker::sync::RwLockWriteGuard<'a, T>;

impl<T> RwLock<T> {
    /// A lock, free, around `value`.
    pub fn new(value: T) -> Self {
        RwLock(checker::sync::RwLock::new(value))
    }

    /// Waits until no thread writes, and reads.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads, if no thread writes.
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.0.try_read().ok()
    }

    /// Waits until no other thread reads or writes, and writes.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guarded value, when nobody else can reach the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the lock for the value that it guarded.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
