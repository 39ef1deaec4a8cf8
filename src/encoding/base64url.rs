//! Bytes as base64url text (SE-15, SE-16).
//!
//! Writing always pads. Reading takes padding or none, but exactly the right amount when there
//! is any, and refuses trailing bits that are not zero; so each byte string has two texts at
//! most, and only one of them is ever written.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

use super::{ParseResult, Parser};

/// The length of the text of `length` bytes, padding included.
pub const fn encoded_length(length: usize) -> usize {
    length.div_ceil(3).saturating_mul(4)
}

/// Appends the padded text of `bytes`; nothing for no bytes (SE-15).
pub fn write(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + encoded_length(bytes.len()), b'=');
    let Some(tail) = out.get_mut(start..) else { return };
    // The tail has exactly the length that the engine asks for, so this can't fail.
    let written = URL_SAFE.encode_slice(bytes, tail).unwrap_or_default();
    debug_assert_eq!(written, tail.len());
}

/// The padded text of `bytes` as a string (SE-15).
pub fn to_string(bytes: &[u8]) -> String {
    URL_SAFE.encode(bytes)
}

/// One base64url text, measured but not decoded: its decoded length is known before any buffer
/// is made for it.
#[derive(Clone, Copy)]
pub struct Encoded<'a> {
    characters: &'a [u8],
}

impl Encoded<'_> {
    /// How many bytes this text stands for.
    pub fn decoded_length(&self) -> usize {
        // 4 characters hold 3 bytes; a last group of 2 holds 1 and of 3 holds 2.
        self.characters.len() / 4 * 3 + (self.characters.len() % 4).saturating_sub(1)
    }

    /// Decodes into `out`, which must have the decoded length; `None` when the lengths differ or
    /// the unused bits of the last character are not zero (SE-16).
    pub fn decode_into(&self, out: &mut [u8]) -> Option<()> {
        let written = URL_SAFE_NO_PAD.decode_slice(self.characters, out).ok()?;
        (written == out.len()).then_some(())
    }

    /// Decodes onto the stack and makes a value of the bytes with `make`; `None` when there are more than `N` of
    /// them, or the unused bits of the last character are not zero (SE-16).
    pub fn with_decoded<const N: usize, T>(
        &self,
        make: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let mut buffer = [0; N];
        let bytes = buffer.get_mut(..self.decoded_length())?;
        self.decode_into(bytes)?;
        make(bytes)
    }
}

/// Reads the characters and the padding of one text, at least one character (SE-16).
///
/// Whether the last character's unused bits are zero is only found when decoding.
pub fn parse_encoded<'a>(
    parser: &mut Parser<'a>,
    expected: &'static str,
) -> ParseResult<Encoded<'a>> {
    let start = parser.clone();
    let characters = parser.advance(run_length(parser.rest()));
    let padding = parser.take_while(|byte| byte == b'=').len();
    let right_padding = match characters.len() % 4 {
        0 => padding == 0 && !characters.is_empty(),
        1 => false,
        last => padding == 0 || padding == 4 - last,
    };
    if right_padding {
        return Ok(Encoded { characters });
    }
    *parser = start;
    Err(parser.error(expected))
}

/// Reads one non-empty byte string (SE-16).
pub fn parse(parser: &mut Parser<'_>, expected: &'static str) -> ParseResult<Vec<u8>> {
    parse_with(parser, expected, |encoded| {
        let mut bytes = vec![0; encoded.decoded_length()];
        encoded.decode_into(&mut bytes)?;
        Some(bytes)
    })
}

/// Reads a byte string of exactly `N` bytes (SE-16, SE-33, SE-45).
pub fn parse_array<const N: usize>(
    parser: &mut Parser<'_>,
    expected: &'static str,
) -> ParseResult<[u8; N]> {
    parse_with(parser, expected, |encoded| {
        let mut bytes = [0; N];
        encoded.decode_into(&mut bytes)?;
        Some(bytes)
    })
}

/// Reads a byte string and makes a value of it with `make`; where that gives none, the cursor
/// goes back to the start of the text and the error names `expected`.
pub fn parse_with<'a, T>(
    parser: &mut Parser<'a>,
    expected: &'static str,
    make: impl FnOnce(Encoded<'a>) -> Option<T>,
) -> ParseResult<T> {
    let start = parser.clone();
    let encoded = parse_encoded(parser, expected)?;
    make(encoded).ok_or_else(|| {
        *parser = start;
        parser.error(expected)
    })
}

/// How many of the first bytes of `text` are characters. Sixteen at a time without a branch, since
/// most of a journal is base64url and this is the first look at it.
fn run_length(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<16>();
    let whole = |block: &&[u8; 16]| block.iter().fold(true, |all, &byte| all & is_character(byte));
    let length = 16 * blocks.iter().take_while(whole).count();
    let rest = text.get(length..).unwrap_or_default();
    length + rest.iter().take_while(|&&byte| is_character(byte)).count()
}

/// Whether a byte is one of the 64 characters; branch-free.
fn is_character(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'-') | (byte == b'_')
}
