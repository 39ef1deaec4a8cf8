//! The answer to one submission.

use std::sync::Arc;

use super::{desk::Desk, error::JournalError};

enum Answer {
    Known(Result<(), JournalError>),
    Awaited { desk: Arc<Desk>, seq: u64, asked: bool },
}

/// The answer to one submission, now or later.
///
/// A record is written when its ticket is waited for, when a later record is, or when the ticket is
/// dropped; under `Durability::Memory` in any case.
#[must_use = "a change is durable only once its ticket says so"]
pub struct Ticket(Answer);

impl Ticket {
    pub(crate) fn known(answer: Result<(), JournalError>) -> Self {
        Self(Answer::Known(answer))
    }

    pub(crate) fn awaited(desk: Arc<Desk>, seq: u64) -> Self {
        Self(Answer::Awaited { desk, seq, asked: false })
    }

    /// Returns once the submission is as durable as the journal's [`Durability`](super::Durability)
    /// says: for `Memory` at once, else after the group's flush or fsync, which this thread does
    /// itself when no other is doing it. Blocks; must not be called inside a transaction.
    ///
    /// # Errors
    /// The journal's first error, when the submission was not written and never will be. What was
    /// not written does not survive a restart (RACE-3), unless the disk also refused to cut it
    /// away, which is then logged.
    pub fn wait(mut self) -> Result<(), JournalError> {
        match &mut self.0 {
            Answer::Known(answer) => *answer,
            Answer::Awaited { desk, seq, asked } => {
                *asked = true;
                desk.wait(*seq)
            }
        }
    }
}

impl Drop for Ticket {
    /// A record that nobody waits for is written all the same.
    fn drop(&mut self) {
        if let Answer::Awaited { desk, asked: false, .. } = &self.0 {
            desk.ring();
        }
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Answer::Known(answer) => f.debug_tuple("Ticket").field(answer).finish(),
            Answer::Awaited { seq, .. } => f.debug_tuple("Ticket").field(seq).finish(),
        }
    }
}
