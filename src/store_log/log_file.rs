//! The open log file, and what happens to it when a write fails.
//!
//! **Promise.** After a failed append the file ends where the last good one ended, if the disk
//! still lets it be cut (RACE-8): a restart does not find the records that were refused.
//!
//! **Algorithm.** The offset behind the last good append is kept; the first failure cuts the file
//! back to it and syncs the cut. Which append is good depends on the durability: written, or
//! written and synced. After a failed sync nothing later is trusted, for the system may have
//! dropped the pages and forgotten the error.
//!
//! **Tests.** `tests/store_log/faults.rs`.

use std::io;

use super::{
    config::Durability,
    error::{JournalError, JournalErrorKind},
    integrity::Sidecar,
    storage::StorageFile,
};

/// A log open for appending.
pub(crate) struct LogFile {
    file: Box<dyn StorageFile>,
    durability: Durability,
    /// The offset behind the last good append.
    good: u64,
    /// The length that was last known to be synced.
    synced: u64,
    sidecar: Option<Sidecar>,
}

impl LogFile {
    /// A file of `length` bytes, all of them synced.
    pub(crate) fn new(
        file: Box<dyn StorageFile>,
        length: u64,
        durability: Durability,
        sidecar: Option<Sidecar>,
    ) -> Self {
        Self { file, durability, good: length, synced: length, sidecar }
    }

    /// Whether each append ends with a sync.
    pub(crate) fn syncs(&self) -> bool {
        self.durability == Durability::Fsync
    }

    /// Appends one group of records and makes it as durable as was asked.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(bytes) {
            return Err(self.give_up(JournalErrorKind::Write, &error));
        }
        if self.syncs() {
            if let Err(error) = self.file.sync() {
                return Err(self.give_up(JournalErrorKind::Sync, &error));
            }
            self.synced = self.good + bytes.len() as u64;
        }
        self.good += bytes.len() as u64;
        self.note(bytes);
        Ok(())
    }

    /// Syncs whatever was appended, under every durability.
    pub(crate) fn close(&mut self) -> Result<(), JournalError> {
        if self.synced < self.good {
            if let Err(error) = self.file.sync() {
                tracing::error!("store log: syncing at close failed: {error}");
                return Err(JournalError::from_io(JournalErrorKind::Sync, &error));
            }
            self.synced = self.good;
        }
        if let Some(sidecar) = &mut self.sidecar
            && let Err(error) = sidecar.close(self.synced)
        {
            tracing::warn!("store log: closing the integrity sidecar failed: {error}");
        }
        Ok(())
    }

    fn note(&mut self, bytes: &[u8]) {
        let Some(sidecar) = &mut self.sidecar else { return };
        if let Err(error) = sidecar.append(bytes, self.synced) {
            tracing::warn!("store log: the integrity sidecar is given up: {error}");
            self.sidecar = None;
        }
    }

    fn give_up(&mut self, kind: JournalErrorKind, error: &io::Error) -> JournalError {
        tracing::error!(
            "store log: {} failed at offset {}, no further change is accepted: {error}",
            if kind == JournalErrorKind::Sync { "sync" } else { "write" },
            self.good,
        );
        if let Err(error) = self.cut_back() {
            tracing::error!(
                "store log: cutting back to offset {} failed, refused records may survive: {error}",
                self.good,
            );
        }
        JournalError::from_io(kind, error)
    }

    fn cut_back(&mut self) -> io::Result<()> {
        self.file.truncate(self.good)?;
        self.file.sync()
    }
}
