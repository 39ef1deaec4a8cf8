//! Opening a log to append to it as it is (CP-1, append): what the PostgreSQL store's extra journal
//! does.
//!
//! **Promise.** The first record appended starts a line of its own (RACE-8).
//!
//! **Algorithm.** The file is searched backwards for its last newline. Whatever follows it was
//! never acknowledged: it is copied to `F.torn.<timestamp>`, synced, and then cut off.
//!
//! **Tests.** `tests/store_log/append.rs`.

use std::{
    io::{self, Read, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    backups,
    config::StoreLogConfig,
    error::{OpenError, OpenStep},
    journal::Journal,
    log_file::LogFile,
    report::AppendReport,
    start::{recover, take_lock},
    storage::{StorageFile, StorageRead, copy_permissions, folder_of},
};

/// How much is read or copied at a time, in bytes.
const PIECE: u64 = 64 * 1024;

impl Journal {
    /// Opens a log to append to it, without reading it: takes the lock, recovers from an unfinished
    /// start (R1, R2), makes the file where there is none, and cuts off a torn last line, which is
    /// kept in `F.torn.<timestamp>`. No integrity sidecar is kept for such a log.
    ///
    /// # Errors
    /// [`OpenError::Locked`] when somebody owns the log; [`OpenError::Io`] when a file operation
    /// fails. Nothing is lost then.
    pub fn open_append(config: &StoreLogConfig) -> Result<(Self, AppendReport), OpenError> {
        let lock = take_lock(config)?;
        let recovered = recover(config)?;
        let (storage, log) = (&*config.storage, &config.path);
        let at = |step| OpenError::io(step, log);
        let mut file = storage.open_append(log).map_err(at(OpenStep::Write))?;
        let torn_tail = cut_torn_tail(config, &mut *file).map_err(at(OpenStep::CutTail))?;
        file.sync().map_err(at(OpenStep::Sync))?;
        storage.sync_dir(folder_of(log)).map_err(at(OpenStep::Sync))?;
        let length = file.len().map_err(at(OpenStep::Inspect))?;
        let file = LogFile::new(file, length, config.durability, None);
        let report = AppendReport { length, recovered, torn_tail };
        Ok((Self::new(file, config.durability, lock), report))
    }
}

/// Cuts off what follows the last newline; gives its length and where it is kept.
fn cut_torn_tail(
    config: &StoreLogConfig,
    file: &mut dyn StorageFile,
) -> io::Result<Option<(u64, PathBuf)>> {
    let length = file.len()?;
    let mut log = config.storage.open_read(&config.path)?;
    let whole = end_of_lines(&mut *log, length)?;
    if whole == length {
        return Ok(None);
    }
    let kept = backups::torn_name(config)?;
    keep_tail(config, &mut *log, whole, &kept)?;
    file.truncate(whole)?;
    tracing::warn!("{}: torn last line cut off, kept in {}", config.path.display(), kept.display());
    Ok(Some((length - whole, kept)))
}

/// The offset behind the last newline of the first `length` bytes.
fn end_of_lines(log: &mut dyn StorageRead, length: u64) -> io::Result<u64> {
    let mut end = length;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        log.seek(SeekFrom::Start(start))?;
        piece.clear();
        log.take(end - start).read_to_end(&mut piece)?;
        if let Some(newline) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + newline as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Copies everything from `start` on to a file of its own.
fn keep_tail(
    config: &StoreLogConfig,
    log: &mut dyn StorageRead,
    start: u64,
    kept: &Path,
) -> io::Result<()> {
    let mut copy = config.storage.create(kept)?;
    copy_permissions(&*config.storage, &config.path, kept);
    log.seek(SeekFrom::Start(start))?;
    let mut piece = Vec::new();
    loop {
        piece.clear();
        log.take(PIECE).read_to_end(&mut piece)?;
        if piece.is_empty() {
            break;
        }
        copy.write_all(&piece)?;
    }
    copy.sync()?;
    config.storage.sync_dir(folder_of(kept))
}
