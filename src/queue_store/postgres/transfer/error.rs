//! Why queues were not moved.

use std::fmt;
use std::path::PathBuf;

use super::content::Difference;
use crate::db::DbError;
use crate::store_log::OpenError;

/// A record of a journal that no row can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnstorableRecord {
    /// Its line, counted from 1; zero when it isn't known.
    pub line: u64,
    /// The queue or service.
    pub entity: String,
    /// Why no row can hold it.
    pub problem: String,
}

impl fmt::Display for UnstorableRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.entity, self.problem)
    }
}

/// A row of a database that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRow {
    /// The id of its queue, or of its service.
    pub id: String,
    /// The table, the column and the problem.
    pub error: DbError,
}

impl fmt::Display for UnreadableRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.error)
    }
}

/// Why queues were not moved. The database, and a file that was there, are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The journal can't be read, is in use or is damaged, or the file can't be written.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The database refused something, or can't be reached.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The journal has lines that are no records.
    #[error(
        "{}: {total} lines can't be read: {}; nothing was imported: restore a backup, or import \
         without them",
        path.display(),
        Beginning(lines, *total)
    )]
    UnreadableLines {
        /// The journal.
        path: PathBuf,
        /// Which, and why, at most as many as the configuration lists.
        lines: Vec<crate::store_log::ReplayWarning>,
        /// How many there are in all.
        total: u64,
    },
    /// The journal has records that no row can hold.
    #[error(
        "{}: {total} records don't fit the database: {}; nothing was imported",
        path.display(),
        Beginning(records, *total)
    )]
    Unstorable {
        /// The journal.
        path: PathBuf,
        /// Which, and why, at most as many as the configuration lists.
        records: Vec<UnstorableRecord>,
        /// How many there are in all.
        total: u64,
    },
    /// The journal changed while it was read.
    #[error("{}: the journal changed while it was read; stop what writes to it", path.display())]
    LogChanged {
        /// The journal.
        path: PathBuf,
    },
    /// There are queues or services in the database.
    #[error(
        "the schema {schema} has {queues} queues and {services} services, deleted ones included; \
         import into an empty schema: name a new one with its own `db init`"
    )]
    NotEmpty {
        /// The schema.
        schema: String,
        /// Rows for queues, deleted ones included.
        queues: u64,
        /// Services.
        services: u64,
    },
    /// A store has the schema open.
    #[error("the schema {schema} is open in a running router; stop it first")]
    SchemaInUse {
        /// The schema.
        schema: String,
    },
    /// Both sides don't have the same.
    #[error(
        "the two sides differ in {} things: {}; nothing was changed; please report this",
        .0.len(),
        Beginning(.0, .0.len() as u64)
    )]
    Different(Vec<Difference>),
    /// There is such a file.
    #[error("{}: is there already; name a new file, or allow to overwrite it", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// A router's start with this journal did not end.
    #[error(
        "{}: a start with this log did not end, and its records are in {}.start; compact it \
         first, or name another file",
        path.display(),
        path.display()
    )]
    UnfinishedStart {
        /// The journal.
        path: PathBuf,
    },
    /// The database has rows that can't be read.
    #[error(
        "{total} rows can't be read: {}; no file was written: repair the rows, or export without \
         them",
        Beginning(rows, *total)
    )]
    UnreadableRows {
        /// Which, and why, at most as many as are listed.
        rows: Vec<UnreadableRow>,
        /// How many there are in all.
        total: u64,
    },
}

/// How many of a list a text names.
const NAMED: usize = 10;

/// The first of a list, and how many more there are.
struct Beginning<'a, T>(&'a [T], u64);

impl<T: fmt::Display> fmt::Display for Beginning<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(list, total) = self;
        for (index, one) in list.iter().take(NAMED).enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{one}")?;
        }
        match total.saturating_sub(list.len().min(NAMED) as u64) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
