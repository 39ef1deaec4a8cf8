//! Every step at which a save or a restore of pending notifications may fail or end, and what the next
//! restore finds (RACE-69).

use std::io::ErrorKind;
use std::sync::Arc;

use simplex_stores::ntf_store::pending::{
    PendingEntry, PendingFileError, PendingNtfFile, PendingNtfStore,
};
use simplex_stores::protocol::Semantics;
use simplex_stores::testing::ntf_store::pending::sample::{notifier, ntf};
use simplex_stores::testing::{Crash, FailingStorage, Fault, MemStorage, Plan};

use crate::pending_files::{BACKUP, FILE, disk_with, on, restore, some, some_lines};
use crate::pending_items::BOTH;

const DIED: Fault = Fault::Error(ErrorKind::Other);

/// Where a start finds what was saved.
#[derive(Clone, Copy, Debug)]
enum Start {
    File,
    Backup,
}

impl Start {
    fn disk(self) -> MemStorage {
        match self {
            Self::File => {
                let disk = disk_with(some_lines().concat());
                disk.put(BACKUP, "v1 what was restored before\n");
                disk
            }
            Self::Backup => {
                let disk = MemStorage::new();
                disk.put(BACKUP, some_lines().concat());
                disk
            }
        }
    }
}

/// Restores, stores two more notifications, and saves twice.
fn life(file: &PendingNtfFile, semantics: Semantics) -> Result<(), PendingFileError> {
    let (store, report) = PendingNtfStore::restore(file, semantics, None)?;
    assert_eq!((report.restored, report.skipped), (5, 0));
    store.store(&notifier(1), &ntf(6, 40));
    store.save(file)?;
    store.store(&notifier(5), &ntf(7, 50));
    store.save(file)?;
    Ok(())
}

/// The stores that a restart may find after a life that ended somewhere.
fn outcomes() -> [Vec<PendingEntry>; 3] {
    let store = some(Semantics::Strict);
    let before = store.entries();
    store.store(&notifier(1), &ntf(6, 40));
    let first = store.entries();
    store.store(&notifier(5), &ntf(7, 50));
    [before, first, store.entries()]
}

/// How many operations a whole life takes.
fn steps(start: Start) -> u64 {
    let failing = FailingStorage::new(Arc::new(start.disk()));
    life(&on(failing.clone()), Semantics::Strict).unwrap();
    failing.done().len() as u64
}

fn crashes() -> Vec<Crash> {
    let mut all =
        vec![Crash::Process, Crash::PowerSyncedOnly, Crash::PowerNamesKept, Crash::PowerDataKept];
    all.extend((0..4).map(Crash::PowerPrefix));
    all.extend((0..8).map(Crash::PowerSubset));
    all
}

/// Restores after a crash; the store is one of the outcomes, whole, and nothing was skipped.
fn found(disk: &MemStorage, semantics: Semantics) -> usize {
    let (store, report) = restore(disk, semantics);
    assert_eq!(report.skipped, 0, "a file that is not whole");
    let entries = store.entries();
    outcomes().iter().position(|outcome| *outcome == entries).expect("none of the outcomes")
}

#[test]
fn race69_no_crash_at_any_step_loses_what_was_saved() {
    for start in [Start::File, Start::Backup] {
        let steps = steps(start);
        assert!(steps >= 15, "{start:?} has {steps} steps");
        for semantics in BOTH {
            for (at, crash) in
                (1..=steps + 1).flat_map(|at| crashes().into_iter().map(move |crash| (at, crash)))
            {
                let disk = start.disk();
                let failing = FailingStorage::new(Arc::new(disk.clone()));
                failing.plan(Plan::From(at, DIED));
                let ended_well = life(&on(failing), semantics).is_ok();
                assert_eq!(ended_well, at > steps);
                disk.crash(crash);
                let outcome = found(&disk, semantics);
                assert!(
                    !ended_well || outcome == 2,
                    "{start:?}, step {at}, {crash:?}: not durable"
                );
                // The next process may end before its first save, too.
                disk.crash(crash);
                assert_eq!(found(&disk, semantics), outcome, "{start:?}, step {at}, {crash:?}");
            }
        }
    }
}

#[test]
fn race69_what_was_saved_is_never_older_than_the_save_that_returned() {
    let start = Start::File;
    for at in 1..=steps(start) {
        for crash in crashes() {
            let disk = start.disk();
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            let file = on(failing.clone());
            let (store, _) = PendingNtfStore::restore(&file, Semantics::Strict, None).unwrap();
            store.store(&notifier(1), &ntf(6, 40));
            store.save(&file).unwrap();
            failing.plan(Plan::From(at, DIED));
            store.store(&notifier(5), &ntf(7, 50));
            let second = store.save(&file).is_ok();
            disk.crash(crash);
            let outcome = found(&disk, Semantics::Strict);
            assert!(outcome >= 1 && (!second || outcome == 2), "step {at}, {crash:?}: {outcome}");
        }
    }
}

#[test]
fn an_operation_that_fails_is_told_and_the_next_try_succeeds() {
    let faults = [
        Fault::Error(ErrorKind::StorageFull),
        Fault::After(ErrorKind::Other),
        Fault::ShortWrite(7, ErrorKind::StorageFull),
    ];
    for start in [Start::File, Start::Backup] {
        for (at, fault) in
            (1..=steps(start)).flat_map(|at| faults.into_iter().map(move |fault| (at, fault)))
        {
            let disk = start.disk();
            let failing = FailingStorage::new(Arc::new(disk.clone()));
            failing.plan(Plan::Once(at, fault));
            let file = on(failing.clone());
            let Err(error) = life(&file, Semantics::Strict) else {
                // That there is no file is an answer, and it was given.
                assert!(matches!((start, at, fault), (Start::Backup, 1, Fault::After(_))));
                continue;
            };
            let error = error.to_string();
            assert!(error.starts_with(FILE), "the message does not begin with the file: {error}");
            let outcome = found(&disk, Semantics::Strict);
            let (store, _) = restore(&disk, Semantics::Strict);
            assert_eq!(store.entries(), outcomes()[outcome]);
            store.save(&file).unwrap();
            assert_eq!(found(&disk, Semantics::Strict), outcome);
            assert!(!disk.names().iter().any(|name| name.ends_with("F.tmp")), "step {at}");
        }
    }
}

#[test]
fn a_leftover_of_a_save_that_did_not_end_is_never_read() {
    for semantics in BOTH {
        let disk = Start::File.disk();
        disk.put("/folder/F.tmp", "half of a lin");
        assert_eq!(found(&disk, semantics), 0);
        some(semantics).save(&on(disk.clone())).unwrap();
        assert_eq!(disk.read(FILE).unwrap(), some_lines().concat());
    }
}
