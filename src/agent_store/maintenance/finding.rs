//! What a check finds.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::db::{Cell, DbError, FromCell, Row, Unreadable};

/// How many rows are listed for one rule.
const LISTED: usize = 100;
/// The longest part of a key that is shown, in characters.
const MAX_PART: usize = 80;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// No operation of the store leaves this: something else changed the database, or it is damaged.
    Damage,
    /// Operations of the store can leave this, by the reference's rules (AS-14, AS-16, AS-17, AS-41, AS-69).
    /// Nothing is lost by it.
    Leftover,
}

/// The rows that break one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The table that they stand in.
    pub table: &'static str,
    /// What is wrong.
    pub problem: Cow<'static, str>,
    /// What an operator can do about it.
    pub advice: &'static str,
    /// How many rows there are.
    pub count: u64,
    /// The keys of the first 100 of them, with secrets in none.
    pub keys: Vec<String>,
}

impl Finding {
    pub(super) fn new(
        severity: Severity,
        table: &'static str,
        problem: impl Into<Cow<'static, str>>,
        advice: &'static str,
    ) -> Self {
        Self { severity, table, problem: problem.into(), advice, count: 0, keys: Vec::new() }
    }

    /// One row more; the key is made only when it is listed.
    pub(super) fn add(
        &mut self,
        key: impl FnOnce() -> Result<String, DbError>,
    ) -> Result<(), DbError> {
        self.count += 1;
        if self.keys.len() < LISTED {
            self.keys.push(key()?);
        }
        Ok(())
    }
}

/// The next columns of a row as `name=value name=value`; the columns are `table.name`.
pub(super) fn key(row: &mut Row<'_>, columns: &[&'static str]) -> Result<String, DbError> {
    let mut text = String::new();
    for column in columns {
        let name = column.split_once('.').map_or(*column, |(_, name)| name);
        let KeyPart(part) = row.next(column)?;
        let space = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{space}{name}={part}");
    }
    Ok(text)
}

/// A value of a key, as people can read it and find the row by it.
struct KeyPart(String);

impl FromCell<'_> for KeyPart {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Ok(Self(match cell {
            Cell::Null => "NULL".to_owned(),
            Cell::Int(value) => value.to_string(),
            Cell::Text(text) => shown(text),
            Cell::Blob(bytes) if bytes.iter().all(u8::is_ascii_graphic) && !bytes.is_empty() => {
                bytes.iter().take(MAX_PART).map(|byte| char::from(*byte)).collect()
            }
            Cell::Blob(bytes) => {
                let hex = bytes.iter().take(MAX_PART / 2).map(|byte| format!("{byte:02x}"));
                format!("x'{}'", hex.collect::<String>())
            }
            Cell::Time(time) => time.to_text(),
        }))
    }
}

/// The beginning of a text, on one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(MAX_PART).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
