//! Sent files that are to be cleaned up. Nothing is changed here: folders go first, then rows.
//!
//! No index leads to files that are marked as deleted, or to old ones of any status, in a database that
//! is shared with the reference: these two read the whole table, in which a file stays for about a day.

use std::time::Duration;

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{SndFileFolder, SndFileToDelete};
use crate::db::{DbError, Row, Sql, UtcTime};

const ENDED: Sql = Sql::new(
    "list ended sent files with folders",
    "SELECT snd_file_id, snd_file_entity_id, prefix_path FROM snd_files
      WHERE status IN ('complete', 'error') AND prefix_path IS NOT NULL",
);
const DELETED: Sql = Sql::new(
    "list deleted sent files",
    "SELECT snd_file_id, snd_file_entity_id, prefix_path FROM snd_files WHERE deleted = 1",
);
const EXPIRED: Sql = Sql::new(
    "list expired sent files",
    "SELECT snd_file_id, snd_file_entity_id, prefix_path FROM snd_files WHERE created_at < $1",
);

impl AgentTx<'_> {
    /// The files that are complete or failed and still have a folder, in no order (F-201).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_cleanup_snd_files_prefix_paths(&mut self) -> TxResult<Vec<SndFileFolder>> {
        let read = |row: &mut Row<'_>| {
            Ok(SndFileFolder {
                snd_file_id: row.next("snd_files.snd_file_id")?,
                snd_file_entity_id: row.next("snd_files.snd_file_entity_id")?,
                prefix_path: row.next("snd_files.prefix_path")?,
            })
        };
        Ok(self.tx.query(&ENDED, &[], read)?)
    }

    /// The files that are marked as deleted, in no order (F-202).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_cleanup_snd_files_deleted(&mut self) -> TxResult<Vec<SndFileToDelete>> {
        Ok(self.tx.query(&DELETED, &[], read_to_delete)?)
    }

    /// The files that were made more than `ttl` ago, whatever their status, in no order (F-203).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_snd_files_expired(&mut self, ttl: Duration) -> TxResult<Vec<SndFileToDelete>> {
        let limit = UtcTime::now().before(ttl);
        Ok(self.tx.query(&EXPIRED, &[&limit], read_to_delete)?)
    }
}

fn read_to_delete(row: &mut Row<'_>) -> Result<SndFileToDelete, DbError> {
    Ok(SndFileToDelete {
        snd_file_id: row.next("snd_files.snd_file_id")?,
        snd_file_entity_id: row.next("snd_files.snd_file_entity_id")?,
        prefix_path: row.next("snd_files.prefix_path")?,
    })
}
