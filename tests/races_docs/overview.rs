//! The table of all races, with the evidence for each.

use std::fmt::Write;

use crate::catalogue::{Race, tests};
use crate::stem;

/// What stands before the table.
pub(crate) const MARK: &str =
    "<!-- From here on written by `UPDATE_RACES=1 cargo test --test races_docs`. -->";

/// What kind of evidence a test is, by how its name begins; the first that fits.
const KINDS: [(&str, &str); 18] = [
    ("::witness_", "witness"),
    ("::proof_", "proof"),
    ("::twin_", "twin"),
    ("loom-tests/tests/random", "random schedules"),
    ("loom-tests/", "loom"),
    ("tests/store_log/ownership.rs::race11_another_process", "two processes"),
    ("tests/queue_store/crash.rs", "killed processes"),
    ("tests/postgres/store/processes/", "four processes"),
    ("tests/postgres/store/cuts.rs", "cut connections"),
    ("tests/store_log/crash_points.rs", "crash points"),
    ("tests/ntf_store/pending_crash.rs", "crash points"),
    ("tests/store_log/faults.rs", "failing disk"),
    ("tests/queue_store/concurrency.rs", "threads"),
    ("tests/queue_store/linearizability.rs", "threads"),
    ("tests/store_log/group_commit.rs::race27", "threads"),
    ("tests/ntf_store/pending_concurrency.rs", "threads"),
    ("fuzzing.rs", "damaged input"),
    ("", "test"),
];

/// A row for each race.
pub(crate) fn table(catalogue: &[(&str, Race)], ledger: &str, executions: &str) -> String {
    let mut table = "| race | what | evidence | explored |\n|---|---|---|---|\n".to_owned();
    for (page, Race { id, title, .. }) in catalogue {
        let anchor = anchor(&format!("{id}: {title}"));
        let evidence = or(kinds(&tests(ledger, id)), "none yet");
        let explored = or(scenarios(&stem(id), executions), "–");
        writeln!(table, "| [{id}]({page}#{anchor}) | {title} | {evidence} | {explored} |").unwrap();
    }
    table
}

fn or(parts: Vec<String>, nothing: &str) -> String {
    if parts.is_empty() { nothing.to_owned() } else { parts.join(", ") }
}

/// The kinds of evidence that some tests are, each once, in the order of [`KINDS`].
fn kinds(tests: &[&str]) -> Vec<String> {
    let of = |test: &str| KINDS.iter().position(|(part, _)| test.contains(part));
    let mut found: Vec<usize> = tests.iter().filter_map(|test| of(test)).collect();
    found.sort_unstable();
    let mut names: Vec<String> = found.into_iter().map(|kind| KINDS[kind].1.to_owned()).collect();
    names.dedup();
    names
}

/// The scenarios of a race's loom file with their counts.
fn scenarios(stem: &str, executions: &str) -> Vec<String> {
    let of = |line: &str| {
        let (scenario, count) = line.strip_prefix(stem)?.strip_prefix('/')?.split_once('\t')?;
        Some(format!("{} {count}", scenario.replace('_', " ")))
    };
    executions.lines().filter_map(of).collect()
}

/// What a heading is linked by.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn evidence_is_named_once_and_counts_are_the_scenarios_own() {
    let tests = ["loom-tests/a.rs::twin_x", "loom-tests/a.rs::proof_x", "a.rs::b", "a.rs::c"];
    assert_eq!(kinds(&tests), ["proof", "twin", "test"]);
    let executions = "race_01/a_b\t7\nrace_01/c\t8\nrace_10/d\t9\n";
    assert_eq!(scenarios("race_01", executions), ["a b 7", "c 8"]);
    assert_eq!(anchor("RACE-7: a line's end, torn"), "race-7-a-lines-end-torn");
}
