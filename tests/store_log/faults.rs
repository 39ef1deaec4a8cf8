//! Disks that fail while a store writes: what was answered stays, what failed is gone, and
//! reopening recovers (RACE-3, RACE-8).

use std::{io::ErrorKind, sync::Arc};

use simplex_stores::{
    store_log::{Durability, Journal, JournalErrorKind},
    testing::{Crash, FailingStorage, Fault, MemStorage, Operation, Plan},
};

use crate::support::{LOG, config, create, disk_with, lines, open, state_on, states, workload};

const FULL: Fault = Fault::Error(ErrorKind::StorageFull);
const EIO: Fault = Fault::Error(ErrorKind::Other);

/// Submits the workload one by one; gives how many were answered with success, all before the first
/// that was not.
fn run(journal: &Journal) -> usize {
    let mut written = 0;
    let mut failed = false;
    for (number, record) in (1..).zip(workload()) {
        match journal.submit(number, vec![record]).wait() {
            Ok(()) => {
                assert!(!failed, "a success after a failure");
                written += 1;
            }
            Err(error) => {
                failed = true;
                assert!(journal.is_broken());
                assert!(!error.to_string().contains("log/F"), "{error}");
            }
        }
    }
    written
}

fn faults() -> Vec<(Operation, Fault)> {
    let shorts = [0, 1, 20, 1000].map(|count| Fault::ShortWrite(count, ErrorKind::StorageFull));
    let done_all_the_same = Fault::After(ErrorKind::Other);
    let mut all = vec![
        (Operation::Write, FULL),
        (Operation::Write, EIO),
        (Operation::Write, done_all_the_same),
        (Operation::SyncFile, EIO),
        (Operation::SyncFile, done_all_the_same),
    ];
    all.extend(shorts.map(|fault| (Operation::Write, fault)));
    all
}

#[test]
fn race3_what_was_answered_stays_and_what_failed_is_gone() {
    let states = states(&workload());
    for durability in [Durability::Flush, Durability::Fsync] {
        for (operation, fault) in faults() {
            if operation == Operation::SyncFile && durability == Durability::Flush {
                continue; // Flush syncs at close only; see below.
            }
            for at in 1..=workload().len() {
                let disk = MemStorage::new();
                let failing = FailingStorage::new(Arc::new(disk.clone()));
                let config = config(failing.clone()).durability(durability);
                let (journal, ..) = open(&config).unwrap();
                failing.plan(Plan::NthOf(operation, at as u64, fault));
                let written = run(&journal);
                let case = format!("{durability:?}, {operation:?} {at}, {fault:?}");
                assert_eq!(written, at - 1, "{case}");
                assert_eq!(disk.read(LOG).unwrap(), lines(&workload()[..written]), "{case}");
                assert!(journal.close().is_err());
                assert_eq!(state_on(&disk), states[written].queues, "{case}");
            }
        }
    }
}

#[test]
fn race3_a_power_loss_after_a_failure_keeps_what_was_answered() {
    let states = states(&workload());
    for (operation, fault) in faults() {
        for at in 1..=workload().len() {
            for crash in [Crash::PowerSyncedOnly, Crash::PowerNamesKept, Crash::PowerDataKept] {
                let disk = MemStorage::new();
                let failing = FailingStorage::new(Arc::new(disk.clone()));
                let config = config(failing.clone()).durability(Durability::Fsync);
                let (journal, ..) = open(&config).unwrap();
                failing.plan(Plan::NthOf(operation, at as u64, fault));
                let written = run(&journal);
                disk.crash(crash);
                drop(journal);
                assert_eq!(state_on(&disk), states[written].queues, "{operation:?} {at} {crash:?}");
            }
        }
    }
}

