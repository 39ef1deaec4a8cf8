//! The command line: golden sessions, commands that change files, and the recorded runs of the
//! reference.
//!
//! The sessions are in `tests/cmd/*.trycmd`; `TRYCMD=overwrite` rewrites them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod edge;
mod ntf;
mod streams;
mod traces;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The built binary.
const BINARY: &str = env!("CARGO_BIN_EXE_simplex-stores");

/// The command line, ready to be given arguments; the caller's settings do not reach it.
fn simplex_stores() -> Command {
    let mut command = Command::new(BINARY);
    command.env_remove("RUST_LOG").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs the command line; its exit code, and what it printed.
fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> (i32, String, String) {
    let Output { status, stdout, stderr } = simplex_stores().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// A path in the repository, as text.
fn path(parts: &str) -> String {
    format!("{}/{parts}", env!("CARGO_MANIFEST_DIR"))
}

/// Every folder with recorded operations at or below these, sorted.
fn recorded_runs(below: &Path) -> Vec<PathBuf> {
    let mut runs = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.join("ops.jsonl").is_file() {
            runs.push(folder.clone());
        }
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        folders.extend(entries.filter(|path| path.is_dir()));
    }
    runs.sort();
    runs
}

#[test]
fn golden_sessions_print_what_they_printed() {
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("simplex-stores", Path::new(BINARY))
        .env("RUST_LOG", "error")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
    if cfg!(feature = "sqlite") {
        cases.case("tests/cmd/agent/*.trycmd");
    }
}
