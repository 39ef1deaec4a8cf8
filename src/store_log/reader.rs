//! Reading a log line by line, decoding beside the thread that applies.
//!
//! **Promise.** Memory is bounded by a few batches and one line of the configured maximum; a longer
//! line is walked over, not held.
//!
//! **Algorithm.** [`Decoder`] takes the file's [`Lines`], counts them and their offsets, and parses each
//! into a record. [`Pipeline`] runs it in place for the first batch, which of a short log is the
//! only one, and in a thread of its own for the others, a batch ahead. Under loom it always runs in
//! place, since threads are dear there and this one shares nothing.
//!
//! **Tests.** `tests/store_log/replay.rs`; the fuzz target `store_log_replay`.

use std::{
    io::{self, Read},
    path::Path,
};

use super::{
    config::StoreLogConfig,
    error::OpenError,
    lines::{Found, Lines},
    record::LogRecord,
    replay::Line,
    report::{ReplayWarning, TornTail, WarningKind},
    storage::StorageRead,
};
use crate::protocol::Semantics;

/// How many bytes a batch has, unless it is the last or the target prefers large ones.
const MIN_BATCH_BYTES: u64 = 1024 * 1024;

/// How many bytes a large batch has at most.
const MAX_BATCH_BYTES: u64 = 128 * 1024 * 1024;

/// A batch ends early at one line for this many of its bytes: many short lines take more memory
/// decoded.
const BYTES_A_LINE: u64 = 256;

/// How many batches may wait to be applied.
#[cfg(not(loom))]
const BATCHES_AHEAD: usize = 1;

/// A line that gave no record.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) number: u64,
    pub(crate) offset: u64,
    /// Without the newline.
    pub(crate) length: u64,
    /// What the parser said; `None` for a line too long to be parsed.
    reason: Option<String>,
}

impl Unreadable {
    pub(crate) fn reason_text(&self) -> String {
        self.reason.clone().unwrap_or_else(|| "line too long".to_owned())
    }

    pub(crate) fn warning(&self) -> ReplayWarning {
        let kind = match &self.reason {
            Some(reason) => WarningKind::Parse { reason: reason.clone(), length: self.length },
            None => WarningKind::TooLong { length: self.length },
        };
        ReplayWarning { line: self.number, offset: self.offset, kind }
    }
}

/// Consecutive lines: those that are records, and those that are not.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) lines: Vec<Line>,
    pub(crate) unreadable: Vec<Unreadable>,
    /// The last line of the file, without newline; only in the last batch.
    pub(crate) torn: Option<TornTail>,
    /// The offset behind the last complete line.
    pub(crate) end_offset: u64,
}

impl Batch {
    /// Large batches grow with what was read before them. To a store that keeps its state in persistent
    /// structures, applying a batch costs a copy of every part that it touches, once.
    fn is_full(&self, start: u64, large: bool) -> bool {
        let bytes = match large {
            true => (start / 4).clamp(MIN_BATCH_BYTES, MAX_BATCH_BYTES),
            false => MIN_BATCH_BYTES,
        };
        let lines = (self.lines.len() + self.unreadable.len()) as u64;
        lines >= bytes / BYTES_A_LINE || self.end_offset - start >= bytes
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.unreadable.is_empty() && self.torn.is_none()
    }
}

/// Cuts a file into lines and parses them.
pub(crate) struct Decoder<R> {
    lines: Lines<R>,
    semantics: Semantics,
    large_batches: bool,
    number: u64,
    offset: u64,
    /// Whether the file has no more to give.
    ended: bool,
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(
        input: R,
        semantics: Semantics,
        max_line: usize,
        large_batches: bool,
    ) -> Self {
        let lines = Lines::new(input, max_line);
        Self { lines, semantics, large_batches, number: 0, offset: 0, ended: false }
    }

