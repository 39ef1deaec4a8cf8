//! Decimal integers and booleans (SE-6 to SE-9).
//!
//! The reference lets digits wrap around silently; here a number that does not fit is refused
//! where it stands, so that no value is read that nobody wrote.

use super::{ParseResult, Parser};

/// Appends a 64-bit integer: decimal, `-` when negative, no padding (SE-6, SE-11, SE-12).
pub fn write_i64(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    write_u64(value.unsigned_abs(), out);
}

/// Appends an unsigned integer in decimal, without padding (SE-7, SE-8).
pub fn write_u64(mut value: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Reads a signed 64-bit integer: an optional `+` or `-`, then digits; leading zeros are accepted,
/// a value outside the range is refused (SE-6).
pub fn parse_i64(parser: &mut Parser<'_>) -> ParseResult<i64> {
    const EXPECTED: &str = "a 64-bit integer";
    let start = parser.clone();
    let negative = parser.skip(b"-");
    if !negative {
        parser.skip(b"+");
    }
    let magnitude = magnitude(parser);
    let value = magnitude.and_then(|magnitude| {
        if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    });
    value.ok_or_else(|| refuse(parser, start, EXPECTED))
}

/// Reads an unsigned 16-bit integer: digits only, no sign; a value outside the range is refused
/// (SE-7).
pub fn parse_u16(parser: &mut Parser<'_>) -> ParseResult<u16> {
    let start = parser.clone();
    let value = magnitude(parser).and_then(|value| u16::try_from(value).ok());
    value.ok_or_else(|| refuse(parser, start, "a 16-bit unsigned integer"))
}

/// Reads an unsigned 32-bit integer: digits only, no sign; a value outside the range is refused
/// (SE-8).
pub fn parse_u32(parser: &mut Parser<'_>) -> ParseResult<u32> {
    let start = parser.clone();
    let value = magnitude(parser).and_then(|value| u32::try_from(value).ok());
    value.ok_or_else(|| refuse(parser, start, "a 32-bit unsigned integer"))
}

/// Appends `T` or `F` (SE-9).
pub fn write_bool(value: bool, out: &mut Vec<u8>) {
    out.push(if value { b'T' } else { b'F' });
}

/// Reads `T` or `F`; anything else is refused (SE-9).
pub fn parse_bool(parser: &mut Parser<'_>) -> ParseResult<bool> {
    if parser.skip(b"T") {
        return Ok(true);
    }
    parser.literal(b"F", "T or F")?;
    Ok(false)
}

/// The value of one or more digits; `None` without digits or when 64 bits do not hold it.
fn magnitude(parser: &mut Parser<'_>) -> Option<u64> {
    let digits = parser.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

/// Puts the cursor back to `start` and names what was expected there.
fn refuse<'a>(
    parser: &mut Parser<'a>,
    start: Parser<'a>,
    expected: &'static str,
) -> super::ParseError {
    *parser = start;
    parser.error(expected)
}
