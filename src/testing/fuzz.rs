//! Properties that every input must satisfy, as functions that fail by panicking.
//!
//! [`TARGETS`] lists them by name. The fuzzer's targets in `fuzz/` call one each with whatever
//! bytes it comes up with; `tests/formats/` calls all of them with damaged valid input.

use std::fmt::Debug;

use crate::encoding::binary::{self, LengthPrefix};
use crate::encoding::{Parser, base64url, certificate, der, list, number, timestamp};
use crate::protocol::ntf::{
    AuthPrivateKey, DeviceToken, Nonce, NotifierQueue, PendingNtf, PushProvider, RegCode,
    SmpServer, SubscriptionStatus, TokenNtf, TokenStatus, X25519KeyPair,
};
use crate::protocol::{
    AuthKey, BlockingInfo, CertChain, CertFingerprint, ClientNotice, DhSecret, EntityId,
    EntityStatus, ErrorType, LinkData, NtfCreds, QueueMode, QueueRec, RecipientKeys, RoundedDate,
    Semantics, ServiceParty, ServiceRec, ServiceRole, TextDecode, TextEncode,
};
use crate::store_log::LogRecord;

pub use super::fuzz_log::store_log_replay;
pub use super::fuzz_ntf::{ntf_record_reference, ntf_record_strict};
pub use super::fuzz_ntf_file::ntf_file;

/// An entry point and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point but [`store_log_replay`] and [`ntf_file`], which read whole files; the fuzzer's
/// targets have the same names.
pub const TARGETS: [Target; 10] = [
    ("record_strict", record_strict),
    ("record_reference", record_reference),
    ("text_forms", text_forms),
    ("numbers", numbers),
    ("bytes", bytes),
    ("timestamps", timestamps),
    ("keys_and_certificates", keys_and_certificates),
    ("binary_lists", binary_lists),
    ("ntf_record_strict", ntf_record_strict),
    ("ntf_record_reference", ntf_record_reference),
];

/// A line as a lenient reader takes it: what parses can be written and read again, as the same.
pub fn record_strict(line: &[u8]) {
    let Ok(record) = LogRecord::parse(line, Semantics::Strict) else { return };
    let mut written = Vec::new();
    record.encode(&mut written);
    assert_eq!(LogRecord::parse(&written, Semantics::Strict).as_ref(), Ok(&record));
}

/// A line as the reference takes it: the lenient reader takes it too, as the same, and what is
/// written for it can be read again.
pub fn record_reference(line: &[u8]) {
    let Ok(record) = LogRecord::parse(line, Semantics::Reference) else { return };
    assert_eq!(LogRecord::parse(line, Semantics::Strict).as_ref(), Ok(&record));
    let mut written = Vec::new();
    record.encode(&mut written);
    assert_eq!(LogRecord::parse(&written, Semantics::Reference).as_ref(), Ok(&record));
}

/// The text form of every type of the protocol.
pub fn text_forms(text: &[u8]) {
    text_form::<EntityId>(text);
    text_form::<AuthKey>(text);
    text_form::<RecipientKeys>(text);
    text_form::<DhSecret>(text);
    text_form::<LinkData>(text);
    text_form::<NtfCreds>(text);
    text_form::<QueueMode>(text);
    text_form::<QueueRec>(text);
    text_form::<ClientNotice>(text);
    text_form::<BlockingInfo>(text);
    text_form::<EntityStatus>(text);
    text_form::<ServiceRole>(text);
    text_form::<ServiceParty>(text);
    text_form::<CertChain>(text);
    text_form::<CertFingerprint>(text);
    text_form::<ServiceRec>(text);
    text_form::<RoundedDate>(text);
    text_form::<ErrorType>(text);
    text_form::<PushProvider>(text);
    text_form::<DeviceToken>(text);
    text_form::<TokenStatus>(text);
    text_form::<SubscriptionStatus>(text);
    text_form::<SmpServer>(text);
    text_form::<NotifierQueue>(text);
    text_form::<RegCode>(text);
    text_form::<Nonce>(text);
    text_form::<AuthPrivateKey>(text);
    text_form::<X25519KeyPair>(text);
    text_form::<TokenNtf>(text);
    text_form::<PendingNtf>(text);
}

