//! Replacing a whole file in one step.
//!
//! **Promise.** Whatever happens meanwhile, there is afterwards the earlier file, whole, or the new
//! one, whole. Who may read the file stays as it was.
//!
//! **Algorithm.** The file is written under a side name, synced, renamed, and its folder synced.

use std::{io, path::Path};

use super::storage::{Storage, StorageFile, copy_permissions, folder_of, with_suffix};

/// Gives `path` what `write` writes, in place of what it had; a side file is removed after a
/// failure, where the disk allows it. `failed` makes the error of a file operation and its path.
///
/// When only the folder's last sync fails, the new file is there and may be lost again in a power
/// loss.
pub(crate) fn replace_file<T, E>(
    storage: &dyn Storage,
    path: &Path,
    failed: impl Fn(&Path, io::Error) -> E,
    write: impl FnOnce(&mut dyn StorageFile, &Path) -> Result<T, E>,
) -> Result<T, E> {
    let side = with_suffix(path, ".tmp");
    let written = write_side(storage, path, &side, &failed, write).and_then(|written| {
        storage.rename(&side, path).map_err(|error| failed(path, error))?;
        Ok(written)
    });
    if written.is_err() && storage.remove(&side).is_err() {
        tracing::warn!("{}: an unfinished file stays", side.display());
    }
    let written = written?;
    let folder = folder_of(path);
    storage.sync_dir(folder).map_err(|error| failed(folder, error))?;
    Ok(written)
}

fn write_side<T, E>(
    storage: &dyn Storage,
    path: &Path,
    side: &Path,
    failed: &impl Fn(&Path, io::Error) -> E,
    write: impl FnOnce(&mut dyn StorageFile, &Path) -> Result<T, E>,
) -> Result<T, E> {
    let at_side = |error| failed(side, error);
    let mut file = storage.create(side).map_err(at_side)?;
    if storage.exists(path).map_err(|error| failed(path, error))? {
        copy_permissions(storage, path, side);
    }
    let written = write(&mut *file, side)?;
    file.sync().map_err(at_side)?;
    Ok(written)
}
