//! The file of the pending notifications: what is written, and what a restore makes of it.

use std::sync::Arc;

use simplex_stores::ntf_store::pending::{
    BadLineReason, PendingCounts, PendingFileError, PendingNtfFile, PendingNtfStore, RestoreReport,
    SaveReport,
};
use simplex_stores::protocol::ntf::{Nonce, PendingNtf, PendingNtfRecord};
use simplex_stores::protocol::{Blob, NotifierId, RoundedSeconds, Semantics, TextEncode};
use simplex_stores::store_log::{FsStorage, Storage};
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf, time};
use simplex_stores::testing::{FailingStorage, Fault, MemStorage, Operation, Plan};

use crate::pending_items::{BOTH, waiting};

pub(crate) const FILE: &str = "/folder/F";
pub(crate) const BACKUP: &str = "/folder/F.bak";

/// The file on this disk.
pub(crate) fn on(storage: impl Storage + 'static) -> PendingNtfFile {
    PendingNtfFile::new(FILE).storage(Arc::new(storage))
}

/// The line that is written for a notification.
pub(crate) fn line(id: &NotifierId, ntf: &PendingNtf) -> Vec<u8> {
    let record = PendingNtfRecord { notifier_id: id.clone(), ntf: ntf.clone() };
    let mut line = record.to_text();
    line.push(b'\n');
    line
}

/// A store with five notifications for the notifiers 1 to 3.
pub(crate) fn some(semantics: Semantics) -> PendingNtfStore {
    let store = PendingNtfStore::new(semantics);
    for (number, message, at) in [(3, 1, 30), (1, 2, 9), (2, 3, 20), (1, 4, 8), (1, 5, 10)] {
        store.store(&notifier(number), &ntf(message, at));
    }
    store
}

/// What [`some`] is written as.
pub(crate) fn some_lines() -> Vec<Vec<u8>> {
    let line = |number, message, at| line(&notifier(number), &ntf(message, at));
    vec![line(1, 2, 9), line(1, 4, 8), line(1, 5, 10), line(2, 3, 20), line(3, 1, 30)]
}

/// A disk with this file.
pub(crate) fn disk_with(bytes: impl Into<Vec<u8>>) -> MemStorage {
    let disk = MemStorage::new();
    disk.put(FILE, bytes);
    disk
}

pub(crate) fn restore(disk: &MemStorage, semantics: Semantics) -> (PendingNtfStore, RestoreReport) {
    PendingNtfStore::restore(&on(disk.clone()), semantics, None).unwrap()
}

#[test]
fn mn6_a_line_for_each_notification() {
    let store = PendingNtfStore::new(Semantics::Strict);
    let id = NotifierId::from_bytes(b"a notifier!!").unwrap();
    let ntf = PendingNtf {
        message_id: Blob::from(&b"abc"[..]),
        at: RoundedSeconds::from_seconds(1_735_690_000),
        nonce: Nonce([8; 24]),
        meta: Blob::from(&b"enc meta"[..]),
    };
    store.store(&id, &ntf);
    let disk = MemStorage::new();
    let report = store.save(&on(disk.clone())).unwrap();
    let expected = b"v1 YSBub3RpZmllciEh YWJj 1735690000 CAgICAgICAgICAgICAgICAgICAgICAgI \
                     ZW5jIG1ldGE=\n";
    assert_eq!(disk.read(FILE).unwrap(), expected);
    assert_eq!(report, SaveReport { notifiers: 1, ntfs: 1, bytes: expected.len() as u64 });
}

#[test]
fn mn6_notifiers_are_saved_by_id_and_each_list_oldest_first() {
    for semantics in BOTH {
        let (store, disk) = (some(semantics), MemStorage::new());
        store.store(&notifier(4), &ntf(6, 1));
        store.delete_expired(time(2));
        let report = store.save(&on(disk.clone())).unwrap();
        assert_eq!(disk.read(FILE).unwrap(), some_lines().concat());
        assert_eq!((report.notifiers, report.ntfs), (3, 5), "an empty list has no line");
        assert_eq!(disk.names(), [std::path::Path::new(FILE)]);
        assert_eq!(disk.unsynced_names(), 0);
    }
}

