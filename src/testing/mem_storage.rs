//! A disk in memory that forgets what was not synced.
//!
//! **Promise.** As a [`Storage`], it behaves as a folder of files does. Beside that it remembers
//! what a power loss would leave: of each file what was last synced, of the names what they were
//! when the folder was last synced. [`MemStorage::crash`] goes back to that, or to one of the other
//! states that a real disk may be left in.
//!
//! **Algorithm.** A file has its present bytes and its synced ones; a name maps to a file;
//! creations, renames and removals since the last folder sync are kept in order. All paths are
//! taken to be in one folder's care: syncing any folder syncs its own names only. A crash takes the
//! locks away, and makes every open file of before it useless.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io::{self, Cursor},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    store_log::{Storage, StorageFile, StorageLock, StorageRead},
    sync::Mutex,
};

/// What is left after a crash. Only a process crash is certain to keep everything that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process ended; the system and the disk did not. Everything written is there.
    Process,
    /// Power loss: exactly what was synced is there.
    PowerSyncedOnly,
    /// Power loss: names are as they last were; of each file what was synced is there (CR-12).
    PowerNamesKept,
    /// Power loss: names are as they were synced; what was written to files is there.
    PowerDataKept,
    /// Power loss: the first so many of the unsynced name changes are there; of each file what was
    /// synced is there, and half of what was appended since.
    PowerPrefix(usize),
    /// Power loss: of the unsynced name changes, those whose bit is set, for a disk may write them
    /// in any order; of each file what was synced.
    PowerSubset(u64),
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Below this offset `bytes` and `synced` agree.
    agree: usize,
}

impl File {
    fn sync(&mut self) {
        self.synced.truncate(self.agree);
        self.synced.extend(self.bytes.iter().skip(self.agree));
        self.agree = self.bytes.len();
    }

    fn truncate(&mut self, len: usize) {
        self.bytes.resize(len, 0);
        self.agree = self.agree.min(len);
    }

    fn lose(&mut self, keep_half: bool) {
        let appended = self.bytes.len().saturating_sub(self.agree);
        if keep_half && self.agree == self.synced.len() {
            self.bytes.truncate(self.agree + appended / 2);
        } else {
            self.bytes.clone_from(&self.synced);
        }
        self.sync();
    }
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(PathBuf, u64),
    /// A file gets its second name and loses its first one, where that still is its own.
    Move(PathBuf, PathBuf, u64),
    Clear(PathBuf),
}

type Names = BTreeMap<PathBuf, u64>;

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Set(path, file) => {
                names.insert(path.clone(), *file);
            }
            Self::Move(from, to, file) => {
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
            Self::Clear(path) => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Set(path, _) | Self::Move(path, ..) | Self::Clear(path) => folder_of(path),
        }
    }
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<u64, File>,
    last_file: u64,
    names: Names,
    synced_names: Names,
    changes: Vec<NameChange>,
    locks: BTreeSet<PathBuf>,
    /// How many crashes there were; an open file is of one life.
    life: u64,
}

impl Disk {
    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn file(&self, path: &Path) -> io::Result<u64> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file_or_new(&mut self, path: &Path) -> u64 {
        if let Ok(file) = self.file(path) {
            return file;
        }
        self.last_file += 1;
        self.files.insert(self.last_file, File::default());
        self.change(NameChange::Set(path.to_owned(), self.last_file));
        self.last_file
    }

