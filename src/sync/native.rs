//! The names of [`sync`](crate::sync) on real threads.
//!
//! parking_lot's and crossbeam-channel's types as they are. The atomics and `spawn` are shells around
//! the standard library's, so that a lint can tell them from the ones that went around the facade.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::OnceLock;
pub(crate) use std::thread_local;

/// Atomic integers and flags, with the methods and orderings of the standard library's.
pub mod atomic {
    use std::sync::atomic;
    pub use std::sync::atomic::Ordering;

    /// Keeps the operations before it and after it apart, as the standard library's `fence`.
    #[inline]
    pub fn fence(order: Ordering) {
        atomic::fence(order);
    }

    macro_rules! shell {
        ($(#[$doc:meta])* $name:ident, $holds:ty) => {
            $(#[$doc])*
            #[derive(Debug, Default)]
            #[repr(transparent)]
            pub struct $name(atomic::$name);

            impl $name {
                /// A new one that holds `value`.
                #[must_use]
                pub const fn new(value: $holds) -> Self {
                    $name(atomic::$name::new(value))
                }

                /// What it holds.
                #[inline]
                pub fn load(&self, order: Ordering) -> $holds {
                    self.0.load(order)
                }

                /// Replaces what it holds.
                #[inline]
                pub fn store(&self, value: $holds, order: Ordering) {
                    self.0.store(value, order);
                }

                /// Replaces what it holds and returns the earlier value.
                #[inline]
                pub fn swap(&self, value: $holds, order: Ordering) -> $holds {
                    self.0.swap(value, order)
                }

                /// Replaces `current` by `new`, and nothing else.
                ///
                /// # Errors
                ///
                /// The value that was there instead of `current`.
                #[inline]
                pub fn compare_exchange(
                    &self,
                    current: $holds,
                    new: $holds,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$holds, $holds> {
                    self.0.compare_exchange(current, new, success, failure)
                }

                /// What it holds, when nobody else can reach it.
                pub fn into_inner(self) -> $holds {
                    self.0.into_inner()
                }
            }
        };
    }

    macro_rules! integer {
        ($name:ident, $holds:ty) => {
            impl $name {
                /// Adds, wrapping around, and returns the earlier value.
                #[inline]
                pub fn fetch_add(&self, by: $holds, order: Ordering) -> $holds {
                    self.0.fetch_add(by, order)
                }

                /// Subtracts, wrapping around, and returns the earlier value.
                #[inline]
                pub fn fetch_sub(&self, by: $holds, order: Ordering) -> $holds {
                    self.0.fetch_sub(by, order)
                }

                /// Keeps the greater of what it holds and `other`, and returns the earlier value.
                #[inline]
                pub fn fetch_max(&self, other: $holds, order: Ordering) -> $holds {
                    self.0.fetch_max(other, order)
                }
            }
        };
    }

    shell! {
        /// A flag that threads share.
        AtomicBool, bool
    }
    shell! {
        /// A 64-bit integer that threads share.
        AtomicU64, u64
    }
    shell! {
        /// A pointer-sized integer that threads share.
        AtomicUsize, usize
    }
    integer!(AtomicU64, u64);
    integer!(AtomicUsize, usize);
}

/// Threads.
pub mod thread {
    pub use std::thread::{JoinHandle, panicking};

    /// Starts a thread.
    pub fn spawn<F, T>(work: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        std::thread::spawn(work)
    }

    /// Lets other threads run first.
    #[inline]
    pub fn yield_now() {
        std::thread::yield_now();
    }
}

/// Channels between threads, with any number of senders and receivers.
pub mod channel {
    pub use crossbeam_channel::{
        Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError, bounded, unbounded,
    };
}
