//! The entry points for the records of notification servers.

use std::fmt::Debug;

use crate::protocol::ntf::{
    PendingNtfRecord, SubscriptionRec, SubscriptionStatus, TokenNtfRecord, TokenNtfs, TokenRec,
};
use crate::protocol::{Semantics, TextDecode, TextEncode};

/// A record as a lenient reader takes it: what parses can be written and read again, as the same.
pub fn ntf_record_strict(line: &[u8]) {
    again::<TokenRec>(line, Semantics::Strict);
    again::<SubscriptionRec>(line, Semantics::Strict);
    again::<TokenNtfs>(line, Semantics::Strict);
    again::<TokenNtfRecord>(line, Semantics::Strict);
    again::<PendingNtfRecord>(line, Semantics::Strict);
}

/// A record as the reference takes it: what is written for it can be read again, and the lenient
/// reader doesn't take it for another. The status of a subscription is the exception.
pub fn ntf_record_reference(line: &[u8]) {
    again::<TokenRec>(line, Semantics::Reference);
    again::<TokenNtfs>(line, Semantics::Reference);
    again::<TokenNtfRecord>(line, Semantics::Reference);
    again::<PendingNtfRecord>(line, Semantics::Reference);
    one_meaning::<TokenRec>(line);
    one_meaning::<TokenNtfs>(line);
    one_meaning::<TokenNtfRecord>(line);
    one_meaning::<PendingNtfRecord>(line);
    subscription(line);
}

fn again<T: TextEncode + TextDecode + PartialEq + Debug>(line: &[u8], semantics: Semantics) {
    let Ok(record) = T::from_text(line, semantics) else { return };
    assert_eq!(T::from_text(&record.to_text(), semantics).as_ref(), Ok(&record));
}

/// What both read, they read as the same.
fn one_meaning<T: TextDecode + PartialEq + Debug>(line: &[u8]) {
    let both = [Semantics::Strict, Semantics::Reference].map(|by| T::from_text(line, by));
    if let [Ok(strict), Ok(reference)] = both {
        assert_eq!(strict, reference);
    }
}

/// Both read the same subscriptions, and as the same but for the flag after an error (NE-11).
fn subscription(line: &[u8]) {
    let strict = SubscriptionRec::from_text(line, Semantics::Strict);
    let reference = SubscriptionRec::from_text(line, Semantics::Reference);
    let (Ok(strict), Ok(reference)) = (&strict, &reference) else {
        assert_eq!(strict, reference);
        return;
    };
    let SubscriptionStatus::Err(whole) = &reference.status else {
        assert_eq!(strict, reference);
        return again::<SubscriptionRec>(line, Semantics::Reference);
    };
    let flags: [(&[u8], bool); 3] =
        [(b" serviceAssoc=T", true), (b" serviceAssoc=F", false), (b"", false)];
    let split = flags.iter().find_map(|(flag, value)| {
        whole.as_bytes().strip_suffix(*flag).map(|text| (text.into(), *value))
    });
    let error = |(text, service_associated)| SubscriptionRec {
        status: SubscriptionStatus::Err(text),
        service_associated,
        ..reference.clone()
    };
    assert_eq!(Some(strict), split.map(error).as_ref());
    assert!(!reference.service_associated);
}
