//! Reading a log from a storage that gives trouble: nothing that could not be read is taken for the
//! end of the log, and nothing stays behind.

use std::{
    ffi::OsString,
    io::{self, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use simplex_stores::{
    store_log::{
        Line, LogRecord, OpenError, ReplayTarget, ReplayWarning, Storage, StorageFile, StorageLock,
        StorageRead, replay,
    },
    sync::Mutex,
    testing::MemStorage,
};

use crate::support::{LOG, TestStore, config, create, disk_with, lines, names, open};

/// What reading meets behind so many bytes of the log.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Nothing,
    Error(usize),
    Panic(usize),
    /// Every other read is interrupted.
    Interrupted,
}

/// What happens once on the disk while somebody else looks.
type Happening = Option<fn(&MemStorage)>;

/// A disk whose log cannot be read without trouble, and which lists its names backwards.
#[derive(Clone)]
struct Troubled {
    disk: MemStorage,
    trouble: Trouble,
    /// Alive as long as somebody has the log open for reading.
    readers: Arc<()>,
    /// What happens, once, after somebody asked whether F.start is there.
    meanwhile: Arc<Mutex<Happening>>,
}

impl Troubled {
    fn new(disk: MemStorage, trouble: Trouble) -> Self {
        Self { disk, trouble, readers: Arc::default(), meanwhile: Arc::default() }
    }

    /// How many have the log open, when nobody else has the storage.
    fn readers(&self) -> usize {
        Arc::strong_count(&self.readers) - 1
    }
}

struct Reader {
    file: Box<dyn StorageRead>,
    trouble: Trouble,
    read: usize,
    interrupted: bool,
    _open: Arc<()>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.trouble {
            Trouble::Error(at) if self.read >= at => return Err(io::Error::other("a bad sector")),
            Trouble::Panic(at) => assert!(self.read < at, "the storage panics"),
            Trouble::Interrupted => {
                self.interrupted = !self.interrupted;
                if self.interrupted {
                    return Err(io::ErrorKind::Interrupted.into());
                }
            }
            _ => {}
        }
        let piece = buffer.len().min(64 * 1024);
        let got = self.file.read(&mut buffer[..piece])?;
        self.read += got;
        Ok(got)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Storage for Troubled {
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.disk.open_append(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        self.disk.create(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn StorageRead>> {
        let (file, trouble) = (self.disk.open_read(path)?, self.trouble);
        let open = Arc::clone(&self.readers);
        Ok(Box::new(Reader { file, trouble, read: 0, interrupted: false, _open: open }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let exists = self.disk.exists(path)?;
        let happens = self.meanwhile.lock().take_if(|_| path.ends_with("F.start"));
        if let Some(happens) = happens {
            happens(&self.disk);
        }
        Ok(exists)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut names = self.disk.list(folder)?;
        names.sort();
        names.reverse();
        Ok(names)
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

/// Several batches of short lines.
fn long_log() -> Vec<u8> {
    lines(&(1..=15_000).map(create).collect::<Vec<_>>())
}

#[test]
fn what_cannot_be_read_is_not_the_end_of_the_log() {
    let log = long_log();
    for at in [0, log.len() / 2, log.len()] {
        for trouble in [Trouble::Error(at), Trouble::Panic(at)] {
            let disk = disk_with(log.clone());
            let storage = Troubled::new(disk.clone(), trouble);
            match catch_unwind(AssertUnwindSafe(|| open(&config(storage.clone())))) {
                Ok(answer) => assert!(matches!(answer, Err(OpenError::Io { .. })), "{at}"),
                // The first batch is read by the caller, whose own storage panics.
                Err(_) => assert!(trouble == Trouble::Panic(0), "{at}"),
            }
            assert_eq!((disk.read(LOG), names(&disk)), (Some(log.clone()), vec!["F".to_owned()]));
            assert_eq!(storage.readers(), 0);
        }
    }
}

#[test]
fn an_interrupted_read_is_made_again() {
    let mut log = lines(&[create(1)]);
    log.extend(vec![b'x'; 400_000]);
    log.extend(b"\n");
    log.extend(lines(&[create(2)]));
    let storage = Troubled::new(disk_with(log), Trouble::Interrupted);
    let mut store = TestStore::default();
    let report = replay(&config(storage).max_line(1000), &mut store).unwrap();
    assert_eq!((report.records, report.unreadable, store.queues.len()), (2, 1, 2));
}

/// A target that notes how many lines it is given at a time, and panics at the first if told so.
struct Batches {
    sizes: Vec<usize>,
    panics: bool,
}

impl ReplayTarget for Batches {
    fn apply(&mut self, batch: Vec<Line>) -> Vec<ReplayWarning> {
        assert!(!self.panics, "the user's code panics");
        self.sizes.push(batch.len());
        Vec::new()
    }

    fn finish(&mut self) -> Vec<ReplayWarning> {
        Vec::new()
    }

    fn compacted(&self, _: &mut dyn FnMut(LogRecord) -> io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_batch_is_bounded_in_lines_and_in_bytes() {
    let mut batches = Batches { sizes: Vec::new(), panics: false };
    replay(&config(disk_with(b"SUSPEND AAAA\n".repeat(10_000))), &mut batches).unwrap();
    assert_eq!(batches.sizes.iter().sum::<usize>(), 10_000);
    assert!(batches.sizes.iter().all(|lines| *lines <= 4096), "{:?}", batches.sizes);
    let link = format!("LINK AAAA AAAA {} AAAA\n", "A".repeat(300_000));
    let mut batches = Batches { sizes: Vec::new(), panics: false };
    replay(&config(disk_with(link.repeat(12))), &mut batches).unwrap();
    assert_eq!(batches.sizes, [4, 4, 4]);
}

#[test]
fn a_target_that_panics_leaves_no_reader_behind() {
    let storage = Troubled::new(disk_with(long_log()), Trouble::Nothing);
    let mut batches = Batches { sizes: Vec::new(), panics: true };
    let config = config(storage.clone());
    let replayed = catch_unwind(AssertUnwindSafe(|| replay(&config, &mut batches)));
    assert!(replayed.is_err());
    drop(config);
    assert_eq!(storage.readers(), 0);
}

/// A start that runs beside the replay renames F to F.start between its two looks.
#[test]
fn a_log_that_is_being_set_aside_is_found() {
    let storage = Troubled::new(disk_with(lines(&[create(1)])), Trouble::Nothing);
    *storage.meanwhile.lock() =
        Some(|disk| disk.rename(LOG.as_ref(), "/log/F.start".as_ref()).unwrap());
    let mut store = TestStore::default();
    replay(&config(storage), &mut store).unwrap();
    assert_eq!(store.queues.len(), 1);
}

#[test]
fn cp9_the_three_that_stay_are_the_newest_however_the_folder_is_listed() {
    let disk = disk_with("");
    for day in 1..=5 {
        disk.put(format!("/log/F.2025-01-0{day}T00:00:00Z"), "old");
    }
    let (_journal, report, _) = open(&config(Troubled::new(disk, Trouble::Nothing))).unwrap();
    let removed: Vec<_> =
        report.removed_backups.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(removed, ["/log/F.2025-01-01T00:00:00Z", "/log/F.2025-01-02T00:00:00Z"]);
}
