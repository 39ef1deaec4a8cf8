//! `ntf`: the recorded runs of the notification store (those in `tests/vectors`, and those in the folder that
//! `SIMPLEX_STORES_VECTORS` names), and files of notifications.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{path, recorded_runs, run};

/// The recorded runs of the notification store, from the repository and from wherever else one says.
fn runs() -> Vec<PathBuf> {
    let mut runs = ntf_runs(Path::new(&path("tests/vectors")));
    assert_eq!(runs.len(), 2, "the repository carries two runs");
    if let Some(more) = std::env::var_os("SIMPLEX_STORES_VECTORS") {
        runs.extend(ntf_runs(Path::new(&more)));
    }
    runs
}

/// The runs of notification stores below a folder: they have no store log.
fn ntf_runs(below: &Path) -> Vec<PathBuf> {
    let mut runs = recorded_runs(below);
    runs.retain(|run| !run.join("store.log").is_file());
    runs
}

/// Runs a check; its exit code and its report.
fn check(folder: &Path, semantics: &str) -> (i32, Value) {
    let folder = folder.to_str().unwrap();
    let args = ["ntf", "trace", "--check", "--json", "--semantics", semantics, folder];
    let (code, report, errors) = run(args);
    assert_eq!(errors, "", "{folder}");
    (code, serde_json::from_str(&report).unwrap())
}

#[test]
fn every_run_is_the_same_under_reference() {
    for folder in runs() {
        let (code, report) = check(&folder, "reference");
        assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#}");
        assert_eq!(report["listed"], Value::Array(Vec::new()), "{report:#}");
        assert!(report["compared"]["operations"].as_u64() >= Some(600), "{report:#}");
        assert!(report["compared"]["states"].as_u64() >= Some(2), "{report:#}");
    }
}

#[test]
fn every_run_under_strict_differs_only_as_the_ledger_lists() {
    let pages = fs::read_dir(path("docs/conformance")).unwrap();
    let pages: Vec<String> =
        pages.map(|page| fs::read_to_string(page.unwrap().path()).unwrap()).collect();
    for folder in runs() {
        let (code, report) = check(&folder, "strict");
        assert_eq!((code, &report["other_total"]), (0, &Value::from(0)), "{report:#}");
        let listed = report["listed"].as_array().unwrap();
        assert!(listed.len() > 5, "{report:#}");
        for item in listed.iter().flat_map(|kind| kind["items"].as_str().unwrap().split(", ")) {
            let row = format!("| {item} |");
            assert!(pages.iter().any(|page| page.contains(&row)), "{item} has no row");
        }
    }
}

#[test]
fn tracing_prints_the_recorded_lines() {
    for folder in runs() {
        let folder = folder.to_str().unwrap();
        let (code, printed, errors) = run(["ntf", "trace", "--semantics", "reference", folder]);
        assert_eq!((code, errors.as_str()), (0, ""));
        let recorded = fs::read_to_string(format!("{folder}/ops.jsonl")).unwrap();
        assert!(printed == recorded, "{folder}");
    }
}

/// A copy of a recorded run with the first occurrence of a text in one of its files replaced.
fn spoilt(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(path("tests/vectors/ntf-201")).unwrap() {
        let entry = entry.unwrap();
        let mut text = fs::read_to_string(entry.path()).unwrap();
        if entry.file_name() == file {
            assert!(text.contains(from), "{file}: no {from}");
            text = text.replacen(from, to, 1);
        }
        fs::write(copy.path().join(entry.file_name()), text).unwrap();
    }
    copy
}

#[test]
fn a_difference_in_any_file_fails_the_check() {
    let cases = [
        ("ops.jsonl", "\"result\":{\"ok\":true}", "\"result\":{\"ok\":false}"),
        ("ops.jsonl", "\"result\":{\"ok\":[]}", "\"result\":{\"ok\":[\"AAAA\"]}"),
        ("final.jsonl", "\"status\":\"ACTIVE\"", "\"status\":\"NEW\""),
        (
            "final.jsonl",
            "\"kind\":\"ntfServices\",\"map\":{",
            "\"kind\":\"ntfServices\",\"map\":{ ",
        ),
        ("snapshots.jsonl", "\"cron\":", "\"cron\":1"),
        ("snapshots.jsonl", "\"before_op\":500", "\"before_op\":9999"),
        ("snapshots.jsonl", "\"regs\":{", "\"regs\":{\"AAAA\":\"AAAA\","),
    ];
    for (file, from, to) in cases {
        let copy = spoilt(file, from, to);
        for semantics in ["reference", "strict"] {
            let (code, report) = check(copy.path(), semantics);
            let found = report["other_total"].as_u64();
            assert!(code == 1 && found > Some(0), "{file}, {from} under {semantics}: {report:#}");
        }
    }
}

#[test]
fn a_damaged_operation_is_refused_with_its_file_line_and_reason_and_no_secret() {
    for (from, to, reason) in [
        ("\"i\":0", "\"i\":\"0\"", "a value of another type"),
        ("\"text\":\"tknId=", "\"text\":\"tknid=", "tkn: at byte 0"),
        ("\"cron\":0", "\"cron\":7", "tkn: its text and its fields differ"),
        ("\"op\":\"stmAddNtfToken\"", "\"op\":\"addQueue_\"", "addQueue_ is no operation"),
    ] {
        let copy = spoilt("ops.jsonl", from, to);
        for more in [&[][..], &["--check"]] {
            let folder = copy.path().to_str().unwrap();
            let (code, _, error) = run(["ntf", "trace"].iter().chain(more).chain([&folder]));
            assert_eq!(code, 3);
            let place = format!("error: {folder}/ops.jsonl: line 1: ");
            let said = error.strip_prefix(&place).unwrap_or_else(|| panic!("{error}"));
            assert!(said.starts_with(reason), "{said}");
        }
    }
}

