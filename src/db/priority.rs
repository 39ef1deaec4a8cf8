//! Who goes first.

/// Who goes first when several wait for a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// On SQLite it waits until nobody in a hurry does.
    #[default]
    Ordinary,
    /// Never waits for ordinary work that has not begun: on SQLite it goes first, on PostgreSQL it has a
    /// pool of its own.
    High,
}
