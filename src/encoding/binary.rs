//! Length-prefixed byte strings and lists of them, as database columns keep them (SE-56, SE-58).
//!
//! A byte string has its length before it: one byte, or two in big-endian order. A list is one byte
//! with the number of items, then each item. Writers fail on a count or a length that does not fit;
//! the reference lets it wrap and writes a column that cannot be read.

use thiserror::Error;

/// Why a list could not be written in its binary form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A list without items has no binary form: a count of zero is refused by every reader.
    #[error("an empty list has no binary form")]
    Empty,
    /// The count has one byte.
    #[error("{0} items do not fit a count of one byte")]
    TooManyItems(usize),
    /// The item's length does not fit its prefix.
    #[error("an item of {length} bytes does not fit a length of {prefix} bytes")]
    ItemTooLong {
        /// The item's length in bytes.
        length: usize,
        /// How many bytes the length prefix has.
        prefix: usize,
    },
}

/// A binary list that cannot be read: where, and what would have been right there.
pub use super::ParseError as ReadError;

/// How many bytes the length before each item has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthPrefix {
    /// One byte: items of up to 255 bytes (SE-56).
    One,
    /// Two bytes in big-endian order: items of up to 65,535 bytes (SE-58).
    Two,
}

impl LengthPrefix {
    /// How many bytes it has.
    const fn size(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// The most bytes that can follow it.
    pub const fn max_length(self) -> usize {
        match self {
            Self::One => u8::MAX as usize,
            Self::Two => u16::MAX as usize,
        }
    }
}

/// Appends a byte string with its length before it; fails, with nothing appended, when the length
/// does not fit `prefix`.
pub fn write_bytes(
    bytes: &[u8],
    prefix: LengthPrefix,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    if bytes.len() > prefix.max_length() {
        return Err(WriteError::ItemTooLong { length: bytes.len(), prefix: prefix.size() });
    }
    let length = (bytes.len() as u16).to_be_bytes();
    out.extend_from_slice(length.get(2 - prefix.size()..).unwrap_or_default());
    out.extend_from_slice(bytes);
    Ok(())
}

/// Reads a byte string with its length before it; what is too short for its length is refused, and
/// nothing is allocated.
pub fn read_bytes<'a>(
    parser: &mut super::Parser<'a>,
    prefix: LengthPrefix,
) -> super::ParseResult<&'a [u8]> {
    let mut length = usize::from(parser.byte("a length")?);
    if prefix == LengthPrefix::Two {
        length = length << 8 | usize::from(parser.byte("a length of two bytes")?);
    }
    let start = parser.clone();
    let bytes = parser.advance(length);
    if bytes.len() == length {
        return Ok(bytes);
    }
    Err(start.error("as many bytes as the length says"))
}

/// Appends the count and the items of a non-empty list (SE-56, SE-58).
///
/// Fails before anything is appended when the list is empty, has more than 255 items, or has an
/// item too long for `prefix`.
pub fn write_list<'a>(
    items: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    prefix: LengthPrefix,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let count = u8::try_from(items.len()).map_err(|_| WriteError::TooManyItems(items.len()))?;
    if count == 0 {
        return Err(WriteError::Empty);
    }
    let limit = prefix.max_length();
    if let Some(item) = items.clone().find(|item| item.len() > limit) {
        return Err(WriteError::ItemTooLong { length: item.len(), prefix: prefix.size() });
    }
    out.push(count);
    for item in items {
        write_bytes(item, prefix, out)?;
    }
    Ok(())
}

/// Reads the whole of `input` as a non-empty list and hands each item to `each`, which says
/// whether it is acceptable (SE-56, SE-58). Nothing is allocated for a count that the input does
/// not keep.
pub fn read_list<'a>(
    input: &'a [u8],
    prefix: LengthPrefix,
    mut each: impl FnMut(&'a [u8]) -> bool,
) -> Result<(), ReadError> {
    let mut parser = super::Parser::new(input);
    let count = parser.byte("a count")?;
    if count == 0 {
        return Err(super::ParseError { offset: 0, expected: "a count of one or more" });
    }
    for _ in 0..count {
        let item = read_bytes(&mut parser, prefix)?;
        if !each(item) {
            let offset = parser.offset() - item.len();
            return Err(super::ParseError { offset, expected: "an item of the list's type" });
        }
    }
    parser.end()
}
