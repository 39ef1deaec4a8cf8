//! A server, and what a test may do to it.

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::binaries::Binaries;
use super::error::ClusterError;

/// What makes the server, waits until its users are gone, and removes it.
const SUPERVISE: &str = include_str!("supervise.sh");
/// The longest path of a socket, in bytes.
const MAX_SOCKET: usize = 107;

/// How a server is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Its connections are ended, and what it holds is written.
    Fast,
    /// As in a crash.
    Immediate,
}

/// A PostgreSQL server in a temporary folder. It is stopped, and the folder removed, when this value
/// and those of all other processes that use the server are gone, in whatever way they ended.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    binaries: Binaries,
    /// Locked as long as the server is used.
    users: Option<File>,
    /// The script that started it, where this process did.
    supervisor: Option<Child>,
}

impl Cluster {
    /// A server for this test alone, which it may stop and break.
    ///
    /// # Errors
    ///
    /// Why there is none: the programs aren't installed, or what the server said.
    pub fn start() -> Result<Self, ClusterError> {
        Self::start_for(None)
    }

    /// A server that stays as long as it is used, and as long as this process runs.
    pub(super) fn start_for(runner: Option<u32>) -> Result<Self, ClusterError> {
        let binaries = Binaries::find()?;
        let folder = new_folder(&binaries)?;
        let started = start_in(&folder, &binaries, runner);
        let (users, supervisor) = started.inspect_err(|_| {
            let _ = fs::remove_dir_all(&folder);
        })?;
        Ok(Self { folder, binaries, users: Some(users), supervisor: Some(supervisor) })
    }

    /// The server in this folder, if it is there and used by somebody.
    pub(super) fn join(folder: &Path) -> Option<Self> {
        let users = File::open(folder.join("users")).ok()?;
        // Without a lock on it the file belongs to the script, which is removing everything.
        users.try_lock_shared().ok()?;
        let binaries = Binaries::find().ok()?;
        let cluster =
            Self { folder: folder.to_owned(), binaries, users: Some(users), supervisor: None };
        let config = crate::db::postgres::PostgresConfig::parse(&cluster.url("postgres")).ok()?;
        crate::db::postgres::Pool::open(&config.pool_size(1)).ok()?;
        Some(cluster)
    }

    /// The folder with its socket, its log (`server.log`) and its data.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL of one of its databases, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=postgres dbname={database}", self.folder.display())
    }

    /// The path of one of the programs that come with the server, such as `psql`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.binaries.folder().join(name)
    }

    /// Stops the server, and waits until it has stopped. Its data stay.
    ///
    /// # Errors
    ///
    /// What the server's programs said.
    pub fn stop(&self, mode: StopMode) -> Result<(), ClusterError> {
        let mode = match mode {
            StopMode::Fast => "fast",
            StopMode::Immediate => "immediate",
        };
        self.pg_ctl(&["-m", mode, "-w", "stop"])
    }

    /// Starts the server again after [`stop`](Self::stop), and waits until it answers.
    ///
    /// # Errors
    ///
    /// What the server's programs said.
    pub fn start_again(&self) -> Result<(), ClusterError> {
        let log = self.folder.join("server.log");
        self.pg_ctl(&["-l", &log.to_string_lossy(), "-w", "start"])
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Result<(), ClusterError> {
        let program = self.binaries.folder().join("pg_ctl");
        let mut command = self.binaries.command(&program.to_string_lossy());
        command.arg("-D").arg(self.folder.join("data")).args(arguments);
        // What the server inherits must not keep somebody waiting for its end.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().map_err(ClusterError::io("running pg_ctl"))?;
        if status.success() {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        Err(ClusterError::Server(format!("pg_ctl {arguments:?}: {status}\n{log}")))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.users = None;
        if let Some(mut supervisor) = self.supervisor.take() {
            let _ = supervisor.wait();
        }
    }
}

/// A folder of its own, where nobody else can put anything.
fn new_folder(binaries: &Binaries) -> Result<PathBuf, ClusterError> {
    let name = format!("sxpg-{:016x}", rand::random::<u64>());
    let folder = std::env::temp_dir().join(name);
    if folder.join(".s.PGSQL.5432").as_os_str().len() > MAX_SOCKET {
        return Err(ClusterError::PathTooLong(folder.display().to_string()));
    }
    let making = || ClusterError::io(format!("making {}", folder.display()));
    fs::create_dir(&folder).map_err(making())?;
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(making())?;
    Ok(folder).and_then(|folder| binaries.give(&folder).map(|()| folder))
}

/// Starts the script, and waits until it says that the server answers.
fn start_in(
    folder: &Path,
    binaries: &Binaries,
    runner: Option<u32>,
) -> Result<(File, Child), ClusterError> {
    let users = folder.join("users");
    let locking = || ClusterError::io(format!("locking {}", users.display()));
    let lock = File::create(&users).map_err(locking())?;
    lock.lock_shared().map_err(locking())?;
    let mut command = binaries.command("sh");
    command.arg("-c").arg(SUPERVISE).arg("supervise.sh").arg(folder).arg(binaries.folder());
    command.args(runner.map(|runner| runner.to_string()));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // An interrupt at the terminal is for the tests: the script has to outlive them.
    command.process_group(0);
    let mut supervisor = command.spawn().map_err(ClusterError::io("running sh"))?;
    let mut said = String::new();
    if let Some(mut stdout) = supervisor.stdout.take() {
        stdout.read_to_string(&mut said).map_err(ClusterError::io("waiting for the server"))?;
    }
    match said.trim_end() {
        "ready" => Ok((lock, supervisor)),
        _ => Err(ClusterError::Server(said)),
    }
}
