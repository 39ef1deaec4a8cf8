//! SE-34 to SE-42 and section 2.13: mode, link data, status, notice, notifier, errors.

use simplex_stores::protocol::{
    Blob, BlockingInfo, BlockingReason, ClientNotice, CommandError, EntityStatus, ErrorType,
    LinkData, NtfCreds, ProxyError, QueueMode, Semantics, TextDecode,
};

use crate::support::{
    BOTH, NDH, NOTIFIER, SERVICE_2, X25519, both_ways, notifier, read, read_as, refuses, service_2,
    write,
};

fn data(fixed: &str, user: &str) -> LinkData {
    LinkData { fixed: fixed.as_bytes().into(), user: user.as_bytes().into() }
}

fn content(ttl: Option<i64>) -> BlockingInfo {
    BlockingInfo { reason: BlockingReason::Content, notice: Some(ClientNotice { ttl }) }
}

const SPAM: BlockingInfo = BlockingInfo { reason: BlockingReason::Spam, notice: None };

#[test]
fn se34_modes_are_one_letter() {
    both_ways(QueueMode::Messaging, "M");
    both_ways(QueueMode::Contact, "C");
    for text in ["", "X", "m", "MM", "TQ=="] {
        assert!(refuses::<QueueMode>(text), "{text:?}");
    }
}

#[test]
fn se36_link_data_both_ways() {
    both_ways(data("fixed data", "user data"), "Zml4ZWQgZGF0YQ== dXNlciBkYXRh");
    for text in ["Rg==", "Rg==  VQ==", "Rg== VQ== ", "Rg==,VQ=="] {
        assert!(refuses::<LinkData>(text), "{text:?}");
    }
}

#[test]
fn jr20_empty_link_data_is_written_as_nothing_and_read_under_strict_only() {
    for (value, text) in [(data("", "U"), " VQ=="), (data("F", ""), "Rg== "), (data("", ""), " ")] {
        assert_eq!(write(&value), text);
        assert_eq!(read_as(text, Semantics::Strict), Ok(value));
        assert!(read_as::<LinkData>(text, Semantics::Reference).is_err(), "{text:?}");
    }
    assert!(refuses::<LinkData>(""));
}

#[test]
fn race17_link_data_shows_only_its_length() {
    assert_eq!(format!("{:?}", Blob::from(&b"user data"[..])), "<9 bytes>");
}

#[test]
fn se37_statuses_both_ways() {
    both_ways(EntityStatus::Active, "active");
    both_ways(EntityStatus::Off, "off");
    both_ways(EntityStatus::Blocked(SPAM), "blocked,reason=spam");
    both_ways(
        EntityStatus::Blocked(content(Some(86_400))),
        "blocked,reason=content,notice={\"ttl\":86400}",
    );
    for text in ["", "Active", "blocked", "blocked,", "blocked,spam", "offline", "active "] {
        assert!(refuses::<EntityStatus>(text), "{text:?}");
    }
}

#[test]
fn se38_se39_blocking_information_both_ways() {
    both_ways(SPAM, "reason=spam");
    both_ways(content(None), "reason=content,notice={}");
    both_ways(content(Some(86_400)), "reason=content,notice={\"ttl\":86400}");
    both_ways(content(Some(i64::MIN)), "reason=content,notice={\"ttl\":-9223372036854775808}");
    for text in ["reason=", "reason=other", "spam", "reason=spam,", "reason=spam,note={}"] {
        assert!(refuses::<BlockingInfo>(text), "{text:?}");
    }
    assert_eq!(content(Some(1)).to_string(), "reason=content,notice={\"ttl\":1}");
}

#[test]
fn se40_json_is_read_however_it_is_written() {
    let ttl = |text: &str| read::<ClientNotice>(text).ttl;
    assert_eq!(ttl(" \t{ \"ttl\" :\r\n 5 } "), Some(5));
    assert_eq!(ttl("{\"ttl\":null}"), None);
    assert_eq!(ttl("{\"ttl\":1e2}"), Some(100));
    assert_eq!(ttl("{\"ttl\":1.50E+1}"), Some(15));
    assert_eq!(ttl("{\"ttl\":100e-2}"), Some(1));
    assert_eq!(ttl("{\"ttl\":86400.0}"), Some(86_400));
    assert_eq!(ttl("{\"ttl\":-0}"), Some(0));
    assert_eq!(ttl("{\"ttl\":0e999999999999999999999}"), Some(0));
    assert_eq!(ttl("{\"\\u0074tl\":7}"), Some(7));
    assert_eq!(ttl("{\"other\":[1,{\"ttl\":2}],\"ttl\":3,\"more\":\"}\"}"), Some(3));
    assert_eq!(ttl("{\"ttl\":9223372036854775807}"), Some(i64::MAX));
    assert_eq!(ttl("{\"ttl\":-92233720368547758.08e2}"), Some(i64::MIN));
}

