//! Keeping a store of notifications in a file, as text records or as a binary snapshot.
//!
//! **Promise.** What was saved is loaded, or the report of the save said what not. A save is whole or did not
//! happen, whenever the disk fails or the power goes. A damaged record of a text loses only itself, and the
//! report says which line; the file that had it is kept before it is replaced. A load changes nothing on disk,
//! takes memory for a batch of lines beside the store, and makes no store that its semantics forbids, whatever is
//! in the file.
//!
//! **Forms.** [`NtfFileForm::Text`] has one record a line (NE-10, NE-11, NE-14), ended by one newline: tokens,
//! subscriptions, then last notifications, each token's oldest first. [`NtfFileForm::Binary`] is an
//! [`NtfSnapshot`](super::NtfSnapshot) in the frame of [`store_log::write_snapshot`](crate::store_log::write_snapshot), with every
//! index. Loading tells them apart by their first bytes.
//!
//! | file | what it is |
//! |---|---|
//! | `F` | the store as it was saved last |
//! | `F.tmp` | a save that has not ended; the next one writes over it |
//! | `F.<timestamp>.damaged` | F as it was, with records that could not be loaded; stays until somebody deletes it |
//! | `F.lock` | held by the process that owns the file; empty, and stays |
//!
//! **The tests that show it.** `tests/ntf_store/files*.rs`.

mod binary;
mod config;
mod error;
mod load;
mod record;
mod report;
mod save;

use std::io::{self, Read};
use std::path::PathBuf;

pub use binary::NTF_SNAPSHOT;
pub use config::{NtfFileConfig, NtfFileForm};
pub use error::{NtfFileError, NtfFileStep};
pub use record::{NtfRecord, NtfRecordKind};
pub use report::{
    NtfLoadReport, NtfLoadWarning, NtfLoadWarningKind, NtfNotHeld, NtfNotHeldItem, NtfSaveReport,
};

use super::NtfStore;
use crate::store_log::storage::{copy_permissions, with_suffix};
use crate::store_log::{StorageLock, free_path, is_snapshot, replace_file};

/// How much of a file is copied at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// The file that a running store is saved to, owned by this process as long as this handle lives.
///
/// ```
/// use simplex_stores::ntf_store::{NtfFile, NtfFileConfig};
/// # use simplex_stores::ntf_store::Token;
/// # use simplex_stores::protocol::ntf::*;
/// # use simplex_stores::protocol::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let token = Token::new(TokenRec {
/// #     id: TokenId::from_bytes(b"token").ok_or("empty")?,
/// #     device: DeviceToken::new(PushProvider::ApnsProd, "abcd1234"),
/// #     status: TokenStatus::Registered,
/// #     verify_key: AuthKey::Ed25519([1; 32]),
/// #     dh_keys: X25519KeyPair::from_private([2; 32]),
/// #     dh_secret: DhSecret::new([3; 32]),
/// #     reg_code: RegCode(Blob::from(&b"code"[..])),
/// #     cron: 0,
/// #     updated_at: None,
/// # });
/// let config = NtfFileConfig::new(folder.path().join("ntf-store.log"));
/// let (mut file, store, loaded) = NtfFile::open(&config)?;
/// assert!(loaded.absent);
/// store.add_token(token.into());
/// let saved = file.save(&store)?;
/// assert_eq!((saved.tokens, saved.not_held.total()), (1, 0));
/// drop(file);
///
/// let (_file, store, loaded) = NtfFile::open(&config)?;
/// assert_eq!((store.counts().tokens, loaded.lost), (1, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NtfFile {
    config: NtfFileConfig,
    /// The file has records that are not in the store that was loaded, and no copy of it is kept yet.
    has_lost: bool,
    _lock: StorageLock,
}

impl NtfFile {
    /// Takes the ownership of a file and loads it; where there is none, the store is empty. Nothing on disk is
    /// changed but the lock file made.
    ///
    /// # Errors
    ///
    /// [`NtfFileError::Locked`] when somebody owns the file; else as [`NtfStore::load`].
    pub fn open(config: &NtfFileConfig) -> Result<(Self, NtfStore, NtfLoadReport), NtfFileError> {
        let lock_path = config.lock_path();
        let lock = config.storage.lock(&lock_path);
        let lock = lock.map_err(NtfFileError::io(NtfFileStep::Lock, &lock_path))?;
        let _lock = lock.ok_or_else(|| NtfFileError::Locked { path: config.path.clone() })?;
        let (store, report) = match NtfStore::load(config) {
            Err(NtfFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let path = config.path.clone();
                let report = NtfLoadReport { path, absent: true, ..NtfLoadReport::default() };
                (load::new_store(config), report)
            }
            loaded => loaded?,
        };
        Ok((Self { config: config.clone(), has_lost: report.lost > 0, _lock }, store, report))
    }

