//! Stored forms of what two agents connect with: exact bytes, whatever comes back the same, and bytes that
//! are none (sections 1.7, 3.10 and 3.15).

use std::fmt::Debug;

use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult};
use simplex_stores::agent_store::types::*;
use simplex_stores::db::{Cell, FromCell, Param, ToParam};

use crate::fixture::on_each;
use crate::types::{assert_column, assert_refused, bytes};

fn stored<T: ToParam>(value: &T) -> Vec<u8> {
    match value.to_param() {
        Param::Blob(bytes) => bytes.into_owned(),
        other => panic!("{other:?}"),
    }
}

fn read<T: for<'r> FromCell<'r>>(bytes: &[u8]) -> Option<T> {
    T::from_cell(Cell::Blob(bytes)).ok()
}

/// The value comes back, and not when a byte is missing or there is one more.
fn assert_whole<T>(value: &T) -> bool
where
    T: ToParam + for<'r> FromCell<'r> + PartialEq + Debug,
{
    let mut stored = stored(value);
    assert_eq!(read::<T>(&stored).as_ref(), Some(value));
    stored.push(0);
    assert_eq!(read::<T>(&stored), None);
    for length in 0..stored.len() - 1 {
        assert_eq!(read::<T>(&stored[..length]), None, "{length}");
    }
    true
}

/// What is read of any bytes is written as these bytes.
fn assert_canonical<T: ToParam + for<'r> FromCell<'r>>(bytes: &[u8]) {
    if let Some(value) = read::<T>(bytes) {
        assert_eq!(stored(&value), bytes);
    }
}

fn message_key(key: &[u8], iv: &[u8]) -> MessageKey {
    MessageKey::new(key.to_vec(), iv.to_vec()).unwrap()
}

fn public(bytes: &[u8]) -> KemPublicKey {
    KemPublicKey::new(bytes.to_vec()).unwrap()
}

fn accepted(ciphertext: &[u8], public_key: &[u8]) -> KemParams {
    let ciphertext = KemCiphertext::new(ciphertext.to_vec()).unwrap();
    KemParams::Accepted { ciphertext, public_key: public(public_key) }
}

fn private(public_key: &[u8], secret_key: &[u8]) -> PrivateKemParams {
    let secret_key = KemSecretKey::new(secret_key.to_vec()).unwrap();
    PrivateKemParams { public_key: public(public_key), secret_key }
}

#[test]
fn keys_of_messages_have_lengths_of_one_byte() {
    on_each(|test| {
        assert_column(test, &message_key(b"key", b"iv"), &bytes(b"\x03key\x02iv"));
        assert_column(test, &message_key(b"", b""), &bytes(b"\0\0"));
        assert_column(test, &HeaderKey(vec![7; 32]), &bytes(&[7; 32]));
        let wrong: [&dyn ToParam; 5] = [&b"", &b"\x03key", &b"\x03key\x02i", &b"\0\0\0", &"text"];
        assert_refused::<MessageKey>(test, &wrong);
    });
    assert_eq!(MessageKey::new(vec![0; 256], Vec::new()), None);
    assert_eq!(MessageKey::new(Vec::new(), vec![0; 256]), None);
    assert!(assert_whole(&message_key(&[1; 255], &[2; 255])));
}

#[test]
fn parameters_of_encapsulation_have_a_tag_and_lengths_of_two_bytes() {
    on_each(|test| {
        let proposed = KemParams::Proposed(public(b"public"));
        assert_column(test, &proposed, &bytes(b"P\0\x06public"));
        assert_column(test, &accepted(b"ct", b"public"), &bytes(b"A\0\x02ct\0\x06public"));
        assert_column(test, &private(b"public", b"secret"), &bytes(b"P\0\x06public\0\x06secret"));
        let long = KemParams::Proposed(public(&[9; 0x1234]));
        assert_column(test, &long, &bytes(&[&b"P\x12\x34"[..], &[9; 0x1234]].concat()));
        assert_refused::<KemParams>(test, &[&b"", &b"P", &b"P\0", &b"P\0\x01", &b"B\0\0", &"P"]);
        assert_refused::<KemParams>(test, &[&b"A\0\0", &b"P\0\0\0", &b"p\0\0"]);
        // Only what was proposed is kept with its secret key.
        assert_refused::<PrivateKemParams>(
            test,
            &[&b"", &b"P\0\0", &b"A\0\0\0\0", &b"P\0\0\0\0\0"],
        );
    });
    assert!(KemPublicKey::new(vec![0; 65_535]).is_some());
    assert_eq!(KemPublicKey::new(vec![0; 65_536]), None);
    assert_eq!(KemSecretKey::new(vec![0; 65_536]), None);
    assert_eq!(KemCiphertext::new(vec![0; 65_536]), None);
}

