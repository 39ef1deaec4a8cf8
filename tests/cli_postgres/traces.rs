//! Recorded runs of the reference in a database: those in `tests/vectors`, and those in the folder that
//! `SIMPLEX_STORES_VECTORS` names, each with the cache and without.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Place, json as parse};

/// With the cache, and without.
const CACHES: [&[&str]; 2] = [&[], &["--no-cache"]];

/// Every run below a folder whose caller keeps a router's rules: then its folder, or the one above, says so.
fn clean_runs(below: &Path) -> Vec<PathBuf> {
    let mut runs = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut names = folder.components().rev().take(2).map(|part| part.as_os_str());
        let is_clean = names.any(|name| name.to_string_lossy().starts_with("queue-clean"));
        if is_clean && folder.join("ops.jsonl").is_file() {
            runs.push(folder.clone());
        }
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    runs.sort();
    runs
}

fn own_runs() -> Vec<PathBuf> {
    let runs = clean_runs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"));
    assert_eq!(runs.len(), 2);
    runs
}

fn trace(place: &Place, options: &[&str], run: &Path) -> (i32, String, String) {
    let database = ["trace", "--database", place.database.url()];
    let args = database.iter().chain(options).copied();
    place.run(args.chain([run.to_str().unwrap()]))
}

fn check(place: &Place, options: &[&str], run: &Path) -> (i32, Value) {
    let options: Vec<&str> = ["--check", "--json"].iter().chain(options).copied().collect();
    let (code, report, errors) = trace(place, &options, run);
    assert_eq!(errors, "", "{}", run.display());
    (code, parse(&report))
}

/// How many differences a report lists of each kind.
fn listed(report: &Value) -> BTreeMap<String, u64> {
    let kinds = report["listed"].as_array().unwrap().iter();
    kinds.map(|kind| (kind["what"].to_string(), kind["count"].as_u64().unwrap())).collect()
}

#[test]
fn clean_runs_differ_only_as_they_do_in_memory() {
    let mut runs = own_runs();
    if let Some(more) = std::env::var_os("SIMPLEX_STORES_VECTORS") {
        runs.extend(clean_runs(Path::new(&more)));
    }
    for run in &runs {
        let in_memory = ["trace", "--check", "--json", run.to_str().unwrap()];
        let in_memory = listed(&parse(&Place::empty().run(in_memory).1));
        for cache in CACHES {
            let (code, report) = check(&Place::initialised(), cache, run);
            assert_eq!((code, &report["other_total"]), (0, &json!(0)), "{cache:?}: {report:#}");
            for (kind, count) in listed(&report) {
                assert!(in_memory.get(&kind) >= Some(&count), "{kind}, {cache:?}: {report:#}");
            }
            let compared = |what: &str| report["compared"][what].as_u64().unwrap();
            assert!(compared("operations") >= 600 && compared("states") >= 2, "{report:#}");
            let log = fs::metadata(run.join("store.log")).unwrap().len();
            assert!(compared("journal bytes") >= log, "{report:#}");
        }
    }
}

#[test]
fn what_a_run_prints_is_what_it_prints_in_memory() {
    for run in own_runs() {
        let in_memory = Place::empty().run(["trace", run.to_str().unwrap()]);
        assert_eq!((in_memory.0, in_memory.2.as_str()), (0, ""));
        for cache in CACHES {
            let place = Place::initialised();
            assert!(trace(&place, cache, &run) == in_memory, "{}, {cache:?}", run.display());
            let status = parse(&place.run(["db", "status", "--json"]).1);
            assert!(status["counts"]["queues"].as_u64() > Some(0), "{status:#}");
        }
    }
}

#[test]
fn a_run_that_was_recorded_otherwise_does_not_hold() {
    let spoilt = [
        ("ops.jsonl", "\"result\":{\"err\":\"AUTH\"}", "\"result\":{\"err\":\"SERVICE\"}"),
        ("ops.jsonl", "\"log\":[\"UNBLOCK ", "\"log\":[\"SUSPEND "),
        ("store.log", "UNBLOCK ", "SUSPEND "),
        ("final.jsonl", "\"consistent\":true", "\"consistent\":false"),
        ("final.jsonl", "\"notifierCount\":", "\"notifierCount\":1"),
        ("snapshots.jsonl", "\"q_rid_same\":true", "\"q_rid_same\":false"),
    ];
    for (file, from, to) in spoilt {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&own_runs()[0]).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        let path = copy.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: no {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let (code, report) = check(&Place::initialised(), &[], copy.path());
        assert!(code == 1 && report["other_total"].as_u64() > Some(0), "{file}: {report:#}");
    }
}

#[test]
fn a_run_needs_an_empty_schema_and_strict_answers_to_be_checked() {
    let place = Place::initialised();
    let run = &own_runs()[0];
    let refused = |options: &[&str], code: i32, text: &str| {
        let (found, out, error) = trace(&place, options, run);
        assert_eq!((found, out.as_str()), (code, ""), "{options:?}: {error}");
        assert!(error.contains(text), "{options:?}: {error}");
    };
    refused(&["--check", "--semantics", "reference"], 2, "--semantics strict");
    refused(&["--check", "--live-queues"], 2, "cannot be used with");
    refused(&["--schema", "other"], 6, "other");
    assert_eq!(trace(&place, &[], run).0, 0);
    let before = place.state();
    refused(&[], 2, "begins with none");
    refused(&["--check"], 2, "begins with none");
    assert_eq!(place.state(), before);
    let without = place.run(["trace", "--no-cache", run.to_str().unwrap()]);
    assert!(without.0 == 2 && without.2.contains("--database"), "{}", without.2);
}
