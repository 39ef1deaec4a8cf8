//! NE-1 to NE-9: the parts of the records of notification servers.

use std::net::{Ipv4Addr, Ipv6Addr};

use simplex_stores::encoding::der::KeyAlgorithm;
use simplex_stores::protocol::Semantics::{Reference, Strict};
use simplex_stores::protocol::ntf::{
    AuthPrivateKey, DeviceToken, InvalidReason, Nonce, NotifierQueue, PushProvider, RegCode,
    ServerHost, SmpServer, SubscriptionStatus, TokenStatus, X25519KeyPair,
};
use simplex_stores::protocol::{Blob, TextDecode, TextEncode};

use crate::support::{
    BOTH, ED25519, KEY_HASH, NOTIFIER, SMP_QUEUE, X448, X25519, X25519_PRIVATE, both_ways,
    notifier, private_key, read, read_as, refuses, write,
};

fn domain(name: &str) -> ServerHost {
    ServerHost::Domain(name.as_bytes().into())
}

/// The address of the vectors' router with these hosts and port.
fn server<const N: usize>(hosts: [ServerHost; N], port: Option<u16>) -> SmpServer {
    SmpServer::new(&hosts, port, [9; 32]).unwrap()
}

fn address(rest: &str) -> String {
    format!("smp://{KEY_HASH}@{rest}")
}

#[test]
fn ne1_providers_both_ways() {
    let forms = [
        (PushProvider::ApnsDev, "apns_dev", b"AD"),
        (PushProvider::ApnsProd, "apns_prod", b"AP"),
        (PushProvider::ApnsTest, "apns_test", b"AT"),
        (PushProvider::ApnsNull, "apns_null", b"AN"),
    ];
    for (provider, text, letters) in forms {
        both_ways(provider, text);
        let mut binary = Vec::new();
        provider.encode_binary(&mut binary);
        assert_eq!(binary, letters);
        assert_eq!(PushProvider::decode_binary(letters), Ok(provider));
    }
    assert_eq!(forms.map(|(provider, ..)| provider), PushProvider::ALL);
    assert!(PushProvider::ALL.is_sorted());
    for text in ["", "apns", "apns_", "apns_prod_", "APNS_PROD", "apns_pro", "fcm"] {
        assert!(refuses::<PushProvider>(text), "{text:?}");
    }
    for letters in [&b""[..], b"A", b"AX", b"ap", b"APN", b"PA"] {
        assert!(PushProvider::decode_binary(letters).is_err(), "{letters:?}");
    }
}

#[test]
fn ne2_device_tokens_both_ways() {
    for provider in PushProvider::ALL {
        for text in ["", "00", "abcd1234", &"ef".repeat(32)] {
            both_ways(DeviceToken::new(provider, text), &format!("{} {text}", provider.name()));
        }
    }
    let test = DeviceToken::new(PushProvider::ApnsNull, "test_ntf_token");
    both_ways(test, "apns_null test_ntf_token");
}

#[test]
fn ne2_other_device_tokens_are_written_and_not_read() {
    let prod = PushProvider::ApnsProd;
    let texts =
        [(prod, "a"), (prod, "abc"), (prod, "AB"), (prod, "aB"), (prod, "ag"), (prod, "ab ")];
    let others = [PushProvider::ApnsDev, prod, PushProvider::ApnsTest];
    let literal = others.map(|provider| (provider, "test_ntf_token"));
    let longer = (PushProvider::ApnsNull, "test_ntf_tokenaa");
    for (provider, text) in texts.into_iter().chain(literal).chain([longer]) {
        let token = DeviceToken::new(provider, text);
        assert!(!token.is_readable(), "{text:?}");
        assert_eq!(write(&token), format!("{} {text}", provider.name()));
        assert!(refuses::<DeviceToken>(&write(&token)), "{text:?}");
    }
    for text in ["apns_prod", "apns_prodab", "apns_prod  ab", " apns_prod ab", "apns ab"] {
        assert!(refuses::<DeviceToken>(text), "{text:?}");
    }
    assert!(DeviceToken::new(prod, "ab").is_readable());
}

#[test]
fn ne3_token_statuses_both_ways() {
    use TokenStatus::{Active, Confirmed, Expired, Invalid, New, Registered};
    both_ways(New, "NEW");
    both_ways(Registered, "REGISTERED");
    both_ways(Confirmed, "CONFIRMED");
    both_ways(Active, "ACTIVE");
    both_ways(Expired, "EXPIRED");
    both_ways(Invalid(None), "INVALID");
    both_ways(Invalid(Some(InvalidReason::Bad)), "INVALID,BAD");
    both_ways(Invalid(Some(InvalidReason::Topic)), "INVALID,TOPIC");
    both_ways(Invalid(Some(InvalidReason::Expired)), "INVALID,EXPIRED");
    both_ways(Invalid(Some(InvalidReason::Unregistered)), "INVALID,UNREGISTERED");
}

