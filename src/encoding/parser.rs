//! The cursor that reads a record of the string family.
//!
//! It walks over a byte slice from left to right and never goes back further than the start of
//! the alternative being tried (SE-2), so a record is read in one pass. Every failure is a
//! [`ParseError`]: the offset where the reader stood and the name of what it wanted there.

use thiserror::Error;

/// Why a text could not be read: where, and what would have been right there.
///
/// The input itself is never part of it, because a line can hold secrets (RACE-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("at byte {offset}: expected {expected}")]
pub struct ParseError {
    /// How many bytes of the input come before the element that is wrong.
    pub offset: usize,
    /// What the reader wanted at that place.
    pub expected: &'static str,
}

/// What a reader of the string family returns.
pub type ParseResult<T> = Result<T, ParseError>;

/// A cursor over the bytes of one record (SE-1 to SE-5).
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    input: &'a [u8],
    offset: usize,
}

impl<'a> Parser<'a> {
    /// A cursor at the first byte of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, offset: 0 }
    }

    /// Reads the whole of `input` with `read`, refusing anything left over (SE-1).
    pub fn whole<T>(
        input: &'a [u8],
        read: impl FnOnce(&mut Self) -> ParseResult<T>,
    ) -> ParseResult<T> {
        let mut parser = Self::new(input);
        let value = read(&mut parser)?;
        parser.end()?;
        Ok(value)
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.offset..).unwrap_or_default()
    }

    /// The next byte, which stays unread; `None` at the end.
    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.offset).copied()
    }

    /// Whether everything has been read.
    pub fn is_at_end(&self) -> bool {
        self.offset >= self.input.len()
    }

    /// The error "`expected` should stand here".
    pub fn error(&self, expected: &'static str) -> ParseError {
        ParseError { offset: self.offset, expected }
    }

    /// Refuses anything left over (SE-1).
    pub fn end(&self) -> ParseResult<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.error("the end of the text")) }
    }

    /// Reads one byte, any byte (SE-10).
    pub fn byte(&mut self, expected: &'static str) -> ParseResult<u8> {
        let byte = self.peek().ok_or_else(|| self.error(expected))?;
        self.offset += 1;
        Ok(byte)
    }

    /// Reads exactly `literal`, or fails naming `expected` and stays where it was (SE-4).
    pub fn literal(&mut self, literal: &[u8], expected: &'static str) -> ParseResult<()> {
        if self.skip(literal) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// Steps over `literal` when it comes next; says whether it did.
    pub fn skip(&mut self, literal: &[u8]) -> bool {
        let found = self.rest().starts_with(literal);
        if found {
            self.offset += literal.len();
        }
        found
    }

    /// Reads exactly one space (SE-3).
    pub fn space(&mut self) -> ParseResult<()> {
        self.literal(b" ", "a space")
    }

    /// Reads the longest run of bytes that satisfy `wanted`, possibly none.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len());
        self.advance(length)
    }

    /// Reads everything up to the end.
    pub fn take_rest(&mut self) -> &'a [u8] {
        self.advance(usize::MAX)
    }

    /// Reads the next `count` bytes, or as many as there are.
    pub fn advance(&mut self, count: usize) -> &'a [u8] {
        let rest = self.rest();
        let taken = rest.get(..count).unwrap_or(rest);
        self.offset += taken.len();
        taken
    }
}
