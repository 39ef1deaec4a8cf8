//! How far a file that is received has come, and removing it.

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    DbRcvFileId, FileErrorText, FilePath, RcvChunkId, RcvChunkReplicaId, RcvFileStatus, RetryDelay,
};
use crate::db::{Sql, UtcTime};

const REPLICA_DELAY: Sql = Sql::new(
    "delay a received file's replica",
    "UPDATE rcv_file_chunk_replicas SET delay = $1, retries = retries + 1, updated_at = $2
      WHERE rcv_file_chunk_replica_id = $3",
);
const REPLICA_RECEIVED: Sql = Sql::new(
    "mark a received file's replica as received",
    "UPDATE rcv_file_chunk_replicas SET received = 1, updated_at = $1
      WHERE rcv_file_chunk_replica_id = $2",
);
const CHUNK_PATH: Sql = Sql::new(
    "keep where a received file's chunk is",
    "UPDATE rcv_file_chunks SET tmp_path = $1, updated_at = $2 WHERE rcv_file_chunk_id = $3",
);
const STATUS: Sql = Sql::new(
    "change a received file's status",
    "UPDATE rcv_files SET status = $1, updated_at = $2 WHERE rcv_file_id = $3",
);
const ERROR: Sql = Sql::new(
    "keep a received file's error",
    "UPDATE rcv_files SET tmp_path = NULL, error = $1, status = $2, updated_at = $3
      WHERE rcv_file_id = $4",
);
const COMPLETE: Sql = Sql::new(
    "complete a received file",
    "UPDATE rcv_files SET tmp_path = NULL, status = $1, updated_at = $2 WHERE rcv_file_id = $3",
);
const NO_TMP_PATH: Sql = Sql::new(
    "forget a received file's folder for chunks",
    "UPDATE rcv_files SET tmp_path = NULL, updated_at = $1 WHERE rcv_file_id = $2",
);
const MARK_DELETED: Sql = Sql::new(
    "mark a received file as deleted",
    "UPDATE rcv_files SET deleted = 1, updated_at = $1 WHERE rcv_file_id = $2",
);
const MARK_FAILED: Sql = Sql::new(
    "mark a received file as failed",
    "UPDATE rcv_files SET failed = 1 WHERE rcv_file_id = $1",
);
const DELETE: Sql =
    Sql::new("delete a received file", "DELETE FROM rcv_files WHERE rcv_file_id = $1");

impl AgentTx<'_> {
    /// Keeps how long an attempt at a replica was told to wait, and counts it (F-166).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_chunk_replica_delay(
        &mut self,
        replica_id: RcvChunkReplicaId,
        delay: RetryDelay,
    ) -> TxResult<()> {
        self.tx.execute(&REPLICA_DELAY, &[&delay, &UtcTime::now(), &replica_id])?;
        Ok(())
    }

    /// Keeps that a chunk was downloaded from this replica, and where it is (F-167).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_chunk_received(
        &mut self,
        replica_id: RcvChunkReplicaId,
        chunk_id: RcvChunkId,
        path: &FilePath,
    ) -> TxResult<()> {
        let now = UtcTime::now();
        self.tx.execute(&REPLICA_RECEIVED, &[&now, &replica_id])?;
        self.tx.execute(&CHUNK_PATH, &[path, &now, &chunk_id])?;
        Ok(())
    }

    /// Changes a file's status, whatever it was (F-168).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_status(
        &mut self,
        file_id: DbRcvFileId,
        status: RcvFileStatus,
    ) -> TxResult<()> {
        self.tx.execute(&STATUS, &[&status, &UtcTime::now(), &file_id])?;
        Ok(())
    }

    /// Gives a file up for good, and forgets its folder for chunks (F-169).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_error(
        &mut self,
        file_id: DbRcvFileId,
        error: &FileErrorText,
    ) -> TxResult<()> {
        self.tx.execute(&ERROR, &[error, &RcvFileStatus::Error, &UtcTime::now(), &file_id])?;
        Ok(())
    }

    /// Keeps that a file is there, and forgets its folder for chunks (F-170).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_complete(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        self.tx.execute(&COMPLETE, &[&RcvFileStatus::Complete, &UtcTime::now(), &file_id])?;
        Ok(())
    }

    /// Forgets a file's folder for chunks (F-172).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_no_tmp_path(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        self.tx.execute(&NO_TMP_PATH, &[&UtcTime::now(), &file_id])?;
        Ok(())
    }

    /// Marks a file as one that is to be removed (F-173).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_rcv_file_deleted(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        self.tx.execute(&MARK_DELETED, &[&UtcTime::now(), &file_id])?;
        Ok(())
    }

    /// Deletes a file's row and everything below it (F-174). A file that holds its description stays, and
    /// refers to nothing from then on.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_rcv_file_record(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[&file_id])?;
        Ok(())
    }

    /// Marks a file as one whose work can't be loaded (AS-90).
    pub(super) fn mark_rcv_file_failed(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        self.tx.execute(&MARK_FAILED, &[&file_id])?;
        Ok(())
    }
}
