//! What is to be done next for files that are received.

use std::time::Duration;

use super::load::rcv_replica;
use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::servers::xftp_server;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    DbRcvFileId, RcvChunkReplicaId, RcvChunkToDownload, RcvFile, RcvFileChunk, RcvFileStatus,
    XftpServer,
};
use crate::agent_store::work_items::get_work_item;
use crate::db::{DbError, Row, Sql, UtcTime};

const NEXT_CHUNK: Sql = Sql::new(
    "look for a chunk to download",
    "SELECT r.rcv_file_chunk_replica_id, f.rcv_file_id
       FROM rcv_file_chunk_replicas r
       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
       JOIN rcv_file_chunks c ON c.rcv_file_chunk_id = r.rcv_file_chunk_id
       JOIN rcv_files f ON f.rcv_file_id = c.rcv_file_id
      WHERE s.xftp_host = $1 AND s.xftp_port = $2 AND s.xftp_key_hash = $3
        AND r.received = 0 AND r.replica_number = 1
        AND f.status = $4 AND f.deleted = 0 AND f.failed = 0 AND f.created_at >= $5
      ORDER BY r.retries, r.created_at, r.rcv_file_chunk_replica_id
      LIMIT 1",
);
const CHUNK: Sql = Sql::new(
    "load a chunk to download",
    "SELECT f.rcv_file_id, f.rcv_file_entity_id, f.user_id, f.tmp_path, f.approved_relays,
            f.redirect_entity_id,
            c.rcv_file_chunk_id, c.chunk_no, c.chunk_size, c.digest, c.tmp_path,
            r.rcv_file_chunk_replica_id, r.replica_id, r.replica_key, r.received, r.delay, r.retries
       FROM rcv_file_chunk_replicas r
       JOIN rcv_file_chunks c ON c.rcv_file_chunk_id = r.rcv_file_chunk_id
       JOIN rcv_files f ON f.rcv_file_id = c.rcv_file_id
      WHERE r.rcv_file_chunk_replica_id = $1",
);
const NEXT_TO_DECRYPT: Sql = Sql::new(
    "look for a file to decrypt",
    "SELECT rcv_file_id FROM rcv_files
      WHERE status IN ($1, $2) AND deleted = 0 AND failed = 0 AND created_at >= $3
      ORDER BY created_at, rcv_file_id
      LIMIT 1",
);
const PENDING_SERVERS: Sql = Sql::new(
    "list routers to download from",
    "SELECT DISTINCT s.xftp_host, s.xftp_port, s.xftp_key_hash
       FROM rcv_file_chunk_replicas r
       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
       JOIN rcv_file_chunks c ON c.rcv_file_chunk_id = r.rcv_file_chunk_id
       JOIN rcv_files f ON f.rcv_file_id = c.rcv_file_id
      WHERE r.received = 0 AND r.replica_number = 1
        AND f.status = $1 AND f.deleted = 0 AND f.created_at >= $2",
);

/// What errors call the work.
const DOWNLOAD: &str = "rcv_file_download";
const DECRYPT: &str = "rcv_file_decrypt";

/// A chunk that is to be downloaded next.
#[derive(Clone, Copy, Debug)]
struct NextChunk {
    replica_id: RcvChunkReplicaId,
    file_id: DbRcvFileId,
}

