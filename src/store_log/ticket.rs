//! How far the writer thread has come, and the tickets that wait for it.
//!
//! **Promise.** A ticket is answered exactly when its record is as durable as the journal was asked to make it, or
//! when it never will be.
//!
//! **Algorithm.** One number stands for all tickets: every sequence number up to it is durable. The writer raises it
//! once per group and wakes whoever waits; a ticket compares. The first error is kept for good.
//!
//! **Why the order is right.** The number is raised under the lock that a waiter checks it under, so no wake-up is
//! lost; outside the lock it is only ever read as a hint that the answer is already there, and it never falls.

use std::sync::Arc;

use super::error::{JournalError, JournalErrorKind};
use crate::sync::{
    Condvar, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

#[derive(Debug, Default)]
struct State {
    durable: u64,
    error: Option<JournalError>,
    closed: bool,
}

/// How far the writer thread has come.
pub(crate) struct WriterProgress {
    durable: AtomicU64,
    broken: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

impl WriterProgress {
    pub(crate) fn new() -> Self {
        Self {
            durable: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        }
    }

    /// Everything up to `seq` is durable.
    pub(crate) fn raise(&self, seq: u64) {
        let mut state = self.state.lock();
        state.durable = seq;
        // Release: a ticket that reads the number without the lock also sees what the writer did before.
        self.durable.store(seq, Ordering::Release);
        self.changed.notify_all();
    }

    /// Nothing more becomes durable. The first error stays.
    pub(crate) fn fail(&self, error: JournalError) {
        let mut state = self.state.lock();
        state.error.get_or_insert(error);
        self.broken.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// The writer has ended.
    pub(crate) fn end(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    pub(crate) fn error(&self) -> Option<JournalError> {
        if self.is_broken() { self.state.lock().error } else { None }
    }

    fn wait(&self, seq: u64) -> Result<(), JournalError> {
        if self.durable.load(Ordering::Acquire) >= seq {
            return Ok(());
        }
        let mut state = self.state.lock();
        loop {
            if state.durable >= seq {
                return Ok(());
            }
            if let Some(error) = state.error {
                return Err(error);
            }
            if state.closed {
                return Err(JournalError::new(JournalErrorKind::Closed));
            }
            self.changed.wait(&mut state);
        }
    }
}

enum Answer {
    Known(Result<(), JournalError>),
    Awaited(Arc<WriterProgress>, u64),
}

/// The answer to one submission, now or later.
#[must_use = "a change is durable only once its ticket says so"]
pub struct Ticket(Answer);

impl Ticket {
    pub(crate) fn known(answer: Result<(), JournalError>) -> Self {
        Self(Answer::Known(answer))
    }

    pub(crate) fn awaited(progress: Arc<WriterProgress>, seq: u64) -> Self {
        Self(Answer::Awaited(progress, seq))
    }

    /// Returns once the submission is as durable as the journal's [`Durability`](super::Durability) says:
    /// for `Memory` at once, else after the group's flush or fsync. Blocks; must not be called inside a transaction.
    ///
    /// # Errors
    /// The journal's first error, when the submission was not written and never will be. What was not written does not survive a
    /// restart (RACE-3), unless the disk also refused to cut it away, which is then logged.
    pub fn wait(self) -> Result<(), JournalError> {
        match self.0 {
            Answer::Known(answer) => answer,
            Answer::Awaited(progress, seq) => progress.wait(seq),
        }
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Answer::Known(answer) => f.debug_tuple("Ticket").field(answer).finish(),
            Answer::Awaited(_, seq) => f.debug_tuple("Ticket").field(seq).finish(),
        }
    }
}