#[test]
fn ne3_other_token_statuses_and_reasons_are_refused() {
    for text in [
        "",
        "new",
        "NEWER",
        "INVALID,",
        "INVALID,WORSE",
        "INVALID, BAD",
        "INVALID BAD",
        "INVALID,BAD,TOPIC",
        "INVALID,bad",
        "EXPIRED,BAD",
        "NEW,BAD",
        "ACTIVE ",
        " ACTIVE",
    ] {
        assert!(refuses::<TokenStatus>(text), "{text:?}");
    }
}

#[test]
fn ne4_subscription_statuses_both_ways() {
    use SubscriptionStatus::{Active, Auth, Deleted, End, Err, Inactive, New, Pending, Service};
    both_ways(New, "NEW");
    both_ways(Pending, "PENDING");
    both_ways(Active, "ACTIVE");
    both_ways(Inactive, "INACTIVE");
    both_ways(End, "END");
    both_ways(Deleted, "DELETED");
    both_ways(Auth, "AUTH");
    both_ways(Service, "SERVICE");
    for text in ["", "some_error", " two  spaces ", "T serviceAssoc=T", "ERR ERR", "ü"] {
        both_ways(Err(text.as_bytes().into()), &format!("ERR {text}"));
    }
}

#[test]
fn ne4_an_error_is_any_bytes_after_a_space() {
    let bytes: Vec<u8> = (0..=255).collect();
    let status = SubscriptionStatus::Err(Blob::from(&bytes[..]));
    let text = status.to_text();
    assert_eq!(text, [b"ERR ", &bytes[..]].concat());
    for semantics in BOTH {
        assert_eq!(SubscriptionStatus::from_text(&text, semantics).as_ref(), Ok(&status));
    }
    for text in ["", "ERR", "ERR\tx", "ERRx", "err x", "ACTIVE ", "ACTIVE x", "OK", "END,"] {
        assert!(refuses::<SubscriptionStatus>(text), "{text:?}");
    }
}

#[test]
fn ne5_addresses_both_ways() {
    let smp = domain("smp.example.com");
    let onion = ServerHost::Onion("abcdefgh.onion".into());
    let v4 = ServerHost::V4(Ipv4Addr::new(127, 0, 0, 1));
    let v6 = ServerHost::V6(Ipv6Addr::LOCALHOST);
    both_ways(server([smp.clone()], None), &address("smp.example.com"));
    both_ways(server([smp.clone()], Some(5223)), &address("smp.example.com:5223"));
    both_ways(server([onion.clone()], Some(0)), &address("abcdefgh.onion:0"));
    both_ways(server([v4.clone()], Some(65535)), &address("127.0.0.1:65535"));
    both_ways(server([v6.clone()], None), &address("::1"));
    let all = [smp, onion, v4, v6.clone()];
    both_ways(server(all, None), &address("smp.example.com,abcdefgh.onion,127.0.0.1,::1"));
    let first = [v6, domain("a")];
    both_ways(server(first, Some(1)), &address("::1,a:1"));
}

#[test]
fn ne5_an_address_before_a_port_is_written_in_brackets_which_may_always_be_read() {
    let v6 = ServerHost::V6("2001:db8::1".parse().unwrap());
    both_ways(server([v6.clone()], Some(5223)), &address("[2001:db8::1]:5223"));
    let alone = server([v6], None);
    assert_eq!(read::<SmpServer>(&address("[2001:db8::1]")), alone);
    assert_eq!(write(&alone), address("2001:db8::1"));
    assert_eq!(read::<SmpServer>(&address("2001:DB8:0:0:0:0:0:1")), alone);
}

#[test]
fn ne5_hosts_are_told_apart_by_their_form() {
    let hosts = [
        ("1.2.3.4", ServerHost::V4(Ipv4Addr::new(1, 2, 3, 4))),
        ("::ffff:1.2.3.4", ServerHost::V6("::ffff:1.2.3.4".parse().unwrap())),
        ("x.onion", ServerHost::Onion("x.onion".into())),
    ];
    for (text, host) in hosts {
        both_ways(host, text);
    }
    // What is no address is a name, and is kept as it came.
    for name in ["1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4.5", "onion", "x.onion.", "a@b", "abcd"]
    {
        both_ways(domain(name), name);
    }
    for text in ["", ":", "a:1", "a#b", "a,b", "a;b", "a/b", "a b", "a\tb", "a\nb", "a\r", "[::1"] {
        assert!(refuses::<ServerHost>(text), "{text:?}");
    }
}