impl AgentTx<'_> {
    /// The next chunk to download from this router, which is known by its fingerprint too (F-175): of a file
    /// that is `receiving`, neither marked as deleted nor as failed, and not older than `ttl`. Only the first
    /// replica of a chunk is ever used (AS-88). The one with the fewest retries comes first, then the oldest,
    /// so that one that keeps failing doesn't hold up the others (AS-89).
    ///
    /// When the chunk can't be loaded its file is marked as failed, and none of its chunks is given again
    /// (AS-34, AS-90).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for what can't be read, or has no folder for chunks;
    /// [`StoreError::FileNotFound`] when it was removed meanwhile; [`StoreError::WorkItem`], on which the
    /// worker has to stop (AS-97).
    pub fn get_next_rcv_chunk_to_download(
        &mut self,
        server: &XftpServer,
        ttl: Duration,
    ) -> TxResult<Option<RcvChunkToDownload>> {
        get_work_item(
            self,
            DOWNLOAD,
            |tx| tx.next_rcv_chunk(server, ttl),
            |tx, next| {
                let load = |row: &mut Row<'_>| rcv_chunk_to_download(row, server);
                let chunk = tx.tx.query_opt(&CHUNK, &[&next.replica_id], load)?;
                Ok(chunk.ok_or(StoreError::FileNotFound)?)
            },
            |tx, next| tx.mark_rcv_file_failed(next.file_id),
        )
    }

    /// The next file to decrypt (F-176): the oldest that is `received`, or `decrypting` since before a
    /// restart, neither marked as deleted nor as failed, and not older than `ttl`. It is loaded, and locked,
    /// as [`get_rcv_file`](Self::get_rcv_file) does; when that fails it is marked as failed (AS-34).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for what can't be read; [`StoreError::FileNotFound`] when it was removed
    /// meanwhile; [`StoreError::WorkItem`], on which the worker has to stop (AS-97).
    pub fn get_next_rcv_file_to_decrypt(&mut self, ttl: Duration) -> TxResult<Option<RcvFile>> {
        get_work_item(
            self,
            DECRYPT,
            |tx| tx.next_rcv_file_to_decrypt(ttl),
            |tx, file_id| tx.get_rcv_file(*file_id),
            |tx, file_id| tx.mark_rcv_file_failed(*file_id),
        )
    }

    /// The routers that files are downloaded from, each once, in no order (F-177): what
    /// [`get_next_rcv_chunk_to_download`](Self::get_next_rcv_chunk_to_download) would give chunks of,
    /// and files that are marked as failed too (AS-35).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_pending_rcv_files_servers(&mut self, ttl: Duration) -> TxResult<Vec<XftpServer>> {
        let oldest = UtcTime::now().before(ttl);
        Ok(self.tx.query(&PENDING_SERVERS, &[&RcvFileStatus::Receiving, &oldest], xftp_server)?)
    }

    fn next_rcv_chunk(
        &mut self,
        server: &XftpServer,
        ttl: Duration,
    ) -> TxResult<Option<NextChunk>> {
        let XftpServer { hosts, port, key_hash, .. } = server;
        let oldest = UtcTime::now().before(ttl);
        let found = self.tx.query_opt(
            &NEXT_CHUNK,
            &[hosts, port, key_hash, &RcvFileStatus::Receiving, &oldest],
            |row| {
                Ok(NextChunk {
                    replica_id: row.next("rcv_file_chunk_replicas.rcv_file_chunk_replica_id")?,
                    file_id: row.next("rcv_files.rcv_file_id")?,
                })
            },
        );
        Ok(found?)
    }

    fn next_rcv_file_to_decrypt(&mut self, ttl: Duration) -> TxResult<Option<DbRcvFileId>> {
        let (received, decrypting) = (RcvFileStatus::Received, RcvFileStatus::Decrypting);
        let oldest = UtcTime::now().before(ttl);
        let found =
            self.tx.query_opt(&NEXT_TO_DECRYPT, &[&received, &decrypting, &oldest], |row| {
                row.next("rcv_files.rcv_file_id")
            });
        Ok(found?)
    }
}

/// A chunk with the one replica that is on this router.
fn rcv_chunk_to_download(
    row: &mut Row<'_>,
    server: &XftpServer,
) -> Result<RcvChunkToDownload, DbError> {
    let rcv_file_id = row.next("rcv_files.rcv_file_id")?;
    let rcv_file_entity_id = row.next("rcv_files.rcv_file_entity_id")?;
    let user_id = row.next("rcv_files.user_id")?;
    let file_tmp_path = row.next("rcv_files.tmp_path")?;
    let approved_relays = row.next("rcv_files.approved_relays")?;
    let redirect_entity_id = row.next("rcv_files.redirect_entity_id")?;
    let mut chunk = RcvFileChunk {
        rcv_file_id,
        rcv_file_entity_id,
        user_id,
        rcv_chunk_id: row.next("rcv_file_chunks.rcv_file_chunk_id")?,
        chunk_no: row.next("rcv_file_chunks.chunk_no")?,
        chunk_size: row.next("rcv_file_chunks.chunk_size")?,
        digest: row.next("rcv_file_chunks.digest")?,
        replicas: Vec::new(),
        file_tmp_path,
        chunk_tmp_path: row.next("rcv_file_chunks.tmp_path")?,
    };
    chunk.replicas.push(rcv_replica(row, server.clone())?);
    Ok(RcvChunkToDownload { chunk, approved_relays, redirect_entity_id })
}
