//! The writer thread: records in commit order, written in groups.
//!
//! **Promise.** Records stand in the file in the order of their sequence numbers, whatever the order in which they were submitted
//! (RACE-1). A submission is answered after its whole group is as durable as was asked, or with the first error. After an
//! error nothing is written any more (RACE-3).
//!
//! **Algorithm.** The thread takes one submission from its channel, then all others that are there; puts them in order by number; and
//! writes the unbroken run from the next number as one group: one write, one flush or fsync, one answer for all. A
//! hole in the numbers waits: whoever took the number is about to submit it. The wait of one group's
//! fsync is what fills the next group.
//!
//! **Why the order is right.** A number is taken inside the transaction, so numbers are the commit order; a number is written only
//! after all smaller ones; and an answer is given only after the write. So what is answered is a prefix of the commit
//! order, and what a crash leaves is a prefix that contains it.
//!
//! **Tests.** `tests/store_log/group_commit.rs`, `tests/store_log/faults.rs`.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    error::{JournalError, JournalErrorKind},
    log_file::LogFile,
    ticket::WriterProgress,
};
use crate::sync::channel::Receiver;

/// A group is written once it has this many bytes, even when more is waiting.
const GROUP_BYTES: usize = 1024 * 1024;

/// What one submission sends: its number and its encoded lines.
pub(crate) struct Submission {
    pub(crate) seq: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Runs the writer until every sender is gone; gives the last answer to everything that is left.
pub(crate) fn run(
    file: LogFile,
    submissions: &Receiver<Submission>,
    progress: &Arc<WriterProgress>,
) {
    let mut writer = Writer {
        file,
        progress: Arc::clone(progress),
        waiting: BTreeMap::new(),
        next: 1,
        group: Vec::new(),
    };
    while let Ok(first) = submissions.recv() {
        writer.take(first);
        while let Ok(more) = submissions.try_recv() {
            writer.take(more);
        }
        writer.write_ready();
    }
    writer.close();
}

struct Writer {
    file: LogFile,
    progress: Arc<WriterProgress>,
    waiting: BTreeMap<u64, Vec<u8>>,
    next: u64,
    group: Vec<u8>,
}

impl Writer {
    fn take(&mut self, submission: Submission) {
        if self.progress.is_broken() {
            return;
        }
        let Submission { seq, bytes } = submission;
        if seq < self.next || self.waiting.insert(seq, bytes).is_some() {
            tracing::error!("store log: sequence number {seq} came twice");
            self.fail(JournalError::new(JournalErrorKind::Sequence));
        }
    }

    /// Writes the unbroken run of submissions from the next number, group by group.
    fn write_ready(&mut self) {
        while !self.progress.is_broken() {
            let Some(last) = self.gather() else { return };
            match self.file.append(&self.group) {
                Ok(()) => self.progress.raise(last),
                Err(error) => self.fail(error),
            }
        }
    }

    /// Collects the next group; gives the last number in it.
    fn gather(&mut self) -> Option<u64> {
        self.group.clear();
        let mut last = None;
        while let Some(entry) = self.waiting.first_entry() {
            if *entry.key() != self.next || self.group.len() >= GROUP_BYTES {
                break;
            }
            self.group.extend_from_slice(&entry.remove());
            last = Some(self.next);
            self.next += 1;
        }
        last
    }

    fn fail(&mut self, error: JournalError) {
        self.waiting.clear();
        self.progress.fail(error);
    }

    fn close(&mut self) {
        if let Some(stranded) = self.waiting.keys().next() {
            tracing::error!(
                "store log: closed while record {} was missing before record {stranded}",
                self.next,
            );
            self.fail(JournalError::new(JournalErrorKind::Sequence));
        }
        if let Err(error) = self.file.close() {
            self.progress.fail(error);
        }
    }
}

impl Drop for Writer {
    /// Also when the thread unwinds: nobody may wait for a writer that is gone.
    fn drop(&mut self) {
        self.progress.end();
    }
}
