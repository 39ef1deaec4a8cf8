//! Properties over generated values: round trips through text, columns and serde, and what
//! damaged lines do.

use std::fmt::Debug;

use bincode::config::standard;
use quickcheck::{Arbitrary, QuickCheck, Testable};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use simplex_stores::encoding::certificate::is_certificate;
use simplex_stores::protocol::{
    AuthKey, Blob, BlockingInfo, BlockingReason, CertChain, CertFingerprint, ClientNotice,
    CountHash, DhSecret, EntityId, EntityStatus, ErrorType, IdsHash, LinkData, LinkId, NotifierId,
    NtfCreds, QueueLink, QueueMode, QueueRec, RecipientId, RecipientKeys, RoundedDate,
    RoundedSeconds, Semantics, SenderId, ServiceId, ServiceParty, ServiceQueues, ServiceRec,
    ServiceRole, TextDecode, TextEncode,
};
use simplex_stores::store_log::LogRecord;
use simplex_stores::testing::mutate::mutate;
use simplex_stores::testing::{Certificate, reference_can_read};

use crate::support::BOTH;

pub(crate) fn check(property: impl Testable) {
    QuickCheck::new().tests(500).quickcheck(property);
}

/// Every value is read from the text written for it, under strict.
pub(crate) fn text_round_trip<T: TextEncode + TextDecode + Arbitrary + PartialEq + Debug>() {
    let property: fn(T) -> bool =
        |value| T::from_text(&value.to_text(), Semantics::Strict).as_ref() == Ok(&value);
    check(property);
}

/// Every value survives bincode and JSON.
pub(crate) fn serde_round_trip<T: Serialize + DeserializeOwned + Arbitrary + PartialEq + Debug>() {
    let property: fn(T) -> bool = |value| {
        let bytes = bincode::serde::encode_to_vec(&value, standard()).unwrap();
        let (again, read) = bincode::serde::decode_from_slice::<T, _>(&bytes, standard()).unwrap();
        let json = serde_json::to_string(&value).unwrap();
        let from_json: T = serde_json::from_str(&json).unwrap();
        again == value && read == bytes.len() && from_json == value
    };
    check(property);
}

#[test]
fn text_of_every_type_round_trips() {
    text_round_trip::<EntityId>();
    text_round_trip::<RecipientId>();
    text_round_trip::<SenderId>();
    text_round_trip::<NotifierId>();
    text_round_trip::<LinkId>();
    text_round_trip::<ServiceId>();
    text_round_trip::<AuthKey>();
    text_round_trip::<RecipientKeys>();
    text_round_trip::<DhSecret>();
    text_round_trip::<LinkData>();
    text_round_trip::<NtfCreds>();
    text_round_trip::<ClientNotice>();
    text_round_trip::<BlockingReason>();
    text_round_trip::<BlockingInfo>();
    text_round_trip::<EntityStatus>();
    text_round_trip::<QueueMode>();
    text_round_trip::<QueueRec>();
    text_round_trip::<ServiceRole>();
    text_round_trip::<ServiceParty>();
    text_round_trip::<CertChain>();
    text_round_trip::<CertFingerprint>();
    text_round_trip::<ServiceRec>();
    text_round_trip::<RoundedDate>();
    text_round_trip::<RoundedSeconds>();
    text_round_trip::<ErrorType>();
}

#[test]
fn serde_of_every_type_round_trips() {
    serde_round_trip::<EntityId>();
    serde_round_trip::<RecipientId>();
    serde_round_trip::<SenderId>();
    serde_round_trip::<NotifierId>();
    serde_round_trip::<LinkId>();
    serde_round_trip::<ServiceId>();
    serde_round_trip::<AuthKey>();
    serde_round_trip::<RecipientKeys>();
    serde_round_trip::<DhSecret>();
    serde_round_trip::<Blob>();
    serde_round_trip::<LinkData>();
    serde_round_trip::<QueueLink>();
    serde_round_trip::<NtfCreds>();
    serde_round_trip::<ClientNotice>();
    serde_round_trip::<BlockingInfo>();
    serde_round_trip::<EntityStatus>();
    serde_round_trip::<QueueMode>();
    serde_round_trip::<QueueRec>();
    serde_round_trip::<ServiceRole>();
    serde_round_trip::<ServiceParty>();
    serde_round_trip::<CertChain>();
    serde_round_trip::<CertFingerprint>();
    serde_round_trip::<ServiceRec>();
    serde_round_trip::<RoundedDate>();
    serde_round_trip::<RoundedSeconds>();
    serde_round_trip::<IdsHash>();
    serde_round_trip::<CountHash>();
    serde_round_trip::<ServiceQueues>();
    serde_round_trip::<ErrorType>();
    serde_round_trip::<LogRecord>();
}