/// A folder, and in it a file that one thread's random work was saved to: the same for the same seed.
fn saved(form: &str, semantics: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ntf").to_str().unwrap().to_owned();
    let work = ["--threads", "1", "--operations", "600", "--tokens", "20", "--seed", "3"];
    let args =
        ["ntf", "stress", "--json", "--file", &file, "--form", form, "--semantics", semantics];
    let (code, report, _) = run(args.iter().chain(&work));
    let report: Value = serde_json::from_str(&report).unwrap();
    if semantics == "strict" {
        assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#}");
    }
    assert_eq!(report["saved"]["form"], form);
    (folder, file)
}

#[test]
fn both_forms_dump_the_same_but_for_what_a_text_has_no_place_for() {
    let ((_one, text), (_other, binary)) = (saved("text", "strict"), saved("binary", "strict"));
    let [text, binary] = [&text, &binary].map(|file| {
        let (code, state, errors) = run(["ntf", "dump", file]);
        assert_eq!((code, errors.as_str()), (0, ""));
        assert!(state.lines().count() > 20);
        let lines = state.lines().map(str::to_owned);
        let kept = |line: &String| {
            !line.contains("\"kind\":\"ntfServices\"")
                && !line.contains("\"kind\":\"tokenRegistrations\"")
        };
        lines.filter(kept).collect::<Vec<_>>()
    });
    assert_eq!(text, binary);
}

#[test]
fn verifying_a_whole_file_holds_and_changes_nothing() {
    for form in ["text", "binary"] {
        let (folder, file) = saved(form, "strict");
        let before = fs::read(&file).unwrap();
        let (code, report, errors) = run(["ntf", "verify", "--json", &file]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((code, errors.as_str(), &report["holds"]), (0, "", &Value::Bool(true)));
        assert_eq!((&report["form"], &report["lost"]), (&Value::from(form), &Value::from(0)));
        assert_eq!(fs::read(&file).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the file and its lock");
    }
}

#[test]
fn verifying_a_damaged_text_names_the_line_and_a_damaged_binary_file_is_refused() {
    let (_folder, file) = saved("text", "strict");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("tokenStatus=", "tokenstatus=", 1)).unwrap();
    let (code, report, _) = run(["ntf", "verify", &file]);
    assert_eq!(code, 1);
    assert!(report.contains("\n  line 1 (offset 0): not a record ("), "{report}");
    let (code, state, errors) = run(["ntf", "dump", &file]);
    assert_eq!((code, state.is_empty()), (0, false));
    assert!(
        errors.contains("records are lost; `simplex-stores ntf verify` lists them"),
        "{errors}"
    );

    let (_folder, file) = saved("binary", "strict");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    for command in ["verify", "dump"] {
        let (code, printed, error) = run(["ntf", command, &file]);
        assert_eq!((code, printed.as_str()), (4, ""));
        let said = "snapshot damaged: the checksum does not match; restore a backup, or move the file away to start without it";
        assert_eq!(error, format!("error: {file}: {said}\n"));
    }
}

#[test]
fn under_reference_the_references_own_defects_are_problems() {
    let (_folder, file) = saved("binary", "reference");
    let (code, report, _) = run(["ntf", "verify", "--json", "--semantics", "reference", &file]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, &report["holds"]), (1, &Value::Bool(false)));
    let (code, _, error) = run(["ntf", "verify", &file]);
    assert_eq!(code, 4);
    assert!(error.contains("no strict store wrote this"), "{error}");
}

#[test]
fn stress_from_many_threads_holds_and_goes_on_from_its_file() {
    for form in ["text", "binary"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ntf").to_str().unwrap().to_owned();
        let args =
            ["ntf", "stress", "--json", "--operations", "3000", "--tokens", "30", "--form", form];
        let file_args = ["--file", &file];
        let (code, report, errors) = run(args.iter().chain(&file_args));
        assert_eq!((code, errors.as_str()), (0, ""), "{report}");
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["operations"], &report["failures_total"]), (&3000.into(), &0.into()));
        assert_eq!(report["saved"]["bytes"], fs::metadata(&file).unwrap().len());
        let (code, _, error) = run(args.iter().chain(&file_args));
        assert_eq!(code, 2);
        assert!(
            error.contains("is there already; name a new file, or work on it with --force"),
            "{error}"
        );
        let (code, report, _) = run(args.iter().chain(&file_args).chain(&["--force"]));
        assert_eq!(code, 0, "{report}");
    }
}

#[test]
fn stress_keeps_a_file_with_lost_records() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ntf").to_str().unwrap().to_owned();
    fs::write(&file, "not a record\n").unwrap();
    let args = ["ntf", "stress", "--json", "--operations", "10", "--file", &file, "--force"];
    let (code, report, _) = run(args);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(code, 0, "{report:#}");
    let kept = report["saved"]["kept"].as_str().unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "not a record\n");
}
