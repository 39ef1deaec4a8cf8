//! SE-1 to SE-5, JR-20 to JR-25 and the acceptance table of section 3.4, row by row.

use simplex_stores::encoding::base64url;
use simplex_stores::protocol::{AuthKey, EntityStatus, QueueMode, QueueRec, Semantics};
use simplex_stores::store_log::LogRecord;

use crate::support::{
    BOTH, CERT_HASH, ED25519, LINK, NDH, NOTIFIER, RECIPIENT, SERVICE, X25519, create, encode,
    parse, read, verdict,
};

const ACCEPTED: [bool; 2] = [true, true];
const REJECTED: [bool; 2] = [false, false];
/// Read under strict only.
const LENIENT: [bool; 2] = [true, false];

/// The queue of a `CREATE`, which both modes must read alike.
#[track_caller]
fn queue(rest: &str) -> QueueRec {
    let [strict, reference] = BOTH.map(|semantics| parse(&create(rest), semantics).unwrap());
    assert_eq!(strict, reference);
    match strict {
        LogRecord::CreateQueue(_, queue) => QueueRec::clone(&queue),
        other => panic!("{other:?}"),
    }
}

#[test]
fn jr23_a_create_that_ends_after_sk_is_not_secured_and_of_unknown_mode() {
    let queue = queue("");
    assert_eq!((queue.sender_key, queue.queue_mode), (None, None));
    assert_eq!((queue.link, queue.notifier, queue.updated_at), (None, None, None));
    assert_eq!((queue.status, queue.rcv_service_id), (EntityStatus::Active, None));
}

#[test]
fn se2_an_invalid_sender_key_rejects_the_line() {
    for key in ["x", "AAAA", &ED25519[1..], "=", "\t"] {
        assert_eq!(verdict(&create(key)), REJECTED, "{key:?}");
    }
}

#[test]
fn se4_unknown_and_malformed_fields_reject_the_line() {
    for rest in [
        " queue_mode=X",
        " sndSecure=X",
        " updated_at=x",
        " updated_at=",
        " foo=bar",
        " status=",
        " status=on",
        " rsrv=",
        " notifier=",
        " QUEUE_MODE=M",
    ] {
        assert_eq!(verdict(&create(rest)), REJECTED, "{rest:?}");
    }
}

#[test]
fn jr15_link_id_and_queue_data_stand_together() {
    assert_eq!(verdict(&create(&format!(" link_id={LINK} queue_data=Rg== VQ=="))), ACCEPTED);
    assert_eq!(verdict(&create(&format!(" link_id={LINK}"))), REJECTED);
    assert_eq!(verdict(&create(" queue_data=Rg== VQ==")), REJECTED);
    assert_eq!(verdict(&create(&format!(" queue_data=Rg== VQ== link_id={LINK}"))), REJECTED);
}

#[test]
fn se4_fields_in_another_order_or_twice_reject_the_line() {
    for rest in [
        " status=off updated_at=1",
        " updated_at=1 queue_mode=M",
        " queue_mode=M queue_mode=M",
        " updated_at=1 updated_at=1",
        " rsrv=AAAA status=off",
    ] {
        assert_eq!(verdict(&create(rest)), REJECTED, "{rest:?}");
    }
    assert_eq!(verdict(&create(" queue_mode=M updated_at=1 status=off rsrv=AAAA")), ACCEPTED);
}

#[test]
fn se11_a_date_that_is_no_whole_day_is_kept() {
    assert_eq!(queue(" updated_at=17356").updated_at.unwrap().seconds(), 17_356);
}

#[test]
fn jr21_a_blocked_queue_may_have_a_receiving_service() {
    assert_eq!(verdict(&create(&format!(" status=blocked,reason=spam rsrv={SERVICE}"))), ACCEPTED);
    let notice = " status=blocked,reason=content,notice={\"ttl\":86400}";
    assert_eq!(verdict(&create(notice)), ACCEPTED);
}