/// When the disk is gone for good, even cutting back fails: what was answered is still there, and
/// what was not is at most a torn line or records that never were answered.
#[test]
fn race3_a_disk_that_is_gone_keeps_what_was_answered() {
    let states = states(&workload());
    for at in 1..=2 * workload().len() as u64 {
        let disk = MemStorage::new();
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        let config = config(failing.clone()).durability(Durability::Fsync);
        let (journal, ..) = open(&config).unwrap();
        failing.plan(Plan::From(at, Fault::ShortWrite(30, ErrorKind::Other)));
        let written = run(&journal);
        drop(journal);
        let state = state_on(&disk);
        let possible = states[written..].iter().take(2).any(|possible| possible.queues == state);
        assert!(possible, "operation {at}, {written} written");
    }
}

#[test]
fn race8_nothing_is_written_after_a_failure_and_reopening_recovers() {
    let disk = disk_with(lines(&workload()));
    let failing = FailingStorage::new(Arc::new(disk.clone()));
    let (journal, ..) = open(&config(failing.clone())).unwrap();
    failing.plan(Plan::NthOf(Operation::Write, 1, Fault::ShortWrite(5, ErrorKind::StorageFull)));
    let first = journal.submit(1, vec![create(10)]).wait().unwrap_err();
    assert_eq!(first.kind(), JournalErrorKind::Write);
    assert_eq!(first.io_kind(), Some(ErrorKind::StorageFull));
    for number in 2..10 {
        assert_eq!(journal.submit(number, vec![create(10)]).wait(), Err(first));
    }
    assert_eq!(journal.close(), Err(first));
    let writes = failing.done().into_iter().filter(|done| done.operation == Operation::Write);
    assert_eq!(writes.count(), 1);
    let (journal, ..) = open(&config(failing)).unwrap();
    journal.submit(1, vec![create(11)]).wait().unwrap();
    journal.close().unwrap();
}

#[test]
fn a_failed_sync_at_close_is_told_by_close() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let (journal, ..) = open(&config(failing.clone())).unwrap();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    failing.plan(Plan::NthOf(Operation::SyncFile, 1, EIO));
    assert_eq!(journal.close().unwrap_err().kind(), JournalErrorKind::Sync);
}

/// Whoever asks only after the journal has closed is told the same as who asked before.
#[test]
fn a_failed_record_stays_failed_when_the_journal_closes() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let (journal, ..) = open(&config(failing.clone())).unwrap();
    let [first, second] = [1, 2].map(|number| journal.submit(number, vec![create(1)]));
    failing.plan(Plan::NthOf(Operation::Write, 1, EIO));
    let error = first.wait().unwrap_err();
    assert_eq!(journal.close(), Err(error));
    assert_eq!(second.wait(), Err(error));
}

#[test]
fn close_tells_the_first_error() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let (journal, ..) = open(&config(failing.clone())).unwrap();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    failing.plan(Plan::From(1, Fault::Error(ErrorKind::StorageFull)));
    let error = journal.submit(2, vec![create(2)]).wait().unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::Write);
    assert_eq!(journal.close(), Err(error), "the sync of what was good fails too");
}

#[test]
fn close_makes_everything_durable_under_every_durability() {
    for durability in [Durability::Memory, Durability::Flush, Durability::Fsync] {
        let disk = MemStorage::new();
        let (journal, ..) = open(&config(disk.clone()).durability(durability)).unwrap();
        for (number, record) in (1..).zip(workload()) {
            journal.submit(number, vec![record]).wait().unwrap();
        }
        journal.close().unwrap();
        disk.crash(Crash::PowerSyncedOnly);
        assert_eq!(disk.read(LOG).unwrap(), lines(&workload()), "{durability:?}");
    }
}

#[test]
fn memory_durability_learns_of_a_failure_with_a_later_ticket() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let config = config(failing.clone()).durability(Durability::Memory);
    let (journal, ..) = open(&config).unwrap();
    failing.plan(Plan::NthOf(Operation::Write, 1, EIO));
    journal.submit(1, vec![create(1)]).wait().unwrap();
    // The writer fails at some time; every submission from then on is refused.
    let mut number = 1;
    while !journal.is_broken() {
        number += 1;
        drop(journal.submit(number, vec![create(1)]));
        simplex_stores::sync::thread::yield_now();
    }
    assert!(journal.submit(number + 1, vec![create(1)]).wait().is_err());
    assert!(journal.close().is_err());
}
