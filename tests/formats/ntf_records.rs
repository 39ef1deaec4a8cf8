//! NE-10 to NE-15: the records of notification servers, and of the notifications that a router
//! keeps for them.

use simplex_stores::encoding::der::KeyAlgorithm;
use simplex_stores::protocol::Semantics::{Reference, Strict};
use simplex_stores::protocol::ntf::{
    AuthPrivateKey, DeviceToken, Nonce, PendingNtf, PendingNtfRecord, PushProvider, RegCode,
    SubscriptionRec, SubscriptionStatus, TokenNtf, TokenNtfRecord, TokenNtfs, TokenRec,
    TokenStatus, X25519KeyPair,
};
use simplex_stores::protocol::{
    Blob, RoundedDate, RoundedSeconds, SubscriptionId, TextEncode, TokenId,
};

use crate::support::{
    DATE, ED448, ED25519, NOTIFIER, RDH, SMP_QUEUE, X448, X25519, X25519_PRIVATE, both_ways, id,
    notifier, private_key, read, read_as, refuses, write,
};

const TOKEN: &str = "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX";
const TOKEN_RECORD: &str = "tknId=wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX token=apns_prod abcd1234 tokenStatus=ACTIVE verifyKey=MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w= dhKeys=MCowBQYDK2VuAyEArAGyIJ6GNU-4UyN7XeD0-rE8f8v0M6YcAZNpYX_s8Qs= MC4CAQAwBQYDK2VuBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE dhSecret=WFV1gOHNAQ2R6bm_vIrq8ARYNa0kD15AN6i6DRpQJQ4= regCode=MDEyMzQ1Njc4OWFiY2RlZg== cron=20 updatedAt=1735689600";
const SUBSCRIPTION_RECORD: &str = "subId=4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3 smpQueue=smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@smp.example.com:5223/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX notifierKey=MC4CAQAwBQYDK2VwBCIEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC tknId=wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX subStatus=ACTIVE serviceAssoc=T";
const NTF_RECORD: &str = "v1 wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX smp://CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=@smp.example.com:5223/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZX 1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI ZW5jIG1ldGE=";

fn token_id() -> TokenId {
    id(0xc0).into()
}

fn token() -> TokenRec {
    TokenRec {
        id: token_id(),
        device: DeviceToken::new(PushProvider::ApnsProd, "abcd1234"),
        status: TokenStatus::Active,
        verify_key: read(ED25519),
        dh_keys: X25519KeyPair::from_private([4; 32]),
        dh_secret: read(RDH),
        reg_code: RegCode(b"0123456789abcdef"[..].into()),
        cron: 20,
        updated_at: Some(RoundedDate::from_seconds(DATE)),
    }
}

fn subscription() -> SubscriptionRec {
    SubscriptionRec {
        id: SubscriptionId::from(id(0xe0)),
        queue: read(SMP_QUEUE),
        notifier_key: AuthPrivateKey::Ed25519([2; 32]),
        token_id: token_id(),
        status: SubscriptionStatus::Active,
        service_associated: true,
    }
}

fn ntf() -> TokenNtf {
    TokenNtf {
        queue: read(SMP_QUEUE),
        at: RoundedSeconds::from_seconds(1_735_690_000),
        nonce: Nonce([8; 24]),
        meta: b"enc meta"[..].into(),
    }
}

fn pending() -> PendingNtf {
    PendingNtf {
        message_id: b"a message's id"[..].into(),
        at: RoundedSeconds::from_seconds(1_735_690_000),
        nonce: Nonce([8; 24]),
        meta: b"enc meta"[..].into(),
    }
}

/// The vector with a part of it replaced, which must be there.
#[track_caller]
fn with(vector: &str, part: &str, other: &str) -> String {
    assert_eq!(vector.matches(part).count(), 1, "{part:?}");
    vector.replace(part, other)
}

#[test]
fn ne10_token_records_both_ways() {
    both_ways(token(), TOKEN_RECORD);
    let old = TokenRec { updated_at: None, ..token() };
    both_ways(old, &with(TOKEN_RECORD, " updatedAt=1735689600", ""));
    let edges = TokenRec {
        device: DeviceToken::new(PushProvider::ApnsTest, ""),
        verify_key: read(ED448),
        cron: u16::MAX,
        updated_at: Some(RoundedDate::from_seconds(-1)),
        ..token()
    };
    let text = with(TOKEN_RECORD, "apns_prod abcd1234", "apns_test ");
    let text = with(&with(&text, ED25519, ED448), "cron=20", "cron=65535");
    both_ways(edges, &with(&text, "1735689600", "-1"));
}