#[test]
fn serde_refuses_values_that_no_constructor_makes() {
    fn refuses<T: DeserializeOwned + Debug>(bytes: &[u8]) {
        let result = bincode::serde::decode_from_slice::<T, _>(bytes, standard());
        assert!(result.is_err(), "{result:?}");
    }
    refuses::<EntityId>(&[0]);
    refuses::<AuthKey>(&[3, 1, 2, 3]);
    refuses::<RecipientKeys>(&[0]);
    refuses::<CertChain>(&[1, 2, 0x30, 0]);
}

#[test]
fn records_round_trip_in_each_mode_that_can_read_them() {
    let property: fn(LogRecord) -> bool = |record| {
        let mut line = Vec::new();
        record.encode(&mut line);
        let [strict, reference] = BOTH.map(|semantics| LogRecord::parse(&line, semantics));
        !line.contains(&b'\n')
            && strict.as_ref() == Ok(&record)
            && reference.is_ok() == reference_can_read(&record)
            && reference.is_ok_and(|same| same == record) == reference_can_read(&record)
    };
    QuickCheck::new().tests(3_000).quickcheck(property);
}

#[test]
fn ids_keep_their_bytes_order_and_text() {
    let property: fn(EntityId, EntityId) -> bool = |one, other| {
        EntityId::from_bytes(one.as_bytes()).as_ref() == Some(&one)
            && one.to_text() == one.to_string().into_bytes()
            && one.cmp(&other) == one.as_bytes().cmp(other.as_bytes())
            && (one == other) == (one.as_bytes() == other.as_bytes())
    };
    check(property);
}

#[test]
fn binary_lists_round_trip() {
    let keys: fn(RecipientKeys) -> bool = |keys| {
        let mut column = Vec::new();
        keys.encode_binary(&mut column).unwrap();
        RecipientKeys::decode_binary(&column) == Ok(keys)
    };
    check(keys);
    let chain: fn(CertChain) -> bool = |chain| {
        let mut column = Vec::new();
        match chain.encode_binary(&mut column) {
            Ok(()) => CertChain::decode_binary(&column) == Ok(chain),
            Err(_) => chain.certificates().is_empty() && column.is_empty(),
        }
    };
    check(chain);
}

#[test]
fn generated_certificates_are_certificates_and_none_of_their_starts_is() {
    let property: fn(Certificate, usize) -> bool =
        |Certificate(der), cut| is_certificate(&der) && !is_certificate(&der[..cut % der.len()]);
    check(property);
}

#[test]
fn se50_hashes_form_a_group_in_which_everything_is_its_own_inverse() {
    let hashes: fn(IdsHash, IdsHash, IdsHash) -> bool = |a, b, c| {
        a.xor(b) == b.xor(a)
            && a.xor(b).xor(c) == a.xor(b.xor(c))
            && a.xor(a) == IdsHash::EMPTY
            && a.xor(IdsHash::EMPTY) == a
    };
    check(hashes);
    let counts: fn(CountHash, CountHash) -> bool = |a, b| {
        let both = a.add(b);
        let expected = if both.count > b.count { a } else { CountHash::EMPTY };
        both.subtract(b) == expected
    };
    check(counts);
}

#[test]
fn race17_no_debug_output_holds_a_secret_or_link_data() {
    let property: fn(QueueRec) -> bool = |queue| {
        let shown = format!("{queue:?}");
        let holds = |secret: &DhSecret| shown.contains(&format!("{:?}", secret.as_bytes()));
        let text =
            |secret: &DhSecret| shown.contains(std::str::from_utf8(&secret.to_text()).unwrap());
        let notifier = queue.notifier.as_ref().map(|creds| &creds.dh_secret);
        let secrets = [Some(&queue.rcv_dh_secret), notifier];
        let leaks = secrets.into_iter().flatten().any(|secret| holds(secret) || text(secret));
        let data = queue.link.as_ref().is_some_and(|link| {
            let parts = [&link.data.fixed, &link.data.user];
            parts
                .into_iter()
                .any(|part| part.len() > 2 && shown.contains(&format!("{:?}", part.as_bytes())))
        });
        !leaks && !data
    };
    check(property);
}

/// Damaged lines never panic; what still parses is written as something that parses to the same;
/// and what the reference's mode accepts, the lenient mode accepts as the same.
#[test]
fn damaged_lines_are_refused_or_round_trip() {
    let property: fn(LogRecord, LogRecord, u64) -> bool = |record, other, seed| {
        let (mut line, mut spare) = (Vec::new(), Vec::new());
        record.encode(&mut line);
        other.encode(&mut spare);
        mutate(&mut StdRng::seed_from_u64(seed), &mut line, &spare);
        let [strict, reference] = BOTH.map(|semantics| LogRecord::parse(&line, semantics));
        let Ok(strict) = strict else { return reference.is_err() };
        let mut again = Vec::new();
        strict.encode(&mut again);
        LogRecord::parse(&again, Semantics::Strict).as_ref() == Ok(&strict)
            && reference.is_ok_and(|reference| reference == strict)
                == LogRecord::parse(&line, Semantics::Reference).is_ok()
    };
    QuickCheck::new().tests(5_000).quickcheck(property);
}
