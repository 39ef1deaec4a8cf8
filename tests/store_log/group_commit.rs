//! The writer thread: order by sequence number, groups, holes, closing.
#![allow(clippy::disallowed_methods)] // scoped threads: these tests are about real ones

use std::sync::Arc;

use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use simplex_stores::{
    store_log::{Durability, Journal, JournalErrorKind},
    testing::{FailingStorage, MemStorage, Operation},
};

use crate::support::{LOG, config, create, delete, lines, open, time};

const DURABILITIES: [Durability; 3] = [Durability::Memory, Durability::Flush, Durability::Fsync];

#[test]
fn race1_records_stand_in_sequence_whatever_the_order_of_submission() {
    for (seed, durability) in (0..30).zip(DURABILITIES.into_iter().cycle()) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut numbers: Vec<u64> = (1..=200).collect();
        numbers.shuffle(&mut rng);
        let disk = MemStorage::new();
        let (journal, ..) = open(&config(disk.clone()).durability(durability)).unwrap();
        let threads = rng.random_range(1..=8);
        std::thread::scope(|scope| {
            for part in numbers.chunks(numbers.len().div_ceil(threads)) {
                let journal = &journal;
                scope.spawn(move || {
                    let submit =
                        |number: &u64| journal.submit(*number, vec![time(1, *number as u32)]);
                    let tickets: Vec<_> = part.iter().map(submit).collect();
                    tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
                });
            }
        });
        journal.close().unwrap();
        let expected: Vec<_> = (1..=200).map(|number| time(1, number)).collect();
        assert_eq!(disk.read(LOG).unwrap(), lines(&expected), "seed {seed}");
    }
}

/// Whoever has waited for its ticket finds its record on the disk, and everything before it.
#[test]
fn a_ticket_is_answered_after_its_group_is_durable() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone()).durability(Durability::Fsync)).unwrap();
    let next = simplex_stores::sync::atomic::AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let number = next.fetch_add(1, simplex_stores::sync::atomic::Ordering::Relaxed);
                    let record = time(1, u32::try_from(number).unwrap());
                    journal.submit(number, vec![record]).wait().unwrap();
                    let synced = disk.read_synced(LOG).unwrap();
                    let count = synced.iter().filter(|byte| **byte == b'\n').count() as u64;
                    assert!(count >= number, "{count} lines synced after the answer to {number}");
                }
            });
        }
    });
}

#[test]
fn a_hole_waits_and_what_waited_is_one_group() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let (journal, ..) = open(&config(failing.clone()).durability(Durability::Fsync)).unwrap();
    failing.plan(simplex_stores::testing::Plan::Never);
    let late: Vec<_> =
        (2..=100).map(|number| journal.submit(number, vec![create(number as u32)])).collect();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    late.into_iter().for_each(|ticket| ticket.wait().unwrap());
    let done = failing.done();
    let count = |operation| done.iter().filter(|done| done.operation == operation).count();
    assert_eq!((count(Operation::Write), count(Operation::SyncFile)), (1, 1));
}

#[test]
fn what_was_submitted_before_anybody_waits_is_one_group() {
    let failing = FailingStorage::new(Arc::new(MemStorage::new()));
    let (journal, ..) = open(&config(failing.clone()).durability(Durability::Fsync)).unwrap();
    failing.plan(simplex_stores::testing::Plan::Never);
    let tickets: Vec<_> =
        (1..=100).map(|number| journal.submit(number, vec![create(number as u32)])).collect();
    tickets.into_iter().rev().for_each(|ticket| ticket.wait().unwrap());
    let done = failing.done();
    let count = |operation| done.iter().filter(|done| done.operation == operation).count();
    assert_eq!((count(Operation::Write), count(Operation::SyncFile)), (1, 1));
}

/// More than one group's worth of bytes behind a hole, and nobody who waits for them.
#[test]
fn everything_behind_a_hole_is_written_also_when_it_takes_several_groups() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone()).durability(Durability::Memory)).unwrap();
    let records: Vec<_> = (1..=12_000).map(create).collect();
    for (number, record) in (1..).zip(&records).skip(1) {
        journal.submit(number, vec![record.clone()]).wait().unwrap();
    }
    journal.submit(1, vec![create(1)]).wait().unwrap();
    let expected = lines(&records);
    assert!(expected.len() > 2 * 1024 * 1024);
    while disk.read(LOG).unwrap().len() < expected.len() {
        simplex_stores::sync::thread::yield_now();
    }
    assert_eq!(disk.read(LOG).unwrap(), expected);
}

