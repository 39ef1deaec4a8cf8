//! Restoring (MN-7, MN-8).
//!
//! **The promise.** What was saved is found again, also when the process ended at any moment since, as often as it takes
//! (RACE-69); under `Strict` whatever else the file holds.
//!
//! **The algorithm.** The file is read line by line into lists, which become the store in one transaction; then
//! it gets its backup's name. From then on until the next save there is no file, and the backup is what a
//! restart has: so without a file the backup is read, and keeps its name.
//!
//! **What can come twice.** A restart after a crash finds what was saved last. What was handed over since is
//! handed over again; what was stored since is lost.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::file::PendingFileStep::{Open, Read, SetAside, Sync};
use super::file::{BadLine, BadLineReason};
use super::{NtfList, PendingFileError, PendingNtfFile, PendingNtfStore};
use crate::encoding::ParseError;
use crate::protocol::ntf::PendingNtfRecord;
use crate::protocol::{NotifierId, RoundedSeconds, Semantics, TextDecode};
use crate::stm::atomically;
use crate::store_log::StorageRead;
use crate::store_log::lines::{Found, Lines};
use crate::store_log::storage::folder_of;

/// How many bad lines a report lists; beyond it they are only counted.
const MAX_LISTED: usize = 10_000;

/// What a restore found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// The file that was read: the file, or its backup when there was no file. `None` when there was neither.
    pub source: Option<PathBuf>,
    /// Notifications that are in the store now.
    pub restored: u64,
    /// Notifications that were older than the bound, and were dropped.
    pub expired: u64,
    /// Lines that are no notification, and were skipped (only under `Semantics::Strict`).
    pub skipped: u64,
    /// The first ten thousand of them. They stay in the backup until the next restore of a file.
    pub bad_lines: Vec<BadLine>,
}

impl PendingNtfStore {
    /// Makes the store that was saved last (MN-7). To be called on starting, before anything is stored.
    ///
    /// Notifications older than `expire_before` are dropped; those exactly as old are not. Times are whole seconds, as
    /// the file has them (MN-8). Afterwards the file has the name of its backup, with `.bak` behind it, and replaces an
    /// earlier one. **Without a file the backup is restored**: somebody restored it and ended without saving. With
    /// neither the store is empty.
    ///
    /// A line that is no notification is skipped and reported under `Strict`, and so is a last line without a
    /// newline; under `Reference` a last line may lack its newline, and any bad line refuses the restore.
    ///
    /// No more is held than what was taken, and one line of the greatest length.
    ///
    /// # Errors
    ///
    /// [`PendingFileError`]. Nothing is lost: the next restore finds the same.
    pub fn restore(
        file: &PendingNtfFile,
        semantics: Semantics,
        expire_before: Option<RoundedSeconds>,
    ) -> Result<(Self, RestoreReport), PendingFileError> {
        let store = Self::new(semantics);
        let Some((source, input)) = open(file)? else {
            return Ok((store, RestoreReport::default()));
        };
        let mut restore = Restore {
            lists: HashMap::new(),
            report: RestoreReport::default(),
            semantics,
            expire_before,
        };
        restore.read(&source, Lines::new(input, file.longest_line()))?;
        let Restore { lists, mut report, .. } = restore;
        let entries = || lists.iter().map(|(id, list)| (id.clone(), list.clone()));
        atomically(|tx| store.ntfs.union(tx, entries()));
        if source == file.path() {
            set_aside(file)?;
        }
        report.source = Some(source);
        Ok((store, report))
    }
}

type Input = Box<dyn StorageRead>;

/// Opens the file, or its backup when there is none.
fn open(file: &PendingNtfFile) -> Result<Option<(PathBuf, Input)>, PendingFileError> {
    for path in [file.path().to_owned(), file.backup()] {
        match file.disk().open_read(&path) {
            Ok(input) => return Ok(Some((path, input))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(PendingFileError::io(Open, &path)(error)),
        }
    }
    Ok(None)
}

/// Everything of the file has been taken: it becomes the backup.
fn set_aside(file: &PendingNtfFile) -> Result<(), PendingFileError> {
    let (disk, path) = (file.disk(), file.path());
    disk.rename(path, &file.backup()).map_err(PendingFileError::io(SetAside, path))?;
    disk.sync_dir(folder_of(path)).map_err(PendingFileError::io(Sync, path))
}

struct Restore {
    lists: HashMap<NotifierId, NtfList>,
    report: RestoreReport,
    semantics: Semantics,
    expire_before: Option<RoundedSeconds>,
}

impl Restore {
    fn read(&mut self, path: &Path, mut lines: Lines<Input>) -> Result<(), PendingFileError> {
        let (mut number, mut offset) = (1, 0);
        loop {
            let found = lines.find().map_err(PendingFileError::io(Read(number), path))?;
            let (length, torn) = match found {
                Found::End => return Ok(()),
                Found::Line => (lines.line().len() as u64, false),
                Found::TooLong(length) => (length, false),
                Found::Torn(length) => (length, true),
            };
            match self.parse(lines.line(), length, torn) {
                Ok(record) => self.take(record),
                Err(reason) => self.bad_line(path, BadLine { number, offset, length, reason })?,
            }
            number += 1;
            offset += length + 1;
        }
    }

    /// Reads a line of this length, of which nothing is held if it is too long.
    fn parse(
        &self,
        line: &[u8],
        length: u64,
        torn: bool,
    ) -> Result<PendingNtfRecord, BadLineReason> {
        if torn && self.semantics == Semantics::Strict {
            return Err(BadLineReason::Torn);
        }
        if line.len() as u64 != length {
            return Err(BadLineReason::TooLong);
        }
        let record: Result<_, ParseError> = PendingNtfRecord::from_text(line, self.semantics);
        record.map_err(BadLineReason::Form)
    }

    fn take(&mut self, PendingNtfRecord { notifier_id, ntf }: PendingNtfRecord) {
        if self.expire_before.is_some_and(|bound| ntf.at < bound) {
            self.report.expired += 1;
            return;
        }
        self.lists.entry(notifier_id).or_default().push(ntf);
        self.report.restored += 1;
    }

    fn bad_line(&mut self, path: &Path, line: BadLine) -> Result<(), PendingFileError> {
        if self.semantics == Semantics::Reference {
            return Err(PendingFileError::BadLine { path: path.to_owned(), line });
        }
        self.report.skipped += 1;
        if self.report.bad_lines.len() < MAX_LISTED {
            tracing::warn!("{}: {line}; skipped", path.display());
            self.report.bad_lines.push(line);
        }
        Ok(())
    }
}
