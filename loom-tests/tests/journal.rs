//! The journal's desk: one writer that whoever waits for a record uses, and a thread for records
//! that nobody waits for.
//!
//! **The promise.** In every interleaving, records stand in the file in the order of their numbers;
//! a ticket's answer comes, and comes after the record is in the file; what nobody waits for is
//! written all the same; and closing beside submitting loses nothing that was answered with
//! success. A waiter that sleeps for ever is a deadlock, which loom reports.
//!
//! **The twins.** Two small desks with one guard taken out each: one where a waiter that finds the
//! writer taken leaves no word, and one where the thread's bell is reset after receiving. loom
//! finds the waiter that sleeps for ever.
#![cfg(any(loom, shuttle))]
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{collections::BTreeSet, ffi::OsString, io, path::Path, sync::Arc};

use loom_tests::{explore, must_fail};
use simplex_stores::{
    protocol::Semantics,
    store_log::{
        Durability, Journal, LogRecord, Storage, StorageFile, StorageLock, StorageRead,
        StoreLogConfig,
    },
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
        channel::{Receiver, Sender, unbounded},
        thread::spawn,
    },
    testing::{FailingStorage, Fault, MemStorage, Operation, Plan},
};

const LOG: &str = "F";

fn record(number: u64) -> LogRecord {
    LogRecord::parse(format!("TIME AAAA {number}").as_bytes(), Semantics::Strict).unwrap()
}

fn text(numbers: &[u64]) -> Vec<u8> {
    let line = |number: &u64| format!("TIME AAAA {number}\n").into_bytes();
    numbers.iter().flat_map(line).collect()
}

fn open(storage: impl Storage + 'static, durability: Durability) -> Arc<Journal> {
    let config = StoreLogConfig::new(LOG).storage(Arc::new(storage)).durability(durability);
    Arc::new(Journal::open_append(&config).unwrap().0)
}

/// Submits on a thread of its own, waits for the answer, and looks into the file when it is a
/// success.
fn submitter(
    journal: &Arc<Journal>,
    disk: &MemStorage,
    number: u64,
) -> simplex_stores::sync::thread::JoinHandle<bool> {
    let (journal, disk) = (Arc::clone(journal), disk.clone());
    spawn(move || submit(&journal, &disk, number))
}

fn submit(journal: &Journal, disk: &MemStorage, number: u64) -> bool {
    let answer = journal.submit(number, vec![record(number)]).wait();
    if answer.is_ok() {
        let due: Vec<u64> = (1..=number).collect();
        assert!(disk.read(LOG).unwrap().starts_with(&text(&due)), "answered before it was written");
    }
    answer.is_ok()
}

#[test]
fn two_waiters_whose_numbers_come_in_any_order() {
    explore("journal/two_waiters", 3, || {
        let disk = MemStorage::new();
        let journal = open(disk.clone(), Durability::Flush);
        let second = submitter(&journal, &disk, 2);
        assert!(submit(&journal, &disk, 1));
        assert!(second.join().unwrap());
        journal.close().unwrap();
        assert_eq!(disk.read(LOG).unwrap(), text(&[1, 2]));
    });
}

#[test]
fn three_waiters_and_a_hole_that_is_filled_last_or_first() {
    explore("journal/three_waiters", 2, || {
        let disk = MemStorage::new();
        let journal = open(disk.clone(), Durability::Fsync);
        let third = submitter(&journal, &disk, 3);
        let second = submitter(&journal, &disk, 2);
        assert!(submit(&journal, &disk, 1));
        assert!(second.join().unwrap() && third.join().unwrap());
        drop(journal);
        assert_eq!(disk.read(LOG).unwrap(), text(&[1, 2, 3]));
    });
}

#[test]
fn a_failed_write_answers_every_waiter() {
    explore("journal/failed_write", 3, || {
        let disk = MemStorage::new();
        let failing = FailingStorage::new(Arc::new(disk.clone()));
        let journal = open(failing.clone(), Durability::Flush);
        let fault = Fault::ShortWrite(3, io::ErrorKind::StorageFull);
        failing.plan(Plan::NthOf(Operation::Write, 1, fault));
        let second = submitter(&journal, &disk, 2);
        assert!(!submit(&journal, &disk, 1));
        assert!(!second.join().unwrap());
        journal.close().unwrap_err();
        assert_eq!(disk.read(LOG).unwrap(), text(&[]));
    });
}

#[test]
fn closing_beside_submitting_loses_nothing_that_was_answered() {
    for durability in [Durability::Flush, Durability::Memory] {
        explore(&format!("journal/close_beside_submit/{durability:?}"), 3, move || {
            let disk = MemStorage::new();
            let journal = open(disk.clone(), durability);
            let other = {
                let journal = Arc::clone(&journal);
                spawn(move || journal.submit(1, vec![record(1)]).wait().is_ok())
            };
            journal.close().unwrap();
            let answered = other.join().unwrap();
            assert_eq!(disk.read(LOG).unwrap(), text(if answered { &[1] } else { &[] }));
        });
    }
}

