//! What files that were received leave on the device.

use std::time::Duration;

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{RcvFileCleanup, RcvFileStatus};
use crate::db::{DbError, Row, Sql, UtcTime};

const TMP_PATHS: Sql = Sql::new(
    "list folders of received chunks",
    "SELECT rcv_file_id, rcv_file_entity_id, tmp_path FROM rcv_files
      WHERE status IN ($1, $2) AND tmp_path IS NOT NULL",
);
// The shared schema has no index that serves these two: they read all files, of which there are only
// those of the last days.
const DELETED: Sql = Sql::new(
    "list deleted received files",
    "SELECT rcv_file_id, rcv_file_entity_id, prefix_path FROM rcv_files WHERE deleted = 1",
);
const EXPIRED: Sql = Sql::new(
    "list expired received files",
    "SELECT rcv_file_id, rcv_file_entity_id, prefix_path FROM rcv_files WHERE created_at < $1",
);

impl AgentTx<'_> {
    /// The folders for chunks of files that are `complete` or given up, in no order (F-178).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_cleanup_rcv_files_tmp_paths(&mut self) -> TxResult<Vec<RcvFileCleanup>> {
        let (complete, error) = (RcvFileStatus::Complete, RcvFileStatus::Error);
        let read = |row: &mut Row<'_>| cleanup(row, "rcv_files.tmp_path");
        Ok(self.tx.query(&TMP_PATHS, &[&complete, &error], read)?)
    }

    /// The folders of files that are marked as deleted, in no order (F-179).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_cleanup_rcv_files_deleted(&mut self) -> TxResult<Vec<RcvFileCleanup>> {
        Ok(self.tx.query(&DELETED, &[], |row| cleanup(row, "rcv_files.prefix_path"))?)
    }

    /// The folders of files that are older than `ttl`, whatever their status, in no order (F-180).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_rcv_files_expired(&mut self, ttl: Duration) -> TxResult<Vec<RcvFileCleanup>> {
        let oldest = UtcTime::now().before(ttl);
        Ok(self.tx.query(&EXPIRED, &[&oldest], |row| cleanup(row, "rcv_files.prefix_path"))?)
    }
}

fn cleanup(row: &mut Row<'_>, path: &'static str) -> Result<RcvFileCleanup, DbError> {
    Ok(RcvFileCleanup {
        rcv_file_id: row.next("rcv_files.rcv_file_id")?,
        rcv_file_entity_id: row.next("rcv_files.rcv_file_entity_id")?,
        path: row.next(path)?,
    })
}
