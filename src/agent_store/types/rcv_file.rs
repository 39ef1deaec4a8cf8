//! Received files (section 3.13).

use super::{
    AuthPrivateKey, ChunkNo, ChunkReplicaId, ChunkSize, CryptoFile, DbRcvFileId, FileDigest,
    FilePath, FileSize, RcvChunkId, RcvChunkReplicaId, RcvFileId, RcvFileStatus, RedirectFileInfo,
    RetryDelay, SbKey, SbNonce, UserId, XftpServer,
};

/// A file that is received, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvFile {
    /// Its row.
    pub rcv_file_id: DbRcvFileId,
    /// What the application calls it.
    pub rcv_file_entity_id: RcvFileId,
    /// Whose it is.
    pub user_id: UserId,
    /// The size of the encrypted file.
    pub size: FileSize,
    /// Its hash.
    pub digest: FileDigest,
    /// What it is encrypted with; of a redirect's destination a placeholder, until it is known (AS-85).
    pub key: SbKey,
    /// The nonce to that, or such a placeholder.
    pub nonce: SbNonce,
    /// The size of chunks that don't say another, or 0 for a destination that isn't known yet.
    pub chunk_size: ChunkSize,
    /// The destination, when this file holds its description.
    pub redirect: Option<RcvFileRedirect>,
    /// Its chunks by number; none when the folder for them is no longer there (AS-86).
    pub chunks: Vec<RcvFileChunk>,
    /// The folder of the transfer.
    pub prefix_path: FilePath,
    /// The folder of the chunks, as long as it is needed.
    pub tmp_path: Option<FilePath>,
    /// Where the file is to be in the end.
    pub save_file: CryptoFile,
    /// How far it has come.
    pub status: RcvFileStatus,
    /// Whether it is to be removed.
    pub deleted: bool,
}

/// The destination of a file that holds a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvFileRedirect {
    /// The destination's row.
    pub rcv_file_id: DbRcvFileId,
    /// What the application calls it.
    pub rcv_file_entity_id: RcvFileId,
    /// What the destination has to be like.
    pub file_info: RedirectFileInfo,
}

/// A chunk of a received file, with what is needed of the file to download it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvFileChunk {
    /// The file's row.
    pub rcv_file_id: DbRcvFileId,
    /// What the application calls the file.
    pub rcv_file_entity_id: RcvFileId,
    /// Whose it is.
    pub user_id: UserId,
    /// The chunk's row.
    pub rcv_chunk_id: RcvChunkId,
    /// Its number.
    pub chunk_no: ChunkNo,
    /// Its size.
    pub chunk_size: ChunkSize,
    /// Its hash.
    pub digest: FileDigest,
    /// Where it can be downloaded, by the replicas' numbers.
    pub replicas: Vec<RcvFileChunkReplica>,
    /// The folder of the file's chunks.
    pub file_tmp_path: FilePath,
    /// Where it is, when it was downloaded.
    pub chunk_tmp_path: Option<FilePath>,
}

/// A place where a chunk can be downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvFileChunkReplica {
    /// Its row.
    pub rcv_chunk_replica_id: RcvChunkReplicaId,
    /// The router.
    pub server: XftpServer,
    /// What the router calls it.
    pub replica_id: ChunkReplicaId,
    /// What authorizes commands about it.
    pub replica_key: AuthPrivateKey,
    /// Whether the chunk came from here.
    pub received: bool,
    /// How long the last attempt was told to wait.
    pub delay: Option<RetryDelay>,
    /// How many attempts failed.
    pub retries: i64,
}

/// A chunk that is to be downloaded next, with the one replica that it is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvChunkToDownload {
    /// The chunk.
    pub chunk: RcvFileChunk,
    /// Whether the user approved of routers that aren't known.
    pub approved_relays: bool,
    /// When the file holds a description: what the application calls the destination.
    pub redirect_entity_id: Option<RcvFileId>,
}

/// A file or folder on the device that is to be removed, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvFileCleanup {
    /// The file's row.
    pub rcv_file_id: DbRcvFileId,
    /// What the application calls the file.
    pub rcv_file_entity_id: RcvFileId,
    /// What is to be removed.
    pub path: FilePath,
}
