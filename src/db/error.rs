//! What can go wrong with a database, classified by what its caller can do about it.

use std::fmt;

/// The longest text of a server that an error keeps, in bytes.
const MAX_MESSAGE: usize = 300;

/// What kind of constraint a change would have broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A primary key or a unique index: there is such a row already.
    Unique,
    /// A foreign key: the row that is referred to isn't there, or is referred to.
    ForeignKey,
    /// A column that must have a value has none.
    NotNull,
    /// A check.
    Check,
    /// An exclusion constraint.
    Exclusion,
}

/// A constraint that a change would have broken (AS-13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What kind of constraint it is.
    pub kind: ViolationKind,
    /// Its name; a column that must not be null has none.
    pub constraint: Option<String>,
    /// The table whose row was to be changed.
    pub table: Option<String>,
    /// The column that must not be null.
    pub column: Option<String>,
}

/// What went wrong, classified by what the caller can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DbErrorKind {
    /// The settings can't be used.
    Settings,
    /// The server can't be reached, or refuses the connection.
    Connect,
    /// No connection of the pool became free in time.
    NoConnection,
    /// The connection broke. Nothing of the transaction was committed.
    Lost,
    /// The connection broke while a change was being committed: it may have been, or not (RACE-70).
    Unclear,
    /// A constraint refuses the change.
    Constraint(Violation),
    /// The transaction can't be put in one order with others that ran beside it.
    Serialization,
    /// The transaction waited for another that waited for it.
    Deadlock,
    /// A statement ran longer than it may, or was cancelled.
    Timeout,
    /// A lock wasn't to be had in time.
    LockTimeout,
    /// There is no room left: disk, memory or connections.
    NoRoom,
    /// The user of the database may not do this.
    Denied,
    /// A table, column, function or schema isn't there, or isn't what the program expects.
    Schema,
    /// The file is damaged, or isn't a database.
    Damaged,
    /// Reading or writing a file failed.
    Io,
    /// The database was closed.
    Closed,
    /// A row can't be read.
    Row {
        /// The table that it stands in.
        table: &'static str,
        /// The column whose value isn't one.
        column: &'static str,
    },
    /// Anything else.
    Other,
}

/// An error of a database: what was being done, what went wrong, and what to do about it.
///
/// It is for the operator. Values of rows and credentials are never in it; for clients of a router
/// there is [`client_text`](Self::client_text), which is fixed (RACE-17).
#[derive(Clone, PartialEq, Eq)]
pub struct DbError(Box<Details>);

#[derive(Clone, PartialEq, Eq)]
struct Details {
    doing: String,
    kind: DbErrorKind,
    sqlstate: Option<String>,
    message: String,
}

impl DbError {
    /// An error while `doing` something, with a text that holds no secret.
    pub fn new(doing: impl Into<String>, kind: DbErrorKind, message: impl fmt::Display) -> Self {
        let message = bounded(&message.to_string());
        Self(Box::new(Details { doing: doing.into(), kind, sqlstate: None, message }))
    }

    /// A row of `table` whose `column` can't be read, and why.
    pub fn row(table: &'static str, column: &'static str, problem: impl fmt::Display) -> Self {
        Self::new("reading a row", DbErrorKind::Row { table, column }, problem)
    }

    /// The same, within something larger that has a name.
    #[must_use]
    pub fn within(mut self, label: &str) -> Self {
        self.0.doing = format!("{label}: {}", self.0.doing);
        self
    }

    /// What was being done: the name of the transaction and of the statement.
    pub fn doing(&self) -> &str {
        &self.0.doing
    }

    /// What went wrong.
    pub fn kind(&self) -> &DbErrorKind {
        &self.0.kind
    }

