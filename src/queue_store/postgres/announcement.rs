//! What processes that share a database tell each other: which queues they changed.
//!
//! An announcement is a notification of PostgreSQL (`NOTIFY`), made in the transaction of the change, so
//! that the server delivers it exactly when the change was committed, in the order of commits, to
//! whoever listens at that time. Its text is `SCHEMA SENDER IDS`: the schema's name in hexadecimal, a
//! number that the sender drew when it started, and recipient ids in hexadecimal between commas. In
//! place of the ids `*` says that any queue may have changed, and nothing that none has.

use std::collections::BTreeSet;

use crate::db::Sql;
use crate::db::postgres::SchemaName;
use crate::protocol::RecipientId;

/// `SCHEMA SENDER`, for the statements that announce.
pub(super) const SENDER_SETTING: &str = "simplex_stores.sender";
/// Announces several times in one statement.
pub(super) const ANNOUNCE: Sql =
    Sql::new("announce", "SELECT pg_notify('simplex_stores', p) FROM unnest($1::text[]) p");
pub(super) const LISTEN: Sql = Sql::new("listen", "LISTEN simplex_stores");

/// The longest text that is announced, in bytes. The server takes less than 8000.
const MAX_PAYLOAD: usize = 7900;
const ANY: &str = "*";

/// Who announces: a process, and the schema that it works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    schema: String,
    number: String,
}

/// What an announcement says to who received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is about another schema, or the receiver's own.
    Nothing,
    /// Others changed these.
    Changed(BTreeSet<RecipientId>),
    /// Any queue may have changed, or it can't be understood.
    Anything,
}

impl Sender {
    /// A new one for a process that opens this schema.
    pub(super) fn new(schema: &SchemaName) -> Self {
        let number = format!("{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>());
        Self { schema: hex(schema.as_str().as_bytes()), number }
    }

    /// What each of its announcements begins with.
    pub(super) fn prefix(&self) -> String {
        format!("{} {}", self.schema, self.number)
    }

    /// An announcement of nothing, which wakes its own sender.
    pub(super) fn of_nothing(&self) -> String {
        format!("{} ", self.prefix())
    }

    /// As few announcements of these queues as fit.
    pub(super) fn payloads(&self, ids: &[&[u8]]) -> Vec<String> {
        let prefix = self.of_nothing();
        let mut payloads = Vec::new();
        let mut next = prefix.clone();
        for id in ids {
            let id = hex(id);
            if prefix.len() + id.len() > MAX_PAYLOAD {
                return vec![prefix + ANY];
            }
            if next.len() + 1 + id.len() > MAX_PAYLOAD {
                payloads.push(std::mem::replace(&mut next, prefix.clone()));
            }
            if next.len() > prefix.len() {
                next.push(',');
            }
            next.push_str(&id);
        }
        payloads.push(next);
        payloads
    }

    /// What it hears.
    pub(super) fn hear(&self, payload: &str) -> Heard {
        let mut parts = payload.splitn(3, ' ');
        let (Some(schema), Some(number), Some(ids)) = (parts.next(), parts.next(), parts.next())
        else {
            return Heard::Anything;
        };
        if schema != self.schema {
            // A text of somebody else's, or of another schema: no way to tell, but a schema's name
            // in hexadecimal is what every sender begins with.
            return if unhex(schema).is_some() { Heard::Nothing } else { Heard::Anything };
        }
        if number == self.number || ids.is_empty() {
            return Heard::Nothing;
        }
        let ids = ids.split(',').map(|id| RecipientId::from_bytes(&unhex(id)?));
        ids.collect::<Option<_>>().map_or(Heard::Anything, Heard::Changed)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = (0..text.len()).step_by(2);
    bytes.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
