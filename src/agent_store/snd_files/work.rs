//! What is to be done for sent files: preparing and uploading, and on which routers.

use std::time::Duration;

use super::load::{read_chunk_spec, read_replica};
use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::servers::xftp_server;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    DbSndFileId, FilePath, SndChunkReplicaId, SndFile, SndFileChunk, SndFileChunkReplica,
    XftpServer,
};
use crate::agent_store::work_items::get_work_item;
use crate::db::{DbError, Params, Row, Sql, UtcTime};

/// The oldest of each status first: then the index on both columns leads to it, however many files wait.
const NEXT_TO_PREPARE: Sql = Sql::new(
    "look for a sent file to prepare",
    "SELECT f.snd_file_id
       FROM (SELECT 'new' AS status UNION ALL SELECT 'encrypting' UNION ALL SELECT 'encrypted') w
       JOIN snd_files f ON f.snd_file_id =
            (SELECT n.snd_file_id FROM snd_files n
              WHERE n.status = w.status AND n.created_at >= $1 AND n.deleted = 0 AND n.failed = 0
              ORDER BY n.created_at, n.snd_file_id
              LIMIT 1)
      ORDER BY f.created_at, f.snd_file_id
      LIMIT 1",
);
const NEXT_TO_UPLOAD: Sql = Sql::new(
    "look for a sent chunk to upload",
    "SELECT r.snd_file_chunk_replica_id, f.snd_file_id
       FROM xftp_servers s
       JOIN snd_file_chunk_replicas r ON r.xftp_server_id = s.xftp_server_id
       JOIN snd_file_chunks c ON c.snd_file_chunk_id = r.snd_file_chunk_id
       JOIN snd_files f ON f.snd_file_id = c.snd_file_id
      WHERE s.xftp_host = $1 AND s.xftp_port = $2 AND s.xftp_key_hash = $3
        AND r.replica_number = 1 AND r.replica_status = 'created'
        AND f.status IN ('encrypted', 'uploading')
        AND f.deleted = 0 AND f.failed = 0 AND f.created_at >= $4
      ORDER BY r.retries, r.created_at, r.snd_file_chunk_replica_id
      LIMIT 1",
);
const LOAD_TO_UPLOAD: Sql = Sql::new(
    "load a sent chunk to upload",
    "SELECT f.snd_file_id, f.snd_file_entity_id, f.user_id, f.num_recipients, f.prefix_path,
            c.snd_file_chunk_id, c.chunk_no, c.chunk_offset, c.chunk_size, c.digest,
            r.snd_file_chunk_replica_id, r.replica_id, r.replica_key, r.replica_status, r.delay,
            r.retries
       FROM snd_file_chunk_replicas r
       JOIN snd_file_chunks c ON c.snd_file_chunk_id = r.snd_file_chunk_id
       JOIN snd_files f ON f.snd_file_id = c.snd_file_id
      WHERE r.snd_file_chunk_replica_id = $1",
);
const MARK_FAILED: Sql = Sql::new(
    "mark a sent file as failed",
    "UPDATE snd_files SET failed = 1 WHERE snd_file_id = $1",
);
const PENDING_SERVERS: Sql = Sql::new(
    "list routers with chunks to upload",
    "SELECT DISTINCT s.xftp_host, s.xftp_port, s.xftp_key_hash
       FROM snd_files f
       JOIN snd_file_chunks c ON c.snd_file_id = f.snd_file_id
       JOIN snd_file_chunk_replicas r ON r.snd_file_chunk_id = c.snd_file_chunk_id
       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
      WHERE f.status IN ('encrypted', 'uploading') AND f.deleted = 0 AND f.created_at >= $1
        AND r.replica_number = 1 AND r.replica_status = 'created'",
);

/// A replica to upload, and the file that is marked when it can't be loaded (AS-90).
#[derive(Debug)]
struct ToUpload {
    replica_id: SndChunkReplicaId,
    file_id: DbSndFileId,
}

