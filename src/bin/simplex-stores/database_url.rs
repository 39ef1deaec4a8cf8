//! Where a database is, as an argument that may hold a password.

use std::{convert::Infallible, fmt, str::FromStr};

/// A URL that may hold a password, which `Debug` doesn't show.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(url: &str) -> Result<Self, Infallible> {
        Ok(Self(url.to_owned()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

impl DatabaseUrl {
    /// The text; it may hold a password.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