#[test]
fn jr21_a_receiving_service_after_a_notice_is_read_under_strict_only() {
    let line =
        create(&format!(" status=blocked,reason=content,notice={{\"ttl\":86400}} rsrv={SERVICE}"));
    assert_eq!(verdict(&line), LENIENT);
    let record = parse(&line, Semantics::Strict).unwrap();
    let LogRecord::CreateQueue(_, queue) = &record else { panic!("{record:?}") };
    assert_eq!(queue.rcv_service_id.as_ref().unwrap().to_string(), SERVICE);
    assert_eq!(encode(&record), line, "the written form stays");
    let tight = line.replace("} rsrv", "}rsrv");
    assert_eq!(verdict(&tight), REJECTED);
    assert_eq!(verdict(&line.replace("} rsrv", "}  rsrv")), REJECTED);
    assert_eq!(verdict(&format!("{line} ")), REJECTED);
    assert_eq!(verdict(&format!("BLOCK {RECIPIENT} reason=spam,notice={{}} rsrv=AAAA")), REJECTED);
}

#[test]
fn se40_white_space_may_follow_a_notice_to_the_end() {
    for space in [" ", "\r", "\t \r"] {
        let line = format!("BLOCK {RECIPIENT} reason=spam,notice={{}}{space}");
        assert_eq!(verdict(&line), ACCEPTED, "{space:?}");
        let line = create(&format!(" status=blocked,reason=spam,notice={{}}{space}"));
        assert_eq!(verdict(&line), ACCEPTED, "{space:?}");
    }
}

#[test]
fn se1_a_trailing_space_or_carriage_return_rejects_the_line() {
    for line in [
        create(""),
        create(" queue_mode=M"),
        create(" updated_at=1"),
        create(" status=off"),
        create(" status=blocked,reason=spam"),
        format!("SUSPEND {RECIPIENT}"),
        format!("SECURE {RECIPIENT} {ED25519}"),
        format!("TIME {RECIPIENT} 1"),
        format!("QUEUE_SERVICE {RECIPIENT} R {SERVICE}"),
        format!("LINK {RECIPIENT} {LINK} Rg== VQ=="),
        format!("NOTIFIER {RECIPIENT} {NOTIFIER} {X25519} {NDH}"),
    ] {
        assert_eq!(verdict(&line), ACCEPTED, "{line:?}");
        for end in [" ", "\r", "\n", "\0"] {
            assert_eq!(verdict(&format!("{line}{end}")), REJECTED, "{line:?} and {end:?}");
        }
    }
}

#[test]
fn se3_se4_tags_and_separators_are_exact() {
    for line in [
        "",
        " ",
        "garbage line",
        "suspend AAAA",
        "Suspend AAAA",
        "SUSPENDED AAAA",
        "SUSPEND",
        "SUSPEND ",
        "SUSPEND  AAAA",
        " SUSPEND AAAA",
        "SUSPEND\tAAAA",
        "SUSPEND rid=AAAA",
        "CREATE AAAA",
        "NEW_SERVICE",
    ] {
        assert_eq!(verdict(line), REJECTED, "{line:?}");
    }
    assert_eq!(verdict(&create("").replace(" rdh=", "  rdh=")), REJECTED);
    assert_eq!(verdict(&create("").replace("rid=", "RID=")), REJECTED);
}

#[test]
fn se6_dates_may_have_either_sign() {
    assert_eq!(verdict(&format!("TIME {RECIPIENT} +100")), ACCEPTED);
    assert_eq!(verdict(&format!("TIME {RECIPIENT} -100")), ACCEPTED);
    let record = parse(&format!("TIME {RECIPIENT} +100"), Semantics::Reference).unwrap();
    assert_eq!(encode(&record), format!("TIME {RECIPIENT} 100"));
}

#[test]
fn se6_dates_out_of_range_are_rejected_in_both_modes() {
    assert_eq!(verdict(&format!("TIME {RECIPIENT} 18446744073709551617")), REJECTED);
    assert_eq!(verdict(&create(" updated_at=18446744073709551617")), REJECTED);
}

#[test]
fn se18_a_key_list_needs_a_key() {
    assert_eq!(verdict(&format!("KEYS {RECIPIENT} {ED25519}")), ACCEPTED);
    assert_eq!(verdict(&format!("KEYS {RECIPIENT} {ED25519},")), REJECTED);
    assert_eq!(verdict(&format!("KEYS {RECIPIENT} ")), REJECTED);
    assert_eq!(verdict(&format!("KEYS {RECIPIENT}")), REJECTED);
}

#[test]
fn se17_an_id_of_three_bytes_is_accepted() {
    assert_eq!(verdict("DELETE AAAA"), ACCEPTED);
}

