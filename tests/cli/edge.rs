//! The logs that the directed cases of `tests/vectors/edge` wrote, under `Semantics::Reference`: replayed,
//! compacted, and replayed again, through the command line. What the cases did is in
//! `tests/conformance/edge.rs`.

use std::fs;

use serde_json::{Value, json};
use simplex_stores::{
    protocol::Semantics,
    queue_store::{BasicFactory, StmQueueStore},
    store_log::{LogRecord, StoreLogConfig},
};
use tempfile::tempdir;

use crate::{path, run};

/// What was observed in the case whose name begins so.
fn observed(case: &str) -> Value {
    let file = fs::read_to_string(path("tests/vectors/edge/edge.jsonl")).unwrap();
    let cases = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut found = cases.filter(|it| it["case"].as_str().unwrap().starts_with(case));
    found.next().unwrap()["observed"].take()
}

fn edge(file: &str) -> String {
    path(&format!("tests/vectors/edge/{file}"))
}

/// The reference's reports of a replay in the words of this library's: unreadable lines by what
/// they hold, the others by operation, id and answer.
fn reported(out: &str) -> (Vec<String>, Vec<String>) {
    let (mut unreadable, mut others) = (Vec::new(), Vec::new());
    for line in out.lines().filter(|line| !line.starts_with("Processed: ") && !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("Error parsing log: ") {
            unreadable.push(rest.split_once(" - ").unwrap().1.to_owned());
        } else {
            let (_, text) = line.split_once(" STORE: ").unwrap();
            others.push(text.to_owned());
        }
    }
    (unreadable, others)
}

fn replay_reports(log: &str) -> (Vec<String>, Vec<String>) {
    let config = StoreLogConfig::new(log).semantics(Semantics::Reference);
    let (_, report) = StmQueueStore::replay(&config, BasicFactory).unwrap();
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut unreadable, mut others) = (Vec::new(), Vec::new());
    for warning in &report.warnings {
        use simplex_stores::store_log::WarningKind::{
            AlreadyDeleted, Parse, Rejected, ServiceWrongId,
        };
        match &warning.kind {
            Parse { .. } => {
                unreadable.push(lines[usize::try_from(warning.line).unwrap() - 1].to_owned());
            }
            Rejected { operation: "getCreateService", entity, error } => {
                others.push(format!("getCreateService, stored service {entity}, {error}"));
            }
            Rejected { operation, entity, error } => {
                others.push(format!("{operation}, stored queue {entity}, {error}"));
            }
            AlreadyDeleted { operation, entity } => {
                others.push(format!("{operation}, stored queue {entity}, already deleted"));
            }
            ServiceWrongId { stored, existing } => others.push(format!(
                "getCreateService, stored service {stored}, created with the wrong ID {existing}"
            )),
            _ => {}
        }
    }
    (unreadable, others)
}

/// Replays a recorded log, compacts it, and replays what that gave.
fn reload(log: &str) {
    // One was written without its last newline, which here means that the line was never
    // acknowledged (RACE-7); the reference reads it like any other (RP-2).
    let whole = tempdir().unwrap();
    let mut text = fs::read_to_string(edge(log)).unwrap();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let file = whole.path().join("store.log").to_str().unwrap().to_owned();
    fs::write(&file, text).unwrap();
    let (code, state, _) = run(["dump", "--semantics", "reference", &file]);
    assert_eq!(code, 0);
    let recorded = |suffix: &str| fs::read_to_string(edge(&format!("{log}.{suffix}")));
    assert_eq!(state, recorded("replayed.jsonl").unwrap(), "{log}");
    assert_eq!(replay_reports(&file), reported(&recorded("replay.out").unwrap()), "{log}");

    let folder = tempdir().unwrap();
    let compacted = folder.path().join("compacted.log").to_str().unwrap().to_owned();
    let compact = ["compact", "--semantics", "reference", "--output", &compacted, &file];
    assert_eq!(run(compact).0, 0);
    assert_eq!(fs::read_to_string(&compacted).unwrap(), recorded("compacted").unwrap(), "{log}");

    if let Ok(expected) = recorded("compacted_replayed.jsonl") {
        assert_eq!(run(["dump", "--semantics", "reference", &compacted]).1, expected, "{log}");
        let expected = reported(&recorded("compacted_replay.out").unwrap());
        assert_eq!(replay_reports(&compacted), expected, "{log}");
    }
}

#[test]
fn edge_02_a_link_taken_over_costs_a_queue_after_compaction() {
    reload("edge-0.log");
}

#[test]
fn edge_03_a_deleted_queue_is_gone_after_compaction() {
    reload("edge-1.log");
}

#[test]
fn edge_05_notifier_credentials_with_a_service_enter_its_set_after_compaction() {
    reload("edge-2.log");
    let service = observed("05 the service after")[0].as_str().unwrap().to_owned();
    let log = edge("edge-2.log.compacted");
    assert!(run(["dump", "--semantics", "reference", &log]).1.lines().any(|it| it == service));
}

#[test]
fn edge_06_a_service_registered_late_leaves_phantoms() {
    reload("edge-3.log");
}

#[test]
fn edge_21_odd_records_are_reported_and_left_out() {
    reload("edge-replay.log");
}

#[test]
fn edge_21_a_last_line_without_its_newline_is_set_aside() {
    let file = edge("edge-replay.log");
    let last = fs::read_to_string(&file).unwrap().lines().last().unwrap().to_owned();
    for semantics in ["strict", "reference"] {
        let (code, report, _) = run(["replay", "--semantics", semantics, "--json", &file]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((code, &report["torn_tail"]["line"]), (0, &json!(14)), "{report:#}");
        assert_eq!(report["torn_tail"]["length"], last.len(), "{report:#}");
        assert_eq!(report["lines"], 13, "{report:#}");
    }
}

#[test]
fn edge_logs_replay_under_strict_without_losing_a_live_queue() {
    for log in ["edge-0.log", "edge-1.log", "edge-2.log", "edge-3.log", "edge-replay.log"] {
        let (code, strict, _) = run(["dump", &edge(log)]);
        assert_eq!(code, 0);
        let reference = run(["dump", "--semantics", "reference", &edge(log)]).1;
        let live = |state: &str| -> Vec<String> {
            let lines = state.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let live = lines.filter(|it| it["kind"] == "queue" && !it["rec"].is_null());
            live.map(|it| it["rid"].as_str().unwrap().to_owned()).collect()
        };
        for queue in live(&reference) {
            assert!(live(&strict).contains(&queue), "{log}: {queue}");
        }
    }
}

#[test]
fn edge_logs_hold_records_that_read_back_to_themselves() {
    for log in ["edge-0.log", "edge-1.log", "edge-2.log", "edge-3.log"] {
        for line in fs::read_to_string(edge(log)).unwrap().lines() {
            let record = LogRecord::parse(line.as_bytes(), Semantics::Reference).unwrap();
            let mut written = Vec::new();
            record.encode(&mut written);
            assert_eq!(written, line.as_bytes());
        }
    }
}
