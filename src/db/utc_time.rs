//! Points in time as databases keep them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encoding::timestamp;

const MICROS_A_SECOND: i64 = 1_000_000;
/// 0000-01-01 and 9999-12-31 23:59:59.999999: between them, texts are in the order of the times.
const FIRST: i64 = -62_167_219_200 * MICROS_A_SECOND;
const LAST: i64 = 253_402_300_800 * MICROS_A_SECOND - 1;

/// A point in time in UTC, to the microsecond, in the years 0 to 9999.
///
/// PostgreSQL keeps it as `timestamptz`, SQLite as the text `YYYY-MM-DD HH:MM:SS` with a fraction when
/// that is not zero. There, statements compare texts, so exactly this form is written; a fraction that
/// is read may have more digits, which are dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

impl UtcTime {
    /// This many microseconds after 1970-01-01; `None` outside the years 0 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (FIRST..=LAST).contains(&micros).then_some(Self(micros))
    }

    /// The microseconds since 1970-01-01.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The system's time. A clock outside the years 0 to 9999 is taken for the nearest of them.
    pub fn now() -> Self {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(LAST),
            Err(before) => {
                i64::try_from(before.duration().as_micros()).map_or(FIRST, |micros| -micros)
            }
        };
        Self(micros.clamp(FIRST, LAST))
    }

    /// The time that is earlier by `age`; the first there is, where it would be before that.
    #[must_use]
    pub fn before(self, age: Duration) -> Self {
        let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(age).max(FIRST))
    }

    /// The text that SQLite keeps.
    pub fn to_text(self) -> String {
        let seconds = self.0.div_euclid(MICROS_A_SECOND);
        let nanos = u32::try_from(self.0.rem_euclid(MICROS_A_SECOND) * 1_000).unwrap_or(0);
        // Every value of this type has a text.
        let text = timestamp::format(seconds, nanos).unwrap_or_default();
        text.trim_end_matches('Z').replace('T', " ")
    }

    /// Reads the text that SQLite keeps; `None` for any other.
    pub fn from_text(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(' ')?;
        if text.contains(',') {
            return None;
        }
        let read = timestamp::parse(format!("{date}T{time}Z").as_bytes())?;
        let micros = read.seconds.checked_mul(MICROS_A_SECOND)?;
        Self::from_micros(micros.checked_add(i64::from(read.nanos / 1_000))?)
    }
}

/// As SQLite keeps it.
impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
