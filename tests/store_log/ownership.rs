//! One process owns a log (RACE-11).

use std::{
    ffi::OsString,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use simplex_stores::{
    store_log::{
        Durability, Journal, OpenError, Storage, StorageFile, StorageLock, StorageRead,
        StoreLogConfig, replay,
    },
    sync::Mutex,
    testing::{Crash, Done, FailingStorage, MemStorage, Operation, Plan},
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

/// Keeps what had been done to the files when the lock was given back.
#[derive(Clone)]
struct Watched {
    disk: FailingStorage,
    before_unlock: Arc<Mutex<Option<Vec<Done>>>>,
}

struct WatchedLock {
    storage: Watched,
    _lock: StorageLock,
}

impl Drop for WatchedLock {
    fn drop(&mut self) {
        *self.storage.before_unlock.lock() = Some(self.storage.disk.done());
    }
}

impl Storage for Watched {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.disk.open_append(path)
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
        let lock = self.disk.lock(path)?;
        let watched = |_lock| StorageLock::new(WatchedLock { storage: self.clone(), _lock });
        Ok(lock.map(watched))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.disk.len(path)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        self.disk.identity(path)
    }
}

/// Until then the next owner would read a log that still changes.
#[test]
fn race11_closing_gives_the_lock_back_when_nothing_is_left_to_do() {
    for durability in [Durability::Memory, Durability::Flush, Durability::Fsync] {
        let disk = FailingStorage::new(Arc::new(MemStorage::new()));
        let storage = Watched { disk: disk.clone(), before_unlock: Arc::default() };
        let (journal, ..) = open(&config(storage.clone()).durability(durability)).unwrap();
        disk.plan(Plan::Never);
        let ticket = journal.submit(1, vec![create(1)]);
        journal.close().unwrap();
        ticket.wait().unwrap();
        let before = storage.before_unlock.lock().clone().unwrap();
        assert_eq!(before, disk.done(), "{durability:?}");
        assert!(before.iter().any(|done| done.operation == Operation::SyncFile));
    }
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
