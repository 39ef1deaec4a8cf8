//! Files and folders that a command makes for itself.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::failure::Failure;

/// A new folder for scratch files, removed with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// Makes a folder with a new name in the system's folder for temporary files.
    pub(crate) fn new() -> Result<Self, Failure> {
        let base = env::temp_dir();
        let mut nonce = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        loop {
            let path = base.join(format!("simplex-stores-{}-{nonce}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => nonce += 1,
                Err(error) => {
                    let hint = "check the folder for temporary files, or set TMPDIR";
                    return Err(Failure::file(&path, &error, hint));
                }
            }
        }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a scratch folder is left behind");
        }
    }
}

/// Refuses a log that is not there, so that no command makes an empty one by mistake.
///
/// A start that did not end leaves the log under its temporary name only; that is a log too.
pub(crate) fn require_log(path: &Path) -> Result<(), Failure> {
    let metadata = match fs::metadata(path) {
        Err(_) if with_suffix(path, ".start").is_file() => return Ok(()),
        found => found.map_err(Failure::reading(path))?,
    };
    if metadata.is_dir() {
        let error = io::Error::from(io::ErrorKind::IsADirectory);
        return Err(Failure::reading(path)(error));
    }
    Ok(())
}

/// The path with something added to its last part.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
