//! Saving (MN-6).
//!
//! **The promise.** After a crash or an error at any moment the file is the one before or the new one, whole
//! (RACE-69).
//!
//! **The algorithm.** A snapshot of the store is written under a side name and synced; then the side file gets the file's
//! name, which replaces the old file in one step, and the folder is synced.

use std::path::Path;

use super::file::PendingFileStep::{Inspect, Replace, Sync, Write};
use super::{NtfList, PendingFileError, PendingNtfFile, PendingNtfStore};
use crate::protocol::ntf::{PendingNtf, PendingNtfRecord};
use crate::protocol::{NotifierId, TextEncode};
use crate::stm::Snapshot;
use crate::store_log::StorageFile;
use crate::store_log::storage::{copy_permissions, folder_of};

/// How much is written at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// What was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveReport {
    /// Notifiers for which something was waiting.
    pub notifiers: u64,
    /// Notifications: the file's lines.
    pub ntfs: u64,
    /// The file's length in bytes.
    pub bytes: u64,
}

impl PendingNtfStore {
    /// Writes the store as it is at one moment to its file, in place of what was there (MN-6): notifiers in the order of
    /// their ids, the notifications of each in the order in which they were stored. The store goes on meanwhile; a second
    /// save waits for the first.
    ///
    /// An empty store makes an empty file, which says that nothing waits. Who may read the file is taken over
    /// from the one before.
    ///
    /// # Errors
    ///
    /// [`PendingFileError::Io`]. The file is then the old one or the new one, whole, and never another's mixture;
    /// if the last step failed, the sync of the folder, a power loss decides which.
    pub fn save(&self, file: &PendingNtfFile) -> Result<SaveReport, PendingFileError> {
        let _one_at_a_time = self.saving.lock();
        let (disk, path, side) = (file.disk(), file.path(), file.side());
        let written = write_side(file, &side, &self.ntfs.snapshot_atomic()).and_then(|report| {
            disk.rename(&side, path).map_err(PendingFileError::io(Replace, path))?;
            Ok(report)
        });
        if written.is_err() && disk.remove(&side).is_err() {
            tracing::warn!("{}: an unfinished file stays", side.display());
        }
        let report = written?;
        disk.sync_dir(folder_of(path)).map_err(PendingFileError::io(Sync, path))?;
        Ok(report)
    }
}

fn write_side(
    file: &PendingNtfFile,
    side: &Path,
    ntfs: &Snapshot<NotifierId, NtfList>,
) -> Result<SaveReport, PendingFileError> {
    let mut output = file.disk().create(side).map_err(PendingFileError::io(Write, side))?;
    take_over_permissions(file, side)?;
    let written = write_all(&mut *output, ntfs).map_err(PendingFileError::io(Write, side))?;
    output.sync().map_err(PendingFileError::io(Sync, side))?;
    Ok(written)
}

/// From the file, or from the one that was restored last: then there is no file yet.
fn take_over_permissions(file: &PendingNtfFile, side: &Path) -> Result<(), PendingFileError> {
    for from in [file.path().to_owned(), file.backup()] {
        if file.disk().exists(&from).map_err(PendingFileError::io(Inspect, &from))? {
            copy_permissions(file.disk(), &from, side);
            break;
        }
    }
    Ok(())
}

fn write_all(
    output: &mut dyn StorageFile,
    ntfs: &Snapshot<NotifierId, NtfList>,
) -> std::io::Result<SaveReport> {
    let mut report = SaveReport::default();
    let mut chunk = Vec::with_capacity(CHUNK);
    for (id, list) in ntfs.iter_sorted() {
        report.notifiers += u64::from(!list.is_empty());
        for ntf in list.iter() {
            write_line(&mut chunk, &id, ntf);
            report.ntfs += 1;
            if chunk.len() >= CHUNK {
                flush(output, &mut chunk, &mut report)?;
            }
        }
    }
    flush(output, &mut chunk, &mut report)?;
    Ok(report)
}

fn write_line(chunk: &mut Vec<u8>, id: &NotifierId, ntf: &PendingNtf) {
    let record = PendingNtfRecord { notifier_id: id.clone(), ntf: ntf.clone() };
    record.encode_text(chunk);
    chunk.push(b'\n');
}

fn flush(
    output: &mut dyn StorageFile,
    chunk: &mut Vec<u8>,
    report: &mut SaveReport,
) -> std::io::Result<()> {
    if chunk.is_empty() {
        return Ok(());
    }
    output.write_all(chunk)?;
    report.bytes += chunk.len() as u64;
    chunk.clear();
    Ok(())
}