#[test]
fn ne5_other_addresses_are_refused() {
    let key = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk";
    assert_eq!(read::<SmpServer>(&format!("smp://{key}@a")), server([domain("a")], None));
    for text in [
        format!("smp://{key}=:password@smp.example.com"),
        format!("xftp://{key}=@smp.example.com"),
        format!("SMP://{key}=@smp.example.com"),
        format!("smp:/{key}=@smp.example.com"),
        format!("smp://{key}=smp.example.com"),
        "smp://@smp.example.com".to_owned(),
        "smp://CQkJ@smp.example.com".to_owned(),
        "smp://smp.example.com".to_owned(),
    ] {
        assert!(refuses::<SmpServer>(&text), "{text}");
    }
    for rest in
        ["", ":5223", ",a", "a,", "a,,b", "a:", "a:x", "a:-1", "a:+1", "a:1:2", "a:65536", "a b"]
    {
        assert!(refuses::<SmpServer>(&address(rest)), "{rest:?}");
    }
    assert_eq!(read::<SmpServer>(&address("a:0443")), server([domain("a")], Some(443)));
}

#[test]
fn ne5_an_address_has_hosts_that_can_be_read() {
    let hosts = [
        domain(""),
        domain("a,b"),
        domain("a:1"),
        domain("a b"),
        domain("1.2.3.4"),
        domain("x.onion"),
        ServerHost::Onion("".into()),
        ServerHost::Onion("example.com".into()),
        ServerHost::Onion("a,b.onion".into()),
    ];
    for host in hosts {
        assert!(!host.is_readable(), "{host}");
        assert_eq!(SmpServer::new(&[domain("a"), host], None, [9; 32]), None);
    }
    assert_eq!(SmpServer::new(&[], None, [9; 32]), None);
}

#[test]
fn addresses_are_ordered_by_hosts_then_port_as_text_then_key_hash() {
    let hosts = ["1.2.3.4", "9.9.9.9", "::1", "a.onion", "a.com", "a.com,a.com", "b.com"];
    let ports = ["", ":0", ":10", ":100", ":10000", ":5", ":5223", ":65", ":65535", ":8", ":80"];
    let mut servers = Vec::new();
    for hosts in hosts {
        for port in ports {
            let hosts = if hosts == "::1" { "[::1]" } else { hosts };
            for key in ["CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=", KEY_HASH_2] {
                servers.push(read::<SmpServer>(&format!("smp://{key}@{hosts}{port}")));
            }
        }
    }
    let strictly = servers.windows(2).all(|two| two[0] < two[1]);
    assert!(strictly, "{servers:#?}");
}

const KEY_HASH_2: &str = "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo=";

#[test]
fn ne6_the_only_host_of_a_preset_router_gets_its_onion_host() {
    let presets = [
        ("smp4", "o5vmywmrnaxalvz6wi3zicyftgio6psuvyniis6gco6bp6ekl4cqj4id"),
        ("smp5", "jjbyvoemxysm7qxap7m5d5m35jzv5qq6gnlv7s4rsn7tdwwmuqciwpid"),
        ("smp6", "bylepyau3ty4czmn77q4fglvperknl4bi2eb2fdy2bh4jxtf32kf73yd"),
        ("smp8", "beccx4yfxxbvyhqypaavemqurytl6hozr47wfc7uuecacjqdvwpw2xid"),
        ("smp9", "jssqzccmrcws6bhmn77vgmhfjmhwlyr3u7puw4erkyoosywgl67slqqd"),
        ("smp10", "rb2pbttocvnbrngnwziclp2f4ckjq65kebafws6g4hy22cdaiv5dwjqd"),
    ];
    for (name, onion) in presets {
        for port in ["", ":5223"] {
            let short = address(&format!("{name}.simplex.im{port}/{NOTIFIER}"));
            let long = address(&format!("{name}.simplex.im,{onion}.onion{port}/{NOTIFIER}"));
            let queue: NotifierQueue = read(&short);
            assert_eq!(write(&queue), long);
            both_ways(queue, &long);
        }
    }
}

#[test]
fn ne6_other_addresses_are_left_alone() {
    for hosts in [
        "smp4.simplex.im,a",
        "a,smp4.simplex.im",
        "smp4.simplex.im,smp5.simplex.im",
        "smp1.simplex.im",
        "smp7.simplex.im",
        "SMP4.simplex.im",
        "smp4.simplex.im.",
        "o5vmywmrnaxalvz6wi3zicyftgio6psuvyniis6gco6bp6ekl4cqj4id.onion",
    ] {
        let text = address(&format!("{hosts}/{NOTIFIER}"));
        both_ways(read::<NotifierQueue>(&text), &text);
    }
    // An address alone isn't a queue's.
    let alone = server([domain("smp4.simplex.im")], None);
    both_ways(alone.clone(), &address("smp4.simplex.im"));
    let queue = NotifierQueue { server: alone, notifier_id: notifier() };
    assert_eq!(write(&queue), address(&format!("smp4.simplex.im/{NOTIFIER}")));
}

