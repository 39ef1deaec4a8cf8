//! What the journal asks of a disk.
//!
//! **Promise.** Everything that the journal does to files goes through [`Storage`], so that a test
//! can put a disk there that forgets what was not synced, or that fails at a chosen step.
//!
//! **Algorithm.** The trait is as narrow as the journal's needs: files are created, appended to,
//! cut, read, renamed and removed by path; a folder is listed and synced; one file is locked.
//! [`FsStorage`] maps each call to one system call. Every file opened for writing is in append
//! mode, also the one of a compaction: after a failed write has been cut away, the next one lands
//! right behind the last good record.
//!
//! **Order.** A rename or a new file is durable only once its folder is synced; callers that rely
//! on an order across a power loss say so by calling [`Storage::sync_dir`] in between (RACE-9).
//!
//! **Tests.** `tests/store_log/` runs the journal on the in-memory storage of `testing` and on a
//! real folder.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

/// A file that is open for appending.
#[allow(clippy::len_without_is_empty)] // asks the disk; nobody asks whether it is empty
pub trait StorageFile: Send {
    /// Appends all of `bytes`. After an error, any part of them may have been written.
    ///
    /// # Errors
    /// What the operating system reports.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything appended so far survives a power loss.
    ///
    /// # Errors
    /// What the operating system reports. After an error nothing may be assumed of what was
    /// appended since the last success, and calling again proves nothing.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to `len` bytes; the next append lands there.
    ///
    /// # Errors
    /// What the operating system reports.
    fn truncate(&mut self, len: u64) -> io::Result<()>;

    /// The file's present length in bytes.
    ///
    /// # Errors
    /// What the operating system reports.
    fn len(&self) -> io::Result<u64>;
}

/// A file that is open for reading.
pub trait StorageRead: Read + Seek + Send {}

impl<T: Read + Seek + Send> StorageRead for T {}

/// A held lock. Dropping it gives the lock back.
pub struct StorageLock {
    _held: Box<dyn Send + Sync>,
}

impl StorageLock {
    /// A lock that lasts as long as `held`.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

impl fmt::Debug for StorageLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageLock")
    }
}

/// The files of a folder, as the journal uses them.
pub trait Storage: Send + Sync {
    /// Opens a file for appending, making it when it is not there (CP-1, append).
    ///
    /// # Errors
    /// What the operating system reports.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;

    /// Opens an empty file for appending, made or emptied (CP-1, rewrite).
    ///
    /// # Errors
    /// What the operating system reports.
    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a file for reading from its start.
    ///
    /// # Errors
    /// `NotFound` when it is not there, else what the operating system reports.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>>;

    /// Renames a file, replacing what had the new name. Atomic; durable after
    /// [`Storage::sync_dir`].
    ///
    /// # Errors
    /// What the operating system reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the operating system reports.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether there is a file of this name.
    ///
    /// # Errors
    /// What the operating system reports, when it cannot tell.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The names of what is in a folder, in no particular order.
    ///
    /// # Errors
    /// What the operating system reports.
    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Returns once every earlier creation, rename and removal in the folder survives a power loss.
    ///
    /// # Errors
    /// What the operating system reports.
    fn sync_dir(&self, folder: &Path) -> io::Result<()>;

    /// Takes the exclusive lock on a file, made when it is not there; `None` when somebody else has
    /// it. Never waits. The lock goes when the process ends, however it ends.
    ///
    /// # Errors
    /// What the operating system reports.
    fn lock(&self, path: &Path) -> io::Result<Option<StorageLock>>;

    /// A file's length in bytes.
    ///
    /// # Errors
    /// `NotFound` when it is not there, else what the operating system reports.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// A number that stays with a file through appends and renames, and that another file of the
    /// same name does not have; `None` where the system has no such number.
    ///
    /// # Errors
    /// `NotFound` when it is not there, else what the operating system reports.
    fn identity(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Gives `to` the access rights of `from`, where the system has any: a log holds secrets, and
    /// who may read it must not change when it is rewritten. Does nothing unless a storage says
    /// otherwise.
    ///
    /// # Errors
    /// What the operating system reports.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        let _ = (from, to);
        Ok(())
    }
}

/// As [`Storage::copy_permissions`]; a failure is only logged, for the file is of use without.
pub(crate) fn copy_permissions(storage: &dyn Storage, from: &Path, to: &Path) {
    if let Err(error) = storage.copy_permissions(from, to) {
        tracing::warn!("{}: access rights not taken over: {error}", to.display());
    }
}

/// The folder that holds a file; the current one for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` appended to its last component: `F` and `.bak` give `F.bak`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct FsStorage;

struct FsFile(File);

impl StorageFile for FsFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        Write::write_all(&mut self.0, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// A file that is locked, and unlocked when dropped.
///
/// Closing it would not be enough: a process that this one is starting holds a copy of every open
/// file until its program is loaded, and the lock would last as long.
struct LockedFile(File);

impl Drop for LockedFile {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!("store log: giving the lock back failed: {error}");
        }
    }
}

impl Storage for FsStorage {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Box::new(FsFile(file)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        file.set_len(0)?;
        Ok(Box::new(FsFile(file)))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>> {
        Ok(Box::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    #[cfg(unix)]
    fn sync_dir(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Other systems order their renames themselves and do not open folders.
    #[cfg(not(unix))]
    fn sync_dir(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<StorageLock>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(StorageLock::new(LockedFile(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    #[cfg(unix)]
    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        use std::os::unix::fs::MetadataExt;
        Ok(Some(fs::metadata(path)?.ino()))
    }

    #[cfg(not(unix))]
    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        fs::metadata(path).map(|_| None)
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::set_permissions(to, fs::metadata(from)?.permissions())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn race11_a_lock_is_given_back_though_a_starting_process_still_has_a_copy_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("F.lock");
        let file = File::create(&path).unwrap();
        file.try_lock().unwrap();
        let copy = file.try_clone().unwrap();
        assert!(FsStorage.lock(&path).unwrap().is_none());
        drop(LockedFile(file));
        assert!(FsStorage.lock(&path).unwrap().is_some());
        drop(copy);
    }
}