    /// What was said about it, by the server, the driver or the reader of a row.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's code for it, where the server said it.
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.sqlstate.as_deref()
    }

    /// The constraint that refused the change, if one did.
    pub fn violation(&self) -> Option<&Violation> {
        match &self.0.kind {
            DbErrorKind::Constraint(violation) => Some(violation),
            _ => None,
        }
    }

    /// Whether there is such a row already, by the unique constraint or index of this name.
    pub fn is_duplicate_in(&self, constraint: &str) -> bool {
        self.violation().is_some_and(|violation| {
            violation.kind == ViolationKind::Unique
                && violation.constraint.as_deref() == Some(constraint)
        })
    }

    /// Whether the very same transaction may succeed when it is run again at once: it was refused
    /// only for what ran beside it, and nothing of it was committed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, DbErrorKind::Serialization | DbErrorKind::Deadlock)
    }

    /// Whether the connection is gone.
    pub fn is_lost(&self) -> bool {
        matches!(self.0.kind, DbErrorKind::Lost | DbErrorKind::Unclear)
    }

    /// What an operator can do about it.
    pub fn advice(&self) -> &'static str {
        match &self.0.kind {
            DbErrorKind::Settings => "correct the settings",
            DbErrorKind::Connect => {
                "check that the server runs and accepts this user, or the path of the file"
            }
            DbErrorKind::NoConnection => "allow more connections, or look for long transactions",
            DbErrorKind::Lost => "nothing was changed; try again",
            DbErrorKind::Unclear => "the change may have been made; read it again before retrying",
            DbErrorKind::Constraint(_) => "nothing was changed",
            DbErrorKind::Serialization | DbErrorKind::Deadlock => {
                "nothing was changed; run the transaction again"
            }
            DbErrorKind::Timeout => {
                "nothing was changed; allow more time, or look for a slow server"
            }
            DbErrorKind::LockTimeout => {
                "nothing was changed; look for the process that holds the lock"
            }
            DbErrorKind::NoRoom => "nothing was changed; give the database more room",
            DbErrorKind::Denied => "give the database's user the right to do it",
            DbErrorKind::Schema => "compare the database's version with the program's: migrate",
            DbErrorKind::Damaged => "restore a backup, or check the path",
            DbErrorKind::Io => "check the disk and the rights of the file",
            DbErrorKind::Closed => "open it again",
            DbErrorKind::Row { .. } => "repair or remove the row",
            DbErrorKind::Other => "see the server's log",
        }
    }

    /// A fixed text that may travel to a client.
    pub fn client_text(&self) -> &'static str {
        match &self.0.kind {
            DbErrorKind::Connect | DbErrorKind::NoConnection => "database: no connection",
            DbErrorKind::Lost => "database: connection lost",
            DbErrorKind::Unclear => "database: outcome unclear",
            DbErrorKind::Timeout | DbErrorKind::LockTimeout => "database: timed out",
            DbErrorKind::Row { .. } => "database: unreadable row",
            _ => "database: failed",
        }
    }
}

/// What the drivers' errors become.
#[cfg(feature = "postgres")]
impl DbError {
    pub(super) fn with_sqlstate(mut self, sqlstate: &str) -> Self {
        self.0.sqlstate = Some(bounded(sqlstate));
        self
    }

    /// The same, but of a change whose outcome isn't known when the connection broke.
    pub(super) fn of_a_commit(mut self) -> Self {
        if self.0.kind == DbErrorKind::Lost {
            self.0.kind = DbErrorKind::Unclear;
        }
        self
    }

    /// The same, but of a statement that only reads: it has no outcome that could be unclear.
    pub(crate) fn of_reading(mut self) -> Self {
        if self.0.kind == DbErrorKind::Unclear {
            self.0.kind = DbErrorKind::Lost;
        }
        self
    }

    /// The same, but of a change that was made: what it gave back can't be read (RACE-70).
    pub(crate) fn of_a_change_that_was_made(mut self) -> Self {
        self.0.kind = DbErrorKind::Unclear;
        self
    }
}

/// At most [`MAX_MESSAGE`] bytes of one line.
fn bounded(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().find(|(at, _)| *at >= MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { doing, kind, sqlstate, message } = &*self.0;
        write!(f, "{doing}: ")?;
        if let DbErrorKind::Row { table, column } = kind {
            write!(f, "{table}.{column}: ")?;
        }
        f.write_str(message)?;
        if let Some(sqlstate) = sqlstate {
            write!(f, " (SQLSTATE {sqlstate})")?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl fmt::Debug for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbError({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for DbError {}
