//! Standard output that nobody reads to the end.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use crate::{path, simplex_stores};

/// Reads one line of the answer and closes the pipe, as `head -1` does.
fn read_one_line(args: &[&str]) -> (Option<i32>, String) {
    let mut command = simplex_stores();
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    assert!(!first.is_empty());
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let run = path("tests/vectors/queue-201");
    let log = path("examples/demo.log");
    for args in [&["dump", &log] as &[&str], &["trace", "--semantics", "reference", &run]] {
        assert_eq!(read_one_line(args), (Some(0), String::new()), "{args:?}");
    }
}
