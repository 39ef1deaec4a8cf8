//! Commands that change files, or must not.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use simplex_stores::{
    queue_store::{BasicFactory, QueueStore, StmQueueStore},
    store_log::StoreLogConfig,
};
use tempfile::{TempDir, tempdir};

use crate::{path, run};

/// A folder with a copy of a log from `tests/cmd/logs`, and the copy's path.
fn copy_of(log: &str) -> (TempDir, String) {
    let folder = tempdir().unwrap();
    let copy = folder.path().join("store.log");
    fs::copy(path(&format!("tests/cmd/logs/{log}")), &copy).unwrap();
    let copy = copy.to_str().unwrap().to_owned();
    (folder, copy)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn commands_that_only_read_leave_the_folder_as_it_is() {
    let (folder, log) = copy_of("small.log");
    let before = fs::read(&log).unwrap();
    for command in ["replay", "verify", "dump"] {
        assert_eq!(run([command, &log]).0, 0, "{command}");
    }
    assert_eq!(names(folder.path()), BTreeSet::from(["store.log".to_owned()]));
    assert_eq!(fs::read(&log).unwrap(), before);
}

#[test]
fn compacting_in_place_keeps_the_log_as_it_was_under_its_backup_name() {
    let (_folder, log) = copy_of("small.log");
    let before = fs::read(&log).unwrap();
    let state = run(["dump", &log]).1;
    let (code, report, _) = run(["compact", "--json", &log]);
    let report = json(&report);
    assert_eq!(code, 0, "{report}");
    assert_eq!(fs::read(report["backup"].as_str().unwrap()).unwrap(), before);
    assert_eq!(run(["dump", &log]).1, state);
    assert_eq!(fs::metadata(&log).unwrap().len(), report["bytes"].as_u64().unwrap());
    assert!(report["bytes"].as_u64() < report["bytes_before"].as_u64());
}

#[test]
fn compacting_to_a_new_file_leaves_the_log_and_never_overwrites() {
    let (folder, log) = copy_of("small.log");
    let before = fs::read(&log).unwrap();
    let output = folder.path().join("compacted.log").to_str().unwrap().to_owned();
    assert_eq!(run(["compact", "--output", &output, &log]).0, 0);
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(run(["dump", &output]).1, run(["dump", &log]).1);
    let (code, _, error) = run(["compact", "--output", &output, &log]);
    assert_eq!(code, 2);
    assert!(error.contains("is there already"), "{error}");
}

#[test]
fn a_damaged_log_is_refused_with_its_line_and_nothing_changes() {
    let (_folder, log) = copy_of("damaged.log");
    let before = fs::read(&log).unwrap();
    let (code, _, error) = run(["compact", "--on-damage", "refuse", &log]);
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("at line 7"), "{error}");
    assert_eq!(fs::read(&log).unwrap(), before);
    let output = format!("{log}.new");
    assert_eq!(run(["compact", "--on-damage", "refuse", "--output", &output, &log]).0, 4);
    assert!(!Path::new(&output).exists());
}

#[test]
fn a_damaged_log_can_be_compacted_around_its_damage() {
    let (_folder, log) = copy_of("damaged.log");
    let before = fs::read(&log).unwrap();
    let (code, report, _) = run(["compact", "--on-damage", "skip", "--json", &log]);
    let report = json(&report);
    assert_eq!(code, 0);
    assert_eq!(fs::read(report["backup"].as_str().unwrap()).unwrap(), before);
    assert_eq!(run(["verify", &log]).0, 0);
}

