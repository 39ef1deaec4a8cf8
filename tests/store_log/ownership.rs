//! One process owns a log (RACE-11).

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use simplex_stores::{
    store_log::{Journal, OpenError, StoreLogConfig, replay},
    testing::{Crash, MemStorage},
};

use crate::support::{TestStore, config, create, lines, open};

/// Set for the child process: the log that it is to own.
const CHILD: &str = "SIMPLEX_STORES_TEST_OWNED_LOG";

fn assert_locked<T: std::fmt::Debug>(result: Result<T, OpenError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
}

#[test]
fn race11_a_second_owner_is_refused_until_the_first_closes() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk = StoreLogConfig::new(folder.path().join("F"));
    for config in [on_disk, config(MemStorage::new())] {
        let (journal, ..) = open(&config).unwrap();
        assert_locked(open(&config));
        assert_locked(Journal::open_append(&config));
        replay(&config, &mut TestStore::default()).unwrap();
        journal.close().unwrap();
        drop(open(&config).unwrap());
        drop(Journal::open_append(&config).unwrap());
        assert_locked({
            let _owner = Journal::open_append(&config).unwrap();
            open(&config)
        });
        drop(journal);
    }
}

#[test]
fn race11_a_refused_start_gives_the_lock_back() {
    let disk = MemStorage::new();
    disk.put(
        crate::support::LOG,
        "bad\n".repeat(2) + &String::from_utf8(lines(&[create(1)])).unwrap(),
    );
    let refuse = config(disk).on_damage(simplex_stores::store_log::OnDamage::Refuse);
    for _ in 0..2 {
        assert!(matches!(open(&refuse).unwrap_err(), OpenError::Damaged { .. }));
    }
}

#[test]
fn race11_a_crash_gives_the_lock_back() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone())).unwrap();
    disk.crash(Crash::Process);
    let second = open(&config(disk.clone())).unwrap();
    drop(journal);
    assert_locked(open(&config(disk)));
    drop(second);
}

/// Runs itself as a second process, which takes the log and keeps it until it is killed.
#[test]
fn race11_another_process_is_refused_until_the_owner_dies() {
    if let Some(log) = std::env::var_os(CHILD) {
        let (_journal, ..) = open(&StoreLogConfig::new(log)).unwrap();
        std::io::stderr().write_all(b"owned\n").unwrap();
        std::io::stdin().lines().for_each(drop);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("F");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ownership::race11_another_process_is_refused_until_the_owner_dies"])
        .arg("--nocapture")
        .env(CHILD, &log)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "owned"));
    let config = StoreLogConfig::new(&log);
    assert_locked(open(&config));
    assert_locked(Journal::open_append(&config));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(open(&config).unwrap());
}
