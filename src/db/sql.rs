//! A statement: a text that the program was built with, and a name for messages.

/// A statement of the program and the name that errors and logs call it by.
///
/// The text is a constant: what comes from outside can't get into it, and is bound as parameters.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    name: &'static str,
    text: &'static str,
}

impl Sql {
    /// A statement with its name.
    #[must_use]
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text }
    }

    /// What messages call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The statement.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }
}