#[test]
fn ne10_an_empty_code_is_read_under_strict() {
    let record = TokenRec { reg_code: RegCode(Blob::default()), ..token() };
    let text = with(TOKEN_RECORD, "MDEyMzQ1Njc4OWFiY2RlZg==", "");
    assert_eq!(write(&record), text);
    assert_eq!(read_as(&text, Strict), Ok(record));
    assert!(read_as::<TokenRec>(&text, Reference).is_err());
}

#[test]
fn ne10_other_token_records_are_refused() {
    let changes = [
        ("tknId=", "tknid="),
        (TOKEN, ""),
        (" token=", "  token="),
        ("abcd1234", "abcd123"),
        ("abcd1234", "ABCD1234"),
        ("abcd1234", "test_ntf_token"),
        ("ACTIVE", "ACTIVE,BAD"),
        ("ACTIVE", "INVALID,WORSE"),
        (ED25519, X448),
        (ED25519, ""),
        (X25519, ED25519),
        (X25519_PRIVATE, ED25519),
        (" MC4CAQAwBQYDK2VuBCIEIAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE", ""),
        (RDH, "WFV1"),
        ("cron=20", "cron=65536"),
        ("cron=20", "cron=-1"),
        ("cron=20", "cron=+1"),
        ("cron=20", "cron="),
        ("cron=20", "cron=20 cron=20"),
        ("1735689600", ""),
        ("1735689600", "9223372036854775808"),
        ("1735689600", "1735689600 "),
        ("1735689600", "1735689600\r"),
        ("1735689600", "1735689600 updatedAt=1735689600"),
        (" regCode=MDEyMzQ1Njc4OWFiY2RlZg== cron=20", " cron=20 regCode=MDEyMzQ1Njc4OWFiY2RlZg=="),
    ];
    for (part, other) in changes {
        assert!(refuses::<TokenRec>(&with(TOKEN_RECORD, part, other)), "{part} -> {other}");
    }
    for end in (0..TOKEN_RECORD.len() - 10).filter(|end| !TOKEN_RECORD[..*end].ends_with("cron=2"))
    {
        let cut = &TOKEN_RECORD[..end];
        let whole = cut.ends_with("cron=20");
        assert_eq!(refuses::<TokenRec>(cut), !whole, "{cut:?}");
    }
}

#[test]
fn ne11_subscription_records_both_ways() {
    both_ways(subscription(), SUBSCRIPTION_RECORD);
    let alone = SubscriptionRec { service_associated: false, ..subscription() };
    both_ways(alone.clone(), &with(SUBSCRIPTION_RECORD, "Assoc=T", "Assoc=F"));
    // Records from before there were services.
    let old = with(SUBSCRIPTION_RECORD, " serviceAssoc=T", "");
    assert_eq!(read::<SubscriptionRec>(&old), alone);
    let key = AuthPrivateKey::X25519([4; 32]);
    let other = SubscriptionRec { notifier_key: key, ..subscription() };
    let ed25519 = private_key(KeyAlgorithm::Ed25519, 2);
    both_ways(other, &with(SUBSCRIPTION_RECORD, &ed25519, X25519_PRIVATE));
}

#[test]
fn ne11_other_subscription_records_are_refused() {
    let ed25519 = private_key(KeyAlgorithm::Ed25519, 2);
    let x448 = private_key(KeyAlgorithm::X448, 2);
    let changes = [
        ("subId=", "subID="),
        (" smpQueue=", "smpQueue="),
        (SMP_QUEUE, "smp://AAAA@smp.example.com/AAAA"),
        (&*ed25519, &*x448),
        (&*ed25519, ED25519),
        (TOKEN, ""),
        ("ACTIVE", ""),
        ("ACTIVE", "REGISTERED"),
        ("ACTIVE", "ERR"),
        ("Assoc=T", "Assoc=X"),
        ("Assoc=T", "Assoc="),
        ("Assoc=T", "Assoc=t"),
        ("Assoc=T", "Assoc=TT"),
        ("Assoc=T", "Assoc=T "),
        ("Assoc=T", "Assoc=T serviceAssoc=T"),
        (" serviceAssoc=T", "  serviceAssoc=T"),
        (" subStatus=ACTIVE serviceAssoc=T", " serviceAssoc=T subStatus=ACTIVE"),
    ];
    for (part, other) in changes {
        let text = with(SUBSCRIPTION_RECORD, part, other);
        // "ERR" and a space is a status, and what follows its text.
        let error = other == "ERR";
        assert_eq!(refuses::<SubscriptionRec>(&text), !error, "{part} -> {other}");
    }
}

