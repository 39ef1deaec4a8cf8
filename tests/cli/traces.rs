//! `trace` on recorded runs: those in `tests/vectors`, and those in the folder that
//! `SIMPLEX_STORES_VECTORS` names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{path, recorded_runs, run};

/// The recorded runs of the queue store, from the repository and from wherever else one says.
fn runs() -> Vec<PathBuf> {
    let mut runs = own_runs();
    if let Some(more) = std::env::var_os("SIMPLEX_STORES_VECTORS") {
        runs.extend(queue_runs(Path::new(&more)));
    }
    assert!(runs.len() >= 4, "the repository carries four runs");
    runs
}

/// The runs of queue stores that the repository carries.
fn own_runs() -> Vec<PathBuf> {
    queue_runs(Path::new(&path("tests/vectors")))
}

/// The runs of queue stores below a folder; those of notification stores have no store log.
fn queue_runs(below: &Path) -> Vec<PathBuf> {
    let mut runs = recorded_runs(below);
    runs.retain(|run| run.join("store.log").is_file());
    runs
}

/// Whether the caller of this run keeps a router's rules: then the folder, or the one above, says so.
fn is_clean(run: &Path) -> bool {
    let mut names = run.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy());
    names.any(|name| name.starts_with("queue-clean"))
}

/// Runs a check; its exit code and its report.
fn check(run_folder: &Path, options: &[&str]) -> (i32, Value) {
    let folder = run_folder.to_str().unwrap();
    let args = ["trace", "--check", "--json"].iter().chain(options).chain([&folder]);
    let (code, report, errors) = run(args);
    assert_eq!(errors, "", "{folder}");
    (code, serde_json::from_str(&report).unwrap())
}

#[test]
fn every_run_is_the_same_under_reference() {
    for folder in runs() {
        let (code, report) = check(&folder, &["--semantics", "reference"]);
        assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#}");
        assert_eq!(report["listed"], Value::Array(Vec::new()), "{report:#}");
        assert!(report["compared"]["operations"].as_u64() >= Some(600), "{report:#}");
    }
}

#[test]
fn clean_runs_under_strict_differ_only_as_the_ledger_lists() {
    for folder in runs().iter().filter(|folder| is_clean(folder)) {
        let (code, report) = check(folder, &["--semantics", "strict"]);
        assert_eq!((code, &report["other_total"]), (0, &Value::from(0)), "{report:#}");
        for kind in report["listed"].as_array().unwrap() {
            let items = kind["items"].as_str().unwrap();
            let deleted_queues =
                ["QS-12", "QS-13, RACE-20", "QS-24, RACE-61", "QS-12, RACE-44", "QS-12, RACE-21"];
            assert!(deleted_queues.contains(&items), "{}: {kind}", folder.display());
        }
    }
}

#[test]
fn every_listed_difference_has_its_rows_in_the_ledger() {
    let pages = fs::read_dir(path("docs/conformance")).unwrap();
    let pages: Vec<String> =
        pages.map(|page| fs::read_to_string(page.unwrap().path()).unwrap()).collect();
    let mut kinds = 0;
    for folder in own_runs() {
        for options in [&["--semantics", "strict"] as &[&str], &["--live-queues"]] {
            for kind in check(&folder, options).1["listed"].as_array().unwrap() {
                for item in kind["items"].as_str().unwrap().split(", ") {
                    let row = format!("| {item} |");
                    let rows = pages.iter().map(|page| page.matches(&row).count()).sum::<usize>();
                    assert!(rows >= 1, "{item} has no row");
                    kinds += 1;
                }
            }
        }
    }
    assert!(kinds > 0);
}

#[test]
fn no_run_loses_a_live_queue_under_strict() {
    for folder in runs() {
        let (code, report) = check(&folder, &["--live-queues"]);
        assert_eq!((code, &report["other_total"]), (0, &Value::from(0)), "{report:#}");
        assert!(report["compared"]["live queues"].as_u64() > Some(0), "{report:#}");
    }
}

#[test]
fn tracing_prints_the_recorded_lines() {
    for folder in own_runs() {
        let (code, printed, errors) =
            run(["trace", "--semantics", "reference", folder.to_str().unwrap()]);
        assert_eq!((code, errors.as_str()), (0, ""));
        let recorded = fs::read_to_string(folder.join("ops.jsonl")).unwrap();
        assert!(printed == recorded, "{}", folder.display());
    }
}

#[test]
fn dumping_a_log_prints_the_recorded_state() {
    for folder in own_runs() {
        for (log, state) in
            [("store.log", "replayed.jsonl"), ("compacted.log", "compacted_replayed.jsonl")]
        {
            let log = folder.join(log);
            let (code, printed, _) =
                run(["dump", "--semantics", "reference", log.to_str().unwrap()]);
            assert_eq!(code, 0);
            let recorded = fs::read_to_string(folder.join(state)).unwrap();
            assert!(printed == recorded, "{}", log.display());
        }
    }
}

/// A copy of a recorded run, to be spoilt.
fn copy_of_a_run() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(path("tests/vectors/queue-clean-201")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// Replaces the first occurrence of a text in a file of the copy.
fn spoil(copy: &Path, file: &str, from: &str, to: &str) {
    let file = copy.join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{}: no {from}", file.display());
    fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_difference_in_any_file_fails_the_check() {
    let cases = [
        ("ops.jsonl", "\"result\":{\"err\":\"AUTH\"}", "\"result\":{\"err\":\"SERVICE\"}"),
        ("ops.jsonl", "\"log\":[\"UNBLOCK ", "\"log\":[\"SUSPEND "),
        ("store.log", "UNBLOCK ", "SUSPEND "),
        ("final.jsonl", "\"consistent\":true", "\"consistent\":false"),
        ("snapshots.jsonl", "\"q_rid_same\":true", "\"q_rid_same\":false"),
        ("snapshots.jsonl", "\"before_op\":500", "\"before_op\":9999"),
        ("replayed.jsonl", "\"status\":\"active\"", "\"status\":\"off\""),
        ("replay.out", "Processed: 289", "Processed: 288"),
        ("compacted.log", "role=M", "role=N"),
        ("compacted_replayed.jsonl", "\"queueCount\":", "\"queueCount\":1"),
        (
            "compacted_replay.out",
            "Processed",
            "ERROR STORE: SecureQueue, stored queue AAAA, AUTH\nProcessed",
        ),
    ];
    for (file, from, to) in cases {
        let copy = copy_of_a_run();
        spoil(copy.path(), file, from, to);
        for semantics in ["reference", "strict"] {
            let (code, report) = check(copy.path(), &["--semantics", semantics]);
            let found = report["other_total"].as_u64();
            assert!(code == 1 && found > Some(0), "{file}, {from} under {semantics}: {report:#}");
        }
    }
}

#[test]
fn a_strict_answer_that_no_kind_says_is_no_listed_difference() {
    let copy = copy_of_a_run();
    // The tombstone that the reference finds becomes a queue with another id: no kind says that.
    spoil(copy.path(), "ops.jsonl", "\",\"rec\":null}}", "x\",\"rec\":null}}");
    let (code, report) = check(copy.path(), &["--semantics", "strict"]);
    assert_eq!(code, 1, "{report:#}");
}
