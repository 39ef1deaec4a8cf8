//! Points in time as ISO 8601 text (SE-13), and what a scan for such texts accepts (CP-10).
//!
//! The journal's timed backups carry these in their names.

use time::{Date, Month, OffsetDateTime};

use super::{ParseResult, Parser};

const SECONDS_A_DAY: i64 = 86_400;
const NANOS_A_SECOND: u32 = 1_000_000_000;

/// A point in time: seconds since 1970-01-01 UTC and the nanoseconds after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds since 1970-01-01 UTC, rounded down.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, below 1,000,000,000.
    pub nanos: u32,
}

/// The text of a point in time: `YYYY-MM-DDThh:mm:ss`, a fraction without trailing zeros when it
/// is not zero, `Z` (SE-13). `None` outside the years 0 to 9999, which have no such text, and for
/// a billion nanoseconds or more.
pub fn format(seconds: i64, nanos: u32) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    if moment.year() < 0 || nanos >= NANOS_A_SECOND {
        return None;
    }
    let (date, time) = (moment.date(), moment.time());
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if nanos > 0 {
        let fraction = format!(".{nanos:09}");
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

/// Reads a point in time from the whole of `text`, as the scan for backups does (CP-10).
///
/// Accepted: the form of [`format()`], with a fraction of any length, trailing zeros and a comma
/// for the decimal point included, and with seconds of 60, which count as the next minute. Not
/// accepted: a missing `Z`, an offset, a space for `T`, the form without separators, hour 24,
/// dates that the calendar does not have, anything before or after. Digits of the fraction
/// beyond the ninth are dropped.
pub fn parse(text: &[u8]) -> Option<Timestamp> {
    Parser::whole(text, parse_parts).ok()?
}

/// The parts in order; the inner option is empty for a date or a time of day that isn't there.
fn parse_parts(parser: &mut Parser<'_>) -> ParseResult<Option<Timestamp>> {
    let year = digits(parser, 4)?;
    parser.literal(b"-", "a hyphen")?;
    let month = digits(parser, 2)?;
    parser.literal(b"-", "a hyphen")?;
    let day = digits(parser, 2)?;
    parser.literal(b"T", "T")?;
    let hour = digits(parser, 2)?;
    parser.literal(b":", "a colon")?;
    let minute = digits(parser, 2)?;
    parser.literal(b":", "a colon")?;
    let second = digits(parser, 2)?;
    let nanos = parse_fraction(parser)?;
    parser.literal(b"Z", "Z")?;
    if hour > 23 || minute > 59 || second > 60 {
        return Ok(None);
    }
    let time_of_day = i64::from(hour * 3_600 + minute * 60 + second);
    Ok(unix_day(year, month, day)
        .map(|day| Timestamp { seconds: day * SECONDS_A_DAY + time_of_day, nanos }))
}

/// A fraction's nanoseconds; zero when there is no fraction.
fn parse_fraction(parser: &mut Parser<'_>) -> ParseResult<u32> {
    if !parser.skip(b".") && !parser.skip(b",") {
        return Ok(0);
    }
    let digits = parser.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() {
        return Err(parser.error("a fraction's digits"));
    }
    let nine = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    Ok(nine.fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// Exactly `count` digits, at most nine.
fn digits(parser: &mut Parser<'_>, count: usize) -> ParseResult<u32> {
    let start = parser.clone();
    let text = parser.advance(count);
    // At the end of the text there may be fewer; what must follow is not there then either.
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(start.error("digits of a date or time"));
    }
    Ok(text.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// The days from 1970-01-01 to a date; `None` when the calendar does not have it.
fn unix_day(year: u32, month: u32, day: u32) -> Option<i64> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let epoch = OffsetDateTime::UNIX_EPOCH.to_julian_day();
    Some(i64::from(date.ok()?.to_julian_day() - epoch))
}
