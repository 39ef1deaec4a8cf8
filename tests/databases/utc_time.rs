//! Points in time as SQLite keeps them: their texts are in the order of the times.

use std::time::Duration;

use simplex_stores::db::UtcTime;

fn at(micros: i64) -> UtcTime {
    UtcTime::from_micros(micros).unwrap()
}

#[test]
fn texts_have_the_documented_form() {
    let texts = [
        (0, "1970-01-01 00:00:00"),
        (1, "1970-01-01 00:00:00.000001"),
        (1_500_000, "1970-01-01 00:00:01.5"),
        (-1, "1969-12-31 23:59:59.999999"),
        (1_700_000_000_000_000, "2023-11-14 22:13:20"),
        (-62_167_219_200_000_000, "0000-01-01 00:00:00"),
        (253_402_300_799_999_999, "9999-12-31 23:59:59.999999"),
    ];
    for (micros, text) in texts {
        assert_eq!(at(micros).to_text(), text);
        assert_eq!(UtcTime::from_text(text), Some(at(micros)), "{text}");
    }
    let order: Vec<String> = [-5, 0, 10, 1_000_000, 1_100_000].map(|t| at(t).to_text()).into();
    assert!(order.is_sorted());
}

#[test]
fn more_digits_are_dropped_and_other_forms_are_refused() {
    assert_eq!(UtcTime::from_text("1970-01-01 00:00:00.123456789012"), Some(at(123_456)));
    assert_eq!(UtcTime::from_text("1970-01-01 00:00:00.120"), Some(at(120_000)));
    let wrong = [
        "",
        " ",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00",
        "1970-01-01 00:00:00,5",
        "1970-01-01 00:00:00Z",
        "1970-01-01 00:00:00+00",
        "1970-13-01 00:00:00",
        "1970-01-01  00:00:00",
        "10000-01-01 00:00:00",
        "1970-01-01 24:00:00",
        "1970-01-01 00:00:00.",
    ];
    for text in wrong {
        assert_eq!(UtcTime::from_text(text), None, "{text}");
    }
}

#[test]
fn times_stay_within_their_years() {
    assert_eq!(UtcTime::from_micros(i64::MAX), None);
    assert_eq!(UtcTime::from_micros(i64::MIN), None);
    assert_eq!(at(5).before(Duration::from_micros(7)), at(-2));
    assert_eq!(at(0).before(Duration::MAX), at(-62_167_219_200_000_000));
    assert!(UtcTime::now() > at(1_700_000_000_000_000));
}
