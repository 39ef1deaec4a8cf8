//! A storage of the user's own that panics: nobody waits for ever, and closing says so.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use simplex_stores::{
    store_log::{Durability, Storage, StorageFile, StorageLock, StorageRead},
    sync::atomic::{AtomicBool, Ordering},
    testing::MemStorage,
};

use crate::support::{config, create, open, state_on};

/// Panics in the next write or sync once it is armed.
#[derive(Clone)]
struct Panicking {
    disk: MemStorage,
    armed: Arc<AtomicBool>,
}

struct PanickingFile {
    file: Box<dyn StorageFile>,
    armed: Arc<AtomicBool>,
}

impl StorageFile for PanickingFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.armed.load(Ordering::SeqCst), "the storage panics");
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        assert!(!self.armed.load(Ordering::SeqCst), "the storage panics");
        self.file.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

impl Panicking {
    fn file(&self, file: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(PanickingFile { file, armed: Arc::clone(&self.armed) })
    }
}

impl Storage for Panicking {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.file(self.disk.open_append(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.file(self.disk.create(path)?))
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

    fn list(&self, folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
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

#[test]
fn a_storage_that_panics_breaks_the_journal_and_hangs_nobody() {
    for durability in [Durability::Memory, Durability::Flush, Durability::Fsync] {
        let disk = MemStorage::new();
        let storage = Panicking { disk: disk.clone(), armed: Arc::new(AtomicBool::new(false)) };
        let (journal, ..) = open(&config(storage.clone()).durability(durability)).unwrap();
        journal.submit(1, vec![create(1)]).wait().unwrap();
        let late = journal.submit(3, vec![create(3)]);
        if durability == Durability::Memory {
            // The first record must be written before the storage is armed.
            while disk.read(crate::support::LOG).unwrap().is_empty() {
                simplex_stores::sync::thread::yield_now();
            }
        }
        storage.armed.store(true, Ordering::SeqCst);
        let writing = AssertUnwindSafe(|| journal.submit(2, vec![create(2)]).wait());
        let answer = catch_unwind(writing);
        assert_eq!(answer.is_ok(), durability == Durability::Memory);
        if durability != Durability::Memory {
            late.wait().unwrap_err();
        }
        journal.close().unwrap_err();
        drop(journal);
        assert_eq!(state_on(&disk).len(), 1, "{durability:?}");
    }
}

#[test]
fn a_storage_that_panics_while_the_journal_closes_hangs_nobody() {
    let disk = MemStorage::new();
    let storage = Panicking { disk: disk.clone(), armed: Arc::new(AtomicBool::new(false)) };
    let (journal, ..) = open(&config(storage.clone())).unwrap();
    journal.submit(1, vec![create(1)]).wait().unwrap();
    let behind_a_hole = journal.submit(3, vec![create(3)]);
    storage.armed.store(true, Ordering::SeqCst);
    journal.close().unwrap_err();
    behind_a_hole.wait().unwrap_err();
    drop(journal);
    assert_eq!(state_on(&disk).len(), 1);
}
