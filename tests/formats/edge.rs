//! The directed cases of the reference that concern single lines: what it wrote, whether it could
//! read it, and what it wrote again.

use std::path::Path;

use serde_json::Value;
use simplex_stores::encoding::base64url;
use simplex_stores::protocol::ntf::{SubscriptionRec, TokenNtfRecord, TokenNtfs, TokenRec};
use simplex_stores::protocol::{Semantics, TextDecode, TextEncode};

use crate::support::{BOTH, X448, encode, parse, write};

/// What was observed in each case whose name starts with `number`.
fn cases(number: &str) -> Vec<(String, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/edge/edge.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let named =
        cases.map(|mut case| (case["case"].as_str().unwrap().to_owned(), case["observed"].take()));
    let found: Vec<_> = named.filter(|(name, _)| name.starts_with(number)).collect();
    assert!(!found.is_empty());
    found
}

/// Whether the reference could read what `parse` reports on.
fn parsed(report: &Value) -> bool {
    report["parsed"].as_bool().unwrap_or(false)
}

/// Holds one line against what the reference made of it.
fn check(name: &str, text: &str, report: &Value) {
    let reference = parse(text, Semantics::Reference);
    assert_eq!(reference.is_ok(), parsed(report), "{name}");
    let strict = parse(text, Semantics::Strict).expect("the reference wrote it");
    assert_eq!(encode(&strict), text, "{name}");
    if let Ok(record) = reference {
        assert_eq!(encode(&record), report["reencoded"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn edge_01_create_of_blocked_queues() {
    for (name, observed) in cases("01 CREATE") {
        let rejected = name.contains("Just") && name.ends_with("rsrv=yes");
        assert_eq!(parsed(&observed["parse"]), !rejected, "{name}");
        check(&name, observed["text"].as_str().unwrap(), &observed["parse"]);
    }
}

#[test]
fn edge_01_block_records() {
    for (name, observed) in cases("01 BLOCK") {
        for record in observed.as_array().unwrap() {
            check(&name, record["text"].as_str().unwrap(), &record["parse"]);
        }
    }
}

#[test]
fn edge_13_empty_link_data() {
    for (name, observed) in cases("13") {
        for (kind, text) in [("CREATE", "create text"), ("LINK", "link text")] {
            assert!(!parsed(&observed[kind]), "{name}");
            check(&name, observed[text].as_str().unwrap(), &observed[kind]);
        }
    }
}

/// The line that a variant's name describes, made from the case's first line.
fn variant(name: &str, full: &str) -> String {
    let id = &full["CREATE rid=".len()..][..32];
    let bare = full.replace(" queue_mode=M", "");
    match name {
        "full" => full.to_owned(),
        "truncated" => full[..full.len() / 2].to_owned(),
        "trailing space" => format!("{full} "),
        "trailing CR" => format!("{full}\r"),
        "no queue mode" => bare,
        "sndSecure=T" => full.replace("queue_mode=M", "sndSecure=T"),
        "sndSecure=F" => full.replace("queue_mode=M", "sndSecure=F"),
        "queue_mode=C" => full.replace("queue_mode=M", "queue_mode=C"),
        "queue_mode=X" => full.replace("queue_mode=M", "queue_mode=X"),
        "unknown field" => format!("{full} foo=bar"),
        "QUEUE_SERVICE without service" => format!("QUEUE_SERVICE {id} R "),
        "QUEUE_SERVICE without service and space" => format!("QUEUE_SERVICE {id} R"),
        "QUEUE_SERVICE bad party" => format!("QUEUE_SERVICE {id} X "),
        "empty line" => String::new(),
        "unknown tag" => format!("FOO {id}"),
        "TIME negative" => format!("TIME {id} -5"),
        "TIME with plus" => format!("TIME {id} +5"),
        "id of 1 byte" => "SUSPEND AA==".to_owned(),
        "id without padding" => "SUSPEND AA".to_owned(),
        "empty id" => "SUSPEND ".to_owned(),
        "status=active" => format!("{bare} status=active"),
        "status=off then rsrv" => {
            format!("{bare} status=off rsrv=BnGgU-YwHMqk_PPUSjQiPhqmMVjhKFuh")
        }
        "bad key" => format!("SECURE {id} AAAA"),
        "X448 key as auth key" => format!("SECURE {id} {X448}"),
        "rdh of 56 bytes (X448)" => full.replace(
            "rdh=iPNzhYZkwLHeAEdPEGudxwNr9WtJripbR7D7vVlwofc=",
            &format!("rdh={}", base64url::to_string(&[1; 56])),
        ),
        other => panic!("a variant that this test does not know: {other}"),
    }
}

#[test]
fn edge_20_variants_are_accepted_refused_and_written_as_by_the_reference() {
    for (_, observed) in cases("20") {
        let full = observed["full"]["reencoded"].as_str().unwrap();
        for (name, report) in observed.as_object().unwrap() {
            let line = variant(name, full);
            for semantics in BOTH {
                let record = parse(&line, semantics);
                assert_eq!(record.is_ok(), parsed(report), "{name}: {line:?}");
                let Ok(record) = record else { continue };
                let again = encode(&record);
                assert_eq!(again, report["reencoded"].as_str().unwrap(), "{name}");
                assert_eq!(again == line, report["reencoded_same"].as_bool().unwrap(), "{name}");
            }
        }
    }
}

/// The record that the reference wrote, read in each mode: strict, then reference.
fn read_in_each<T: TextDecode + TextEncode>(text: &str) -> [T; 2] {
    BOTH.map(|by| T::from_text(text.as_bytes(), by).unwrap())
}

#[test]
fn edge_n8_texts_of_subscriptions() {
    let cases = cases("N8 text of subscriptions");
    let texts = cases.iter().flat_map(|(_, observed)| observed.as_array().unwrap());
    let mut swallowed = 0;
    for observed in texts {
        let text = observed["text"].as_str().unwrap();
        let [strict, reference] = read_in_each::<SubscriptionRec>(text);
        assert_eq!(write(&strict), text);
        assert_eq!(write(&reference.status), observed["status"].as_str().unwrap());
        assert_eq!(reference.service_associated, observed["assoc"].as_bool().unwrap());
        let same =
            [&observed["status_same"], &observed["assoc_same"]].map(|v| v.as_bool().unwrap());
        assert_eq!(strict.status == reference.status, same[0], "{text}");
        assert_eq!(strict.service_associated == reference.service_associated, same[1], "{text}");
        swallowed += usize::from(same == [false, false]);
    }
    assert_eq!(swallowed, 2);
}

#[test]
fn edge_n8_texts_of_tokens() {
    for (_, observed) in cases("N8 text of tokens") {
        for observed in observed.as_array().unwrap() {
            assert_eq!(observed["reencoded_same"], true);
            let text = observed["text"].as_str().unwrap();
            let [strict, reference] = read_in_each::<TokenRec>(text);
            assert_eq!((write(&strict), &strict), (text.to_owned(), &reference));
        }
    }
}

#[test]
fn edge_n8_last_notification_record() {
    for (_, observed) in cases("N8 last notification record") {
        assert_eq!(observed["reencoded_same"], true);
        let text = observed["text"].as_str().unwrap();
        let [strict, reference] = read_in_each::<TokenNtfRecord>(text);
        assert_eq!((write(&strict), &strict), (text.to_owned(), &reference));
    }
}

#[test]
fn edge_n8_list_of_notifications() {
    for (_, observed) in cases("N8 pnMessages") {
        let text = observed.as_str().unwrap();
        let [strict, reference] = read_in_each::<TokenNtfs>(text);
        assert_eq!((write(&strict), &strict), (text.to_owned(), &reference));
        assert_eq!(strict.as_slice().len(), 2);
    }
}
