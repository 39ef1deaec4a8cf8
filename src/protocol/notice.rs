//! The notice that clients see on a blocked queue, as JSON (SE-39, SE-40).
//!
//! The reference takes everything to the end of the record as the JSON text, so it cannot read
//! what it writes for a blocked queue with a notice *and* a receiving service. Here the text ends
//! where the JSON value ends. Under [`Semantics::Strict`] a receiving service may follow (JR-21);
//! otherwise only white space may, in both modes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser, number};

/// What clients are told about a blocked queue (SE-39).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientNotice {
    /// For how many seconds the notice holds; `None` for ever.
    pub ttl: Option<i64>,
}

impl TextEncode for ClientNotice {
    fn encode_text(&self, out: &mut Vec<u8>) {
        match self.ttl {
            None => out.extend_from_slice(b"{}"),
            Some(seconds) => {
                out.extend_from_slice(b"{\"ttl\":");
                number::write_i64(seconds, out);
                out.push(b'}');
            }
        }
    }
}

impl TextDecode for ClientNotice {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let (notice, length) =
            read_json(parser.rest()).ok_or_else(|| parser.error("a notice in JSON"))?;
        parser.advance(length);
        if semantics == Semantics::Strict && parser.rest().starts_with(b" rsrv=") {
            return Ok(notice);
        }
        parser.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        Ok(notice)
    }
}

/// The notice at the start of `text` and how many bytes it takes.
fn read_json(text: &[u8]) -> Option<(ClientNotice, usize)> {
    // What follows the value must be ASCII in any case, so this refuses nothing that is right.
    let text = std::str::from_utf8(text).ok()?;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<NoticeJson>();
    let NoticeJson { ttl } = values.next()?.ok()?;
    Some((ClientNotice { ttl }, values.byte_offset()))
}

/// A notice as JSON has it: an object whose other members are passed over, and of which the first
/// `ttl` counts when there are several.
struct NoticeJson {
    ttl: Option<i64>,
}

impl<'de> Deserialize<'de> for NoticeJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NoticeVisitor)
    }
}

struct NoticeVisitor;

impl<'de> Visitor<'de> for NoticeVisitor {
    type Value = NoticeJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a notice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<NoticeJson, A::Error> {
        let mut ttl = None;
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            if name == "ttl" && ttl.is_none() {
                let value: &RawValue = members.next_value()?;
                ttl = Some(read_ttl(value.get())?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(NoticeJson { ttl: ttl.flatten() })
    }
}

/// A `ttl` member's value: null, or a number that is an integer of 64 bits however it is written.
fn read_ttl<E: serde::de::Error>(json: &str) -> Result<Option<i64>, E> {
    if json == "null" {
        return Ok(None);
    }
    integral(json).map(Some).ok_or_else(|| E::custom("not a 64-bit integer"))
}

/// The value of a JSON number when it is a 64-bit integer, exactly: `86400`, `1e2`, `2.50E1`.
fn integral(number: &str) -> Option<i64> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    let dropped = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // How many zeros stand after the significant digits; below zero, there is a fraction. An
    // exponent out of range means a number that is, by far.
    let zeros = exponent.parse::<i64>().ok()?;
    let zeros = zeros.checked_add(i64::try_from(dropped).ok()?)?;
    let zeros = u32::try_from(zeros.checked_sub(i64::try_from(fraction.len()).ok()?)?).ok()?;
    let magnitude = significant.parse::<i128>().ok()?.checked_mul(10i128.checked_pow(zeros)?)?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}