impl AgentTx<'_> {
    /// The oldest file that is to be prepared for its upload, if there is one (F-185): `new`, `encrypting`
    /// or `encrypted`, made at most `ttl` ago, neither deleted nor marked as failed. One that can't be
    /// loaded is marked, so that it doesn't block the others (AS-34).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a file that can't be read, [`StoreError::FileNotFound`],
    /// [`StoreError::WorkItem`] when none could be looked for, or a bad one not be marked.
    pub fn get_next_snd_file_to_prepare(&mut self, ttl: Duration) -> TxResult<Option<SndFile>> {
        let limit = UtcTime::now().before(ttl);
        get_work_item(
            self,
            "snd_file_prepare",
            |tx| {
                let column = "snd_files.snd_file_id";
                Ok(tx.tx.query_opt(&NEXT_TO_PREPARE, &[&limit], |row| row.next(column))?)
            },
            |tx, id| tx.get_snd_file(*id),
            |tx, id| tx.mark_snd_file_failed(*id),
        )
    }

    /// The next chunk to upload to this router (same hosts, port and fingerprint), if there is one, with
    /// the one replica that is meant (F-196): the first of its chunk, `created`, of a file that is
    /// `encrypted` or `uploading`, made at most `ttl` ago, neither deleted nor marked as failed. Those with
    /// the fewest retries come first, of these the oldest (AS-89). When it can't be loaded, as without the
    /// file's folder, the whole file is marked (AS-34, AS-90).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a chunk that can't be read, [`StoreError::FileNotFound`],
    /// [`StoreError::WorkItem`] when none could be looked for, or a bad one not be marked.
    pub fn get_next_snd_chunk_to_upload(
        &mut self,
        server: &XftpServer,
        ttl: Duration,
    ) -> TxResult<Option<SndFileChunk>> {
        let limit = UtcTime::now().before(ttl);
        let XftpServer { hosts, port, key_hash, .. } = server;
        get_work_item(
            self,
            "snd_file_upload",
            |tx| {
                let params: Params<'_> = &[hosts, port, key_hash, &limit];
                Ok(tx.tx.query_opt(&NEXT_TO_UPLOAD, params, |row| {
                    let replica_id =
                        row.next("snd_file_chunk_replicas.snd_file_chunk_replica_id")?;
                    Ok(ToUpload { replica_id, file_id: row.next("snd_files.snd_file_id")? })
                })?)
            },
            |tx, next| tx.snd_chunk_to_upload(next.replica_id, server),
            |tx, next| tx.mark_snd_file_failed(next.file_id),
        )
    }

    /// The routers with chunks to upload, each once, in no order (F-200); also those whose files are all
    /// marked as failed (AS-35).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_pending_snd_files_servers(&mut self, ttl: Duration) -> TxResult<Vec<XftpServer>> {
        let limit = UtcTime::now().before(ttl);
        Ok(self.tx.query(&PENDING_SERVERS, &[&limit], xftp_server)?)
    }

    fn snd_chunk_to_upload(
        &mut self,
        id: SndChunkReplicaId,
        server: &XftpServer,
    ) -> TxResult<SndFileChunk> {
        let read = |row: &mut Row<'_>| read_chunk_to_upload(row, server);
        let found = self.tx.query_opt(&LOAD_TO_UPLOAD, &[&id], read)?;
        let (chunk, replica) = found.ok_or(StoreError::FileNotFound)?;
        let rcv_ids_keys = self.snd_replica_recipients(id)?;
        Ok(SndFileChunk {
            replicas: vec![SndFileChunkReplica { rcv_ids_keys, ..replica }],
            ..chunk
        })
    }

    fn mark_snd_file_failed(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        self.tx.execute(&MARK_FAILED, &[&file_id])?;
        Ok(())
    }
}

/// A chunk without replicas, and its one replica without recipients.
fn read_chunk_to_upload(
    row: &mut Row<'_>,
    server: &XftpServer,
) -> Result<(SndFileChunk, SndFileChunkReplica), DbError> {
    let snd_file_id = row.next("snd_files.snd_file_id")?;
    let snd_file_entity_id = row.next("snd_files.snd_file_entity_id")?;
    let user_id = row.next("snd_files.user_id")?;
    let num_recipients = row.next("snd_files.num_recipients")?;
    let file_prefix_path: FilePath = row.next("snd_files.prefix_path")?;
    let chunk = SndFileChunk {
        snd_file_id,
        snd_file_entity_id,
        user_id,
        num_recipients,
        snd_chunk_id: row.next("snd_file_chunks.snd_file_chunk_id")?,
        chunk_no: row.next("snd_file_chunks.chunk_no")?,
        chunk_spec: read_chunk_spec(row, &file_prefix_path)?,
        file_prefix_path,
        digest: row.next("snd_file_chunks.digest")?,
        replicas: Vec::new(),
    };
    Ok((chunk, read_replica(row, server.clone())?))
}