    /// The next batch; `None` at the end of the file.
    pub(crate) fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let start = self.offset;
        let mut batch = Batch { end_offset: start, ..Batch::default() };
        while !batch.is_full(start, self.large_batches) && !self.ended {
            self.ended = !self.next_line(&mut batch)?;
        }
        Ok(if batch.is_empty() { None } else { Some(batch) })
    }

    /// Reads one line into the batch; false at the end of the file.
    fn next_line(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let found = self.lines.find()?;
        let (number, offset) = (self.number + 1, self.offset);
        let length = match found {
            Found::End => return Ok(false),
            Found::Torn(length) => {
                batch.torn = Some(TornTail { line: number, offset, length });
                return Ok(false);
            }
            Found::TooLong(length) => {
                batch.unreadable.push(Unreadable { number, offset, length, reason: None });
                length
            }
            Found::Line => {
                let length = self.lines.line().len() as u64;
                match LogRecord::parse(self.lines.line(), self.semantics) {
                    Ok(record) => batch.lines.push(Line { number, offset, record }),
                    Err(error) => {
                        let reason = Some(error.to_string());
                        batch.unreadable.push(Unreadable { number, offset, length, reason });
                    }
                }
                length
            }
        };
        self.number = number;
        self.offset = offset + length + 1;
        batch.end_offset = self.offset;
        Ok(true)
    }
}

fn open(
    config: &StoreLogConfig,
    source: &Path,
    large_batches: bool,
) -> Result<Decoder<Box<dyn StorageRead>>, OpenError> {
    let file = config
        .storage
        .open_read(source)
        .map_err(OpenError::io(super::error::OpenStep::Read, source))?;
    Ok(Decoder::new(file, config.semantics, config.max_line, large_batches))
}

/// A decoder that runs ahead in a thread of its own, from the second batch on.
#[cfg(not(loom))]
pub(crate) struct Pipeline {
    /// Until the first batch is read.
    decoder: Option<Decoder<Box<dyn StorageRead>>>,
    ahead: Option<Ahead>,
}

#[cfg(not(loom))]
impl Pipeline {
    pub(crate) fn start(
        config: &StoreLogConfig,
        source: &Path,
        large_batches: bool,
    ) -> Result<Self, OpenError> {
        Ok(Self { decoder: Some(open(config, source, large_batches)?), ahead: None })
    }

    /// The next batch; `None` at the end of the file.
    pub(crate) fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let Some(mut decoder) = self.decoder.take() else {
            return self.ahead.as_mut().map_or(Ok(None), Ahead::next_batch);
        };
        let first = decoder.next_batch()?;
        self.ahead = if decoder.ended { None } else { Some(Ahead::start(decoder)) };
        Ok(first)
    }
}

/// The thread, and what it has read.
#[cfg(not(loom))]
struct Ahead {
    batches: Option<crate::sync::channel::Receiver<io::Result<Batch>>>,
    thread: Option<crate::sync::thread::JoinHandle<()>>,
}

#[cfg(not(loom))]
impl Ahead {
    fn start(mut decoder: Decoder<Box<dyn StorageRead>>) -> Self {
        let (sender, batches) = crate::sync::channel::bounded(BATCHES_AHEAD);
        let thread = crate::sync::thread::spawn(move || {
            while let Some(batch) = decoder.next_batch().transpose() {
                let failed = batch.is_err();
                if sender.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        Self { batches: Some(batches), thread: Some(thread) }
    }

    fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        let next = self.batches.as_ref().map(|batches| batches.recv());
        if let Some(Ok(batch)) = next {
            return batch.map(Some);
        }
        match self.thread.take().map(|thread| thread.join()) {
            Some(Err(_)) => Err(io::Error::other("the reading thread ended abnormally")),
            _ => Ok(None),
        }
    }
}

#[cfg(not(loom))]
impl Drop for Ahead {
    /// Lets a thread that still has batches to give end, and waits for it.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// A decoder that runs in place.
#[cfg(loom)]
pub(crate) struct Pipeline {
    decoder: Decoder<Box<dyn StorageRead>>,
}

#[cfg(loom)]
impl Pipeline {
    pub(crate) fn start(
        config: &StoreLogConfig,
        source: &Path,
        large_batches: bool,
    ) -> Result<Self, OpenError> {
        Ok(Self { decoder: open(config, source, large_batches)? })
    }

    pub(crate) fn next_batch(&mut self) -> io::Result<Option<Batch>> {
        self.decoder.next_batch()
    }
}
