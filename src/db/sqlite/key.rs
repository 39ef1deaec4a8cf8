//! The key of an encrypted file.

use std::fmt;

use zeroize::Zeroizing;

use crate::db::{DbError, DbErrorKind};

/// The key of a file that SQLCipher encrypts. It is overwritten in memory when it is dropped, and never
/// shown.
#[derive(Clone)]
pub struct DatabaseKey(Zeroizing<String>);

impl DatabaseKey {
    /// A key of any text.
    ///
    /// # Errors
    ///
    /// [`DbErrorKind::Settings`] when it is empty, which would mean no encryption, and when it holds the
    /// character NUL, with which the key would end.
    pub fn new(text: impl Into<String>) -> Result<Self, DbError> {
        let key = Zeroizing::new(text.into());
        if key.is_empty() || key.contains('\0') {
            let problem = "a key is a text that isn't empty and has no NUL in it";
            return Err(DbError::new("reading the settings", DbErrorKind::Settings, problem));
        }
        Ok(Self(key))
    }

    /// Gives the key to a new connection, before anything else is done with it.
    pub(super) fn unlock(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "key", self.0.as_str())
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey")
    }
}

/// What is kept to open a closed database again (AS-7).
#[derive(Debug)]
pub(super) enum KeptKey {
    /// It isn't encrypted.
    NotNeeded,
    /// The key.
    Kept(DatabaseKey),
    /// Keeping it wasn't asked for.
    Forgotten,
}

impl KeptKey {
    pub(super) fn of(key: Option<DatabaseKey>, keep: bool) -> Self {
        match key {
            None => Self::NotNeeded,
            Some(key) if keep => Self::Kept(key),
            Some(_) => Self::Forgotten,
        }
    }
}
