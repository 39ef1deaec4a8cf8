//! Every way in which a start may not end (CR-1 to CR-13), and that the next one finds the same
//! state.

use std::{io::ErrorKind, path::Path, sync::Arc};

use simplex_stores::{
    store_log::{Durability, FsStorage, OpenError, OpenStep, Storage, StoreLogConfig},
    testing::{Crash, Done, FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::support::{
    BACKUP, LOG, NOW, TestStore, config, create, disk_with, lines, names, open, state_on, workload,
};

const DIED: Fault = Fault::Error(ErrorKind::Other);

fn old_log() -> Vec<u8> {
    lines(&workload())
}

fn new_log() -> Vec<u8> {
    TestStore::of(&workload()).compacted_bytes()
}

/// What a start does when nothing goes wrong.
fn steps(disk: &MemStorage) -> Vec<Done> {
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    drop(open(&config(failing.clone())).unwrap());
    failing.done()
}

/// Ends a start by process crash right before the first operation of this kind on this path.
fn crash_before(disk: &MemStorage, operation: Operation, path: &str) {
    let rehearsal = MemStorage::new();
    for name in disk.names() {
        rehearsal.put(&name, disk.read(&name).unwrap());
    }
    let at = steps(&rehearsal)
        .iter()
        .position(|done| done.operation == operation && done.path == Path::new(path))
        .expect("the start does no such thing");
    crash_at(disk, at as u64 + 1);
}

/// From the operation of this number on, nothing reaches the disk any more.
fn crash_at(disk: &MemStorage, number: u64) {
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    failing.plan(Plan::From(number, DIED));
    drop(open(&config(failing)));
    disk.crash(Crash::Process);
}

/// Starts once more; the state is whole, and the log is the compacted one.
fn restart(disk: &MemStorage, recovered: bool) {
    let (journal, report, store) = open(&config(disk.clone())).unwrap();
    assert_eq!(store, TestStore { finished: store.finished, ..TestStore::of(&workload()) });
    assert_eq!(report.recovered, recovered);
    assert_eq!(report.replay.warnings_total, u64::from(recovered));
    drop(journal);
    assert_eq!(disk.read(LOG).unwrap(), new_log());
    assert!(disk.read("/log/F.start").is_none());
}

#[test]
fn cr1_before_and_during_s1() {
    let disk = disk_with(old_log());
    crash_before(&disk, Operation::OpenRead, LOG);
    assert_eq!(names(&disk), ["F"]);
    assert_eq!(disk.read(LOG).unwrap(), old_log());
    restart(&disk, false);
    assert_eq!(disk.read(BACKUP).unwrap(), old_log());
}

#[test]
fn cr2_after_s2() {
    let disk = disk_with(old_log());
    crash_before(&disk, Operation::Create, LOG);
    assert_eq!(names(&disk), ["F.start"]);
    restart(&disk, true);
    assert!(disk.read("/log/F.bak").is_none());
}

#[test]
fn cr3_after_s3() {
    let disk = disk_with(old_log());
    crash_before(&disk, Operation::Write, LOG);
    assert_eq!(names(&disk), ["F", "F.start"]);
    assert_eq!(disk.read(LOG).unwrap(), b"");
    restart(&disk, true);
    assert_eq!(disk.read("/log/F.bak").unwrap(), b"");
}

#[test]
fn cr4_during_s4() {
    let disk = disk_with(old_log());
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    failing.plan(Plan::NthOf(Operation::Write, 1, Fault::ShortWrite(300, ErrorKind::Other)));
    drop(open(&config(failing)));
    disk.crash(Crash::Process);
    assert_eq!(names(&disk), ["F", "F.start"]);
    assert_eq!(disk.read(LOG).unwrap(), new_log()[..300]);
    restart(&disk, true);
    assert_eq!(disk.read("/log/F.bak").unwrap(), new_log()[..300]);
}

#[test]
fn cr5_after_s4_before_s5() {
    let disk = disk_with(old_log());
    crash_before(&disk, Operation::Rename, BACKUP);
    assert_eq!(names(&disk), ["F", "F.start"]);
    restart(&disk, true);
    assert_eq!(disk.read("/log/F.bak").unwrap(), new_log());
    assert_eq!(disk.read(BACKUP).unwrap(), old_log());
}

#[test]
fn cr6_after_s5() {
    let disk = disk_with(old_log());
    crash_before(&disk, Operation::List, "/log");
    assert_eq!(names(&disk), ["F", "F.2025-06-01T12:00:00.5Z"]);
    restart(&disk, false);
    assert_eq!(disk.read(BACKUP).unwrap(), old_log());
    // The second start's backup takes the next free name.
    assert_eq!(disk.read("/log/F.2025-06-01T12:00:00.500000001Z").unwrap(), new_log());
}

#[test]
fn cr7_during_s6() {
    let disk = disk_with(old_log());
    for day in 1..=5 {
        disk.put(format!("/log/F.2025-01-0{day}T00:00:00Z"), "");
    }
    crash_before(&disk, Operation::Remove, "/log/F.2025-01-02T00:00:00Z");
    assert!(disk.read("/log/F.2025-01-01T00:00:00Z").is_none());
    assert!(disk.read("/log/F.2025-01-02T00:00:00Z").is_some());
    restart(&disk, false);
    assert!(disk.read("/log/F.2025-01-02T00:00:00Z").is_none());
    assert!(disk.read("/log/F.2025-01-03T00:00:00Z").is_some());
}

#[test]
fn cr8_after_r1() {
    let disk = disk_with("partial");
    disk.put("/log/F.start", old_log());
    disk.put("/log/F.bak", "older");
    crash_before(&disk, Operation::Rename, LOG);
    assert_eq!(names(&disk), ["F.bak", "F.start"]);
    assert_eq!(disk.read("/log/F.bak").unwrap(), b"partial");
    restart(&disk, true);
    assert_eq!(disk.read("/log/F.bak").unwrap(), b"partial");
}

#[test]
fn cr9_after_r2() {
    let disk = disk_with("partial");
    disk.put("/log/F.start", old_log());
    crash_before(&disk, Operation::OpenRead, LOG);
    assert_eq!(names(&disk), ["F", "F.bak"]);
    restart(&disk, false);
}

#[test]
fn cr10_during_n1() {
    for number in 1..=steps(&MemStorage::new()).len() as u64 {
        let disk = MemStorage::new();
        crash_at(&disk, number);
        assert_eq!(state_on(&disk).len(), 0, "operation {number}");
    }
}

#[test]
fn cr11_a_full_disk_fails_the_start_and_nothing_is_lost() {
    for operation in [Operation::Create, Operation::Write, Operation::SyncFile] {
        let disk = disk_with(old_log());
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        failing.plan(Plan::NthOf(operation, 1, Fault::Error(ErrorKind::StorageFull)));
        let error = open(&config(failing)).unwrap_err();
        let expected =
            if operation == Operation::SyncFile { OpenStep::Sync } else { OpenStep::Write };
        let OpenError::Io { step, path, source } = error else { panic!("{error}") };
        assert_eq!((step, source.kind()), (expected, ErrorKind::StorageFull));
        assert_eq!(path, Path::new(LOG));
        restart(&disk, true);
    }
}

/// Whatever operation a start is cut at, and whatever a disk keeps of what was not synced, the next
/// start finds the state.
#[test]
fn cr12_no_power_loss_loses_the_state() {
    type Case = (&'static str, fn() -> MemStorage);
    let cases: [Case; 2] = [
        ("a log", || disk_with(old_log())),
        ("a log of an unfinished start", || {
            let disk = disk_with(&new_log()[..100]);
            disk.put("/log/F.start", old_log());
            disk
        }),
    ];
    for (case, disk) in cases {
        for number in 1..=steps(&disk()).len() as u64 + 1 {
            for crash in power_losses() {
                let disk = disk();
                crash_at(&disk, number);
                disk.crash(crash);
                let expected = TestStore::of(&workload()).queues;
                assert_eq!(state_on(&disk), expected, "{case}, operation {number}, {crash:?}");
            }
        }
    }
}

fn power_losses() -> Vec<Crash> {
    let mut all =
        vec![Crash::Process, Crash::PowerSyncedOnly, Crash::PowerNamesKept, Crash::PowerDataKept];
    all.extend((0..6).map(Crash::PowerPrefix));
    all.extend((0..32).map(Crash::PowerSubset));
    all
}

/// The rule that makes the test above pass, looked at directly: both syncs stand before S5 and one
/// behind it.
#[test]
fn cr12_file_and_folder_are_synced_before_s5_and_the_folder_after() {
    let done = steps(&disk_with(old_log()));
    let after_write = done
        .iter()
        .skip_while(|done| done.operation != Operation::Write)
        .filter(|done| done.operation.changes())
        .map(|done| (done.operation, done.path.to_str().unwrap()))
        .take(5);
    assert_eq!(
        after_write.collect::<Vec<_>>(),
        [
            (Operation::Write, LOG),
            (Operation::SyncFile, LOG),
            (Operation::SyncDir, "/log"),
            (Operation::Rename, BACKUP),
            (Operation::SyncDir, "/log"),
        ]
    );
}

/// While the disk has the name F.start, what is appended to F does not count; so S5 is synced
/// before the first append.
#[test]
fn cr12_a_change_answered_right_after_the_start_survives_a_power_loss() {
    let disk = disk_with(old_log());
    let durable = config(disk.clone()).durability(Durability::Fsync);
    let (journal, _, mut expected) = open(&durable).unwrap();
    journal.submit(1, vec![create(9)]).wait().unwrap();
    disk.crash(Crash::PowerSyncedOnly);
    drop(journal);
    expected.apply_one(create(9)).unwrap();
    assert_eq!(state_on(&disk), expected.queues);
}

#[test]
fn cr13_a_torn_append_is_never_replayed() {
    let records = workload();
    let whole = lines(&records);
    let last = lines(&records[6..]).len();
    for cut in 1..last {
        let disk = disk_with(&whole[..whole.len() - cut]);
        let (journal, report, store) = open(&config(disk.clone())).unwrap();
        drop(journal);
        assert_eq!(store.queues, TestStore::of(&records[..6]).queues);
        let torn = report.replay.torn_tail.unwrap();
        assert_eq!((torn.line, torn.length), (7, (last - cut) as u64));
        assert_eq!(disk.read(LOG).unwrap(), TestStore::of(&records[..6]).compacted_bytes());
        assert_eq!(disk.read(BACKUP).unwrap(), whole[..whole.len() - cut]);
    }
}

/// As `cr12`, by process crash, on a real folder.
#[test]
fn crash_points_on_a_real_folder() {
    let count = steps(&disk_with(old_log())).len() as u64;
    for number in 1..=count + 1 {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("F");
        std::fs::write(&log, old_log()).unwrap();
        let on =
            |storage: Arc<dyn Storage>| StoreLogConfig::new(&log).storage(storage).clock(|| NOW);
        let failing = FailingStorage::new(Arc::new(FsStorage));
        failing.plan(Plan::From(number, DIED));
        drop(open(&on(Arc::new(failing))));
        let (journal, _, store) = open(&on(Arc::new(FsStorage))).unwrap();
        drop(journal);
        assert_eq!(store.queues, TestStore::of(&workload()).queues, "operation {number}");
        assert_eq!(std::fs::read(&log).unwrap(), new_log());
    }
}

#[test]
fn cp7_a_recovery_warns() {
    let disk = disk_with("partial");
    disk.put("/log/F.start", old_log());
    let (_journal, report, _) = open(&config(disk)).unwrap();
    let text: Vec<String> = report.replay.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(text, ["the last start did not end; its partial file, if any, is now F.bak"]);
}
