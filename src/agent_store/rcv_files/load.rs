//! Loading a file that is received.

use std::collections::HashMap;

use crate::agent_store::error::{StoreError, TxError, TxResult};
use crate::agent_store::servers::xftp_server;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    CryptoFile, CryptoFileArgs, DbRcvFileId, FilePath, RcvChunkId, RcvFile, RcvFileChunk,
    RcvFileChunkReplica, RcvFileId, RcvFileRedirect, RedirectFileInfo, XftpServer,
};
use crate::db::{DbError, Dialect, Row, Sql};

const LOCK: Sql =
    Sql::new("lock a received file", "SELECT rcv_file_id FROM rcv_files WHERE rcv_file_id = $1")
        .locking("FOR UPDATE");
const FILE: Sql = Sql::new(
    "load a received file",
    "SELECT rcv_file_id, rcv_file_entity_id, user_id, size, digest, key, nonce, chunk_size,
            redirect_id, redirect_entity_id, redirect_size, redirect_digest, prefix_path, tmp_path,
            save_path, save_file_key, save_file_nonce, status, deleted
       FROM rcv_files WHERE rcv_file_id = $1",
)
.locking("FOR UPDATE");
const BY_ENTITY_ID: Sql = Sql::new(
    "look for a received file",
    "SELECT rcv_file_id FROM rcv_files WHERE rcv_file_entity_id = $1",
);
const REDIRECTS: Sql = Sql::new(
    "list a received file's redirects",
    "SELECT rcv_file_id FROM rcv_files WHERE redirect_id = $1 ORDER BY rcv_file_id",
);
const CHUNKS: Sql = Sql::new(
    "load a received file's chunks",
    "SELECT rcv_file_chunk_id, chunk_no, chunk_size, digest, tmp_path
       FROM rcv_file_chunks WHERE rcv_file_id = $1 ORDER BY chunk_no, rcv_file_chunk_id",
);
const REPLICAS: Sql = Sql::new(
    "load a received file's replicas",
    "SELECT c.rcv_file_chunk_id, s.xftp_host, s.xftp_port, s.xftp_key_hash,
            r.rcv_file_chunk_replica_id, r.replica_id, r.replica_key, r.received, r.delay, r.retries
       FROM rcv_file_chunks c
       JOIN rcv_file_chunk_replicas r ON r.rcv_file_chunk_id = c.rcv_file_chunk_id
       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
      WHERE c.rcv_file_id = $1
      ORDER BY r.replica_number, r.rcv_file_chunk_replica_id",
);

impl AgentTx<'_> {
    /// Locks a file's row until the transaction ends, on PostgreSQL; does nothing on SQLite, which has one
    /// writer at a time (F-162, AS-52).
    ///
    /// # Errors
    ///
    /// A failure of the database; a file that isn't there is none.
    pub fn lock_rcv_file_for_update(&mut self, file_id: DbRcvFileId) -> TxResult<()> {
        if self.tx.dialect() == Dialect::Postgres {
            self.tx.exists(&LOCK, &[&file_id])?;
        }
        Ok(())
    }

    /// A file with its chunks, by number, and their replicas, also by number; without any when it has no
    /// folder for chunks (F-163, AS-86). Its row is locked on PostgreSQL (AS-10). Three statements, however
    /// many chunks there are.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileNotFound`]; a row that can't be read.
    pub fn get_rcv_file(&mut self, file_id: DbRcvFileId) -> TxResult<RcvFile> {
        let found = self.tx.query_opt(&FILE, &[&file_id], rcv_file)?;
        let mut file = found.ok_or(StoreError::FileNotFound)?;
        if let Some(tmp_path) = &file.tmp_path {
            file.chunks = self.rcv_file_chunks(&file, tmp_path)?;
        }
        Ok(file)
    }

    /// The file that the application calls so (F-164), as [`get_rcv_file`](Self::get_rcv_file) gives it.
    ///
    /// # Errors
    ///
    /// [`StoreError::FileNotFound`]; a row that can't be read.
    pub fn get_rcv_file_by_entity_id(&mut self, entity_id: &RcvFileId) -> TxResult<RcvFile> {
        let column = "rcv_files.rcv_file_id";
        let found = self.tx.query_opt(&BY_ENTITY_ID, &[entity_id], |row| row.next(column))?;
        self.get_rcv_file(found.ok_or(StoreError::FileNotFound)?)
    }

    /// The files that hold the description of this one (F-165), in the order they were made. One that is
    /// removed meanwhile is left out (AS-87).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_rcv_file_redirects(&mut self, file_id: DbRcvFileId) -> TxResult<Vec<RcvFile>> {
        let ids =
            self.tx.query(&REDIRECTS, &[&file_id], |row| row.next("rcv_files.rcv_file_id"))?;
        let loaded = ids.into_iter().map(|id| match self.get_rcv_file(id) {
            Ok(file) => Ok(Some(file)),
            Err(TxError::Store(_)) => Ok(None),
            Err(failure) => Err(failure),
        });
        loaded.filter_map(Result::transpose).collect()
    }

    fn rcv_file_chunks(
        &mut self,
        file: &RcvFile,
        tmp_path: &FilePath,
    ) -> TxResult<Vec<RcvFileChunk>> {
        let mut chunks = self.tx.query(&CHUNKS, &[&file.rcv_file_id], |row| {
            Ok(RcvFileChunk {
                rcv_file_id: file.rcv_file_id,
                rcv_file_entity_id: file.rcv_file_entity_id.clone(),
                user_id: file.user_id,
                rcv_chunk_id: row.next("rcv_file_chunks.rcv_file_chunk_id")?,
                chunk_no: row.next("rcv_file_chunks.chunk_no")?,
                chunk_size: row.next("rcv_file_chunks.chunk_size")?,
                digest: row.next("rcv_file_chunks.digest")?,
                replicas: Vec::new(),
                file_tmp_path: tmp_path.clone(),
                chunk_tmp_path: row.next("rcv_file_chunks.tmp_path")?,
            })
        })?;
        let mut replicas = self.rcv_file_replicas(file.rcv_file_id)?;
        for chunk in &mut chunks {
            chunk.replicas = replicas.remove(&chunk.rcv_chunk_id).unwrap_or_default();
        }
        Ok(chunks)
    }

    /// All replicas of a file, by their chunks.
    fn rcv_file_replicas(
        &mut self,
        file_id: DbRcvFileId,
    ) -> TxResult<HashMap<RcvChunkId, Vec<RcvFileChunkReplica>>> {
        let mut replicas = HashMap::<RcvChunkId, Vec<RcvFileChunkReplica>>::new();
        self.tx.query_each(&REPLICAS, &[&file_id], |row| {
            let chunk_id = row.next("rcv_file_chunks.rcv_file_chunk_id")?;
            let server = xftp_server(row)?;
            replicas.entry(chunk_id).or_default().push(rcv_replica(row, server)?);
            Ok(())
        })?;
        Ok(replicas)
    }
}