/// The record with this after `subStatus=`, and its status and flag in each mode: strict, then
/// reference.
#[track_caller]
fn status_in_each(rest: &str) -> [(SubscriptionStatus, bool); 2] {
    let text = with(SUBSCRIPTION_RECORD, "ACTIVE serviceAssoc=T", rest);
    [Strict, Reference].map(|semantics| {
        let record: SubscriptionRec = read_as(&text, semantics).unwrap();
        let SubscriptionRec { status, service_associated, .. } = record.clone();
        assert_eq!(record, SubscriptionRec { status, service_associated, ..subscription() });
        (record.status, record.service_associated)
    })
}

fn error(text: &str) -> SubscriptionStatus {
    SubscriptionStatus::Err(text.as_bytes().into())
}

#[test]
fn race15_ne11_a_flag_after_an_error_is_the_flag_under_strict() {
    let cases = [
        ("ERR some_error serviceAssoc=T", "some_error", true),
        ("ERR some_error serviceAssoc=F", "some_error", false),
        ("ERR  serviceAssoc=T", "", true),
        // Once read and written by the reference: the last flag counts.
        ("ERR x serviceAssoc=T serviceAssoc=F", "x serviceAssoc=T", false),
        ("ERR x serviceAssoc=F serviceAssoc=T", "x serviceAssoc=F", true),
        // From before there were services, or no flag at all.
        ("ERR some_error", "some_error", false),
        ("ERR ", "", false),
        ("ERR serviceAssoc=T", "serviceAssoc=T", false),
        ("ERR x serviceAssoc=T.", "x serviceAssoc=T.", false),
        ("ERR x serviceAssoc=X", "x serviceAssoc=X", false),
        ("ERR xserviceAssoc=T", "xserviceAssoc=T", false),
    ];
    for (rest, text, flag) in cases {
        let [strict, reference] = status_in_each(rest);
        assert_eq!(strict, (error(text), flag), "{rest:?}");
        assert_eq!(reference, (error(&rest["ERR ".len()..]), false), "{rest:?}");
    }
}

#[test]
fn race15_an_error_keeps_its_text_and_flag_however_often_it_is_written_under_strict() {
    let record = SubscriptionRec { status: error("x"), service_associated: true, ..subscription() };
    let mut strict = record.clone();
    let mut reference = record.clone();
    for _ in 0..3 {
        strict = read_as(&write(&strict), Strict).unwrap();
        reference = read_as(&write(&reference), Reference).unwrap();
    }
    assert_eq!(strict, record);
    assert_eq!(reference.status, error("x serviceAssoc=T serviceAssoc=F serviceAssoc=F"));
    assert!(!reference.service_associated);
}

#[test]
fn ne12_notifications_both_ways() {
    let text = with(NTF_RECORD, &format!("v1 {TOKEN} "), "");
    both_ways(ntf(), &text);
    let before_1970 = TokenNtf { at: RoundedSeconds::from_seconds(-1), ..ntf() };
    both_ways(before_1970, &with(&text, "1735690000", "-1"));
}

#[test]
fn ne12_empty_metadata_is_read_under_strict() {
    let empty = TokenNtf { meta: Blob::default(), ..ntf() };
    let text = format!("{SMP_QUEUE} 1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI ");
    assert_eq!(write(&empty), text);
    assert_eq!(read_as(&text, Strict), Ok(empty.clone()));
    assert!(read_as::<TokenNtf>(&text, Reference).is_err());
    let list = TokenNtfs::new(vec![empty.clone(), ntf(), empty]).unwrap();
    assert_eq!(read_as(&write(&list), Strict), Ok(list.clone()));
    assert!(read_as::<TokenNtfs>(&write(&list), Reference).is_err());
}

