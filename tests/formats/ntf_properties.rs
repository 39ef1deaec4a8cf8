//! Properties over generated values of notification servers: round trips through text and serde,
//! damage, and secrets.

use std::fmt::Debug;

use bincode::config::standard;
use quickcheck::Arbitrary;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use simplex_stores::protocol::ntf::{
    AuthPrivateKey, DeviceToken, InvalidReason, Nonce, NotifierQueue, PendingNtf, PendingNtfRecord,
    PushProvider, RegCode, ServerHost, SmpServer, SubscriptionRec, SubscriptionStatus, TokenNtf,
    TokenNtfRecord, TokenNtfs, TokenRec, TokenStatus, X25519KeyPair,
};
use simplex_stores::protocol::{Semantics, TextDecode, TextEncode};
use simplex_stores::testing::fuzz::{ntf_record_reference, ntf_record_strict};
use simplex_stores::testing::mutate::mutate;

use crate::properties::{check, serde_round_trip, text_round_trip};
use crate::support::write;

#[test]
fn text_of_every_type_of_notification_servers_round_trips() {
    text_round_trip::<PushProvider>();
    text_round_trip::<DeviceToken>();
    text_round_trip::<InvalidReason>();
    text_round_trip::<TokenStatus>();
    text_round_trip::<SubscriptionStatus>();
    text_round_trip::<ServerHost>();
    text_round_trip::<SmpServer>();
    text_round_trip::<NotifierQueue>();
    text_round_trip::<RegCode>();
    text_round_trip::<Nonce>();
    text_round_trip::<AuthPrivateKey>();
    text_round_trip::<X25519KeyPair>();
    text_round_trip::<TokenRec>();
    text_round_trip::<SubscriptionRec>();
    text_round_trip::<TokenNtf>();
    text_round_trip::<TokenNtfs>();
    text_round_trip::<TokenNtfRecord>();
    text_round_trip::<PendingNtf>();
    text_round_trip::<PendingNtfRecord>();
}

#[test]
fn serde_of_every_type_of_notification_servers_round_trips() {
    serde_round_trip::<PushProvider>();
    serde_round_trip::<DeviceToken>();
    serde_round_trip::<TokenStatus>();
    serde_round_trip::<SubscriptionStatus>();
    serde_round_trip::<SmpServer>();
    serde_round_trip::<NotifierQueue>();
    serde_round_trip::<RegCode>();
    serde_round_trip::<Nonce>();
    serde_round_trip::<AuthPrivateKey>();
    serde_round_trip::<X25519KeyPair>();
    serde_round_trip::<TokenRec>();
    serde_round_trip::<SubscriptionRec>();
    serde_round_trip::<TokenNtfs>();
    serde_round_trip::<TokenNtfRecord>();
    serde_round_trip::<PendingNtfRecord>();
}

#[test]
fn serde_refuses_addresses_lists_and_keys_that_no_constructor_makes() {
    fn refuses<T: DeserializeOwned + Debug>(bytes: &[u8]) {
        let result = bincode::serde::decode_from_slice::<T, _>(bytes, standard());
        assert!(result.is_err(), "{result:?}");
    }
    let rest = [&[0][..], &[9; 32]].concat();
    let hosts = |hosts: &[u8]| [hosts, &rest].concat();
    let good =
        bincode::serde::decode_from_slice::<SmpServer, _>(&hosts(b"\x01\x03\x01a"), standard());
    assert_eq!(write(&good.unwrap().0), "smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@a");
    refuses::<SmpServer>(&hosts(b"\x00"));
    refuses::<SmpServer>(&hosts(b"\x01\x03\x01,"));
    refuses::<SmpServer>(&hosts(b"\x01\x03\x00"));
    refuses::<SmpServer>(&hosts(b"\x01\x02\x01a"));
    refuses::<TokenNtfs>(b"\x00");
    refuses::<AuthPrivateKey>(b"\x03\x01\x02\x03");
    // A length that no input has.
    refuses::<SmpServer>(&[&[0xfd][..], &[0xff; 8], &rest].concat());
}

