//! The names of [`sync`](crate::sync) on real threads.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "this is the facade")]

pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub(crate) use std::thread_local;

/// Atomic integers and flags.
pub mod atomic {
    pub use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
}

/// Threads.
pub mod thread {
    pub use std::thread::{JoinHandle, panicking, spawn, yield_now};
}

/// Channels between threads, with any number of senders and receivers.
pub mod channel {
    pub use crossbeam_channel::{
        Receiver, RecvError, SendError, Sender, TryRecvError, TrySendError, bounded, unbounded,
    };
}
