//! The journal that a running store writes to.

use std::{fmt, sync::Arc};

use super::{
    config::Durability,
    desk::Desk,
    error::{JournalError, JournalErrorKind},
    log_file::LogFile,
    record::LogRecord,
    storage::StorageLock,
    ticket::Ticket,
    writer::{Submission, Writer},
};
use crate::sync::{
    Mutex, RwLock,
    channel::{self, Sender},
    thread::{self, JoinHandle},
};

/// How many submissions may wait for the thread, where nobody waits for an answer, before
/// submitting blocks.
const SUBMISSIONS_AHEAD: usize = 4096;

/// A log that is open and owned. Shared by reference between threads.
///
/// Sequence numbers start at 1 for each journal and have no gaps: whoever takes a number must
/// submit it, an empty list of records where there is nothing to write.
pub struct Journal {
    durability: Durability,
    desk: Arc<Desk>,
    sender: RwLock<Option<Sender<Submission>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<StorageLock>>,
}

impl Journal {
    pub(crate) fn new(file: LogFile, durability: Durability, lock: StorageLock) -> Self {
        // Who waits for an answer cannot run ahead, and nobody may be kept from the desk by a full
        // channel.
        let (sender, submissions) = match durability {
            Durability::Memory => channel::bounded(SUBMISSIONS_AHEAD),
            Durability::Flush | Durability::Fsync => channel::unbounded(),
        };
        let writer = Writer::new(file, submissions);
        let desk = Arc::new(Desk::new(writer, durability == Durability::Flush));
        let thread = {
            let desk = Arc::clone(&desk);
            thread::spawn(move || desk.attend())
        };
        Self {
            durability,
            desk,
            sender: RwLock::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            lock: Mutex::new(Some(lock)),
        }
    }

    /// Hands records to the writer, to be written together and after everything with a smaller
    /// number (JR-17, RACE-1). Submissions may come in any order. Under `Durability::Memory` blocks
    /// while the writer is far behind; must not be called inside a transaction.
    ///
    /// Errors come through the ticket. On a broken journal nothing is written and every ticket has
    /// the first error; under `Durability::Memory`, the error of a write is known to later tickets
    /// only.
    pub fn submit(&self, seq: u64, records: Vec<LogRecord>) -> Ticket {
        if let Some(error) = self.desk.error() {
            return Ticket::known(Err(error));
        }
        let submission = Submission { seq, bytes: encode(&records) };
        let sent = match &*self.sender.read() {
            Some(sender) => sender.send(submission).is_ok(),
            None => false,
        };
        if !sent {
            return Ticket::known(Err(JournalError::new(JournalErrorKind::Closed)));
        }
        match self.durability {
            Durability::Memory => {
                self.desk.ring();
                Ticket::known(Ok(()))
            }
            Durability::Flush | Durability::Fsync => Ticket::awaited(Arc::clone(&self.desk), seq),
        }
    }

    /// Whether a write has failed. Stays so until the log is opened again.
    pub fn is_broken(&self) -> bool {
        self.desk.is_broken()
    }

    /// When a submission counts as written.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Waits for the submission with the number `last`, which may still be on its way, and closes.
    ///
    /// For an owner that has stopped handing out numbers and knows the last one: nothing that
    /// took a number before is cut off (RACE-27). Zero waits for nothing.
    ///
    /// # Errors
    /// As [`close`](Self::close).
    pub fn close_after(&self, last: u64) -> Result<(), JournalError> {
        let written = self.desk.wait(last);
        self.close().and(written)
    }

    /// Waits until everything submitted is written, syncs it under every durability, and gives the
    /// file and its lock back. Later submissions fail. Calling it again gives the same answer.
    ///
    /// # Errors
    /// The first error of the journal's life, also when a ticket already gave it.
    pub fn close(&self) -> Result<(), JournalError> {
        drop(self.sender.write().take());
        self.desk.close();
        // Joined under the lock, so that a second closer waits for the first.
        let mut thread = self.thread.lock();
        if let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("store log: the writer thread ended abnormally");
            self.desk.abandon();
        }
        drop(self.lock.lock().take());
        self.desk.error().map_or(Ok(()), Err)
    }
}

/// The lines of the records, each with its newline.
fn encode(records: &[LogRecord]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        record.encode(&mut bytes);
        bytes.push(b'\n');
    }
    bytes
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!("{error}; found when the journal was dropped");
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("durability", &self.durability)
            .field("broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}
