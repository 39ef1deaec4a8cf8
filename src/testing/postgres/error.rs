//! Why there is no server for a test.

use std::io;

use crate::db::DbError;

/// Why there is no server, or no database on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No folder has the server's programs.
    #[error(
        "no PostgreSQL server is installed: looked at pg_config, /usr/lib/postgresql and PATH; install \
         the package postgresql, or run ./test.sh setup"
    )]
    NoBinaries,
    /// This is root, and there is no other user to run the server.
    #[error(
        "a PostgreSQL server doesn't run as root, and there is neither postgres nor nobody here"
    )]
    NoUser,
    /// A Unix socket's path has at most 107 bytes.
    #[error("the path of the temporary folder is too long for a socket: {0}; set TMPDIR")]
    PathTooLong(String),
    /// The system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server did not start, stop or start again.
    #[error("the server: {0}")]
    Server(String),
    /// The server refused something.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A template could not be prepared.
    #[error("preparing a template: {0}")]
    Template(String),
}

impl ClusterError {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        |source| Self::Io { doing, source }
    }
}
