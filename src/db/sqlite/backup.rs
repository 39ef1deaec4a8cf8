//! A copy of a database, made before it is changed.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::ffi;
use rusqlite::{Connection, OpenFlags};

use super::error::classified;
use super::key::DatabaseKey;
use crate::db::{DbError, DbErrorKind};

/// Copies a database into a file, whole or not at all; an earlier file of that name is replaced. The copy
/// of an encrypted one has its key.
///
/// The copy is SQLite's own and not one of the file: to open the file a second time, and close it, would
/// take this process's locks from it.
pub(super) fn back_up(
    connection: &Connection,
    target: &Path,
    key: Option<&DatabaseKey>,
) -> Result<(), DbError> {
    let doing = format!("backing up to {}", target.display());
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let io = |error: std::io::Error| DbError::new(&doing, DbErrorKind::Io, error);
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    copy(connection, &unfinished, key).map_err(|error| classified(&doing, &error))?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&unfinished, target).map_err(io)?;
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(io)
}

fn copy(connection: &Connection, target: &Path, key: Option<&DatabaseKey>) -> rusqlite::Result<()> {
    // Without the flag for URIs a path is a path, whatever it begins with.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut copy = Connection::open_with_flags(target, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    if let Some(key) = key {
        key.unlock(&copy)?;
    }
    let backup = Backup::new(connection, &mut copy)?;
    // The source is locked by who migrates it, so one step copies all of it, unless somebody has the copy.
    if backup.step(-1)? != StepResult::Done {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None));
    }
    drop(backup);
    copy.close().map_err(|(_, error)| error)
}