#[test]
fn a_ratchet_is_a_json_object_that_comes_back_byte_for_byte() {
    let ratchet = |json: &str| Ratchet::from_json(json.as_bytes());
    on_each(|test| {
        for json in ["{}", " {\n\"rcVersion\" : [2, 3e0] , \"a\":\"\\u00e9\u{e9}\"}\n"] {
            assert_column(test, &ratchet(json).unwrap(), &bytes(json.as_bytes()));
        }
        let wrong: [&dyn ToParam; 8] =
            [&b"", &b"null", &b"[]", &b"{", &b"{}{}", &b"{\"a\":}", &b"{\"a\":\"\xff\"}", &"{}"];
        assert_refused::<Ratchet>(test, &wrong);
    });
    let of_length = |length: usize| format!("{{\"a\":\"{}\"}}", "b".repeat(length - 8));
    assert!(ratchet(&of_length(1 << 20)).is_some());
    assert_eq!(ratchet(&of_length((1 << 20) + 1)), None);
    // However deep it is nested, the stack is not used up.
    let deep = ["{\"a\":".repeat(150_000), "1".to_owned(), "}".repeat(150_000)].concat();
    assert!(ratchet(&deep).is_some());
    assert_eq!(ratchet(&deep[..deep.len() - 1]), None);
}

#[test]
fn keys_of_ratchets_are_of_one_algorithm() {
    on_each(|test| {
        let der = b"\x30\x42\x30\x05\x06\x03\x2b\x65\x6f\x03\x39\x00";
        let public = X448PublicKey::new([7; 56]);
        assert_column(test, &public, &bytes(&[&der[..], &[7; 56]].concat()));
        let der = b"\x30\x46\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6f\x04\x3a\x04\x38";
        let private = X448PrivateKey::new([8; 56]);
        assert_column(test, &private, &bytes(&[&der[..], &[8; 56]].concat()));
        assert_refused::<X448PublicKey>(test, &[&b"", &private, &X25519PublicKey::new([7; 32])]);
        assert_refused::<X448PrivateKey>(test, &[&b"", &public]);
    });
}

#[test]
fn lists_of_reply_queues_begin_with_their_number() {
    on_each(|test| {
        let none = ReplyQueues::default();
        assert_column(test, &none, &bytes(b"\0"));
        let two = ReplyQueues::new(&[b"first", b"2nd"]).unwrap();
        assert_column(test, &two, &bytes(b"\x02first2nd"));
        assert_refused::<ReplyQueues>(test, &[&b"", &b"\0x", &b"\x01", &b"\x03ab", &"text"]);
    });
    assert_eq!(ReplyQueues::from_cell(Cell::Null), Ok(ReplyQueues::default()));
    assert_eq!(ReplyQueues::new(&[b""]), None);
    let form = &b"x"[..];
    assert_eq!(ReplyQueues::new(&[form; 256]), None);
    assert_eq!(ReplyQueues::new(&[form; 255]).unwrap().len(), 255);
}

#[test]
fn who_knows_the_form_of_a_queue_takes_a_list_apart() {
    let measure = |rest: &[u8]| rest.first().map(|length| usize::from(*length));
    let list = ReplyQueues::new(&[b"\x03ab", b"\x02c"]).unwrap();
    assert_eq!(list.split(measure), Some(vec![&b"\x03ab"[..], b"\x02c"]));
    assert_eq!(ReplyQueues::default().split(measure), Some(Vec::new()));
    for wrong in [&b"\x01\x03a"[..], b"\x01\x01xy", b"\x02\x01\xff"] {
        assert_eq!(ReplyQueues::from_bytes(wrong).unwrap().split(measure), None);
    }
    assert_eq!(list.split(|_| None), None);
}

