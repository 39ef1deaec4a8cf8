//! Appending to a log as it is (CP-1) and never to a torn line (RACE-8).

use std::{io::ErrorKind, path::Path, sync::Arc};

use simplex_stores::{
    store_log::{Durability, Journal, OpenError},
    testing::{Crash, FailingStorage, Fault, MemStorage, Plan},
};

use crate::support::{LOG, config, create, disk_with, lines, names, state_on, states, workload};

const TORN: &str = "/log/F.torn.2025-06-01T12:00:00.5Z";

#[test]
fn cp1_append_makes_the_file_and_keeps_what_is_there() {
    let disk = MemStorage::new();
    for number in 1..=3 {
        let (journal, report) = Journal::open_append(&config(disk.clone())).unwrap();
        assert_eq!(report.length, disk.read(LOG).unwrap().len() as u64);
        assert!(report.torn_tail.is_none());
        journal.submit(1, vec![create(number)]).wait().unwrap();
        journal.close().unwrap();
    }
    assert_eq!(disk.read(LOG).unwrap(), lines(&[create(1), create(2), create(3)]));
}

#[test]
fn race8_a_torn_tail_is_kept_apart_and_cut_before_the_next_append() {
    let records = workload();
    let whole = lines(&records);
    for cut in 0..=whole.len() {
        let disk = disk_with(&whole[..cut]);
        let complete = whole[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (journal, report) = Journal::open_append(&config(disk.clone())).unwrap();
        journal.submit(1, vec![create(9)]).wait().unwrap();
        drop(journal);
        let mut expected = whole[..complete].to_vec();
        expected.extend(lines(&[create(9)]));
        assert_eq!(disk.read(LOG).unwrap(), expected, "cut at {cut}");
        let torn = (complete < cut).then(|| whole[complete..cut].to_vec());
        assert_eq!(disk.read(TORN), torn);
        assert_eq!(disk.read_synced(TORN), torn);
        assert_eq!(report.length, complete as u64);
        let told = torn.map(|torn| (torn.len() as u64, Path::new(TORN).to_owned()));
        assert_eq!(report.torn_tail, told);
    }
}

#[test]
fn race8_the_last_newline_is_found_across_pieces() {
    for tail in [65_535, 65_536, 65_537, 200_000] {
        let mut log = lines(&[create(1)]);
        let complete = log.len();
        log.extend(vec![b'x'; tail]);
        let disk = disk_with(log);
        let (journal, report) = Journal::open_append(&config(disk.clone())).unwrap();
        drop(journal);
        assert_eq!(report.length, complete as u64);
        assert_eq!(disk.read(TORN).unwrap().len(), tail);
        assert_eq!(disk.read(LOG).unwrap(), lines(&[create(1)]));
    }
}

#[test]
fn an_unfinished_start_is_recovered_before_appending() {
    let disk = disk_with("CREATE half");
    disk.put("/log/F.start", lines(&workload()));
    let (journal, report) = Journal::open_append(&config(disk.clone())).unwrap();
    assert!(report.recovered);
    drop(journal);
    assert_eq!(names(&disk), ["F", "F.bak"]);
    assert_eq!(disk.read(LOG).unwrap(), lines(&workload()));
}

#[test]
fn race8_no_crash_while_opening_loses_a_line_or_a_torn_tail() {
    let records = workload();
    let whole = lines(&records);
    let log = &whole[..whole.len() - 10];
    let expected = &states(&records)[6].queues;
    let rehearsal = FailingStorage::new(Arc::new(disk_with(log)));
    drop(Journal::open_append(&config(rehearsal.clone())).unwrap());
    for number in 1..=rehearsal.done().len() as u64 {
        for crash in [
            Crash::Process,
            Crash::PowerSyncedOnly,
            Crash::PowerDataKept,
            Crash::PowerSubset(1),
            Crash::PowerSubset(2),
        ] {
            let disk = disk_with(log);
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            failing.plan(Plan::From(number, Fault::Error(ErrorKind::Other)));
            drop(Journal::open_append(&config(failing)));
            disk.crash(crash);
            let torn = disk.read(TORN).is_some_and(|torn| log.ends_with(&torn) && !torn.is_empty());
            let there = disk.read(LOG).unwrap() == log;
            assert!(torn || there, "operation {number}, {crash:?}");
            assert_eq!(&state_on(&disk), expected, "operation {number}, {crash:?}");
        }
    }
}

#[test]
fn appended_records_are_as_durable_as_asked() {
    for (durability, left) in [(Durability::Fsync, 1), (Durability::Flush, 0)] {
        let disk = MemStorage::new();
        let (journal, _) =
            Journal::open_append(&config(disk.clone()).durability(durability)).unwrap();
        journal.submit(1, vec![create(1)]).wait().unwrap();
        disk.crash(Crash::PowerSyncedOnly);
        drop(journal);
        assert_eq!(state_on(&disk).len(), left, "{durability:?}");
    }
}

#[test]
fn a_disk_error_while_opening_names_the_step() {
    let failing = FailingStorage::new(Arc::new(disk_with("torn")));
    let fault = Fault::Error(ErrorKind::StorageFull);
    failing.plan(Plan::NthOf(simplex_stores::testing::Operation::Write, 1, fault));
    let error = Journal::open_append(&config(failing)).unwrap_err();
    let OpenError::Io { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::StorageFull);
    assert!(error.to_string().contains("cutting off the torn last line"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_torn_line_is_kept_with_the_logs_access_rights() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("F");
    fs::write(&path, "a torn line").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let config = simplex_stores::store_log::StoreLogConfig::new(&path);
    let (_journal, report) = Journal::open_append(&config).unwrap();
    let (_, kept) = report.torn_tail.unwrap();
    assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
}
