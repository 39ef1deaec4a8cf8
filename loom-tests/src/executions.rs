//! The table of how many executions each scenario took.

use std::fs::OpenOptions;
use std::io::Write;

/// A line for each scenario: its name, a tab, the number of executions.
const TABLE: &str = include_str!("../executions.tsv");

/// Where to note the counts instead of comparing them: `update-executions.sh` sets it.
const UPDATE: &str = "UPDATE_EXECUTIONS";

/// Compares the number of `executions` of the scenario `name` with the table, which is loom's: under shuttle it was set beforehand.
///
/// # Panics
///
/// When the table has no line of this name, or a greater number in it.
pub fn record(name: &str, executions: u64) {
    if let Some(file) = std::env::var_os(UPDATE) {
        // One write, so that lines of tests that run side by side don't mix.
        let line = format!("{name}\t{executions}\n");
        let file = OpenOptions::new().create(true).append(true).open(file);
        let noted = file.and_then(|mut file| file.write_all(line.as_bytes()));
        return noted.expect("the file that UPDATE_EXECUTIONS names can be written");
    }
    if cfg!(shuttle) {
        return;
    }
    let expected = expected(name).unwrap_or_else(|| {
        panic!(
            "{name} ({executions} executions) is not in executions.tsv: run update-executions.sh"
        )
    });
    assert!(
        executions >= expected,
        "{name} took {executions} executions, fewer than the {expected} of executions.tsv: the \
         scenario has lost interleavings; if that is meant, run update-executions.sh"
    );
}

fn expected(name: &str) -> Option<u64> {
    let line = TABLE.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'))?;
    line.parse().ok()
}