/// Decimal integers and booleans: nothing is read that standard conversions read differently.
pub fn numbers(text: &[u8]) {
    let standard = std::str::from_utf8(text).ok();
    let signed = Parser::whole(text, number::parse_i64).ok();
    assert_eq!(signed, standard.and_then(|text| text.parse().ok()));
    let unsigned = standard.filter(|text| !text.starts_with('+'));
    let word = Parser::whole(text, number::parse_u16).ok();
    assert_eq!(word, unsigned.and_then(|text| text.parse().ok()));
    let long = Parser::whole(text, number::parse_u32).ok();
    assert_eq!(long, unsigned.and_then(|text| text.parse().ok()));
    let boolean = Parser::whole(text, number::parse_bool).ok();
    assert_eq!(boolean.is_some(), matches!(text, b"T" | b"F"));
    if let Some(value) = signed {
        let mut written = Vec::new();
        number::write_i64(value, &mut written);
        assert_eq!(written, value.to_string().into_bytes());
    }
}

/// Bytes in base64url, alone and as a list.
pub fn bytes(text: &[u8]) {
    if let Ok(bytes) = Parser::whole(text, |parser| base64url::parse(parser, "bytes")) {
        assert!(!bytes.is_empty());
        let mut written = Vec::new();
        base64url::write(&bytes, &mut written);
        assert_eq!(written, base64url::to_string(&bytes).into_bytes());
        assert_eq!(written.len(), base64url::encoded_length(bytes.len()));
        assert!(written.starts_with(text), "only the padding may be missing");
    }
    let read = |parser: &mut Parser<'_>| base64url::parse(parser, "bytes");
    if let Ok(items) = Parser::whole(text, |parser| list::parse_maybe_empty(parser, read)) {
        let mut written = Vec::new();
        list::write(&items, &mut written, |item, out| base64url::write(item, out));
        let again = Parser::whole(&written, |parser| list::parse_maybe_empty(parser, read));
        assert_eq!(again, Ok(items));
    }
}

/// Timestamps of backups.
pub fn timestamps(text: &[u8]) {
    let Some(moment) = timestamp::parse(text) else { return };
    // A second of 60 at the end of the year 9999 is in a year that has no text.
    let Some(written) = timestamp::format(moment.seconds, moment.nanos) else { return };
    assert_eq!(timestamp::parse(written.as_bytes()), Some(moment));
}

/// DER of keys and certificates.
pub fn keys_and_certificates(der: &[u8]) {
    if let Some((algorithm, key)) = der::parse_public(der) {
        assert_eq!([&algorithm.public_prefix()[..], key].concat(), der);
    }
    if let Some((algorithm, key)) = der::parse_private(der) {
        assert_eq!([&algorithm.private_prefix()[..], key].concat(), der);
    }
    if let Some(key) = AuthKey::from_der(der) {
        assert_eq!(key.to_der(), der);
    }
    if let Some(key) = AuthPrivateKey::from_der(der) {
        assert_eq!(key.to_der(), der);
    }
    if certificate::is_certificate(der) {
        let cut = der.split_last().map(|(_, cut)| cut).unwrap_or_default();
        assert!(!certificate::is_certificate(cut), "a certificate is never the start of another");
    }
}

/// Lists as database columns hold them: one form for each list.
pub fn binary_lists(column: &[u8]) {
    for prefix in [LengthPrefix::One, LengthPrefix::Two] {
        let mut items = Vec::new();
        let read = binary::read_list(column, prefix, |item| {
            items.push(item);
            true
        });
        if read.is_ok() {
            let mut written = Vec::new();
            assert_eq!(binary::write_list(items.iter().copied(), prefix, &mut written), Ok(()));
            assert_eq!(written, column);
        }
    }
    if let Ok(keys) = RecipientKeys::decode_binary(column) {
        let mut written = Vec::new();
        assert_eq!(keys.encode_binary(&mut written), Ok(()));
        assert_eq!(written, column);
    }
    if let Ok(chain) = CertChain::decode_binary(column) {
        let mut written = Vec::new();
        assert_eq!(chain.encode_binary(&mut written), Ok(()));
        assert_eq!(written, column);
    }
}

/// What parses in one mode can be written and read again in that mode, as the same value.
fn text_form<T: TextEncode + TextDecode + PartialEq + Debug>(text: &[u8]) {
    for semantics in [Semantics::Strict, Semantics::Reference] {
        let Ok(value) = T::from_text(text, semantics) else { continue };
        assert_eq!(T::from_text(&value.to_text(), semantics).as_ref(), Ok(&value));
    }
}
