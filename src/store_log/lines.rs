//! Cutting a file into lines.
//!
//! **Promise.** No more than one line of the given maximum is held in memory; a longer one is walked
//! over, and its length is told.
//!
//! **Tests.** Those of its users: `tests/store_log/replay.rs`, `tests/ntf_store/`.

use std::io::{self, BufRead, BufReader, Read};

/// How much of the file is asked for at a time, in bytes.
const READ_SIZE: usize = 256 * 1024;

/// What a look at the next line found.
pub(crate) enum Found {
    /// A complete line, now in the buffer.
    Line,
    /// A complete line of this length, walked over.
    TooLong(u64),
    /// The file's last bytes, without newline. They are in the buffer unless they are too long.
    Torn(u64),
    /// Nothing.
    End,
}

/// The lines of a file, one at a time.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    max_line: usize,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R, max_line: usize) -> Self {
        Self { input: BufReader::with_capacity(READ_SIZE, input), max_line, line: Vec::new() }
    }

    /// The line found last, without its newline.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Goes to the next line.
    pub(crate) fn find(&mut self) -> io::Result<Found> {
        self.line.clear();
        let limit = (self.max_line as u64).saturating_add(1);
        (&mut self.input).take(limit).read_until(b'\n', &mut self.line)?;
        if self.line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(Found::Line);
        }
        let held = self.line.len() as u64;
        if held < limit {
            return Ok(if held == 0 { Found::End } else { Found::Torn(held) });
        }
        self.line = Vec::new();
        let (walked, complete) = walk_line(&mut self.input)?;
        let length = held + walked;
        Ok(if complete { Found::TooLong(length) } else { Found::Torn(length) })
    }
}

/// Walks behind the next newline: how many bytes before it, and whether there was one.
fn walk_line(input: &mut impl BufRead) -> io::Result<(u64, bool)> {
    let mut walked = 0;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok((walked, false));
        }
        let newline = buffer.iter().position(|byte| *byte == b'\n');
        let used = newline.unwrap_or(buffer.len());
        walked += used as u64;
        input.consume(used + usize::from(newline.is_some()));
        if newline.is_some() {
            return Ok((walked, true));
        }
    }
}
