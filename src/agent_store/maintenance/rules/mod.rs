//! What has to hold: statements that find the rows for which it doesn't.
//!
//! None of them takes more than a few look-ups in an index for each row of its table.

mod connections;
mod files;
mod messages;
mod references;

use super::finding::Severity;
use crate::db::Sql;

pub(super) use references::REFERENCES;

/// A rule, and the rows that break it.
pub(super) struct Rule {
    pub(super) severity: Severity,
    pub(super) table: &'static str,
    /// What the rows of `find` are named by: its columns, as `table.column`.
    pub(super) key: &'static [&'static str],
    pub(super) problem: &'static str,
    pub(super) advice: &'static str,
    pub(super) find: Sql,
}

/// All but the references.
pub(super) fn others() -> impl Iterator<Item = &'static Rule> {
    connections::RULES.iter().chain(messages::RULES).chain(files::RULES)
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    REFERENCES.iter().chain(others())
}

/// `rule!(Severity, table [key columns], problem, advice, statement)`.
macro_rules! rule {
    ($severity:ident, $table:ident [$($key:ident),+], $problem:literal, $advice:literal, $sql:expr) => {
        $crate::agent_store::maintenance::rules::Rule {
            severity: $crate::agent_store::maintenance::finding::Severity::$severity,
            table: stringify!($table),
            key: &[$(concat!(stringify!($table), ".", stringify!($key))),+],
            problem: $problem,
            advice: $advice,
            find: $crate::db::Sql::new(concat!("checking ", stringify!($table)), $sql),
        }
    };
}
use rule;

/// A condition: either all of these columns have a value, or none.
macro_rules! not_all_or_none {
    ($first:literal $(, $more:literal)+) => {
        concat!("(1 = 0", $(" OR (", $first, " IS NULL) <> (", $more, " IS NULL)",)+ ")")
    };
}
use not_all_or_none;