#[test]
fn a_journal_in_use_is_left_alone_and_can_still_be_read() {
    let (_folder, log) = copy_of("small.log");
    let (owner, _) = StmQueueStore::open(&StoreLogConfig::new(&log), BasicFactory).unwrap();
    let before = fs::read(&log).unwrap();
    let (code, _, error) = run(["compact", &log]);
    assert_eq!(code, 5, "{error}");
    assert!(error.contains("in use by another process"), "{error}");
    assert_eq!(run(["stress", "--operations", "10", "--log", &log, "--force"]).0, 5);
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(run(["replay", &log]).0, 0);
    owner.close().unwrap();
    assert_eq!(run(["compact", &log]).0, 0);
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_makes_others() {
    let folder = tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let make = |seed: &str, name: &str| {
        assert_eq!(run(["generate", "--queues", "300", "--seed", seed, &file(name)]).0, 0);
        fs::read(file(name)).unwrap()
    };
    let first = make("7", "first.log");
    assert!(first == make("7", "second.log"));
    assert!(first != make("8", "third.log"));
}

#[test]
fn the_journal_in_examples_is_what_generate_makes() {
    let folder = tempdir().unwrap();
    let made = folder.path().join("demo.log").to_str().unwrap().to_owned();
    assert_eq!(run(["generate", "--queues", "200", "--seed", "3", &made]).0, 0);
    assert!(fs::read(&made).unwrap() == fs::read(path("examples/demo.log")).unwrap());
}

#[test]
fn a_generated_journal_holds_and_both_semantics_read_every_kind_of_record() {
    let folder = tempdir().unwrap();
    let log = folder.path().join("store.log").to_str().unwrap().to_owned();
    assert_eq!(run(["generate", "--queues", "2000", &log]).0, 0);
    let (code, verdict, _) = run(["verify", "--json", &log]);
    assert_eq!((code, &json(&verdict)["holds"]), (0, &Value::Bool(true)), "{verdict}");
    for semantics in ["strict", "reference"] {
        let (code, report, _) = run(["replay", "--semantics", semantics, "--json", &log]);
        let report = json(&report);
        assert_eq!((code, report["warnings_total"].as_u64()), (0, Some(0)), "{report:#}");
        assert_eq!(report["kinds"].as_object().unwrap().len(), 14, "{report:#}");
    }
    assert_eq!(json(&run(["replay", "--json", &log]).1)["counts"]["queueCount"], 2000);
}

#[test]
fn verifying_under_reference_shows_what_the_reference_leaves_behind() {
    let (_folder, log) = copy_of("small.log");
    assert_eq!(run(["verify", &log]).0, 0);
    // QS-13: the link index still leads to the queue that the log deletes.
    let (code, verdict, _) = run(["verify", "--semantics", "reference", "--json", &log]);
    let problems = json(&verdict)["problems"].clone();
    assert_eq!((code, problems.as_array().unwrap().len()), (1, 1), "{verdict}");
    assert!(problems[0].as_str().unwrap().contains("the link index leads from"), "{verdict}");
}

#[test]
fn generate_overwrites_only_when_told_to() {
    let (_folder, log) = copy_of("small.log");
    let before = fs::read(&log).unwrap();
    let (code, _, error) = run(["generate", "--queues", "1", &log]);
    assert_eq!(code, 2);
    assert!(error.contains("--force"), "{error}");
    assert_eq!(fs::read(&log).unwrap(), before);
    assert_eq!(run(["generate", "--queues", "1", "--force", &log]).0, 0);
    assert!(fs::read(&log).unwrap() != before);
}

#[test]
fn stress_holds_in_memory_and_with_a_journal() {
    let (code, report, errors) =
        run(["stress", "--operations", "4000", "--queues", "50", "--json"]);
    let report = json(&report);
    assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#} {errors}");
    assert_eq!(report["operations"], 4000);
    let folder = tempdir().unwrap();
    let log = folder.path().join("store.log").to_str().unwrap().to_owned();
    for durability in ["memory", "flush", "fsync"] {
        let (code, report, errors) = run([
            "stress",
            "--threads",
            "3",
            "--operations",
            "1000",
            "--queues",
            "100",
            "--json",
            "--durability",
            durability,
            "--force",
            "--log",
            &log,
        ]);
        assert_eq!(code, 0, "{durability}: {report} {errors}");
    }
}

#[test]
fn the_demo_holds_and_changes_nothing() {
    let before = fs::read(path("examples/demo.log")).unwrap();
    let (code, report, errors) = run(["demo", "--operations", "1000", "--json"]);
    let report = json(&report);
    assert_eq!((code, &report["holds"]), (0, &Value::Bool(true)), "{report:#} {errors}");
    assert_eq!(fs::read(path("examples/demo.log")).unwrap(), before);
    assert!(!names(Path::new(&path("examples"))).contains("demo.log.lock"));
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let folder = tempdir().unwrap();
    let dir = folder.path().join("man");
    assert_eq!(run(["man", "--dir", dir.to_str().unwrap()]).0, 0);
    let pages = names(&dir);
    for command in ["replay", "verify", "dump", "compact", "generate", "stress", "trace", "demo"] {
        assert!(pages.contains(&format!("simplex-stores-{command}.1")), "{pages:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = run(["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("compact") && script.contains("trace"), "{shell}");
    }
}
