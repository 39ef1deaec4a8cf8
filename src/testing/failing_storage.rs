//! A storage that fails when told to.
//!
//! **Promise.** Operations are numbered from 1 in the order they are asked for, on the storage and
//! on every file opened through it. A plan says which fail and how; the others go to the storage
//! underneath. What happened is kept as a list, so that a test can first count a workload's
//! operations and then fail each in turn, and can see in what order things were done.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    store_log::{Storage, StorageFile, StorageLock, StorageRead},
    sync::Mutex,
};

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named after the methods of `Storage` and `StorageFile`
pub enum Operation {
    OpenAppend,
    Create,
    OpenRead,
    Rename,
    Remove,
    Exists,
    List,
    SyncDir,
    Lock,
    Len,
    Identity,
    Write,
    SyncFile,
    Truncate,
    FileLen,
}

impl Operation {
    /// Whether the operation may change something on disk; a crash before or after another one is
    /// the same crash.
    pub fn changes(self) -> bool {
        !matches!(
            self,
            Self::OpenRead | Self::Exists | Self::List | Self::Len | Self::Identity | Self::FileLen
        )
    }
}

/// An operation that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it was.
    pub operation: Operation,
    /// On which file or folder; for a rename, the new name.
    pub path: PathBuf,
    /// Whether it was made to fail.
    pub failed: bool,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does nothing and gives the error: `StorageFull` for ENOSPC, `Other` for EIO.
    Error(io::ErrorKind),
    /// It is done and gives the error all the same: a sync that reached the disk before it was
    /// reported as failed.
    After(io::ErrorKind),
    /// A write stops after so many bytes and gives the error; any other operation as `Error`.
    ShortWrite(usize, io::ErrorKind),
    /// A sync, of a file or of a folder, does nothing and says that it was done, as some disks do.
    /// Any other operation is done.
    Pretence,
}

/// Which operations fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// None.
    #[default]
    Never,
    /// The one of this number.
    Once(u64, Fault),
    /// The one of this number and all after it, as when a disk is gone, or when the process has
    /// crashed.
    From(u64, Fault),
    /// The `n`-th operation of a kind, counted from 1.
    NthOf(Operation, u64, Fault),
    /// Each operation of a kind.
    EachOf(Operation, Fault),
}

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    done: Vec<Done>,
    /// How many operations of the kind that the plan names there were.
    of_kind: u64,
}

impl State {
    /// Notes an operation; gives how it fails, if it does.
    fn note(&mut self, operation: Operation, path: &Path) -> Option<Fault> {
        let number = self.done.len() as u64 + 1;
        let fault = match self.plan {
            Plan::Once(at, fault) if at == number => Some(fault),
            Plan::From(at, fault) if at <= number => Some(fault),
            Plan::NthOf(kind, at, fault) if kind == operation => {
                self.of_kind += 1;
                (self.of_kind == at).then_some(fault)
            }
            Plan::EachOf(kind, fault) if kind == operation => Some(fault),
            _ => None,
        };
        self.done.push(Done { operation, path: path.to_owned(), failed: fault.is_some() });
        fault
    }
}

/// A storage that fails when told to. Clones share the plan and the list.
#[derive(Clone)]
pub struct FailingStorage {
    inner: Arc<dyn Storage>,
    state: Arc<Mutex<State>>,
}

impl FailingStorage {
    /// Passes everything to `inner` until a plan is set.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self { inner, state: Arc::new(Mutex::new(State::default())) }
    }

    /// Sets which operations fail; numbers start at 1 again, and the list is emptied.
    pub fn plan(&self, plan: Plan) {
        *self.state.lock() = State { plan, ..State::default() };
    }

    /// The operations since the plan was set, in order.
    pub fn done(&self) -> Vec<Done> {
        self.state.lock().done.clone()
    }

    /// Runs an operation, or does not, as the plan says.
    fn ask<T>(
        &self,
        operation: Operation,
        path: &Path,
        run: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<T> {
        let fault = self.state.lock().note(operation, path);
        end(fault, run)
    }

    /// As `ask`; a pretended sync is not run.
    fn ask_sync(
        &self,
        operation: Operation,
        path: &Path,
        run: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let fault = self.state.lock().note(operation, path);
        if fault == Some(Fault::Pretence) { Ok(()) } else { end(fault, run) }
    }

    fn file(&self, path: &Path, inner: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(FailingFile { storage: self.clone(), path: path.to_owned(), inner })
    }
}

/// Runs an operation that ends with such a fault, or does not.
fn end<T>(fault: Option<Fault>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match fault {
        None | Some(Fault::Pretence) => run(),
        Some(Fault::After(kind)) => run().and(Err(kind.into())),
        Some(Fault::Error(kind) | Fault::ShortWrite(_, kind)) => Err(kind.into()),
    }
}

struct FailingFile {
    storage: FailingStorage,
    path: PathBuf,
    inner: Box<dyn StorageFile>,
}

impl StorageFile for FailingFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fault = self.storage.state.lock().note(Operation::Write, &self.path);
        match fault {
            None | Some(Fault::Pretence) => self.inner.write_all(bytes),
            Some(Fault::Error(kind)) => Err(kind.into()),
            Some(Fault::After(kind)) => self.inner.write_all(bytes).and(Err(kind.into())),
            Some(Fault::ShortWrite(count, kind)) => {
                let count = count.min(bytes.len().saturating_sub(1));
                self.inner.write_all(bytes.get(..count).unwrap_or_default())?;
                Err(kind.into())
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.storage.ask_sync(Operation::SyncFile, &self.path, || self.inner.sync())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.storage.ask(Operation::Truncate, &self.path, || self.inner.truncate(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.storage.ask(Operation::FileLen, &self.path, || self.inner.len())
    }
}

impl Storage for FailingStorage {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let open = || Ok(self.file(path, self.inner.open_append(path)?));
        self.ask(Operation::OpenAppend, path, open)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let create = || Ok(self.file(path, self.inner.create(path)?));
        self.ask(Operation::Create, path, create)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>> {
        self.ask(Operation::OpenRead, path, || self.inner.open_read(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(Operation::Rename, to, || self.inner.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask(Operation::Remove, path, || self.inner.remove(path))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.ask(Operation::Exists, path, || self.inner.exists(path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.ask(Operation::List, folder, || self.inner.list(folder))
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.ask_sync(Operation::SyncDir, folder, || self.inner.sync_dir(folder))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<StorageLock>> {
        self.ask(Operation::Lock, path, || self.inner.lock(path))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        self.ask(Operation::Len, path, || self.inner.len(path))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        self.ask(Operation::Identity, path, || self.inner.identity(path))
    }
}