/// A file without its chunks.
fn rcv_file(row: &mut Row<'_>) -> Result<RcvFile, DbError> {
    Ok(RcvFile {
        rcv_file_id: row.next("rcv_files.rcv_file_id")?,
        rcv_file_entity_id: row.next("rcv_files.rcv_file_entity_id")?,
        user_id: row.next("rcv_files.user_id")?,
        size: row.next("rcv_files.size")?,
        digest: row.next("rcv_files.digest")?,
        key: row.next("rcv_files.key")?,
        nonce: row.next("rcv_files.nonce")?,
        chunk_size: row.next("rcv_files.chunk_size")?,
        redirect: redirect(row)?,
        chunks: Vec::new(),
        prefix_path: row.next("rcv_files.prefix_path")?,
        tmp_path: row.next("rcv_files.tmp_path")?,
        save_file: save_file(row)?,
        status: row.next("rcv_files.status")?,
        deleted: row.next("rcv_files.deleted")?,
    })
}

/// A replica on this router.
pub(super) fn rcv_replica(
    row: &mut Row<'_>,
    server: XftpServer,
) -> Result<RcvFileChunkReplica, DbError> {
    Ok(RcvFileChunkReplica {
        rcv_chunk_replica_id: row.next("rcv_file_chunk_replicas.rcv_file_chunk_replica_id")?,
        server,
        replica_id: row.next("rcv_file_chunk_replicas.replica_id")?,
        replica_key: row.next("rcv_file_chunk_replicas.replica_key")?,
        received: row.next("rcv_file_chunk_replicas.received")?,
        delay: row.next("rcv_file_chunk_replicas.delay")?,
        retries: row.next("rcv_file_chunk_replicas.retries")?,
    })
}

/// Only with all four columns: the database takes a destination's number out when the destination goes.
fn redirect(row: &mut Row<'_>) -> Result<Option<RcvFileRedirect>, DbError> {
    let file_id: Option<DbRcvFileId> = row.next("rcv_files.redirect_id")?;
    let entity_id: Option<RcvFileId> = row.next("rcv_files.redirect_entity_id")?;
    let size = row.next("rcv_files.redirect_size")?;
    let digest = row.next("rcv_files.redirect_digest")?;
    let (Some(rcv_file_id), Some(rcv_file_entity_id), Some(size), Some(digest)) =
        (file_id, entity_id, size, digest)
    else {
        return Ok(None);
    };
    let file_info = RedirectFileInfo { size, digest };
    Ok(Some(RcvFileRedirect { rcv_file_id, rcv_file_entity_id, file_info }))
}

fn save_file(row: &mut Row<'_>) -> Result<CryptoFile, DbError> {
    let path = row.next("rcv_files.save_path")?;
    let key = row.next("rcv_files.save_file_key")?;
    let crypto =
        row.read("rcv_files.save_file_nonce", |nonce| CryptoFileArgs::of_columns(key, nonce))?;
    Ok(CryptoFile { path, crypto })
}
