//! SE-12, SE-13, and what CP-10 says a timestamp is.

use simplex_stores::encoding::timestamp::{Timestamp, format, parse};

/// 2025-01-02T03:04:05Z.
const SECONDS: i64 = 1_735_787_045;

fn read(text: &str) -> Option<(i64, u32)> {
    parse(text.as_bytes()).map(|Timestamp { seconds, nanos }| (seconds, nanos))
}

#[test]
fn se13_vectors_both_ways() {
    for (nanos, text) in [
        (0, "2025-01-02T03:04:05Z"),
        (100_000_000, "2025-01-02T03:04:05.1Z"),
        (123_456_789, "2025-01-02T03:04:05.123456789Z"),
        (1, "2025-01-02T03:04:05.000000001Z"),
    ] {
        assert_eq!(format(SECONDS, nanos).as_deref(), Some(text));
        assert_eq!(read(text), Some((SECONDS, nanos)));
    }
}

#[test]
fn se13_every_part_has_its_full_width() {
    assert_eq!(format(0, 0).as_deref(), Some("1970-01-01T00:00:00Z"));
    assert_eq!(format(-1, 999_999_999).as_deref(), Some("1969-12-31T23:59:59.999999999Z"));
    assert_eq!(format(-62_167_219_200, 0).as_deref(), Some("0000-01-01T00:00:00Z"));
    assert_eq!(format(253_402_300_799, 0).as_deref(), Some("9999-12-31T23:59:59Z"));
}

#[test]
fn se13_times_without_a_text_have_none() {
    assert_eq!(format(-62_167_219_201, 0), None);
    assert_eq!(format(253_402_300_800, 0), None);
    assert_eq!(format(i64::MAX, 0), None);
    assert_eq!(format(i64::MIN, 0), None);
    assert_eq!(format(0, 1_000_000_000), None);
}

#[test]
fn cp10_fractions_of_any_length_and_with_a_comma_parse() {
    assert_eq!(read("2025-01-02T03:04:05.100Z"), Some((SECONDS, 100_000_000)));
    assert_eq!(read("2025-01-02T03:04:05,5Z"), Some((SECONDS, 500_000_000)));
    assert_eq!(read("2025-01-02T03:04:05.0Z"), Some((SECONDS, 0)));
    assert_eq!(read("2025-01-02T03:04:05.123456789987Z"), Some((SECONDS, 123_456_789)));
    let long = format!("2025-01-02T03:04:05.{}Z", "1".repeat(10_000));
    assert_eq!(read(&long), Some((SECONDS, 111_111_111)));
}

#[test]
fn cp10_second_sixty_parses_as_the_next_minute() {
    assert_eq!(read("2016-12-31T23:59:60Z"), read("2017-01-01T00:00:00Z"));
    assert_eq!(read("2025-01-02T03:04:60.5Z"), Some((SECONDS + 55, 500_000_000)));
}

#[test]
fn cp10_other_forms_do_not_parse() {
    for text in [
        "",
        "Z",
        "2025-01-02T03:04:05",
        "2025-01-02T03:04:05+00:00",
        "2025-01-02T03:04:05Z+00:00",
        "2025-01-02 03:04:05Z",
        "20250102T030405Z",
        "2025-01-02T24:00:00Z",
        "2025-01-02T03:60:05Z",
        "2025-01-02T03:04:61Z",
        "2025-02-30T03:04:05Z",
        "2025-02-29T03:04:05Z",
        "2025-13-01T03:04:05Z",
        "2025-00-01T03:04:05Z",
        "2025-01-00T03:04:05Z",
        "2025-01-02T03:04:05Z.bak",
        " 2025-01-02T03:04:05Z",
        "2025-01-02T03:04:05.Z",
        "2025-01-02T03:04:05,Z",
        "2025-1-2T3:4:5Z",
        "+2025-01-02T03:04:05Z",
        "12025-01-02T03:04:05Z",
        "2025-01-02t03:04:05z",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
    assert!(read("2024-02-29T03:04:05Z").is_some());
}
