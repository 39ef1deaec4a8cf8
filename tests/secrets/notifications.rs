//! The records of notification servers: private keys, secrets, codes, device tokens and the metadata
//! of messages.

use std::fmt::Debug;

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{
    Blob, DhSecret, Semantics, TextDecode, TextEncode,
    ntf::{
        AuthPrivateKey, DeviceToken, PendingNtfRecord, PushProvider, RegCode, SubscriptionRec,
        TokenNtfRecord, TokenRec, X25519KeyPair,
    },
};

use crate::plants::{Search, damaged, planted, secrets};

/// The same for each call.
fn some<T: Arbitrary>() -> T {
    T::arbitrary(&mut Gen::from_size_and_seed(20, 17))
}

fn blob(number: u8) -> Blob {
    Blob::from(planted::<32>(number).to_vec())
}

fn token() -> TokenRec {
    let device: String = planted::<32>(3).iter().map(|byte| format!("{byte:02x}")).collect();
    TokenRec {
        device: DeviceToken::new(PushProvider::ApnsProd, &device),
        dh_keys: X25519KeyPair::from_private(planted(1)),
        dh_secret: DhSecret::new(planted(2)),
        reg_code: RegCode(blob(4)),
        ..some()
    }
}

fn subscription() -> SubscriptionRec {
    SubscriptionRec { notifier_key: AuthPrivateKey::X25519(planted(5)), ..some() }
}

fn last_notification() -> TokenNtfRecord {
    let mut record: TokenNtfRecord = some();
    record.ntf.meta = blob(6);
    record
}

fn pending() -> PendingNtfRecord {
    let mut record: PendingNtfRecord = some();
    record.ntf.meta = blob(6);
    record
}

/// Neither the value nor an error about its text, with damage in every place, shows a secret.
fn check<T: TextEncode + TextDecode + Debug>(what: &str, value: &T, search: &Search) {
    search.nothing_in_debug(what, value);
    let text = value.to_text();
    assert!(search.find(&text).is_some(), "{what} holds no secret");
    let mut errors = 0;
    for damaged in damaged(&text) {
        for semantics in [Semantics::Strict, Semantics::Reference] {
            match T::from_text(&damaged, semantics) {
                Ok(value) => search.nothing_in_debug(what, &value),
                Err(error) => {
                    search.nothing_in_debug(what, &error);
                    search.nothing_in(what, error.to_string());
                    errors += 1;
                }
            }
        }
    }
    assert!(errors > 100, "{what}: {errors}");
}

#[test]
fn race17_nothing_about_a_notification_servers_records_shows_a_secret() {
    let search = Search::of(&secrets());
    check("TokenRec", &token(), &search);
    check("SubscriptionRec", &subscription(), &search);
    check("TokenNtfRecord", &last_notification(), &search);
    check("PendingNtfRecord", &pending(), &search);
}
