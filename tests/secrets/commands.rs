//! What the command line prints about logs and recorded operations that hold secrets.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::plants::{Search, lines, public, secrets};

/// Runs the command line, as talkative as it can be: its exit code, and everything that it prints.
fn ran(args: &[&str]) -> (i32, Vec<u8>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simplex-stores"));
    let output = command.env("RUST_LOG", "trace").args(args).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code <= 4, "{args:?}: {code}");
    assert!(!output.stdout.is_empty() || !output.stderr.is_empty(), "{args:?}");
    (code, [output.stdout, output.stderr].concat())
}

/// Logs with one line damaged, each in another place; a torn last line; and a whole one.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let lines = lines();
    let mut logs = Vec::new();
    for number in [0, 2, 6, lines.len()] {
        let mut damaged = lines.clone();
        match damaged.get_mut(number) {
            Some(line) => line[9] ^= 0x55,
            None => drop(damaged.last_mut().and_then(Vec::pop)),
        }
        let path = folder.join(format!("{number}.log"));
        fs::write(&path, damaged.concat()).unwrap();
        logs.push(path);
    }
    let whole = folder.join("whole.log");
    fs::write(&whole, lines.concat()).unwrap();
    logs.push(whole);
    logs
}

#[test]
fn race17_no_command_about_a_log_shows_a_secret() {
    let search = Search::of(&[secrets(), public()].concat());
    let folder = tempfile::tempdir().unwrap();
    for log in logs(folder.path()) {
        let log = log.to_str().unwrap();
        let output = format!("{log}.compacted");
        let commands: [&[&str]; 10] = [
            &["replay", log],
            &["replay", "--json", "--integrity", log],
            &["replay", "-vvvv", "--semantics", "reference", log],
            &["verify", log],
            &["verify", "--json", log],
            &["compact", "--output", &output, log],
            &["compact", "--on-damage", "refuse", log],
            &["compact", "--on-damage", "skip", log],
            &["stress", "--log", log, "--force", "--operations", "50", "--queues", "9"],
            &["demo", log],
        ];
        for args in commands {
            search.nothing_in(&format!("{args:?}"), ran(args).1);
        }
    }
}

/// The twin: the one command that is there to show the state does show it.
#[test]
fn twin_the_dump_of_the_state_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let whole = logs(folder.path()).pop().unwrap();
    let (_, shown) = ran(&["dump", whole.to_str().unwrap()]);
    assert!(Search::of(&secrets()).find(shown).is_some());
}

/// Recorded operations that cannot be read: the error says where, and nothing of what is there.
#[test]
fn race17_no_error_about_recorded_operations_shows_a_secret() {
    let line = String::from_utf8(lines()[0].clone()).unwrap();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/queue-201/ops.jsonl");
    let recorded = fs::read_to_string(recorded).unwrap();
    let add = recorded.lines().find(|line| line.contains("\"op\":\"addQueue_\"")).unwrap();
    let secret = line.split(' ').find_map(|field| field.strip_prefix("rdh=")).unwrap();
    let (before, rest) = add.split_once("\"rdh\":\"").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    let planted = format!("{before}\"rdh\":\"{secret}\"{after}");
    let party = format!("\"args\":{{\"party\":\"{secret}\",");
    let wrong = [
        planted[..planted.find(secret).unwrap() + 30].to_owned(),
        planted.replacen("\"i\":", &format!("\"i\":\"{secret}\",\"j\":"), 1),
        planted.replacen("\"args\":{", &format!("\"args\":\"{secret}\",\"x\":{{"), 1),
        planted.replacen("\"rid\":\"", &format!("\"rid\":\"{secret}!"), 1),
        planted.replacen("\"rdh\":\"", "\"rdh\":\"?", 1),
        planted.replacen("\"updated_at\":null", &format!("\"updated_at\":\"{secret}\""), 1),
        planted.replacen("addQueue_", "getQueue_", 1).replacen("\"args\":{", &party, 1),
        line.clone(),
    ];
    let search = Search::of(&[secrets(), public()].concat());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for ops in wrong {
        fs::write(folder.path().join("ops.jsonl"), format!("{ops}\n")).unwrap();
        for args in [&["trace", "--check", path] as &[&str], &["trace", path]] {
            let (code, shown) = ran(args);
            assert_eq!(code, 3, "{ops}: {}", String::from_utf8_lossy(&shown));
            search.nothing_in(&format!("{args:?} of {ops}"), shown);
        }
    }
}