#[test]
fn ne12_ne9_odd_nonces_are_read_under_reference_and_written_whole() {
    let text = with(NTF_RECORD, "CAgICAgICAgICAgICAgICAgICAgICAgI", "CAgI");
    assert!(read_as::<TokenNtfRecord>(&text, Strict).is_err());
    let read: TokenNtfRecord = read_as(&text, Reference).unwrap();
    assert_eq!(
        write(&read),
        with(NTF_RECORD, "CAgICAgICAgICAgICAgICAgICAgICAgI", "CAgIAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    );
}

#[test]
fn ne13_lists_of_notifications_are_joined_by_semicolons() {
    let other = TokenNtf { meta: b"other"[..].into(), ..ntf() };
    let (one, two) = (write(&ntf()), write(&other));
    both_ways(TokenNtfs::new(vec![ntf()]).unwrap(), &one);
    both_ways(TokenNtfs::new(vec![ntf(), other]).unwrap(), &format!("{one};{two}"));
    // An address with commas doesn't end an item.
    let hosts = with(&one, "smp.example.com", "smp.example.com,a.onion");
    assert_eq!(read::<TokenNtfs>(&format!("{hosts};{two}")).as_slice().len(), 2);
    assert_eq!(TokenNtfs::new(Vec::new()), None);
    for text in [
        String::new(),
        ";".to_owned(),
        format!("{one};"),
        format!(";{one}"),
        format!("{one};;{two}"),
        format!("{one},{two}"),
        format!("{one} {two}"),
        format!("{one}; {two}"),
    ] {
        assert!(refuses::<TokenNtfs>(&text), "{text}");
    }
}

#[test]
fn ne14_saved_notifications_both_ways() {
    both_ways(TokenNtfRecord { token_id: token_id(), ntf: ntf() }, NTF_RECORD);
    let changes = [
        ("v1 ", "v2 "),
        ("v1 ", "v10 "),
        ("v1 ", "V1 "),
        ("v1 ", ""),
        ("v1 ", "v1  "),
        ("wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX ", ""),
        ("1735690000", "x"),
        ("1735690000", "1735690000.5"),
        ("1735690000", "9223372036854775808"),
        (" CAgICAgICAgICAgICAgICAgICAgICAgI", ""),
        ("ZW5jIG1ldGE=", "ZW5jIG1ldGE"),
        ("ZW5jIG1ldGE=", "ZW5jIG1ldGE= "),
        ("ZW5jIG1ldGE=", "+"),
        (NOTIFIER, ""),
    ];
    for (part, other) in changes {
        let text = with(NTF_RECORD, part, other);
        // Padding may be absent.
        let read = other == "ZW5jIG1ldGE";
        assert_eq!(refuses::<TokenNtfRecord>(&text), !read, "{part} -> {other}");
    }
}

#[test]
fn ne15_pending_notifications_both_ways() {
    let text = format!(
        "v1 {NOTIFIER} YSBtZXNzYWdlJ3MgaWQ= 1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI \
         ZW5jIG1ldGE="
    );
    both_ways(PendingNtfRecord { notifier_id: notifier(), ntf: pending() }, &text);
    both_ways(pending(), &with(&text, &format!("v1 {NOTIFIER} "), ""));
    let changes = [
        ("v1 ", "v2 "),
        ("v1 ", ""),
        (NOTIFIER, ""),
        ("1735690000", ""),
        ("1735690000", "99999999999999999999"),
        ("YSBtZXNzYWdlJ3MgaWQ=", "YSBtZXNzYWdlJ3MgaW"),
        ("ZW5jIG1ldGE=", "ZW5jIG1ldGE= x"),
        ("ZW5jIG1ldGE=", "ZW5jIG1ldGE=;"),
        (" ZW5jIG1ldGE=", ""),
    ];
    for (part, other) in changes {
        assert!(refuses::<PendingNtfRecord>(&with(&text, part, other)), "{part} -> {other}");
    }
}

#[test]
fn ne15_empty_parts_are_read_under_strict_and_odd_nonces_under_reference() {
    let ntf = PendingNtf { message_id: Blob::default(), meta: Blob::default(), ..pending() };
    let record = PendingNtfRecord { notifier_id: notifier(), ntf };
    let text = format!("v1 {NOTIFIER}  1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI ");
    assert_eq!(record.to_text(), text.as_bytes());
    assert_eq!(read_as(&text, Strict), Ok(record));
    assert!(read_as::<PendingNtfRecord>(&text, Reference).is_err());
    let odd = format!("v1 {NOTIFIER} AAAA 0 CAgI AAAA");
    assert!(read_as::<PendingNtfRecord>(&odd, Strict).is_err());
    let nonce = read_as::<PendingNtfRecord>(&odd, Reference).unwrap().ntf.nonce;
    assert_eq!(nonce.0.to_vec(), [&[8; 3][..], &[0; 21]].concat());
}
