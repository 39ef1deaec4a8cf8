//! Loading a sent file.

use std::collections::HashMap;

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::servers::xftp_server;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    CryptoFile, CryptoFileArgs, DbSndFileId, FilePath, RedirectFileInfo, ReplicaRecipient,
    SndChunkId, SndChunkReplicaId, SndFile, SndFileChunk, SndFileChunkReplica, SndFileId,
    XftpChunkSpec, XftpServer,
};
use crate::db::{DbError, Row, Sql};

const LOCK: Sql = Sql::new("lock a sent file", "SELECT 1 FROM snd_files WHERE snd_file_id = $1")
    .locking("FOR UPDATE");
const ID: Sql = Sql::new(
    "look for a sent file",
    "SELECT snd_file_id FROM snd_files WHERE snd_file_entity_id = $1
      ORDER BY snd_file_id LIMIT 1",
);
const LOAD: Sql = Sql::new(
    "load a sent file",
    "SELECT snd_file_entity_id, user_id, num_recipients, digest, key, nonce, path, src_file_key,
            src_file_nonce, prefix_path, status, deleted, redirect_size, redirect_digest
       FROM snd_files WHERE snd_file_id = $1",
)
.locking("FOR UPDATE");
const CHUNKS: Sql = Sql::new(
    "load a sent file's chunks",
    "SELECT snd_file_chunk_id, chunk_no, chunk_offset, chunk_size, digest
       FROM snd_file_chunks WHERE snd_file_id = $1
      ORDER BY chunk_no, snd_file_chunk_id",
);
const REPLICAS: Sql = Sql::new(
    "load a sent file's replicas",
    "SELECT r.snd_file_chunk_id, s.xftp_host, s.xftp_port, s.xftp_key_hash,
            r.snd_file_chunk_replica_id, r.replica_id, r.replica_key, r.replica_status, r.delay, r.retries
       FROM snd_file_chunks c
       JOIN snd_file_chunk_replicas r ON r.snd_file_chunk_id = c.snd_file_chunk_id
       JOIN xftp_servers s ON s.xftp_server_id = r.xftp_server_id
      WHERE c.snd_file_id = $1
      ORDER BY r.replica_number, r.snd_file_chunk_replica_id",
);
const RECIPIENTS: Sql = Sql::new(
    "load a sent file's recipients",
    "SELECT p.snd_file_chunk_replica_id, p.rcv_replica_id, p.rcv_replica_key
       FROM snd_file_chunks c
       JOIN snd_file_chunk_replicas r ON r.snd_file_chunk_id = c.snd_file_chunk_id
       JOIN snd_file_chunk_replica_recipients p
         ON p.snd_file_chunk_replica_id = r.snd_file_chunk_replica_id
      WHERE c.snd_file_id = $1
      ORDER BY p.snd_file_chunk_replica_recipient_id",
);
const IS_DELETED: Sql = Sql::new(
    "look whether a sent file is deleted",
    "SELECT deleted FROM snd_files WHERE snd_file_id = $1",
);

impl AgentTx<'_> {
    /// Keeps other transactions from changing a file until this one ends (F-182, AS-52): for a caller that
    /// looks at something and then writes. On SQLite there are no others; a missing file isn't locked.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn lock_snd_file_for_update(&mut self, file_id: DbSndFileId) -> TxResult<()> {
        self.tx.exists(&LOCK, &[&file_id])?;
        Ok(())
    }

    /// A file, and below it all that is stored of it, as long as it has a folder (F-183, AS-92): chunks by
    /// their numbers, replicas and recipients in the order in which they were made. Its row is
    /// locked until the transaction ends, on PostgreSQL (AS-10).
    ///
    /// # Errors
    ///
    /// [`StoreError::FileNotFound`]; a failure of the database, also a row that can't be read.
    pub fn get_snd_file(&mut self, file_id: DbSndFileId) -> TxResult<SndFile> {
        let found = self.tx.query_opt(&LOAD, &[&file_id], |row| read_file(row, file_id))?;
        let mut file = found.ok_or(StoreError::FileNotFound)?;
        if let Some(prefix) = &file.prefix_path {
            file.chunks = self.snd_file_chunks(&file, prefix)?;
        }
        Ok(file)
    }

    /// The same for a file as the application calls it (F-184): should two have the same id (AS-91), the
    /// first.
    ///
    /// # Errors
    ///
    /// As [`get_snd_file`](Self::get_snd_file).
    pub fn get_snd_file_by_entity_id(&mut self, entity_id: &SndFileId) -> TxResult<SndFile> {
        let column = "snd_files.snd_file_id";
        let found = self.tx.query_opt(&ID, &[entity_id], |row| row.next(column))?;
        self.get_snd_file(found.ok_or(StoreError::FileNotFound)?)
    }

    /// Whether a file is marked as deleted, or isn't there at all (F-193, AS-93).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_snd_file_deleted(&mut self, file_id: DbSndFileId) -> TxResult<bool> {
        let found =
            self.tx.query_opt(&IS_DELETED, &[&file_id], |row| row.next("snd_files.deleted"))?;
        Ok(found.unwrap_or(true))
    }

    /// Three statements in all, however many chunks there are.
    fn snd_file_chunks(
        &mut self,
        file: &SndFile,
        prefix: &FilePath,
    ) -> TxResult<Vec<SndFileChunk>> {
        let mut replicas = self.snd_file_replicas(file.snd_file_id)?;
        Ok(self.tx.query(&CHUNKS, &[&file.snd_file_id], |row| {
            let snd_chunk_id = row.next("snd_file_chunks.snd_file_chunk_id")?;
            Ok(SndFileChunk {
                snd_file_id: file.snd_file_id,
                snd_file_entity_id: file.snd_file_entity_id.clone(),
                user_id: file.user_id,
                num_recipients: file.num_recipients,
                snd_chunk_id,
                chunk_no: row.next("snd_file_chunks.chunk_no")?,
                chunk_spec: read_chunk_spec(row, prefix)?,
                file_prefix_path: prefix.clone(),
                digest: row.next("snd_file_chunks.digest")?,
                replicas: replicas.remove(&snd_chunk_id).unwrap_or_default(),
            })
        })?)
    }

    fn snd_file_replicas(
        &mut self,
        file_id: DbSndFileId,
    ) -> TxResult<HashMap<SndChunkId, Vec<SndFileChunkReplica>>> {
        let mut recipients: HashMap<SndChunkReplicaId, Vec<ReplicaRecipient>> = HashMap::new();
        self.tx.query_each(&RECIPIENTS, &[&file_id], |row| {
            let replica_id =
                row.next("snd_file_chunk_replica_recipients.snd_file_chunk_replica_id")?;
            recipients.entry(replica_id).or_default().push(read_recipient(row)?);
            Ok(())
        })?;
        let mut replicas: HashMap<SndChunkId, Vec<SndFileChunkReplica>> = HashMap::new();
        self.tx.query_each(&REPLICAS, &[&file_id], |row| {
            let chunk_id = row.next("snd_file_chunk_replicas.snd_file_chunk_id")?;
            let server = xftp_server(row)?;
            let mut replica = read_replica(row, server)?;
            let found = recipients.remove(&replica.snd_chunk_replica_id);
            replica.rcv_ids_keys = found.unwrap_or_default();
            replicas.entry(chunk_id).or_default().push(replica);
            Ok(())
        })?;
        Ok(replicas)
    }
}

