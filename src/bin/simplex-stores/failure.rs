//! Exit codes, and the failures that lead to them.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use simplex_stores::{
    ntf_store::NtfFileError,
    protocol::ErrorType,
    store_log::{OpenError, ReplayReport, SnapshotError},
};

/// How a run ended; the numbers are documented in `--help` and kept stable for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done, and holds.
    Fine = 0,
    /// Something that was checked does not hold.
    DoesNotHold = 1,
    /// The command line is wrong. (Also clap's own code.)
    Usage = 2,
    /// A file cannot be read, opened or written.
    Files = 3,
    /// The log or the file is damaged, and was refused.
    Damaged = 4,
    /// The journal or the file is in use by another process.
    InUse = 5,
    /// The database can't be reached, refuses something, or holds what can't be read.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    Database = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

macro_rules! exit_codes {
    ($($more:literal)?) => {
        concat!(
            "\
Exit codes:
  0  fine
  1  something that was checked does not hold (verify, stress, trace --check, demo, also of ntf)
  2  the command line is wrong
  3  a file cannot be read, opened or written
  4  the log or the file is damaged, and was refused
  5  the log or the file is in use by another process",
            $($more)?
        )
    };
}

/// The part of `--help` that scripts rely on.
#[cfg(not(any(feature = "postgres", feature = "sqlite")))]
pub(crate) const EXIT_CODES: &str = exit_codes!();

/// The part of `--help` that scripts rely on.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) const EXIT_CODES: &str = exit_codes!(
    "
  6  the database cannot be reached, refuses, or has rows that cannot be read"
);

/// Why a run could not be finished: what to tell the user, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// A file operation failed; `hint` says what to do about it.
    pub(crate) fn file(path: &Path, error: &io::Error, hint: &str) -> Self {
        Self { exit: Exit::Files, message: format!("{}: {error}; {hint}", path.display()) }
    }

    /// A file is there and its content cannot be used.
    pub(crate) fn content(path: &Path, line: usize, what: impl fmt::Display) -> Self {
        Self { exit: Exit::Files, message: format!("{}: line {line}: {what}", path.display()) }
    }

    /// The log is damaged, and the caller chose to refuse that.
    pub(crate) fn damaged(path: &Path, report: &ReplayReport) -> Self {
        let damage = report.damage.clone();
        let total = report.damage_total;
        OpenError::Damaged { path: path.to_owned(), damage, total }.into()
    }

    pub(crate) fn from_output(error: io::Error) -> Self {
        Self {
            exit: Exit::Files,
            message: format!("standard output: {error}; the answer is incomplete"),
        }
    }

    /// A store refused what it should have done: only a failing journal does that.
    pub(crate) fn store(doing: &str, error: &ErrorType) -> Self {
        Self { exit: Exit::Files, message: format!("{doing}: the store answered {error}") }
    }

    /// Something happened that should not be able to.
    pub(crate) fn broken(what: &str) -> Self {
        let message = format!("{what}; please report this as a defect");
        Self { exit: Exit::DoesNotHold, message }
    }

    /// For closures in `map_err`: names the file, and tells to check that it is readable.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path: PathBuf = path.to_owned();
        move |error| Self::file(&path, &error, reading_hint(&error))
    }

    /// For closures in `map_err`: names the file, and tells to check that it can be written.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path: PathBuf = path.to_owned();
        move |error| Self::file(&path, &error, "check that its folder exists and can be written")
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

fn reading_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::PermissionDenied => "check who may read it",
        io::ErrorKind::IsADirectory => "name a file, not a folder",
        _ => "check that it is a readable file",
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match &error {
            OpenError::Locked { .. } => Self { exit: Exit::InUse, message: error.to_string() },
            OpenError::Damaged { .. } => Self { exit: Exit::Damaged, message: error.to_string() },
            OpenError::Io { source, .. } => {
                let hint = reading_hint(source);
                Self { exit: Exit::Files, message: format!("{error}; {hint}") }
            }
            _ => Self { exit: Exit::Files, message: error.to_string() },
        }
    }
}

impl From<NtfFileError> for Failure {
    fn from(error: NtfFileError) -> Self {
        let exit = match &error {
            NtfFileError::Locked { .. } => Exit::InUse,
            NtfFileError::Io { source, .. } => {
                let hint = reading_hint(source);
                return Self { exit: Exit::Files, message: format!("{error}; {hint}") };
            }
            // Whole, and not what was asked for.
            NtfFileError::Snapshot {
                source: SnapshotError::WrongKind | SnapshotError::UnknownVersion { .. },
                ..
            } => Exit::Files,
            _ => Exit::Damaged,
        };
        Self { exit, message: error.to_string() }
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod of_databases {
    use simplex_stores::db::{DbError, DbErrorKind, migrations::MigrationError};

    use super::{Exit, Failure};

    impl From<DbError> for Failure {
        fn from(error: DbError) -> Self {
            let exit = match error.kind() {
                DbErrorKind::Settings => Exit::Usage,
                DbErrorKind::Damaged => Exit::Damaged,
                DbErrorKind::Io => Exit::Files,
                _ => Exit::Database,
            };
            Self { exit, message: error.to_string() }
        }
    }

    impl Failure {
        /// The failure of a database that is a file.
        pub(crate) fn database_file(error: DbError) -> Self {
            let exit = match error.kind() {
                DbErrorKind::Connect | DbErrorKind::Denied => Exit::Files,
                DbErrorKind::LockTimeout => Exit::InUse,
                _ => return error.into(),
            };
            Self { exit, message: error.to_string() }
        }
    }

    impl From<MigrationError> for Failure {
        fn from(error: MigrationError) -> Self {
            let exit = match error {
                MigrationError::Database(error) => return error.into(),
                MigrationError::Upgrade { .. }
                | MigrationError::Downgrade { .. }
                | MigrationError::Refused => Exit::DoesNotHold,
                _ => Exit::Database,
            };
            Self { exit, message: error.to_string() }
        }
    }
}

#[cfg(feature = "postgres")]
mod of_transfers {
    use simplex_stores::queue_store::postgres::transfer::TransferError;

    use super::{Exit, Failure};

    impl From<TransferError> for Failure {
        fn from(error: TransferError) -> Self {
            let exit = match error {
                TransferError::Log(error) => return error.into(),
                TransferError::Database(error) => return error.into(),
                TransferError::UnreadableLines { .. } | TransferError::Unstorable { .. } => {
                    Exit::Damaged
                }
                TransferError::LogChanged { .. } | TransferError::SchemaInUse { .. } => Exit::InUse,
                TransferError::NotEmpty { .. }
                | TransferError::FileExists { .. }
                | TransferError::UnfinishedStart { .. } => Exit::Usage,
                TransferError::Different(_) => Exit::DoesNotHold,
                _ => Exit::Database,
            };
            Self { exit, message: error.to_string() }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
