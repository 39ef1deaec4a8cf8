//! The recorded edge cases that are lines to be read and written (01, 13, 20).

use serde_json::Value;
use simplex_stores::store_log::LogRecord;

use crate::sample::{BOTH, REFERENCE, STRICT};

const RECORDED: &str = include_str!("../vectors/edge/edge.jsonl");

/// What was observed in a case.
pub(crate) fn observed(case: &str) -> Value {
    let cases = RECORDED.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found = cases.into_iter().find(|recorded| recorded["case"] == case);
    found.unwrap_or_else(|| panic!("no case {case}"))["observed"].take()
}

/// Reads a line and writes it again; `None` when it is rejected.
fn rewritten(line: &[u8], semantics: simplex_stores::protocol::Semantics) -> Option<String> {
    let record = LogRecord::parse(line, semantics).ok()?;
    let mut text = Vec::new();
    record.encode(&mut text);
    Some(String::from_utf8(text).unwrap())
}

/// The recorded text of a read line written again; `None` when the reference rejected it.
fn recorded_text(parse: &Value) -> Option<&str> {
    parse.get("reencoded").and_then(Value::as_str)
}

#[test]
fn edge01_blocked_queues_are_written_alike_and_only_the_reference_loses_some() {
    for notice in
        ["Nothing", "Just (ClientNotice {ttl = Nothing})", "Just (ClientNotice {ttl = Just 86400})"]
    {
        for service in ["no", "yes"] {
            let case = format!("01 CREATE of a blocked queue: notice={notice}, rsrv={service}");
            let seen = observed(&case);
            let text = seen["text"].as_str().unwrap();
            assert_eq!(rewritten(text.as_bytes(), STRICT).as_deref(), Some(text), "{case}");
            let by_reference = rewritten(text.as_bytes(), REFERENCE);
            assert_eq!(by_reference.as_deref(), recorded_text(&seen["parse"]), "{case}");
        }
    }
}

#[test]
fn edge01_block_records_are_read_and_written_alike() {
    for seen in observed("01 BLOCK records").as_array().unwrap() {
        let text = seen["text"].as_str().unwrap();
        for semantics in BOTH {
            let again = rewritten(text.as_bytes(), semantics);
            assert_eq!((again.as_deref(), recorded_text(&seen["parse"])), (Some(text), Some(text)));
        }
    }
}

#[test]
fn edge13_empty_link_data_is_written_alike_and_only_the_reference_loses_it() {
    for parts in [r#"fixed="" user="U""#, r#"fixed="F" user="""#, r#"fixed="" user="""#] {
        let seen = observed(&format!("13 empty link data {parts}"));
        for (text, verdict) in [("create text", "CREATE"), ("link text", "LINK")] {
            let text = seen[text].as_str().unwrap();
            assert_eq!(rewritten(text.as_bytes(), STRICT).as_deref(), Some(text));
            assert!(recorded_text(&seen[verdict]).is_none());
            assert_eq!(rewritten(text.as_bytes(), REFERENCE), None);
        }
    }
}

#[test]
fn edge20_variants_are_accepted_and_rejected_as_recorded() {
    let seen = observed("20 parsing of variants");
    let text = |name: &str| recorded_text(&seen[name]).unwrap().to_owned();
    let full = text("full");
    let queue = &text("TIME negative")["TIME ".len()..][..32];
    let instead = |from: &str, to: &str| full.replacen(from, to, 1);
    let x448 = format!("MEIwBQYDK2VvAzkA{}", "A".repeat(76));
    let rk = full.split("rk=").nth(1).unwrap().split(' ').next().unwrap();
    let rdh = full.split("rdh=").nth(1).unwrap().split(' ').next().unwrap();
    let lines = [
        ("full", full.clone()),
        ("truncated", full[..full.len() - 90].to_owned()),
        ("trailing space", format!("{full} ")),
        ("trailing CR", format!("{full}\r")),
        ("no queue mode", instead(" queue_mode=M", "")),
        ("sndSecure=T", instead("queue_mode=M", "sndSecure=T")),
        ("sndSecure=F", instead("queue_mode=M", "sndSecure=F")),
        ("queue_mode=C", instead("queue_mode=M", "queue_mode=C")),
        ("queue_mode=X", instead("queue_mode=M", "queue_mode=X")),
        ("unknown field", format!("{full} foo=bar")),
        ("QUEUE_SERVICE without service", text("QUEUE_SERVICE without service")),
        ("QUEUE_SERVICE without service and space", format!("QUEUE_SERVICE {queue} R")),
        ("QUEUE_SERVICE bad party", format!("QUEUE_SERVICE {queue} X ")),
        ("empty line", String::new()),
        ("unknown tag", format!("UNKNOWN {queue}")),
        ("TIME negative", format!("TIME {queue} -5")),
        ("TIME with plus", format!("TIME {queue} +5")),
        ("id of 1 byte", "SUSPEND AA==".to_owned()),
        ("id without padding", "SUSPEND AA".to_owned()),
        ("empty id", "SUSPEND ".to_owned()),
        ("status=active", instead(" queue_mode=M", "") + " status=active"),
        ("status=off then rsrv", text("status=off then rsrv")),
        ("bad key", instead(rk, &rk.replacen("MCow", "MCov", 1))),
        ("X448 key as auth key", instead(rk, &x448)),
        ("rdh of 56 bytes (X448)", instead(rdh, &format!("{}AA==", "A".repeat(72)))),
    ];
    assert_eq!(lines.len(), seen.as_object().unwrap().len(), "every variant is tried");
    for (name, line) in lines {
        for semantics in BOTH {
            let again = rewritten(line.as_bytes(), semantics);
            assert_eq!(again.as_deref(), recorded_text(&seen[name]), "{name}");
        }
    }
}