/// A file without its chunks.
fn read_file(row: &mut Row<'_>, snd_file_id: DbSndFileId) -> Result<SndFile, DbError> {
    Ok(SndFile {
        snd_file_id,
        snd_file_entity_id: row.next("snd_files.snd_file_entity_id")?,
        user_id: row.next("snd_files.user_id")?,
        num_recipients: row.next("snd_files.num_recipients")?,
        digest: row.next("snd_files.digest")?,
        key: row.next("snd_files.key")?,
        nonce: row.next("snd_files.nonce")?,
        chunks: Vec::new(),
        src_file: read_src_file(row)?,
        prefix_path: row.next("snd_files.prefix_path")?,
        status: row.next("snd_files.status")?,
        deleted: row.next("snd_files.deleted")?,
        redirect: read_redirect(row)?,
    })
}

fn read_src_file(row: &mut Row<'_>) -> Result<CryptoFile, DbError> {
    let path = row.next("snd_files.path")?;
    let key = row.next("snd_files.src_file_key")?;
    let crypto =
        row.read("snd_files.src_file_nonce", |nonce| CryptoFileArgs::of_columns(key, nonce))?;
    Ok(CryptoFile { path, crypto })
}

/// What the other file is like, when both columns say so.
fn read_redirect(row: &mut Row<'_>) -> Result<Option<RedirectFileInfo>, DbError> {
    let size: Option<_> = row.next("snd_files.redirect_size")?;
    let digest: Option<_> = row.next("snd_files.redirect_digest")?;
    Ok(size.zip(digest).map(|(size, digest)| RedirectFileInfo { size, digest }))
}

/// The next two columns: the part of the file in this folder that a chunk is.
pub(super) fn read_chunk_spec(
    row: &mut Row<'_>,
    prefix: &FilePath,
) -> Result<XftpChunkSpec, DbError> {
    let chunk_offset = row.next("snd_file_chunks.chunk_offset")?;
    let chunk_size = row.next("snd_file_chunks.chunk_size")?;
    Ok(XftpChunkSpec::in_folder(prefix, chunk_offset, chunk_size))
}

/// A replica without its recipients.
pub(super) fn read_replica(
    row: &mut Row<'_>,
    server: XftpServer,
) -> Result<SndFileChunkReplica, DbError> {
    Ok(SndFileChunkReplica {
        snd_chunk_replica_id: row.next("snd_file_chunk_replicas.snd_file_chunk_replica_id")?,
        server,
        replica_id: row.next("snd_file_chunk_replicas.replica_id")?,
        replica_key: row.next("snd_file_chunk_replicas.replica_key")?,
        rcv_ids_keys: Vec::new(),
        replica_status: row.next("snd_file_chunk_replicas.replica_status")?,
        delay: row.next("snd_file_chunk_replicas.delay")?,
        retries: row.next("snd_file_chunk_replicas.retries")?,
    })
}

pub(super) fn read_recipient(row: &mut Row<'_>) -> Result<ReplicaRecipient, DbError> {
    Ok(ReplicaRecipient {
        replica_id: row.next("snd_file_chunk_replica_recipients.rcv_replica_id")?,
        replica_key: row.next("snd_file_chunk_replica_recipients.rcv_replica_key")?,
    })
}
