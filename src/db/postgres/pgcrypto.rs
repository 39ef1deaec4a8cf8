//! The extension that triggers take their digests from.

use super::transaction::{Statements, Transaction};
use crate::db::{DbError, DbErrorKind, Sql};

/// Two schemas of one database may be migrated at once, and it has each extension only once.
const LOCK_EXTENSIONS: Sql = Sql::new(
    "waiting for another process's migration",
    "SELECT pg_advisory_xact_lock(hashtextextended('simplex-stores extensions', 0))",
);
const DIGEST: Sql = Sql::new(
    "looking for the function digest",
    "SELECT count(*) AS found
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'public' AND p.proname = 'digest'",
);
const CREATE_EXTENSION: Sql =
    Sql::new("creating the extension pgcrypto", "CREATE EXTENSION pgcrypto SCHEMA public");

/// Makes the extension pgcrypto in the schema `public`, unless its function `digest` is there already.
///
/// # Errors
///
/// What the server said; where the user may not make extensions, with the statement for somebody who may.
pub fn ensure_pgcrypto(tx: &mut Transaction<'_>) -> Result<(), DbError> {
    tx.query(&LOCK_EXTENSIONS, &[])?;
    let found: i64 = tx
        .query_one(&DIGEST, &[])?
        .try_get("found")
        .map_err(|_| DbError::new(DIGEST.name(), DbErrorKind::Other, "no count"))?;
    if found > 0 {
        return Ok(());
    }
    let created: Result<u64, DbError> = tx.savepoint(|tx| tx.execute(&CREATE_EXTENSION, &[]));
    created.map(drop).map_err(|error| {
        let problem = format!(
            "{}; an administrator of the database can run: CREATE EXTENSION pgcrypto SCHEMA public",
            error.message()
        );
        DbError::new(CREATE_EXTENSION.name(), error.kind().clone(), problem)
    })
}