#[test]
fn what_is_set_for_a_link_is_taken_apart_by_who_knows_its_form() {
    let params = |client| LinkSetParams::new(b"\0 \xff", client).unwrap();
    assert_eq!(params(None).as_bytes(), b"\0 \xff");
    assert_eq!(params(Some("{} \u{e9}")).as_bytes(), b"\0 \xff {} \xc3\xa9");
    assert_eq!(params(None).split(|_| Some(3)), Some((&b"\0 \xff"[..], None)));
    let with_text = params(Some("{} \u{e9}"));
    assert_eq!(with_text.split(|_| Some(3)), Some((&b"\0 \xff"[..], Some("{} \u{e9}"))));
    for wrong in [None, Some(1), Some(2), Some(99)] {
        assert_eq!(params(None).split(|_| wrong), None, "{wrong:?}");
    }
    assert_eq!(LinkSetParams::new(b"", Some("text")), None);
    assert_eq!(LinkSetParams::from_bytes(b""), None);
}

#[test]
fn uris_have_no_space_and_no_control_character() {
    on_each(|test| {
        let uri = b"simplex:/invitation#/?v=2-7&smp=smp%3A%2F%2F\xff";
        assert_column(test, &ConnReq::from_bytes(uri).unwrap(), &bytes(uri));
        assert_column(test, &ShortLink::from_bytes(uri).unwrap(), &bytes(uri));
        assert_refused::<ConnReq>(test, &[&b"", &b"a b", &b"a\n", &b"\0", &b"a\x7f", &"a"]);
        assert_refused::<ShortLink>(test, &[&b"", &b" a", &b"a\t"]);
    });
}

#[test]
fn secrets_do_not_show() {
    let of = b"sesame";
    let key = || message_key(of, of);
    let shown = [
        format!("{:?}", key()),
        format!("{:?}", HeaderKey(of.to_vec())),
        format!("{:?}", private(of, of)),
        format!("{:?}", accepted(of, of)),
        format!("{:?}", Ratchet::from_json(b"{\"k\":\"sesame\"}").unwrap()),
        format!("{:?}", ConnReq::from_bytes(of)),
        format!("{:?}", ShortLink::from_bytes(of)),
        format!("{:?}", LinkSetParams::from_bytes(of)),
        format!("{:?}", ReplyQueues::new(&[of])),
        format!("{:?}", X448PrivateKey::new([115; 56])),
        format!("{:?}", SkippedMsgDiff::Remove(HeaderKey(of.to_vec()), 1)),
    ];
    for shown in shown {
        for secret in ["sesame", "115", "c2VzYW1l", "73"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

/// Bytes of which many lengths are right.
#[derive(Clone, Debug)]
struct Hostile(Vec<u8>);

impl Arbitrary for Hostile {
    fn arbitrary(g: &mut Gen) -> Self {
        let pick = |g: &mut Gen| *g.choose(b"\0\0\0\x01\x02\x03PPA {}").unwrap_or(&0);
        let length = usize::arbitrary(g) % 12;
        Self((0..length).map(|_| pick(g)).collect())
    }
}

#[test]
fn any_parameters_and_keys_come_back() {
    fn keys(key: Vec<u8>, iv: Vec<u8>) -> TestResult {
        match MessageKey::new(key, iv) {
            Some(key) => TestResult::from_bool(assert_whole(&key)),
            None => TestResult::discard(),
        }
    }
    fn kem(one: Vec<u8>, two: Vec<u8>) -> bool {
        let proposed = KemParams::Proposed(public(&one));
        assert_whole(&proposed) && assert_whole(&accepted(&one, &two)) && {
            assert_whole(&private(&one, &two))
        }
    }
    QuickCheck::new().tests(300).quickcheck(keys as fn(_, _) -> TestResult);
    QuickCheck::new().tests(300).quickcheck(kem as fn(_, _) -> bool);
}

#[test]
fn hostile_bytes_are_read_as_what_they_are_or_refused() {
    fn check(bytes: &[u8]) -> bool {
        assert_canonical::<MessageKey>(bytes);
        assert_canonical::<KemParams>(bytes);
        assert_canonical::<PrivateKemParams>(bytes);
        assert_canonical::<Ratchet>(bytes);
        assert_canonical::<ReplyQueues>(bytes);
        assert_canonical::<ConnReq>(bytes);
        true
    }
    fn made(hostile: Hostile) -> bool {
        check(&hostile.0)
    }
    fn any(bytes: Vec<u8>) -> bool {
        check(&bytes)
    }
    QuickCheck::new().tests(20_000).quickcheck(made as fn(_) -> bool);
    QuickCheck::new().tests(5_000).quickcheck(any as fn(_) -> bool);
}