/// Whether the reference reads back what it writes, by the few values that it doesn't.
fn reference_reads<T: TextEncode + TextDecode + PartialEq>(value: &T) -> bool {
    T::from_text(&value.to_text(), Semantics::Reference).is_ok_and(|again| again == *value)
}

#[test]
fn the_reference_reads_back_what_has_no_empty_part_and_no_error() {
    let token: fn(TokenRec) -> bool =
        |record| reference_reads(&record) != record.reg_code.0.is_empty();
    check(token);
    let subscription: fn(SubscriptionRec) -> bool =
        |record| reference_reads(&record) != matches!(record.status, SubscriptionStatus::Err(_));
    check(subscription);
    let notifications: fn(TokenNtfs) -> bool =
        |ntfs| reference_reads(&ntfs) != ntfs.as_slice().iter().any(|ntf| ntf.meta.is_empty());
    check(notifications);
    let pending: fn(PendingNtfRecord) -> bool = |record| {
        reference_reads(&record) != (record.ntf.message_id.is_empty() || record.ntf.meta.is_empty())
    };
    check(pending);
}

#[test]
fn addresses_order_like_their_parts_with_the_port_as_text() {
    let property: fn(SmpServer, SmpServer) -> bool = |one, other| {
        let parts = |server: &SmpServer| {
            let port = server.port().map_or(String::new(), |port| port.to_string());
            (server.hosts().to_vec(), port, *server.key_hash())
        };
        let moved = SmpServer::new(one.hosts(), other.port(), *other.key_hash()).unwrap();
        one.cmp(&other) == parts(&one).cmp(&parts(&other))
            && one.cmp(&moved) == parts(&one).cmp(&parts(&moved))
            && (one == moved) == one.cmp(&moved).is_eq()
    };
    check(property);
}

#[test]
fn race17_no_debug_output_holds_a_key_a_code_or_a_device_token() {
    /// Whether bytes are shown, as numbers, in base64url or as they are.
    fn shows(shown: &str, bytes: &[u8], text: &str) -> bool {
        let numbers = format!("{bytes:?}");
        let inner = numbers.trim_matches(['[', ']']);
        bytes.len() > 4 && (shown.contains(inner) || shown.contains(text))
    }
    let token: fn(TokenRec) -> bool = |record| {
        let shown = format!("{record:?} {record:#?}");
        let keys = write(&record.dh_keys);
        let (_, private) = keys.split_once(' ').unwrap();
        !shows(&shown, record.dh_keys.private(), private)
            && !shows(&shown, record.dh_secret.as_bytes(), &write(&record.dh_secret))
            && !shows(&shown, record.reg_code.0.as_bytes(), &write(&record.reg_code))
            && !shows(&shown, record.device.text().as_bytes(), record.device.text())
    };
    check(token);
    let subscription: fn(SubscriptionRec) -> bool = |record| {
        let shown = format!("{record:?}");
        let der = record.notifier_key.to_der();
        !shows(&shown, &der[16..], &write(&record.notifier_key))
    };
    check(subscription);
}

/// Damaged records never panic, and what the entry points say of any input holds of them. Pieces
/// come from another record of the same kind, so that many still parse.
fn damaged<T: Arbitrary + TextEncode + Debug>() {
    let property: fn(T, T, u64) -> bool = |record, other, seed| {
        let mut line = record.to_text();
        mutate(&mut StdRng::seed_from_u64(seed), &mut line, &other.to_text());
        ntf_record_strict(&line);
        ntf_record_reference(&line);
        true
    };
    quickcheck::QuickCheck::new().tests(1_000).quickcheck(property);
}

#[test]
fn damaged_records_of_notification_servers_are_refused_or_round_trip() {
    damaged::<TokenRec>();
    damaged::<SubscriptionRec>();
    damaged::<TokenNtfs>();
    damaged::<TokenNtfRecord>();
    damaged::<PendingNtfRecord>();
}