    /// Saves the store as it is at one moment, in place of what the file had, whole or not at all. The first save
    /// after a load that lost records copies the file to `F.<timestamp>.damaged` before it is replaced.
    ///
    /// # Errors
    ///
    /// [`NtfFileError::Io`] when a file operation fails. The file has then what it had; or what was saved, where
    /// only the last step failed, which makes the new file survive a power loss.
    pub fn save(&mut self, store: &NtfStore) -> Result<NtfSaveReport, NtfFileError> {
        let snapshot = store.snapshot();
        let kept = if self.has_lost { self.keep()? } else { None };
        self.has_lost = false;
        let report = match self.config.form {
            NtfFileForm::Text => save::save_text(&self.config, &snapshot),
            NtfFileForm::Binary => binary::save_binary(&self.config, &snapshot),
        };
        Ok(NtfSaveReport { kept, ..report? })
    }

    /// Copies the file to a name that it keeps; nothing where somebody has moved the file away.
    fn keep(&self) -> Result<Option<PathBuf>, NtfFileError> {
        let NtfFileConfig { path, storage, clock, .. } = &self.config;
        let at = || NtfFileError::io(NtfFileStep::Keep, path);
        if !storage.exists(path).map_err(at())? {
            return Ok(None);
        }
        let name = |stamp: &str| with_suffix(path, &format!(".{stamp}.damaged"));
        let kept = free_path(&**storage, clock, name).map_err(at())?;
        let failed = |path: &_, error| NtfFileError::io(NtfFileStep::Keep, path)(error);
        replace_file(&**storage, &kept, failed, |copy, side| {
            copy_permissions(&**storage, path, side);
            let mut original = storage.open_read(path).map_err(at())?;
            let mut buffer = vec![0; CHUNK];
            loop {
                let read = match original.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(at()(error)),
                };
                let bytes = buffer.get(..read).unwrap_or_default();
                copy.write_all(bytes).map_err(|error| failed(side, error))?;
            }
        })?;
        Ok(Some(kept))
    }
}

impl NtfStore {
    /// Loads a store from a file in either form, and changes nothing on disk. No lock is taken: saves replace the
    /// file in one step, so what is read is what one of them wrote.
    ///
    /// Lines of a text that are no records or that the store refuses are skipped and reported. The indexes
    /// of a binary file must be in order; under `Strict` they must agree as well, as
    /// [`check_invariants`](Self::check_invariants) says.
    ///
    /// # Errors
    ///
    /// [`NtfFileError::Io`], with `NotFound` when there is no file; the others but `Locked` for a binary
    /// file that is damaged or that no store wrote.
    pub fn load(config: &NtfFileConfig) -> Result<(Self, NtfLoadReport), NtfFileError> {
        let NtfFileConfig { path, storage, .. } = config;
        let at = || NtfFileError::io(NtfFileStep::Read, path);
        let bytes = storage.len(path).map_err(at())?;
        let mut file = storage.open_read(path).map_err(at())?;
        let mut start = Vec::with_capacity(SHOWN);
        (&mut file).take(SHOWN as u64).read_to_end(&mut start).map_err(at())?;
        if is_binary(&start) {
            return binary::load_binary(config, bytes);
        }
        load::load_text(config, start.as_slice().chain(file), bytes)
    }
}

/// How many bytes tell the forms apart.
const SHOWN: usize = 24;

/// Whether a file that begins like this is a binary one: then it is refused when it is damaged, and not read as a
/// text of which nothing is left. So the name of the kind is looked for, too, where the first bytes are not right.
fn is_binary(start: &[u8]) -> bool {
    is_snapshot(start)
        || (start.ends_with(&NTF_SNAPSHOT) && start.len() == SHOWN && !NtfRecord::may_begin(start))
}