/// Far more tickets than any bound on what is on its way: none of them keeps the last from being waited for.
#[test]
fn any_number_of_tickets_may_be_open() {
    let (journal, ..) = open(&config(MemStorage::new())).unwrap();
    let tickets: Vec<_> = (1..=9_000).map(|n| journal.submit(n, vec![time(1, 1)])).collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn closing_writes_as_many_groups_as_there_are() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone())).unwrap();
    let records: Vec<_> = (1..=12_000).map(create).collect();
    let tickets: Vec<_> =
        (1..).zip(&records).map(|(n, record)| journal.submit(n, vec![record.clone()])).collect();
    journal.close().unwrap();
    assert_eq!(disk.read(LOG).unwrap(), lines(&records));
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn race27_a_number_that_never_came_is_not_waited_for_once_the_journal_is_closed() {
    let (journal, ..) = open(&config(MemStorage::new())).unwrap();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    journal.close().unwrap();
    assert_eq!(journal.close_after(1), Ok(()));
    assert_eq!(journal.close_after(5).unwrap_err().kind(), JournalErrorKind::Closed);
}

#[test]
fn jr17_the_records_of_one_submission_stand_together() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone())).unwrap();
    let both = vec![create(1), delete(1)];
    journal.submit(2, both.clone()).wait_after(|| journal.submit(1, both.clone()).wait().unwrap());
    journal.submit(3, Vec::new()).wait().unwrap();
    journal.submit(4, both.clone()).wait().unwrap();
    drop(journal);
    assert_eq!(disk.read(LOG).unwrap(), lines(&both).repeat(3));
}

/// Small helper: something first, then the ticket.
trait WaitAfter {
    fn wait_after(self, first: impl FnOnce());
}

impl WaitAfter for simplex_stores::store_log::Ticket {
    fn wait_after(self, first: impl FnOnce()) {
        first();
        self.wait().unwrap();
    }
}

#[test]
fn a_hole_that_stays_fails_what_waited_for_it() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone())).unwrap();
    let before = journal.submit(1, vec![create(1)]);
    let behind = journal.submit(3, vec![create(3)]);
    assert_eq!(journal.close().unwrap_err().kind(), JournalErrorKind::Sequence);
    before.wait().unwrap();
    assert_eq!(behind.wait().unwrap_err().kind(), JournalErrorKind::Sequence);
    assert_eq!(disk.read(LOG).unwrap(), lines(&[create(1)]));
}

#[test]
fn a_number_that_comes_twice_breaks_the_journal() {
    for twice in [1, 5] {
        let (journal, ..) = open(&config(MemStorage::new())).unwrap();
        journal.submit(1, vec![create(1)]).wait().unwrap();
        let first = journal.submit(5, vec![create(5)]);
        drop(journal.submit(twice, vec![create(5)]));
        assert_eq!(first.wait().unwrap_err().kind(), JournalErrorKind::Sequence);
        assert!(journal.is_broken());
    }
}

#[test]
fn a_closed_journal_refuses_and_answers_the_same_again() {
    let (journal, ..) = open(&config(MemStorage::new())).unwrap();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    assert_eq!((journal.close(), journal.close()), (Ok(()), Ok(())));
    let error = journal.submit(2, vec![create(2)]).wait().unwrap_err();
    assert_eq!(error.kind(), JournalErrorKind::Closed);
    assert!(!journal.is_broken());
}

/// Closing beside submitting: what was answered with success is in the file.
#[test]
fn race27_closing_under_load_loses_nothing_that_was_answered() {
    for round in 0..20 {
        let disk = MemStorage::new();
        let durability = DURABILITIES[round % 3];
        let (journal, ..) = open(&config(disk.clone()).durability(durability)).unwrap();
        let answered = std::thread::scope(|scope| {
            let submitter = scope.spawn(|| {
                let submit = |number: u64| {
                    let record = time(1, u32::try_from(number).unwrap());
                    journal.submit(number, vec![record]).wait()
                };
                (1..).take_while(|number| submit(*number).is_ok()).count()
            });
            while round > 0 && disk.read(LOG).unwrap().len() < round * 40 {
                simplex_stores::sync::thread::yield_now();
            }
            let _known: Result<(), _> = journal.close();
            submitter.join().unwrap()
        });
        let expected: Vec<_> = (1..=answered as u32).map(|number| time(1, number)).collect();
        assert_eq!(disk.read(LOG).unwrap(), lines(&expected));
    }
}

#[test]
fn dropping_a_journal_writes_what_was_submitted() {
    let disk = MemStorage::new();
    let (journal, ..) = open(&config(disk.clone()).durability(Durability::Memory)).unwrap();
    for number in 1..=1000 {
        journal.submit(number, vec![time(1, number as u32)]).wait().unwrap();
    }
    drop::<Journal>(journal);
    assert_eq!(disk.read_synced(LOG).unwrap().iter().filter(|byte| **byte == b'\n').count(), 1000);
}
