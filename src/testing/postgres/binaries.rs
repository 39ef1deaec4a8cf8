//! The server's programs, and who runs them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ClusterError;

/// Where Debian keeps a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Where the server's programs are, and who they run as.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// User and group, where this process is root.
    user: Option<(u32, u32)>,
}

impl Binaries {
    pub(super) fn find() -> Result<Self, ClusterError> {
        let folder = folders().into_iter().find(|folder| is_server(folder));
        let folder = folder.ok_or(ClusterError::NoBinaries)?;
        let user =
            if is_root()? { Some(unprivileged().ok_or(ClusterError::NoUser)?) } else { None };
        Ok(Self { folder, user })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a file or folder the server's own.
    pub(super) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        let Some((user, group)) = self.user else { return Ok(()) };
        std::os::unix::fs::chown(path, Some(user), Some(group))
            .map_err(ClusterError::io(format!("giving {} to the server", path.display())))
    }

    /// A command that runs as the server does, with nothing of this process's own settings for
    /// databases.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir("/");
        command
    }
}

/// Where the programs may be, the newest version first.
fn folders() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Some(folder) = output_of("pg_config", &["--bindir"]) {
        found.push(folder.into());
    }
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_string_lossy().parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.extend(versions.into_iter().map(|(_, folder)| folder));
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found
}

fn is_server(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// A process's folder under `/proc` belongs to its effective user.
fn is_root() -> Result<bool, ClusterError> {
    let own = fs::metadata("/proc/self").map_err(ClusterError::io("looking at /proc/self"))?;
    Ok(own.uid() == 0)
}

fn unprivileged() -> Option<(u32, u32)> {
    ["postgres", "nobody"].iter().find_map(|name| {
        let number = |option| output_of("id", &[option, name])?.parse().ok();
        Some((number("-u")?, number("-g")?))
    })
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
