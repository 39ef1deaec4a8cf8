//! A statement: a text that the program was built with, and a name for messages.

use std::borrow::Cow;

/// A statement of the program and the name that errors and logs call it by.
///
/// The text is a constant: what comes from outside can't get into it, and is bound as parameters,
/// which are written `$1`, `$2` and so on for every database.
///
/// ```
/// use simplex_stores::db::Sql;
///
/// const SUSPEND: Sql = Sql::new(
///     "suspend queue",
///     "UPDATE msg_queues SET status = $1 WHERE recipient_id = $2 AND deleted_at IS NULL",
/// );
/// assert_eq!(SUSPEND.name(), "suspend queue");
/// ```
///
/// A row that is read to be changed is locked where writers run side by side; SQLite has one writer
/// at a time, so the clause isn't there:
///
/// ```
/// use simplex_stores::db::Sql;
///
/// const READ: Sql =
///     Sql::new("read counters", "SELECT last_id FROM connections WHERE conn_id = $1").locking("FOR UPDATE");
/// assert!(READ.postgres().ends_with("FOR UPDATE"));
/// assert!(!READ.sqlite().contains("FOR UPDATE"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    name: &'static str,
    texts: Texts,
    lock: Option<&'static str>,
}

/// One statement in the words of each database, where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts {
    /// As SQLite reads it.
    pub sqlite: &'static str,
    /// As PostgreSQL reads it.
    pub postgres: &'static str,
}

impl Sql {
    /// A statement with its name, which every database reads alike.
    #[must_use]
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self::differing(name, Texts { sqlite: text, postgres: text })
    }

    /// A statement with its name, where databases need different words for it.
    #[must_use]
    pub const fn differing(name: &'static str, texts: Texts) -> Self {
        Self { name, texts, lock: None }
    }

    /// The same with a clause at its end that locks the rows it reads, on databases where writers run
    /// side by side (AS-10): `FOR UPDATE`, or `FOR UPDATE OF` an alias where tables are joined.
    #[must_use]
    pub const fn locking(self, clause: &'static str) -> Self {
        Self { lock: Some(clause), ..self }
    }

    /// What messages call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The statement for SQLite.
    #[must_use]
    pub const fn sqlite(&self) -> &'static str {
        self.texts.sqlite
    }

    /// The statement for PostgreSQL.
    #[must_use]
    pub fn postgres(&self) -> Cow<'static, str> {
        match self.lock() {
            Some(lock) => Cow::Owned(format!("{} {lock}", self.texts.postgres)),
            None => Cow::Borrowed(self.texts.postgres),
        }
    }

    /// What tells it from other statements of a PostgreSQL connection.
    #[cfg(feature = "postgres")]
    pub(super) fn postgres_key(&self) -> (&'static str, Option<&'static str>) {
        (self.texts.postgres, self.lock())
    }

    /// The clause that locks, unless a test has taken it out.
    fn lock(&self) -> Option<&'static str> {
        self.lock.filter(|_| !super::fault::is_unlocked(self.name))
    }
}
