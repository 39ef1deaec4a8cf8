//! A disk in memory that forgets what was not synced.
//!
//! **Promise.** As a [`Storage`], it behaves as a folder of files does. Beside that it remembers
//! what a power loss would leave: of each file what was last synced, of the names what they were
//! when the folder was last synced. [`MemStorage::crash`] goes back to that, or to one of the other
//! states that a real disk may be left in.
//!
//! **Algorithm.** A file has its present bytes and its synced ones, and in order what was done to it
//! in between; a name maps to a file; creations, renames and removals since the last folder sync are
//! kept in order. All paths are taken to be in one folder's care: syncing any folder syncs its own
//! names only. A crash takes the locks away, and makes every open file of before it useless.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
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
    /// Power loss: of everything unsynced (appends, cuts and name changes, in the order in which
    /// they were made; [`MemStorage::unsynced`] says how many), what has its bit set in `kept`.
    /// A missing append with a later one behind it leaves zeros.
    PowerKept {
        /// Which changes are there; none beyond the 64th.
        kept: u64,
        /// Whether the last append that is there stopped half way.
        torn: bool,
    },
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// Below this offset `bytes` and `synced` agree.
    agree: usize,
    /// What was done since the last sync, each with its place among all changes on the disk.
    unsynced: Vec<(u64, Write)>,
}

#[derive(Clone)]
enum Write {
    Append { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

impl Write {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Append { at, bytes } => {
                file.resize(file.len().max(at + bytes.len()), 0);
                if let Some(place) = file.get_mut(*at..at + bytes.len()) {
                    place.copy_from_slice(bytes);
                }
            }
            Self::Cut(len) => file.resize(*len, 0),
        }
    }

    fn torn(&self) -> Self {
        match self {
            Self::Append { at, bytes } => {
                let half = bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
                Self::Append { at: *at, bytes: half }
            }
            Self::Cut(len) => Self::Cut(*len),
        }
    }
}

impl File {
    fn append(&mut self, number: u64, bytes: &[u8]) {
        let append = Write::Append { at: self.bytes.len(), bytes: bytes.to_vec() };
        self.unsynced.push((number, append));
        self.bytes.extend_from_slice(bytes);
    }

    fn sync(&mut self) {
        self.synced.truncate(self.agree);
        self.synced.extend(self.bytes.iter().skip(self.agree));
        self.agree = self.bytes.len();
        self.unsynced.clear();
    }

    fn truncate(&mut self, number: u64, len: usize) {
        if len == self.bytes.len() {
            return;
        }
        self.unsynced.push((number, Write::Cut(len)));
        self.bytes.resize(len, 0);
        self.agree = self.agree.min(len);
    }

    /// Loses all that was not synced but the changes of these numbers, the torn one in half.
    fn keep(&mut self, kept: impl Fn(u64) -> bool, torn: Option<u64>) {
        let mut bytes = self.synced.clone();
        for (number, write) in self.unsynced.iter().filter(|(number, _)| kept(*number)) {
            match torn == Some(*number) {
                true => write.torn().apply(&mut bytes),
                false => write.apply(&mut bytes),
            }
        }
        self.bytes = bytes;
        self.agree = 0;
        self.sync();
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

#[derive(Clone)]
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

#[derive(Clone, Default)]
struct Disk {
    files: BTreeMap<u64, File>,
    last_file: u64,
    names: Names,
    synced_names: Names,
    /// Name changes since the last folder sync, each with its place among all changes on the disk.
    changes: Vec<(u64, NameChange)>,
    /// The number of the last change of any kind.
    last_change: u64,
    locks: BTreeSet<PathBuf>,
    /// How many crashes there were; an open file is of one life.
    life: u64,
}

impl Disk {
    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        let number = self.next_change();
        self.changes.push((number, change));
    }

    fn next_change(&mut self) -> u64 {
        self.last_change += 1;
        self.last_change
    }

    /// The numbers of all changes that no sync has followed, in order, and which of them are
    /// appends.
    fn unsynced(&self) -> BTreeMap<u64, bool> {
        let names = self.changes.iter().map(|(number, _)| (*number, false));
        let files = self.files.values().flat_map(|file| &file.unsynced);
        let writes = files.map(|(number, write)| (*number, matches!(write, Write::Append { .. })));
        names.chain(writes).collect()
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
        self.changes.retain(|(_, change)| {
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
        if let Crash::PowerKept { kept, torn } = crash {
            return self.keep(kept, torn);
        }
        let kept = |index: usize| match crash {
            Crash::PowerPrefix(count) => index < count,
            Crash::PowerSubset(bits) => {
                bits.checked_shr(index as u32).is_some_and(|bits| bits & 1 == 1)
            }
            _ => crash == Crash::PowerNamesKept,
        };
        for (index, (_, change)) in std::mem::take(&mut self.changes).iter().enumerate() {
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

    fn keep(&mut self, kept: u64, torn: bool) {
        let has_bit =
            |index: usize| kept.checked_shr(index as u32).is_some_and(|bits| bits & 1 == 1);
        let unsynced = self.unsynced().into_iter().enumerate();
        let there: BTreeMap<u64, bool> =
            unsynced.filter(|(index, _)| has_bit(*index)).map(|(_, change)| change).collect();
        let last_append =
            there.iter().rev().find(|(_, append)| **append).map(|(number, _)| *number);
        let torn = if torn { last_append } else { None };
        for (number, change) in std::mem::take(&mut self.changes) {
            if there.contains_key(&number) {
                change.apply(&mut self.synced_names);
            }
        }
        self.names.clone_from(&self.synced_names);
        for file in self.files.values_mut() {
            file.keep(|number| there.contains_key(&number), torn);
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
#[derive(Clone, Default)]
pub struct MemStorage {
    disk: Arc<Mutex<Disk>>,
}

/// Shows the names and how long the files are: what is in them may be secret (RACE-17).
impl fmt::Debug for MemStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = self.disk.lock();
        let length = |file: &u64| disk.files.get(file).map_or(0, |file| file.bytes.len());
        f.debug_map().entries(disk.names.iter().map(|(path, file)| (path, length(file)))).finish()
    }
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

    /// How many changes no sync has followed yet: appends to files and cuts of them, and changes
    /// of names.
    pub fn unsynced(&self) -> usize {
        self.disk.lock().unsynced().len()
    }

    /// A disk of its own with the same files, synced and not. Files open on this one are not open
    /// on the other, and its locks are free.
    #[must_use]
    pub fn copy(&self) -> Self {
        let mut disk = self.disk.lock().clone();
        disk.locks.clear();
        Self { disk: Arc::new(Mutex::new(disk)) }
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
    /// Runs `body` on the file and the number of the next change.
    fn with<T>(&self, body: impl FnOnce(&mut File, u64) -> T) -> io::Result<T> {
        let mut disk = self.disk.lock();
        if disk.life != self.life {
            return Err(io::Error::other("the file was open when the disk crashed"));
        }
        let number = disk.next_change();
        let file = disk.files.get_mut(&self.file);
        file.map(|file| body(file, number)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl StorageFile for MemFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|file, number| file.append(number, bytes))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|file, _| file.sync())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|file, number| file.truncate(number, len))
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|file, _| file.bytes.len() as u64)
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
        let change = disk.next_change();
        if empty && let Some(file) = disk.files.get_mut(&number) {
            file.truncate(change, 0);
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