#[test]
fn ne7_notifier_queues_both_ways() {
    let server = server([domain("smp.example.com")], Some(5223));
    both_ways(NotifierQueue { server, notifier_id: notifier() }, SMP_QUEUE);
    for text in [
        address("smp.example.com"),
        address("smp.example.com/"),
        address("smp.example.com:/AAAA"),
        address("smp.example.com//AAAA"),
        address("smp.example.com/AAAA/"),
        address("smp.example.com AAAA"),
        address("/AAAA"),
    ] {
        assert!(refuses::<NotifierQueue>(&text), "{text}");
    }
}

#[test]
fn ne8_codes_both_ways_and_empty_ones_under_strict() {
    both_ways(RegCode(b"0123456789abcdef"[..].into()), "MDEyMzQ1Njc4OWFiY2RlZg==");
    assert_eq!(read::<RegCode>("MDEyMzQ1Njc4OWFiY2RlZg").0.len(), 16);
    assert_eq!(write(&RegCode(Blob::default())), "");
    assert_eq!(read_as::<RegCode>("", Strict), Ok(RegCode(Blob::default())));
    assert!(read_as::<RegCode>("", Reference).is_err());
    for text in ["=", "a", "+///", "YQ="] {
        assert!(refuses::<RegCode>(text), "{text:?}");
    }
}

#[test]
fn ne9_nonces_have_24_bytes_or_are_made_to_under_reference() {
    both_ways(Nonce([8; 24]), "CAgICAgICAgICAgICAgICAgICAgICAgI");
    let odd = [
        ("CA==", [&[8][..], &[0; 23]].concat()),
        ("CAgICAgICAgICAgICAgICAgICAgICAg=", [&[8; 23][..], &[0]].concat()),
        ("CAgICAgICAgICAgICAgICAgICAgICAgICQ==", [8; 24].to_vec()),
        ("CAgICAgICAgICAgICAgICAgICAgICAgICQkJCQkJ", [8; 24].to_vec()),
    ];
    for (text, bytes) in odd {
        assert!(read_as::<Nonce>(text, Strict).is_err(), "{text}");
        assert_eq!(read_as::<Nonce>(text, Reference).unwrap().0.to_vec(), bytes, "{text}");
    }
    for text in ["", "=", "C", "CA=", "CB=="] {
        assert!(refuses::<Nonce>(text), "{text:?}");
    }
}

#[test]
fn se25_se28_private_keys_both_ways() {
    both_ways(AuthPrivateKey::Ed25519([2; 32]), &private_key(KeyAlgorithm::Ed25519, 2));
    both_ways(AuthPrivateKey::X25519([4; 32]), X25519_PRIVATE);
    both_ways(AuthPrivateKey::Ed448(Box::new([3; 57])), &private_key(KeyAlgorithm::Ed448, 3));
    let x448 = private_key(KeyAlgorithm::X448, 6);
    for text in ["", "AAAA", X25519, ED25519, &x448, &X25519_PRIVATE[..60]] {
        assert!(refuses::<AuthPrivateKey>(text), "{text}");
    }
}

#[test]
fn ne10_of_a_key_pair_the_private_half_counts() {
    let pair = X25519KeyPair::from_private([4; 32]);
    both_ways(pair.clone(), &format!("{X25519} {X25519_PRIVATE}"));
    let other = X25519.replace("AyEArAGy", "AyEAsAGy");
    let public_key_of_another: X25519KeyPair = read(&format!("{other} {X25519_PRIVATE}"));
    assert_eq!(public_key_of_another, pair);
    assert_eq!(write(&public_key_of_another), format!("{X25519} {X25519_PRIVATE}"));
    let ed25519 = private_key(KeyAlgorithm::Ed25519, 2);
    for text in [
        format!("{ED25519} {X25519_PRIVATE}"),
        format!("{X448} {X25519_PRIVATE}"),
        format!("{X25519} {ed25519}"),
        format!("{X25519} {X25519}"),
        format!("{X25519_PRIVATE} {X25519}"),
        format!("{X25519},{X25519_PRIVATE}"),
        format!(" {X25519_PRIVATE}"),
        X25519.to_owned(),
        X25519_PRIVATE.to_owned(),
    ] {
        assert!(refuses::<X25519KeyPair>(&text), "{text}");
    }
}
