//! Times rounded to a precision that their type fixes (SE-11, SE-14).

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Semantics, TextDecode, TextEncode};
use crate::encoding::{ParseResult, Parser, number};

/// Seconds since 1970-01-01 UTC, rounded down to a multiple of `PRECISION` seconds when taken from
/// the clock, and only then: a time that is read stays as it is (SE-11, SE-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoundedTime<const PRECISION: i64>(i64);

/// A time that is known to the day: queues' update times, services' creation times (SE-14).
pub type RoundedDate = RoundedTime<86_400>;

/// A time that is known to the second (SE-14).
pub type RoundedSeconds = RoundedTime<1>;

impl<const PRECISION: i64> RoundedTime<PRECISION> {
    /// The time with this number, as it stands (SE-11, SE-60).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01 UTC (SE-60).
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// `seconds` rounded towards minus infinity to a multiple of the precision (SE-14). Times
    /// within one precision of the least `i64` have no multiple below them and become that least.
    pub const fn rounded(seconds: i64) -> Self {
        Self(seconds.saturating_sub(seconds.rem_euclid(PRECISION)))
    }

    /// The current time, rounded down (SE-14).
    pub fn now() -> Self {
        Self::rounded(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            // A clock before 1970: a part of a second counts as a whole one further back.
            Err(error) => {
                let before = error.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                -seconds - i64::from(before.subsec_nanos() > 0)
            }
        })
    }
}

impl RoundedDate {
    /// The start of the current UTC day (SE-14).
    pub fn today() -> Self {
        Self::now()
    }
}

impl<const PRECISION: i64> TextEncode for RoundedTime<PRECISION> {
    fn encode_text(&self, out: &mut Vec<u8>) {
        number::write_i64(self.0, out);
    }
}

impl<const PRECISION: i64> TextDecode for RoundedTime<PRECISION> {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        number::parse_i64(parser).map(Self)
    }
}
