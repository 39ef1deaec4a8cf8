//! The function that the triggers of a SQLite database call.

use crate::db::sqlite::rusqlite::functions::{Context, FunctionFlags};
use crate::db::sqlite::rusqlite::{Connection, Result};
use crate::protocol::IdsHash;

/// Registers `simplex_xor_md5_combine` (AS-4): the XOR of a hash with the MD5 digest of a queue's id, as
/// long as the shorter of the two. Whatever writes the table `rcv_queues` needs it, for its triggers
/// call it (AS-15).
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("simplex_xor_md5_combine", 2, flags, combine)
}

fn combine(context: &Context<'_>) -> Result<Vec<u8>> {
    let bytes =
        |index| Ok::<_, crate::db::sqlite::rusqlite::Error>(context.get_raw(index).as_blob()?);
    let digest = IdsHash::of_id(bytes(1)?);
    let pairs = bytes(0)?.iter().zip(digest.as_bytes());
    Ok(pairs.map(|(one, other)| one ^ other).collect())
}
