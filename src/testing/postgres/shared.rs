//! One server for all processes of a test run.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::cluster::Cluster;
use super::error::ClusterError;

/// In the folder of the test's executable: it says where the server is.
const POINTER: &str = "simplex-stores-postgres.shared";

static SHARED: OnceLock<Cluster> = OnceLock::new();

impl Cluster {
    /// The server of this test run: the one that other processes of it use, or a new one. It stays until
    /// the last of them has ended, and under `cargo nextest` until the run has.
    ///
    /// Processes find each other through a file in the folder of their executable, which `cargo` makes
    /// the same for all tests of a build. Where it can't be written, each has a server of its own.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn shared() -> Result<&'static Self, ClusterError> {
        if let Some(cluster) = SHARED.get() {
            return Ok(cluster);
        }
        let cluster = join_or_start(&pointer()?)?;
        // Another thread may have been faster; then this process uses that one's.
        Ok(SHARED.get_or_init(|| cluster))
    }
}

fn pointer() -> Result<PathBuf, ClusterError> {
    let executable = std::env::current_exe();
    let mut path = executable.map_err(ClusterError::io("looking for the test's executable"))?;
    path.set_file_name(POINTER);
    Ok(path)
}

/// The runner that starts a process for each test: a server for all of them stays while it runs, also
/// when for a moment no test uses it.
fn runner() -> Option<u32> {
    std::env::var_os("NEXTEST").map(|_| std::os::unix::process::parent_id())
}

/// One process at a time: it joins the server that the pointer names, or starts one and writes it there.
fn join_or_start(pointer: &Path) -> Result<Cluster, ClusterError> {
    let doing = || ClusterError::io(format!("using {}", pointer.display()));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(pointer);
    // Nothing can be written beside the executable: then this process has a server of its own.
    let Ok(mut file) = file else { return Cluster::start() };
    file.lock().map_err(doing())?;
    let mut folder = String::new();
    file.read_to_string(&mut folder).map_err(doing())?;
    if let Some(cluster) = Cluster::join(Path::new(&folder)) {
        return Ok(cluster);
    }
    let cluster = Cluster::start_for(runner())?;
    file.set_len(0).map_err(doing())?;
    file.seek(SeekFrom::Start(0)).map_err(doing())?;
    let folder = cluster.folder().to_string_lossy();
    file.write_all(folder.as_bytes()).map_err(doing())?;
    Ok(cluster)
}
