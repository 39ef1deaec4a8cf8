//! Standard output, through one buffer, for programs that may stop reading.

use std::{
    fmt,
    io::{self, BufWriter, Stdout, Write},
};

use serde::Serialize;

/// Standard output. A reader that has gone away (`dump LOG | head`) is no error: what is left is
/// dropped, and [`is_closed`](Out::is_closed) lets a long answer stop early.
pub(crate) struct Out {
    to: BufWriter<Stdout>,
    error: Option<io::Error>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { to: BufWriter::with_capacity(1 << 16, io::stdout()), error: None }
    }

    /// Nobody reads any more, or writing failed: there is no point in producing more.
    pub(crate) fn is_closed(&self) -> bool {
        self.error.is_some()
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.to.write_all(bytes).err();
        }
    }

    pub(crate) fn line(&mut self, text: impl fmt::Display) {
        if self.error.is_none() {
            self.error = writeln!(self.to, "{text}").err();
        }
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        if self.error.is_some() {
            return;
        }
        let written = serde_json::to_writer(&mut self.to, value).map_err(io::Error::from);
        self.error = written.and_then(|()| self.to.write_all(b"\n")).err();
    }

    /// Hands everything to the system; an error unless it is that the reader went away.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let flushed = match self.error.take() {
            Some(error) => Err(error),
            None => self.to.flush(),
        };
        match flushed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
