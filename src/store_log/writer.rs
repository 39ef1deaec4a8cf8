//! The writer: records in commit order, written in groups.
//!
//! **Promise.** Records stand in the file in the order of their sequence numbers, whatever the
//! order in which they were submitted (RACE-1). After an error nothing is written any more
//! (RACE-3).
//!
//! **Algorithm.** The writer takes what is in its channel, puts it in order by number, and writes
//! the unbroken run from the next number as one group: one write, one flush or fsync. A hole in the
//! numbers waits: whoever took the number is about to submit it, with nothing in it if the commit failed. There is one writer, and who may
//! use it at a moment is the [desk](super::desk)'s business.
//!
//! **Why the order is right.** A number is taken inside the transaction, so numbers are the commit
//! order; a number is written only after all smaller ones. So what is written is a prefix of the
//! commit order.
//!
//! **Tests.** `tests/store_log/group_commit.rs`, `tests/store_log/faults.rs`.

use std::collections::BTreeMap;

use super::{
    error::{JournalError, JournalErrorKind},
    log_file::LogFile,
};
use crate::sync::{channel::Receiver, thread};

/// A group is written once it has this many bytes, even when more is waiting.
const GROUP_BYTES: usize = 1024 * 1024;

/// How often a group that is to be synced lets other threads run first, as long as it is no larger
/// than the one before: those whom that one answered are likely on their way with their next
/// record, and a sync takes far longer. To shuttle each time is a step.
const PATIENCE: u32 = if cfg!(shuttle) { 2 } else { 30 };

/// What one submission sends: its number and its encoded lines.
pub(crate) struct Submission {
    pub(crate) seq: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The file, and what is on its way to it.
pub(crate) struct Writer {
    file: LogFile,
    submissions: Receiver<Submission>,
    /// What came before its turn.
    waiting: BTreeMap<u64, Vec<u8>>,
    /// The first number that is in neither the file nor the group.
    next: u64,
    group: Vec<u8>,
    /// How many submissions the last group had.
    last_count: u64,
    error: Option<JournalError>,
}

impl Writer {
    pub(crate) fn new(file: LogFile, submissions: Receiver<Submission>) -> Self {
        Self {
            file,
            submissions,
            waiting: BTreeMap::new(),
            next: 1,
            group: Vec::new(),
            last_count: 0,
            error: None,
        }
    }

    /// Writes one group of what was submitted before the call. Gives the number up to which
    /// everything is now as durable as was asked; when that is not more than before, the next
    /// number is still missing.
    pub(crate) fn write_group(&mut self) -> Result<u64, JournalError> {
        let first = self.next;
        self.gather()?;
        if self.file.syncs() && !cfg!(loom) {
            self.gather_more(first)?;
        }
        self.file.append(&self.group)?;
        self.group.clear();
        self.last_count = self.next - first;
        Ok(self.next - 1)
    }

    /// Never writes again.
    pub(crate) fn give_up(&mut self, error: JournalError) {
        self.error.get_or_insert(error);
        self.group.clear();
        self.waiting.clear();
    }

    /// Syncs the file, once everything that can be written is.
    pub(crate) fn close(&mut self) -> Result<(), JournalError> {
        // Under an empty one nothing was to be written: it was the number of a change that never was.
        let stranded = self.waiting.iter().find(|(_, bytes)| !bytes.is_empty());
        if let Some((number, _)) = stranded {
            tracing::error!(
                "store log: closed while record {} was missing before record {number}",
                self.next,
            );
        }
        let stranded = stranded.is_some();
        self.file.close()?;
        if stranded { Err(JournalError::new(JournalErrorKind::Sequence)) } else { Ok(()) }
    }

    /// Fills the group: first from what waited, then from the channel, until that is empty or the
    /// group is full.
    fn gather(&mut self) -> Result<(), JournalError> {
        self.take_waiting();
        while self.group.len() < GROUP_BYTES {
            let Ok(submission) = self.submissions.try_recv() else { break };
            self.take(submission)?;
        }
        // Also after an error: the channel must not fill up.
        self.error.map_or(Ok(()), Err)
    }

    /// Gives those who are on their way a moment.
    fn gather_more(&mut self, first: u64) -> Result<(), JournalError> {
        for _ in 0..PATIENCE {
            if self.next == first || self.next - first > self.last_count {
                break;
            }
            thread::yield_now();
            self.gather()?;
        }
        Ok(())
    }

    fn take(&mut self, submission: Submission) -> Result<(), JournalError> {
        let Submission { seq, bytes } = submission;
        if self.error.is_some() {
            return Ok(());
        }
        if seq < self.next || self.waiting.contains_key(&seq) {
            tracing::error!("store log: sequence number {seq} came twice");
            return Err(JournalError::new(JournalErrorKind::Sequence));
        }
        if seq > self.next {
            self.waiting.insert(seq, bytes);
            return Ok(());
        }
        self.add(&bytes);
        self.take_waiting();
        Ok(())
    }

    fn take_waiting(&mut self) {
        while self.group.len() < GROUP_BYTES
            && let Some(entry) = self.waiting.first_entry()
            && *entry.key() == self.next
        {
            let bytes = entry.remove();
            self.add(&bytes);
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.group.extend_from_slice(bytes);
        self.next += 1;
    }
}