#[test]
fn records_that_nobody_waits_for_are_written_while_the_journal_is_open() {
    for durability in [Durability::Flush, Durability::Memory] {
        explore(&format!("journal/nobody_waits/{durability:?}"), 2, move || {
            let disk = MemStorage::new();
            let (storage, written) = Announcing::new(disk.clone());
            let journal = open(storage, durability);
            let other = {
                let journal = Arc::clone(&journal);
                spawn(move || drop(journal.submit(2, vec![record(2)])))
            };
            drop(journal.submit(1, vec![record(1)]));
            // Sleeps for ever, and fails, when the thread misses a record.
            let mut bytes = 0;
            while bytes < text(&[1, 2]).len() {
                bytes += written.recv().unwrap();
            }
            other.join().unwrap();
            assert_eq!(disk.read(LOG).unwrap(), text(&[1, 2]));
        });
    }
}

/// Tells the length of every write.
struct Announcing {
    disk: MemStorage,
    told: Mutex<Sender<usize>>,
}

struct AnnouncingFile {
    file: Box<dyn StorageFile>,
    told: Sender<usize>,
}

impl Announcing {
    fn new(disk: MemStorage) -> (Self, Receiver<usize>) {
        let (told, written) = unbounded();
        (Self { disk, told: Mutex::new(told) }, written)
    }
}

impl StorageFile for AnnouncingFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.told.send(bytes.len()).map_err(io::Error::other)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

impl Storage for Announcing {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let file = self.disk.open_append(path)?;
        Ok(Box::new(AnnouncingFile { file, told: self.told.lock().clone() }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.disk.create(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>> {
        self.disk.open_read(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.disk.list(folder)
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.disk.sync_dir(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<StorageLock>> {
        self.disk.lock(path)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.disk.len(path)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        self.disk.identity(path)
    }
}

/// A desk in short: what is sent are numbers, and the writer holds those that came before their
/// turn.
struct SmallDesk {
    sent: Mutex<Vec<u64>>,
    state: Mutex<SmallState>,
    changed: Condvar,
    leaves_word: bool,
}

struct SmallState {
    writer: Option<BTreeSet<u64>>,
    durable: u64,
    wanted: bool,
}

impl SmallDesk {
    fn new(leaves_word: bool) -> Arc<Self> {
        let state = SmallState { writer: Some(BTreeSet::new()), durable: 0, wanted: false };
        Arc::new(Self {
            sent: Mutex::new(Vec::new()),
            state: Mutex::new(state),
            changed: Condvar::new(),
            leaves_word,
        })
    }

    fn write(&self, number: u64) {
        self.sent.lock().push(number);
        let mut wrote_at = None;
        let mut state = self.state.lock();
        while state.durable < number {
            if wrote_at == Some(state.durable) {
                self.changed.wait(&mut state);
                continue;
            }
            let Some(mut writer) = state.writer.take() else {
                state.wanted = self.leaves_word;
                self.changed.wait(&mut state);
                continue;
            };
            wrote_at = Some(state.durable);
            let mut durable = state.durable;
            drop(state);
            writer.extend(self.sent.lock().drain(..));
            while writer.remove(&(durable + 1)) {
                durable += 1;
            }
            state = self.state.lock();
            if std::mem::take(&mut state.wanted) || durable > state.durable {
                self.changed.notify_all();
            }
            state.durable = durable;
            state.writer = Some(writer);
        }
    }
}

fn two_write(desk: &Arc<SmallDesk>) {
    let other = {
        let desk = Arc::clone(desk);
        spawn(move || desk.write(1))
    };
    desk.write(2);
    other.join().unwrap();
}

#[test]
fn who_finds_the_writer_taken_must_leave_word() {
    explore("journal/leaves_word", 3, || two_write(&SmallDesk::new(true)));
    must_fail("journal/leaves_no_word", 3, "deadlock", || two_write(&SmallDesk::new(false)));
}

/// A bell in short: ringing takes the lock only when the bell was silent.
struct SmallBell {
    sent: Mutex<u64>,
    bell: AtomicBool,
    asleep: Mutex<()>,
    work: Condvar,
    reset_first: bool,
}

impl SmallBell {
    fn send(&self) {
        *self.sent.lock() += 1;
        if !self.bell.swap(true, Ordering::AcqRel) {
            let _state = self.asleep.lock();
            self.work.notify_one();
        }
    }

    fn receive(&self, count: u64) {
        let mut received = 0;
        let mut state = self.asleep.lock();
        while received < count {
            if !self.bell.load(Ordering::Acquire) {
                self.work.wait(&mut state);
                continue;
            }
            if self.reset_first {
                self.bell.swap(false, Ordering::AcqRel);
            }
            drop(state);
            received = *self.sent.lock();
            state = self.asleep.lock();
            if !self.reset_first {
                self.bell.swap(false, Ordering::AcqRel);
            }
        }
    }
}

fn two_ring(reset_first: bool) {
    let bell = Arc::new(SmallBell {
        sent: Mutex::new(0),
        bell: AtomicBool::new(false),
        asleep: Mutex::new(()),
        work: Condvar::new(),
        reset_first,
    });
    let other = {
        let bell = Arc::clone(&bell);
        spawn(move || bell.receive(2))
    };
    bell.send();
    bell.send();
    other.join().unwrap();
}

#[test]
fn the_bell_must_be_reset_before_receiving() {
    explore("journal/bell_reset_first", 3, || two_ring(true));
    must_fail("journal/bell_reset_last", 3, "deadlock", || two_ring(false));
}