#[test]
fn jr19_queue_service_needs_its_last_space() {
    assert_eq!(verdict(&format!("QUEUE_SERVICE {RECIPIENT} R ")), ACCEPTED);
    assert_eq!(verdict(&format!("QUEUE_SERVICE {RECIPIENT} R")), REJECTED);
    assert_eq!(verdict(&format!("QUEUE_SERVICE {RECIPIENT} X ")), REJECTED);
    assert_eq!(verdict(&format!("QUEUE_SERVICE {RECIPIENT} R  ")), REJECTED);
}

#[test]
fn se43_se44_a_service_may_have_any_role_and_no_certificate() {
    let line = |role: &str| {
        format!(
            "NEW_SERVICE service_id={SERVICE} role={role} cert= cert_hash={CERT_HASH} created_at=1"
        )
    };
    for role in ["M", "N", "P"] {
        assert_eq!(verdict(&line(role)), ACCEPTED);
    }
    assert_eq!(verdict(&line("X")), REJECTED);
    assert_eq!(verdict(&line("M").replace("cert= ", "cert=AAAA ")), REJECTED);
}

#[test]
fn jr22_the_older_flag_means_a_mode_and_excludes_it() {
    assert_eq!(queue(" sndSecure=T").queue_mode, Some(QueueMode::Messaging));
    assert_eq!(queue(" sndSecure=F").queue_mode, Some(QueueMode::Contact));
    assert_eq!(verdict(&create(" sndSecure=T queue_mode=M")), REJECTED);
    assert_eq!(verdict(&create(" queue_mode=M sndSecure=T")), REJECTED);
    let record = parse(&create(" sndSecure=T"), Semantics::Reference).unwrap();
    assert_eq!(encode(&record), create(" queue_mode=M"), "the flag is never written");
}

#[test]
fn jr23_an_explicit_active_status_is_accepted_and_not_written() {
    assert_eq!(queue(" status=active").status, EntityStatus::Active);
    let record = parse(&create(" status=active"), Semantics::Reference).unwrap();
    assert_eq!(encode(&record), create(""));
}

#[test]
fn jr20_empty_link_data_is_read_under_strict_only() {
    for (data, rest) in [
        (" VQ==", ""),
        ("Rg== ", ""),
        (" ", ""),
        (" VQ==", " updated_at=1"),
        ("Rg== ", " updated_at=1"),
        (" ", " notifier=QEFC "),
    ] {
        // The last row has a broken notifier, to show that it is not taken for link data.
        let expected = if rest.contains("notifier") { REJECTED } else { LENIENT };
        let line = create(&format!(" link_id={LINK} queue_data={data}{rest}"));
        assert_eq!(verdict(&line), expected, "{data:?} {rest:?}");
        let line = format!("LINK {RECIPIENT} {LINK} {data}");
        assert_eq!(verdict(&line), LENIENT, "{data:?}");
    }
    assert_eq!(verdict(&format!("LINK {RECIPIENT} {LINK} ")), REJECTED);
    assert_eq!(verdict(&format!("LINK {RECIPIENT} {LINK}")), REJECTED);
    assert_eq!(verdict(&format!("LINK {RECIPIENT} {LINK}   ")), REJECTED);
}

#[test]
fn race18_a_key_with_a_length_in_two_bytes_rejects_the_line_only() {
    let der = read::<AuthKey>(ED25519).to_der();
    let key = base64url::to_string(&[&[0x30, 0x81, 0x2a], &der[2..]].concat());
    assert_eq!(verdict(&format!("SECURE {RECIPIENT} {key}")), REJECTED);
}

#[test]
fn race17_errors_say_where_and_hold_nothing_of_the_line() {
    let line = create(" status=off updated_at=1");
    let error = parse(&line, Semantics::Strict).unwrap_err();
    assert_eq!(error.offset, create(" status=off").len());
    assert_eq!(
        error.to_string(),
        format!("at byte {}: expected the end of the text", error.offset)
    );
    let error = parse(&create("").replace("rdh=WFV1", "rdh=?"), Semantics::Strict).unwrap_err();
    assert_eq!(error.expected, "a shared secret of 32 bytes");
    assert_eq!(parse("garbage", Semantics::Strict).unwrap_err().offset, 0);
}

#[test]
fn se5_bytes_that_are_no_text_are_refused_and_nothing_else() {
    for line in
        [&b"\xff"[..], b"SUSPEND \xff\xfe", b"SUSPEND AA\0A", b"\0", b"BLOCK AAAA reason=\xff"]
    {
        for semantics in BOTH {
            assert!(LogRecord::parse(line, semantics).is_err());
        }
    }
}
