//! The operating system's files, and compacting into a new one.

use std::{fs, io::ErrorKind, path::Path, sync::Arc};

use simplex_stores::{
    store_log::{FsStorage, OpenError, Storage, compact_to},
    testing::{Crash, FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::support::{TestStore, config, lines, names, workload};

#[test]
fn a_created_file_is_empty_and_what_follows_a_cut_stands_right_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("F");
    fs::write(&path, "what was there before").unwrap();
    let mut file = FsStorage.create(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
    file.write_all(b"good refused").unwrap();
    file.truncate(5).unwrap();
    file.write_all(b"next").unwrap();
    assert_eq!((fs::read(&path).unwrap(), file.len().unwrap()), (b"good next".to_vec(), 9));
    let mut again = FsStorage.open_append(&path).unwrap();
    again.truncate(4).unwrap();
    again.write_all(b"!").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"good!");
}

#[test]
fn a_compaction_that_fails_leaves_no_file() {
    let state = TestStore::of(&workload());
    for (operation, count) in
        [(Operation::Write, 1), (Operation::SyncFile, 1), (Operation::Rename, 1)]
    {
        let disk = MemStorage::new();
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        failing.plan(Plan::NthOf(operation, count, Fault::Error(ErrorKind::StorageFull)));
        let error = compact_to(&config(failing), Path::new("/log/G"), &state).unwrap_err();
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
        assert_eq!(names(&disk), Vec::<String>::new(), "{operation:?}");
    }
}

#[test]
fn a_compaction_that_succeeded_survives_a_power_loss() {
    let state = TestStore::of(&workload());
    let disk = MemStorage::new();
    compact_to(&config(disk.clone()), Path::new("/log/G"), &state).unwrap();
    disk.crash(Crash::PowerSyncedOnly);
    assert_eq!(disk.read("/log/G"), Some(state.compacted_bytes()));
    let error = compact_to(&config(disk), Path::new("/log/G"), &state).unwrap_err();
    assert!(error.to_string().contains("already there"), "{error}");
}

/// Only a side file is written, so that nobody ever reads half a compaction under the name.
#[test]
fn a_compaction_has_its_name_only_when_it_is_whole() {
    let state = TestStore::of(&workload());
    let disk = MemStorage::new();
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    // From the write on nothing works, not even removing what was begun.
    failing.plan(Plan::From(3, Fault::ShortWrite(30, ErrorKind::Other)));
    compact_to(&config(failing), Path::new("/log/G"), &state).unwrap_err();
    assert_eq!(disk.read("/log/G"), None);
    assert!(disk.read("/log/G.tmp").is_none_or(|begun| lines(&workload()) != begun));
}