    fn bytes(&self, path: &Path) -> io::Result<&Vec<u8>> {
        let file = self.file(path)?;
        self.files.get(&file).map(|file| &file.bytes).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_names(&mut self, folder: &Path) {
        let synced_names = &mut self.synced_names;
        self.changes.retain(|change| {
            let other = change.folder() != folder;
            if !other {
                change.apply(synced_names);
            }
            other
        });
    }

    fn crash(&mut self, crash: Crash) {
        self.life += 1;
        self.locks.clear();
        if crash == Crash::Process {
            return;
        }
        let kept = |index: usize| match crash {
            Crash::PowerPrefix(count) => index < count,
            Crash::PowerSubset(bits) => {
                bits.checked_shr(index as u32).is_some_and(|bits| bits & 1 == 1)
            }
            _ => crash == Crash::PowerNamesKept,
        };
        for (index, change) in std::mem::take(&mut self.changes).iter().enumerate() {
            if kept(index) {
                change.apply(&mut self.synced_names);
            }
        }
        self.names.clone_from(&self.synced_names);
        for file in self.files.values_mut() {
            match crash {
                Crash::PowerDataKept => file.sync(),
                Crash::PowerPrefix(_) => file.lose(true),
                _ => file.lose(false),
            }
        }
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A disk in memory. Clones share the disk.
#[derive(Clone, Debug, Default)]
pub struct MemStorage {
    disk: Arc<Mutex<Disk>>,
}

impl MemStorage {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Crashes: what is left is what `crash` says. Files opened before fail from now on.
    pub fn crash(&self, crash: Crash) {
        self.disk.lock().crash(crash);
    }

    /// How many creations, renames and removals no folder sync has followed yet.
    pub fn unsynced_names(&self) -> usize {
        self.disk.lock().changes.len()
    }

    /// The bytes of a file; `None` when it is not there.
    pub fn read(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        self.disk.lock().bytes(path.as_ref()).ok().cloned()
    }

    /// The bytes of a file that a power loss would leave, under the name that it has now.
    pub fn read_synced(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let disk = self.disk.lock();
        let file = disk.file(path.as_ref()).ok()?;
        disk.files.get(&file).map(|file| file.synced.clone())
    }

    /// Puts a file there, synced, in place of one of that name.
    pub fn put(&self, path: impl AsRef<Path>, bytes: impl Into<Vec<u8>>) {
        let path = path.as_ref();
        let mut disk = self.disk.lock();
        disk.last_file += 1;
        let number = disk.last_file;
        let mut file = File { bytes: bytes.into(), ..File::default() };
        file.sync();
        disk.files.insert(number, file);
        disk.change(NameChange::Set(path.to_owned(), number));
        disk.sync_names(&folder_of(path));
    }

    /// Changes a file's bytes behind the journal's back: it stays the same file, and the change is
    /// synced. Does nothing when there is no such file.
    pub fn damage(&self, path: impl AsRef<Path>, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk.lock();
        let Ok(number) = disk.file(path.as_ref()) else { return };
        if let Some(file) = disk.files.get_mut(&number) {
            change(&mut file.bytes);
            file.agree = 0;
            file.sync();
        }
    }

    /// All names, in order.
    pub fn names(&self) -> Vec<PathBuf> {
        self.disk.lock().names.keys().cloned().collect()
    }
}

struct MemFile {
    disk: Arc<Mutex<Disk>>,
    file: u64,
    life: u64,
}

impl MemFile {
    fn with<T>(&self, body: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut disk = self.disk.lock();
        if disk.life != self.life {
            return Err(io::Error::other("the file was open when the disk crashed"));
        }
        disk.files.get_mut(&self.file).map(body).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl StorageFile for MemFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| file.bytes.extend_from_slice(bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(File::sync)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|file| file.truncate(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|file| file.bytes.len() as u64)
    }
}

struct HeldLock {
    disk: Arc<Mutex<Disk>>,
    path: PathBuf,
    life: u64,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        let mut disk = self.disk.lock();
        if disk.life == self.life {
            disk.locks.remove(&self.path);
        }
    }
}

impl MemStorage {
    fn open(&self, path: &Path, empty: bool) -> Box<dyn StorageFile> {
        let mut disk = self.disk.lock();
        let number = disk.file_or_new(path);
        if empty && let Some(file) = disk.files.get_mut(&number) {
            file.truncate(0);
        }
        Box::new(MemFile { disk: Arc::clone(&self.disk), file: number, life: disk.life })
    }
}

impl Storage for MemStorage {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.open(path, false))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.open(path, true))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>> {
        Ok(Box::new(Cursor::new(self.disk.lock().bytes(path)?.clone())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        let file = disk.file(from)?;
        disk.change(NameChange::Move(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock();
        disk.file(path)?;
        disk.change(NameChange::Clear(path.to_owned()));
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.disk.lock().file(path).is_ok())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let disk = self.disk.lock();
        let here = disk.names.keys().filter(|path| folder_of(path) == folder);
        Ok(here.filter_map(|path| path.file_name().map(ToOwned::to_owned)).collect())
    }

    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        self.disk.lock().sync_names(folder);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<StorageLock>> {
        let mut disk = self.disk.lock();
        disk.file_or_new(path);
        if !disk.locks.insert(path.to_owned()) {
            return Ok(None);
        }
        let (path, life) = (path.to_owned(), disk.life);
        Ok(Some(StorageLock::new(HeldLock { disk: Arc::clone(&self.disk), path, life })))
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(self.disk.lock().bytes(path)?.len() as u64)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        self.disk.lock().file(path).map(Some)
    }
}
