//! Recorded runs: every line that the reference wrote is read, and written again byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use simplex_stores::protocol::{NtfCreds, QueueRec, Semantics, ServiceRec, TextDecode, TextEncode};
use simplex_stores::store_log::LogRecord;

/// The folders of runs: the project's own, and those in the folder that the environment names,
/// which is one run or holds runs at any depth.
fn runs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect_runs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"), &mut found);
    assert!(found.len() >= 4, "the project's own runs");
    if let Some(more) = std::env::var_os("SIMPLEX_STORES_VECTORS") {
        let own = found.len();
        collect_runs(Path::new(&more), &mut found);
        assert!(found.len() > own, "SIMPLEX_STORES_VECTORS names a folder without runs");
    }
    found
}

fn collect_runs(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("store.log").is_file() {
        found.push(folder.to_owned());
        return;
    }
    let mut inside: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inside.sort();
    for path in inside.iter().filter(|path| path.is_dir()) {
        collect_runs(path, found);
    }
}

/// The lines of a file, without their newlines; the last line has one, too.
fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let Some(bytes) = bytes.strip_suffix(b"\n") else {
        assert!(bytes.is_empty(), "{path:?} is torn");
        return Vec::new();
    };
    bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn every_line_of_every_run_is_read_and_written_again() {
    let mut operations = BTreeSet::new();
    for run in runs() {
        for file in ["store.log", "compacted.log"] {
            let path = run.join(file);
            for (index, line) in lines(&path).iter().enumerate() {
                let record = LogRecord::parse(line, Semantics::Strict)
                    .unwrap_or_else(|error| panic!("{path:?}, line {}: {error}", index + 1));
                let mut again = Vec::new();
                record.encode(&mut again);
                assert_eq!(&again, line, "{path:?}, line {}", index + 1);
                operations.insert(record.operation_name());
            }
        }
    }
    assert_eq!(operations.len(), 14, "every kind of record is in some run");
}

/// How many lines the reference could not read, by its own report of a replay.
fn reported_parse_errors(report: &Path) -> usize {
    let text = fs::read(report).unwrap();
    text.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"Error parsing log")).count()
}

#[test]
fn the_reference_mode_refuses_as_many_lines_as_the_reference_did() {
    for run in runs() {
        for (log, report) in
            [("store.log", "replay.out"), ("compacted.log", "compacted_replay.out")]
        {
            let refused = lines(&run.join(log))
                .iter()
                .filter(|line| LogRecord::parse(line, Semantics::Reference).is_err())
                .count();
            assert_eq!(refused, reported_parse_errors(&run.join(report)), "{run:?}, {log}");
        }
    }
}

#[test]
fn texts_within_operations_are_read_and_written_again() {
    let mut texts = 0;
    for run in runs() {
        for line in lines(&run.join("ops.jsonl")) {
            let operation: Value = serde_json::from_slice(&line).unwrap();
            texts += check_texts(&operation["args"]);
            for line in operation["log"].as_array().unwrap() {
                let line = line.as_str().unwrap();
                let record = LogRecord::parse(line.as_bytes(), Semantics::Strict).unwrap();
                let mut again = Vec::new();
                record.encode(&mut again);
                assert_eq!(again, line.as_bytes());
            }
        }
    }
    assert!(texts > 500);
}

/// Checks every `text` in an operation's arguments by what stands beside it; says how many.
fn check_texts(value: &Value) -> usize {
    let Some(object) = value.as_object() else { return 0 };
    let own = match object.get("text").and_then(Value::as_str) {
        Some(text) if object.contains_key("rdh") => again::<QueueRec>(text),
        Some(text) if object.contains_key("nid") => again::<NtfCreds>(text),
        Some(text) if object.contains_key("cert") => again::<ServiceRec>(text),
        _ => 0,
    };
    own + object.values().map(check_texts).sum::<usize>()
}

fn again<T: TextDecode + TextEncode>(text: &str) -> usize {
    let value = T::from_text(text.as_bytes(), Semantics::Strict).expect(text);
    assert_eq!(value.to_text(), text.as_bytes());
    1
}
