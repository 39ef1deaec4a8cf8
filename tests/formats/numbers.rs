//! SE-6 to SE-10, SE-14 to SE-17.

use simplex_stores::encoding::{Parser, base64url, number};
use simplex_stores::protocol::{EntityId, RecipientId, RoundedDate, RoundedSeconds};

use crate::support::{RECIPIENT, both_ways, id, id_bytes, read, refuses};

fn integer(text: &str) -> Option<i64> {
    Parser::whole(text.as_bytes(), number::parse_i64).ok()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    Parser::whole(text.as_bytes(), |parser| base64url::parse(parser, "bytes")).ok()
}

fn encoded(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    base64url::write(bytes, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn se6_integers_are_written_in_plain_decimal() {
    for value in [0, 1, -1, 10, -86_400, 1_735_689_600, i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        number::write_i64(value, &mut out);
        assert_eq!(out, value.to_string().into_bytes());
        assert_eq!(Parser::whole(&out, number::parse_i64), Ok(value));
    }
}

#[test]
fn se6_signs_and_leading_zeros_are_read() {
    assert_eq!(integer("+100"), Some(100));
    assert_eq!(integer("-100"), Some(-100));
    assert_eq!(integer("-0"), Some(0));
    assert_eq!(integer("007"), Some(7));
    assert_eq!(integer("0000000000000000000000000000000000000001"), Some(1));
    for text in ["", "+", "-", "+-1", "--1", "- 1", " 1", "1 ", "1x", "x", "0x1", "1_000"] {
        assert_eq!(integer(text), None, "{text:?}");
    }
}

#[test]
fn se6_integers_out_of_range_are_refused() {
    assert_eq!(integer("9223372036854775807"), Some(i64::MAX));
    assert_eq!(integer("-9223372036854775808"), Some(i64::MIN));
    for text in ["9223372036854775808", "-9223372036854775809", "18446744073709551617"] {
        assert_eq!(integer(text), None, "{text:?}");
    }
    assert_eq!(integer(&"9".repeat(100_000)), None);
    let refused = |text: &str| {
        let mut parser = Parser::new(text.as_bytes());
        parser.advance(2);
        number::parse_i64(&mut parser).unwrap_err().offset
    };
    let offsets = [refused("a 9223372036854775808"), refused("a -x"), refused("a +")];
    assert_eq!(offsets, [2; 3], "the error stands where the number begins");
}

#[test]
fn se7_se8_unsigned_integers_have_no_sign_and_do_not_wrap() {
    let word = |text: &str| Parser::whole(text.as_bytes(), number::parse_u16).ok();
    let long = |text: &str| Parser::whole(text.as_bytes(), number::parse_u32).ok();
    assert_eq!([word("0"), word("00020"), word("65535")], [Some(0), Some(20), Some(65_535)]);
    assert_eq!([word("65536"), word("70000"), word("+1"), word("-1"), word("")], [None; 5]);
    assert_eq!([long("0"), long("4294967295")], [Some(0), Some(u32::MAX)]);
    assert_eq!([long("4294967296"), long("+1"), long("-1"), long("")], [None; 4]);
}

#[test]
fn se9_booleans_are_one_byte() {
    let boolean = |text: &str| Parser::whole(text.as_bytes(), number::parse_bool).ok();
    assert_eq!([boolean("T"), boolean("F")], [Some(true), Some(false)]);
    for text in ["", "t", "f", "X", "TT", "1"] {
        assert_eq!(boolean(text), None, "{text:?}");
    }
    let mut out = Vec::new();
    number::write_bool(true, &mut out);
    number::write_bool(false, &mut out);
    assert_eq!(out, b"TF");
}

#[test]
fn se10_a_character_is_any_byte() {
    let mut parser = Parser::new(b"\xff\n");
    assert_eq!(parser.byte("a byte"), Ok(0xff));
    assert_eq!(parser.byte("a byte"), Ok(b'\n'));
    assert!(parser.byte("a byte").is_err());
}

#[test]
fn se14_times_are_rounded_down_and_only_when_taken() {
    let date = |seconds| RoundedDate::rounded(seconds).seconds();
    assert_eq!(date(1_735_689_600), 1_735_689_600);
    assert_eq!(date(1_735_689_600 + 86_399), 1_735_689_600);
    assert_eq!(date(-1), -86_400);
    assert_eq!(date(-86_400), -86_400);
    assert_eq!(date(-86_401), -172_800);
    assert_eq!(RoundedSeconds::rounded(-1).seconds(), -1);
    assert_eq!(RoundedDate::today().seconds() % 86_400, 0);
    assert!(RoundedDate::today().seconds() >= 1_735_689_600);
    assert_eq!(date(i64::MIN), i64::MIN);
}

#[test]
fn se11_dates_are_read_as_they_stand() {
    both_ways(RoundedDate::from_seconds(1_735_689_600), "1735689600");
    both_ways(RoundedDate::from_seconds(-86_400), "-86400");
    both_ways(RoundedDate::from_seconds(17_356), "17356");
}

#[test]
fn se15_writing_pads_and_writes_nothing_for_nothing() {
    assert_eq!(encoded(b""), "");
    assert_eq!(encoded(b"a"), "YQ==");
    assert_eq!(encoded(b"ab"), "YWI=");
    assert_eq!(encoded(b"abc"), "YWJj");
    assert_eq!(encoded(&[0xfb, 0xff]), "-_8=");
}

#[test]
fn se16_padding_may_be_absent() {
    assert_eq!(decoded("YQ==").as_deref(), Some(&b"a"[..]));
    assert_eq!(decoded("YQ").as_deref(), Some(&b"a"[..]));
    assert_eq!(decoded("YWI=").as_deref(), Some(&b"ab"[..]));
    assert_eq!(decoded("YWI").as_deref(), Some(&b"ab"[..]));
    assert_eq!(decoded("YWJj").as_deref(), Some(&b"abc"[..]));
}

#[test]
fn se16_reading_rejects_wrong_padding() {
    for text in ["YQ=", "YQ===", "YWI==", "YWJj=", "YWJj==", "YWJj====", "=", "====", "YQ==YQ=="] {
        assert_eq!(decoded(text), None, "{text:?}");
    }
}

#[test]
fn se16_reading_rejects_wrong_lengths_bits_and_characters() {
    for text in ["", "Y", "YWJjY", "YR==", "YR", "YWJ=", "YW J", "YW+j", "YW/j", "YWJj\n", "YWJj\r"]
    {
        assert_eq!(decoded(text), None, "{text:?}");
    }
}

#[test]
fn se17_an_id_is_any_non_empty_byte_string() {
    both_ways(id(0), RECIPIENT);
    assert_eq!(read::<EntityId>("AAAA").as_bytes(), [0; 3]);
    assert_eq!(read::<EntityId>("AA").as_bytes(), [0]);
    assert!(refuses::<EntityId>(""));
    assert!(EntityId::from_bytes(b"").is_none());
}

#[test]
fn se17_ids_of_every_length_keep_their_bytes_inline_or_not() {
    for length in 1..100 {
        let bytes: Vec<u8> = (0..length).collect();
        let id = EntityId::from_bytes(&bytes).unwrap();
        assert_eq!(id.as_bytes(), bytes);
        assert_eq!(read::<EntityId>(&id.to_string()), id);
    }
    assert!(size_of::<EntityId>() <= 32);
    assert_eq!(size_of::<Option<RecipientId>>(), size_of::<EntityId>());
}

#[test]
fn se17_new_ids_have_24_bytes_and_differ() {
    let mut rng = rand::rng();
    let (one, other) = (RecipientId::random(&mut rng), RecipientId::random(&mut rng));
    assert_eq!(one.as_bytes().len(), 24);
    assert_ne!(one, other);
}

#[test]
fn tm23_ids_are_ordered_by_their_bytes() {
    let id = |bytes: &[u8]| EntityId::from_bytes(bytes).unwrap();
    assert!(id(&[1, 2]) < id(&[1, 2, 0]));
    assert!(id(&[0xff]) > id(&[0x01; 60]));
    assert!(id(&[0x01; 60]) > id(&[0x01; 24]));
    assert_eq!(id(&id_bytes(7)).cmp(&id(&id_bytes(7))), std::cmp::Ordering::Equal);
}