#[test]
fn mn6_a_save_replaces_the_file_and_an_empty_store_makes_an_empty_one() {
    let disk = disk_with("whatever was there\n");
    some(Semantics::Strict).save(&on(disk.clone())).unwrap();
    assert_eq!(disk.read(FILE).unwrap(), some_lines().concat());
    let report = PendingNtfStore::new(Semantics::Strict).save(&on(disk.clone())).unwrap();
    assert_eq!(report, SaveReport::default());
    assert_eq!(disk.read(FILE).unwrap(), b"");
}

#[test]
fn mn6_two_saves_at_once_leave_a_whole_file() {
    let (store, disk) = (Arc::new(some(Semantics::Strict)), MemStorage::new());
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let (store, file) = (store.clone(), on(disk.clone()));
            simplex_stores::sync::thread::spawn(move || {
                for number in 0..50 {
                    store.store(&notifier(thread), &ntf(number, 50));
                    store.save(&file).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let (restored, report) = restore(&disk, Semantics::Reference);
    assert_eq!(report.restored, 105, "the last save had seen everything");
    assert_eq!(restored.entries(), store.entries());
}

#[test]
fn mn7_mn8_what_was_saved_is_restored_in_order_and_the_file_set_aside() {
    for semantics in BOTH {
        let (store, disk) = (some(semantics), MemStorage::new());
        store.save(&on(disk.clone())).unwrap();
        let (restored, report) = restore(&disk, semantics);
        let source = Some(FILE.into());
        assert_eq!(report, RestoreReport { source, restored: 5, ..RestoreReport::default() });
        assert_eq!(restored.entries(), store.entries());
        assert_eq!(restored.semantics(), semantics);
        assert_eq!(disk.read(BACKUP).unwrap(), some_lines().concat());
        assert_eq!((disk.read(FILE), disk.unsynced_names()), (None, 0));
    }
}

#[test]
fn mn7_what_is_older_than_the_bound_is_counted_and_dropped() {
    for semantics in BOTH {
        let disk = disk_with(some_lines().concat());
        let file = on(disk);
        let (store, report) = PendingNtfStore::restore(&file, semantics, Some(time(10))).unwrap();
        assert_eq!((report.restored, report.expired, report.skipped), (3, 2, 0));
        assert_eq!(waiting(&store, &notifier(1)), Some(vec![ntf(5, 10)]), "exactly as old");
    }
}

#[test]
fn mn7_a_missing_file_is_fine() {
    for semantics in BOTH {
        let (store, report) = restore(&MemStorage::new(), semantics);
        assert_eq!(report, RestoreReport::default());
        assert_eq!(store.counts(), PendingCounts::default());
    }
}

/// The lines of [`some_lines`] with a bad one behind the second.
fn with_bad_line() -> (Vec<u8>, u64) {
    let mut lines = some_lines();
    let offset = lines[0].len() + lines[1].len();
    lines.insert(2, b"v1 c2VjcmV0 c2VjcmV0 secret\n".to_vec());
    (lines.concat(), offset as u64)
}

#[test]
fn mn7_race69_a_bad_line_is_skipped_and_told_under_strict() {
    let (bytes, offset) = with_bad_line();
    let disk = disk_with(bytes.clone());
    let (store, report) = restore(&disk, Semantics::Strict);
    assert_eq!((report.restored, report.skipped), (5, 1));
    assert_eq!(store.entries(), some(Semantics::Strict).entries());
    let [bad] = report.bad_lines[..] else { panic!("{report:?}") };
    assert_eq!((bad.number, bad.offset, bad.length), (3, offset, 27));
    assert!(matches!(bad.reason, BadLineReason::Form(error) if error.offset == 21), "{bad}");
    assert_eq!(disk.read(BACKUP), Some(bytes), "the line is still in the backup");
}

#[test]
fn mn7_a_bad_line_refuses_the_restore_under_reference() {
    let (bytes, offset) = with_bad_line();
    let disk = disk_with(bytes.clone());
    let error =
        PendingNtfStore::restore(&on(disk.clone()), Semantics::Reference, None).unwrap_err();
    let PendingFileError::BadLine { path, line } = &error else { panic!("{error}") };
    assert_eq!((path.to_str(), line.number, line.offset), (Some(FILE), 3, offset));
    assert_eq!((disk.read(FILE), disk.read(BACKUP)), (Some(bytes), None));
}

#[test]
fn race17_errors_name_file_and_line_and_hold_nothing_of_it() {
    let disk = disk_with(with_bad_line().0);
    let error = PendingNtfStore::restore(&on(disk.clone()), Semantics::Reference, None);
    let refused = error.unwrap_err();
    let (_, report) = restore(&disk, Semantics::Strict);
    let texts = [
        refused.to_string(),
        format!("{refused:?}"),
        report.bad_lines[0].to_string(),
        format!("{report:?}"),
    ];
    for text in &texts {
        assert!(!text.contains("secret") && !text.contains("c2VjcmV0"), "{text}");
    }
    for part in [FILE, "line 3", "27 bytes", "at byte 21", "Strict"] {
        assert!(texts[0].contains(part), "{part} is not in {}", texts[0]);
    }
}

#[test]
fn a_last_line_without_a_newline_is_torn_unless_under_reference() {
    let mut bytes = some_lines().concat();
    bytes.pop();
    let (store, report) = restore(&disk_with(bytes.clone()), Semantics::Strict);
    assert_eq!((report.restored, report.skipped), (4, 1));
    assert_eq!(report.bad_lines[0].reason, BadLineReason::Torn);
    assert_eq!(store.ntfs(&notifier(3)), None);
    let (store, report) = restore(&disk_with(bytes.clone()), Semantics::Reference);
    assert_eq!((report.restored, store.counts().ntfs), (5, 5));
    bytes.truncate(bytes.len() - 3);
    let error = PendingNtfStore::restore(&on(disk_with(bytes)), Semantics::Reference, None);
    assert!(matches!(error, Err(PendingFileError::BadLine { line, .. }) if line.number == 5));
}

#[test]
fn race69_without_a_file_the_backup_is_restored_and_stays() {
    for semantics in BOTH {
        let disk = disk_with(some_lines().concat());
        let (first, _) = restore(&disk, semantics);
        // No save: the process ended. As often as it does.
        for _ in 0..3 {
            let (again, report) = restore(&disk, semantics);
            assert_eq!((report.source, report.restored), (Some(BACKUP.into()), 5));
            assert_eq!(again.entries(), first.entries());
        }
        // A save is what counts from then on, also an empty one.
        PendingNtfStore::new(semantics).save(&on(disk.clone())).unwrap();
        let (_, report) = restore(&disk, semantics);
        assert_eq!((report.source, report.restored), (Some(FILE.into()), 0));
        assert_eq!(restore(&disk, semantics).1.restored, 0);
    }
}

#[test]
fn a_real_folder_keeps_the_file_and_who_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ntfs.log");
    let file = PendingNtfFile::new(&path);
    some(Semantics::Strict).save(&file).unwrap();
    restrict(&path);
    for _ in 0..2 {
        let (store, report) = PendingNtfStore::restore(&file, Semantics::Strict, None).unwrap();
        assert_eq!(report.restored, 5);
        assert!(!FsStorage.exists(&path).unwrap());
        store.save(&file).unwrap();
        assert_restricted(&path);
        store.save(&file).unwrap();
        assert_restricted(&path);
    }
    assert_eq!(std::fs::read(&path).unwrap(), some_lines().concat());
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "the file and its backup");
}

#[cfg(unix)]
fn restrict(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(unix)]
fn assert_restricted(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn restrict(_: &std::path::Path) {}

#[cfg(not(unix))]
fn assert_restricted(_: &std::path::Path) {}

#[test]
fn a_save_that_fails_leaves_no_unfinished_file() {
    for operation in [Operation::Write, Operation::SyncFile, Operation::Rename] {
        let disk = MemStorage::new();
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        failing.plan(Plan::NthOf(operation, 1, Fault::Error(std::io::ErrorKind::StorageFull)));
        some(Semantics::Strict).save(&on(failing)).unwrap_err();
        assert!(disk.names().is_empty(), "{operation:?}: {:?}", disk.names());
    }
}