#[test]
fn se40_of_repeated_members_the_first_counts() {
    assert_eq!(read::<ClientNotice>("{\"ttl\":1,\"ttl\":\"two\"}").ttl, Some(1));
    assert_eq!(read::<ClientNotice>("{\"ttl\":null,\"ttl\":2}").ttl, None);
    assert!(refuses::<ClientNotice>("{\"ttl\":\"one\",\"ttl\":2}"));
}

#[test]
fn se40_other_json_is_refused() {
    for text in [
        "",
        " ",
        "[]",
        "null",
        "1",
        "\"ttl\"",
        "{",
        "{}}",
        "{} x",
        "{ttl:1}",
        "{\"ttl\":\"1\"}",
        "{\"ttl\":1.5}",
        "{\"ttl\":1e-1}",
        "{\"ttl\":[1]}",
        "{\"ttl\":{}}",
        "{\"ttl\":true}",
        "{\"ttl\":01}",
        "{\"ttl\":+1}",
        "{\"ttl\":1.}",
        "{\"ttl\":}",
        "{\"ttl\":1,}",
        "{\"ttl\":9223372036854775808}",
        "{\"ttl\":-9223372036854775809}",
        "{\"ttl\":1e19}",
        "{\"ttl\":1e999999999999999999999}",
    ] {
        assert!(refuses::<ClientNotice>(text), "{text:?}");
    }
    let latin: [&[u8]; 2] = [b"{\"other\":\"\xff\"}", b"{\"\xc3\":1}"];
    for text in latin {
        assert!(ClientNotice::from_text(text, Semantics::Strict).is_err(), "{text:?}");
    }
    let deep = format!("{{\"other\":{}", "[".repeat(200_000));
    assert!(refuses::<ClientNotice>(&deep));
}

#[test]
fn se42_notifier_credentials_both_ways() {
    let mut credentials = NtfCreds {
        notifier_id: notifier(),
        key: read(X25519),
        dh_secret: read(NDH),
        service_id: None,
    };
    let text = format!("{NOTIFIER} {X25519} {NDH}");
    both_ways(credentials.clone(), &text);
    credentials.service_id = Some(service_2());
    both_ways(credentials, &format!("{text} nsrv={SERVICE_2}"));
    for wrong in [" nsrv=", "  nsrv=AAAA", " nsrv=A", " rsrv=AAAA", " "] {
        assert!(refuses::<NtfCreds>(&format!("{text}{wrong}")), "{wrong:?}");
    }
}

#[test]
fn error_names_both_ways() {
    for (error, name) in [
        (ErrorType::Auth, "AUTH"),
        (ErrorType::Duplicate, "DUPLICATE_"),
        (ErrorType::Service, "SERVICE"),
        (ErrorType::Store("addQueue: disk full".into()), "STORE addQueue: disk full"),
        (ErrorType::Store(String::new()), "STORE "),
        (ErrorType::Internal, "INTERNAL"),
        (ErrorType::Block, "BLOCK"),
        (ErrorType::Session, "SESSION"),
        (ErrorType::Cmd(CommandError::Unknown), "CMD UNKNOWN"),
        (ErrorType::Cmd(CommandError::Syntax), "CMD SYNTAX"),
        (ErrorType::Cmd(CommandError::Prohibited), "CMD PROHIBITED"),
        (ErrorType::Cmd(CommandError::NoAuth), "CMD NO_AUTH"),
        (ErrorType::Cmd(CommandError::HasAuth), "CMD HAS_AUTH"),
        (ErrorType::Cmd(CommandError::NoEntity), "CMD NO_ENTITY"),
        (ErrorType::Proxy(ProxyError::Protocol), "PROXY PROTOCOL"),
        (ErrorType::Proxy(ProxyError::Broker), "PROXY BROKER"),
        (ErrorType::Proxy(ProxyError::BasicAuth), "PROXY BASIC_AUTH"),
        (ErrorType::Proxy(ProxyError::NoSession), "PROXY NO_SESSION"),
        (ErrorType::Blocked(content(Some(1))), "BLOCKED reason=content,notice={\"ttl\":1}"),
        (ErrorType::Crypto, "CRYPTO"),
        (ErrorType::Quota, "QUOTA"),
        (ErrorType::NoMsg, "NO_MSG"),
        (ErrorType::LargeMsg, "LARGE_MSG"),
        (ErrorType::Expired, "EXPIRED"),
    ] {
        assert_eq!(error.to_string(), name);
        both_ways(error, name);
    }
    for text in ["", "auth", "AUTH ", "STORE", "CMD", "CMD X", "PROXY X", "BLOCKED", "DUPLICATE"] {
        assert!(refuses::<ErrorType>(text), "{text:?}");
    }
}

#[test]
fn jr21_a_receiving_service_ends_a_notice_under_strict_only() {
    let status = "blocked,reason=spam,notice={} rsrv=AAAA";
    for semantics in BOTH {
        assert!(read_as::<EntityStatus>(status, semantics).is_err(), "the status is not the whole");
    }
}
