//! What the files of this suite share: reading and writing by type, and the vectors' values.

use std::fmt::Debug;

use simplex_stores::encoding::der::KeyAlgorithm;
use simplex_stores::encoding::{ParseError, base64url};
use simplex_stores::protocol::{
    EntityId, LinkId, NotifierId, RecipientId, Semantics, SenderId, ServiceId, TextDecode,
    TextEncode,
};
use simplex_stores::store_log::LogRecord;

pub(crate) const BOTH: [Semantics; 2] = [Semantics::Strict, Semantics::Reference];

pub(crate) const ED25519: &str = "MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=";
pub(crate) const ED25519_2: &str = "MCowBQYDK2VwAyEAgTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q=";
pub(crate) const ED448: &str =
    "MEMwBQYDK2VxAzoAGOL5Ja71b8BZEEdFk-6EyTK8fqTTUqNBb3LRFeYOtYzYYvc6xQiG-6rWNUpO6wH9n3QEkfsR9ZWA";
pub(crate) const X25519: &str = "MCowBQYDK2VuAyEArAGyIJ6GNU-4UyN7XeD0-rE8f8v0M6YcAZNpYX_s8Qs=";
pub(crate) const X448: &str =
    "MEIwBQYDK2VvAzkAb41-tthnUoVOqjuOE44XB2Odb-gNE3rdHJoj7AOtIr3Jt---1Hk5qCV11e9WQfSS3Aq50_nwytc=";
pub(crate) const RECIPIENT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
pub(crate) const SENDER: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3";
pub(crate) const NOTIFIER: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX";
pub(crate) const LINK: &str = "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3";
pub(crate) const SERVICE: &str = "gIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaX";
pub(crate) const SERVICE_2: &str = "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3";
pub(crate) const RDH: &str = "WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4=";
pub(crate) const NDH: &str = "d2NR3hPqb5BH_x1JVpEFcg07L3_-gzoEz7GPlOKm7Ec=";
pub(crate) const CERT: &str = "MIHDMHegAwIBAgIBATAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNTAxMDEwMDAwMDBaFw0zNTAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAWEwKjAFBgMrZXADIQCKiOPddAnxlf1S2y08ul1yymcJvx2UEhvzdIgBtA9vXDAFBgMrZXADQQABQ3aGC32htDEv8HbkoyzYs4-jAd4geXW-zfbyVN69SF6tuP5Sf4KhtgN3dz9bq9h4Lkuc_jS9Tn14XkjXHaQG";
pub(crate) const CERT_2: &str = "MIHDMHegAwIBAgIBAjAFBgMrZXAwDDEKMAgGA1UEAwwBYTAeFw0yNTAxMDEwMDAwMDBaFw0zNTAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAWIwKjAFBgMrZXADIQCBOXcOqH0XX1ajVGbDTH7My42KkbTuN6Jd9g9bj8mzlDAFBgMrZXADQQB-l99tZbJtgEtCV129Q6GBMPQCQnpO19PPoC-KN9OT2EpLsS7e7YmQfEYgt-7vt0K7GxdGfCSpvaWXAnjG5-wP";
pub(crate) const CERT_HASH: &str = "0AZmcDXQ_9JyQSXiGBsT1XpTQU2l_vYN3PRXw_IJ27A=";
pub(crate) const KEY_HASH: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
pub(crate) const SMP_QUEUE: &str = "smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@smp.example.com:5223/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX";
pub(crate) const X25519_PRIVATE: &str =
    "MC4CAQAwBQYDK2VuBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
/// 2025-01-01.
pub(crate) const DATE: i64 = 1_735_689_600;

/// 24 bytes, counting up from `first`, as the vectors' ids are made.
pub(crate) fn id_bytes(first: u8) -> Vec<u8> {
    (first..first + 24).collect()
}

pub(crate) fn id(first: u8) -> EntityId {
    EntityId::from_bytes(&id_bytes(first)).unwrap()
}

pub(crate) fn recipient() -> RecipientId {
    id(0x00).into()
}

pub(crate) fn sender() -> SenderId {
    id(0x20).into()
}

pub(crate) fn notifier() -> NotifierId {
    id(0x40).into()
}

pub(crate) fn link() -> LinkId {
    id(0x60).into()
}

pub(crate) fn service() -> ServiceId {
    id(0x80).into()
}

pub(crate) fn service_2() -> ServiceId {
    id(0xa0).into()
}

/// A `CREATE` that ends after `sk=`; what follows it is up to the test.
pub(crate) fn create(rest: &str) -> String {
    format!("CREATE rid={RECIPIENT} rk={ED25519} rdh={RDH} sid={SENDER} sk={rest}")
}

/// Reads a value in one mode from the whole text.
pub(crate) fn read_as<T: TextDecode>(text: &str, semantics: Semantics) -> Result<T, ParseError> {
    T::from_text(text.as_bytes(), semantics)
}

/// Reads a value from the whole text, which both modes must take for the same.
#[track_caller]
pub(crate) fn read<T: TextDecode + PartialEq + Debug>(text: &str) -> T {
    let [strict, reference] = BOTH.map(|semantics| read_as(text, semantics).expect(text));
    assert_eq!(strict, reference);
    strict
}

/// Whether a type refuses a text, which both modes must agree on.
#[track_caller]
pub(crate) fn refuses<T: TextDecode + PartialEq + Debug>(text: &str) -> bool {
    let [strict, reference] = BOTH.map(|semantics| read_as::<T>(text, semantics).is_err());
    assert_eq!(strict, reference, "{text:?}");
    strict
}

/// The text written for a value.
pub(crate) fn write(value: &impl TextEncode) -> String {
    String::from_utf8(value.to_text()).unwrap()
}

/// Shows that a vector is what is written for a value, and is read as that value.
#[track_caller]
pub(crate) fn both_ways<T: TextDecode + TextEncode + PartialEq + Debug>(value: T, text: &str) {
    assert_eq!(write(&value), text);
    assert_eq!(read::<T>(text), value);
}

pub(crate) fn parse(line: &str, semantics: Semantics) -> Result<LogRecord, ParseError> {
    LogRecord::parse(line.as_bytes(), semantics)
}

/// Whether each mode accepts a line: strict, then reference.
pub(crate) fn verdict(line: &str) -> [bool; 2] {
    BOTH.map(|semantics| parse(line, semantics).is_ok())
}

/// The line written for a record.
pub(crate) fn encode(record: &LogRecord) -> String {
    let mut out = Vec::new();
    record.encode(&mut out);
    String::from_utf8(out).unwrap()
}

/// The text of a private key all of whose bytes are `byte`.
pub(crate) fn private_key(algorithm: KeyAlgorithm, byte: u8) -> String {
    let key = vec![byte; algorithm.key_length()];
    base64url::to_string(&[&algorithm.private_prefix()[..], &key].concat())
}

/// Bytes from hexadecimal digits.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2));
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}
