//! Changes of a sent file, and its end.
//!
//! None of them says whether there is such a file: changing one that isn't there does nothing.

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{DbSndFileId, FileErrorText, SndFileStatus};
use crate::db::{Sql, UtcTime};

const FAIL: Sql = Sql::new(
    "end a sent file with an error",
    "UPDATE snd_files SET prefix_path = NULL, error = $2, status = $3, updated_at = $4
      WHERE snd_file_id = $1",
);
const SET_STATUS: Sql = Sql::new(
    "set a sent file's status",
    "UPDATE snd_files SET status = $2, updated_at = $3 WHERE snd_file_id = $1",
);
const COMPLETE: Sql = Sql::new(
    "complete a sent file",
    "UPDATE snd_files SET prefix_path = NULL, status = $2, updated_at = $3 WHERE snd_file_id = $1",
);
const FORGET_FOLDER: Sql = Sql::new(
    "forget a sent file's folder",
    "UPDATE snd_files SET prefix_path = NULL, updated_at = $2 WHERE snd_file_id = $1",
);
const MARK_DELETED: Sql = Sql::new(
    "mark a sent file as deleted",
    "UPDATE snd_files SET deleted = 1, updated_at = $2 WHERE snd_file_id = $1",
);
const DELETE: Sql = Sql::new("delete a sent file", "DELETE FROM snd_files WHERE snd_file_id = $1");

impl AgentTx<'_> {
    /// Ends a file with an error for its user to read: its status is `error`, and its folder forgotten
    /// (F-186).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_file_error(
        &mut self,
        file_id: DbSndFileId,
        error: &FileErrorText,
    ) -> TxResult<()> {
        let status = SndFileStatus::Error;
        self.tx.execute(&FAIL, &[&file_id, error, &status, &UtcTime::now()])?;
        Ok(())
    }

    /// Sets a file's status (F-187), whatever it was.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_file_status(
        &mut self,
        file_id: DbSndFileId,
        status: SndFileStatus,
    ) -> TxResult<()> {
        self.tx.execute(&SET_STATUS, &[&file_id, &status, &UtcTime::now()])?;
        Ok(())
    }

    /// Says that all of a file is uploaded: its status is `complete`, and its folder forgotten (F-189).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_file_complete(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        let status = SndFileStatus::Complete;
        self.tx.execute(&COMPLETE, &[&file_id, &status, &UtcTime::now()])?;
        Ok(())
    }

    /// Forgets the folder of a file's encrypted copy (F-190), which is then loaded without its chunks
    /// (AS-92).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_file_no_prefix_path(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        self.tx.execute(&FORGET_FOLDER, &[&file_id, &UtcTime::now()])?;
        Ok(())
    }

    /// Marks a file as deleted (F-191): no work is done for it any more, and cleaning up finds it.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_file_deleted(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        self.tx.execute(&MARK_DELETED, &[&file_id, &UtcTime::now()])?;
        Ok(())
    }

    /// Deletes a file with its chunks, their replicas and recipients (F-192).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_snd_file_record(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[&file_id])?;
        Ok(())
    }
}
