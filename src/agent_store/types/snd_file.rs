//! Sent files (section 3.13).

use std::path::PathBuf;

use super::macros::row_id;
use super::{
    AuthPrivateKey, ChunkNo, ChunkReplicaId, ChunkSize, CryptoFile, DbSndFileId,
    DeletedSndChunkReplicaId, FileDigest, FilePath, RedirectFileInfo, RetryDelay, SbKey, SbNonce,
    SndChunkId, SndChunkReplicaId, SndFileId, SndFileReplicaStatus, SndFileStatus, UserId,
    XftpServer,
};

row_id! {
    /// Where a chunk begins in the encrypted file, in bytes.
    ChunkOffset
}

/// A file that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSndFile {
    /// The file on the device.
    pub src_file: CryptoFile,
    /// How many are to get it.
    pub num_recipients: u32,
    /// The folder for its encrypted copy.
    pub prefix_path: FilePath,
    /// What it is encrypted with.
    pub key: SbKey,
    /// The nonce to that.
    pub nonce: SbNonce,
    /// When the file holds the description of another: what that is like.
    pub redirect: Option<RedirectFileInfo>,
}

/// A file that is sent, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndFile {
    /// Its row.
    pub snd_file_id: DbSndFileId,
    /// What the application calls it.
    pub snd_file_entity_id: SndFileId,
    /// Whose it is.
    pub user_id: UserId,
    /// How many are to get it.
    pub num_recipients: u32,
    /// The hash of the encrypted file, once there is one.
    pub digest: Option<FileDigest>,
    /// What it is encrypted with.
    pub key: SbKey,
    /// The nonce to that.
    pub nonce: SbNonce,
    /// Its chunks by number; none when the folder of the encrypted file is no longer there (AS-92).
    pub chunks: Vec<SndFileChunk>,
    /// The file on the device.
    pub src_file: CryptoFile,
    /// The folder of the encrypted file, as long as it is needed.
    pub prefix_path: Option<FilePath>,
    /// How far it has come.
    pub status: SndFileStatus,
    /// Whether it is to be removed.
    pub deleted: bool,
    /// When the file holds the description of another: what that is like.
    pub redirect: Option<RedirectFileInfo>,
}

/// A part of an encrypted file on the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XftpChunkSpec {
    /// The encrypted file.
    pub file_path: PathBuf,
    /// Where the part begins.
    pub chunk_offset: ChunkOffset,
    /// Its size.
    pub chunk_size: ChunkSize,
}

impl XftpChunkSpec {
    /// What the encrypted file in a file's folder is called.
    pub const FILE_NAME: &'static str = "xftp.encrypted";

    /// The part of the encrypted file that lies in this folder.
    pub fn in_folder(prefix: &FilePath, chunk_offset: ChunkOffset, chunk_size: ChunkSize) -> Self {
        Self { file_path: prefix.as_path().join(Self::FILE_NAME), chunk_offset, chunk_size }
    }
}

/// A chunk of a sent file, with what is needed of the file to upload it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndFileChunk {
    /// The file's row.
    pub snd_file_id: DbSndFileId,
    /// What the application calls the file.
    pub snd_file_entity_id: SndFileId,
    /// Whose it is.
    pub user_id: UserId,
    /// How many are to get the file.
    pub num_recipients: u32,
    /// The chunk's row.
    pub snd_chunk_id: SndChunkId,
    /// Its number.
    pub chunk_no: ChunkNo,
    /// Which part of the encrypted file it is.
    pub chunk_spec: XftpChunkSpec,
    /// The folder of the encrypted file.
    pub file_prefix_path: FilePath,
    /// Its hash.
    pub digest: FileDigest,
    /// Where it is uploaded to, in the order in which they were made.
    pub replicas: Vec<SndFileChunkReplica>,
}

/// A place on a router that a chunk is uploaded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSndChunkReplica {
    /// The router.
    pub server: XftpServer,
    /// What the router calls it.
    pub replica_id: ChunkReplicaId,
    /// What authorizes the sender's commands about it.
    pub replica_key: AuthPrivateKey,
    /// Its recipients.
    pub rcv_ids_keys: Vec<ReplicaRecipient>,
}

/// The same when it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndFileChunkReplica {
    /// Its row.
    pub snd_chunk_replica_id: SndChunkReplicaId,
    /// The router.
    pub server: XftpServer,
    /// What the router calls it.
    pub replica_id: ChunkReplicaId,
    /// What authorizes the sender's commands about it.
    pub replica_key: AuthPrivateKey,
    /// Its recipients, in the order in which they were added.
    pub rcv_ids_keys: Vec<ReplicaRecipient>,
    /// How far the upload has come.
    pub replica_status: SndFileReplicaStatus,
    /// How long the last attempt was told to wait.
    pub delay: Option<RetryDelay>,
    /// How many attempts failed.
    pub retries: i64,
}

/// What one recipient of a file downloads a replica with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaRecipient {
    /// What the router calls the replica to this recipient.
    pub replica_id: ChunkReplicaId,
    /// What authorizes the recipient's commands about it.
    pub replica_key: AuthPrivateKey,
}

/// A replica that is still to be deleted on its router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedSndChunkReplica {
    /// Its row.
    pub deleted_snd_chunk_replica_id: DeletedSndChunkReplicaId,
    /// Whose it is.
    pub user_id: UserId,
    /// The router.
    pub server: XftpServer,
    /// What the router calls it.
    pub replica_id: ChunkReplicaId,
    /// What authorizes commands about it.
    pub replica_key: AuthPrivateKey,
    /// The hash of its chunk.
    pub chunk_digest: FileDigest,
    /// How long the last attempt was told to wait.
    pub delay: Option<RetryDelay>,
    /// How many attempts failed.
    pub retries: i64,
}

/// The folder of a file that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndFileFolder {
    /// The file's row.
    pub snd_file_id: DbSndFileId,
    /// What the application calls the file.
    pub snd_file_entity_id: SndFileId,
    /// The folder, which is to be removed.
    pub prefix_path: FilePath,
}

/// A file whose row is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndFileToDelete {
    /// Its row.
    pub snd_file_id: DbSndFileId,
    /// What the application calls it.
    pub snd_file_entity_id: SndFileId,
    /// Its folder, which is to be removed before, if it has one.
    pub prefix_path: Option<FilePath>,
}
