//! Files, received and sent, and replicas to delete (sections 4.12 and 4.13).

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, NewRcvFile, NewRcvFileRedirect, StoreError, TxResult};
use crate::testing::agent_store::answer::unordered;
use crate::testing::agent_store::draw::{Age, EncryptedChunks, Nth};
use crate::testing::agent_store::op::{Memory, operations};
use crate::testing::agent_store::sample;

fn receive(
    tx: &mut AgentTx<'_>,
    memory: &mut Memory,
    user_id: UserId,
    description: &RcvFileDescription,
    file: &CryptoFile,
) -> TxResult<RcvFileId> {
    let (prefix_path, tmp_path) = (&sample::path(1), &sample::path(2));
    let approved_relays = description.redirect.is_some();
    let new = NewRcvFile {
        user_id,
        description,
        prefix_path,
        tmp_path,
        save_file: file,
        approved_relays,
    };
    let made = tx.create_rcv_file(&mut memory.rng, &new)?;
    memory.rcv_files.push(made.clone());
    Ok(made)
}

fn receive_redirect(
    tx: &mut AgentTx<'_>,
    memory: &mut Memory,
    user_id: UserId,
    description: &RcvFileDescription,
    file: &CryptoFile,
) -> TxResult<RcvFileId> {
    let new = NewRcvFileRedirect {
        user_id,
        description,
        prefix_path: &sample::path(1),
        redirect_path: &sample::path(2),
        redirect_file: file,
        dst_path: &sample::path(3),
        dst_file: file,
        approved_relays: false,
    };
    let made = tx.create_rcv_file_redirect(&mut memory.rng, &new)?;
    memory.rcv_files.push(made.clone());
    Ok(made)
}

/// A chunk of a sent file with one of its replicas, if there is one.
fn snd_chunk(
    tx: &mut AgentTx<'_>,
    file: DbSndFileId,
) -> TxResult<(SndFileChunk, Option<SndFileChunkReplica>)> {
    let file = tx.get_snd_file(file)?;
    let chunk = file.chunks.into_iter().next().ok_or(StoreError::FileNotFound)?;
    let replica = chunk.replicas.first().cloned();
    Ok((chunk, replica))
}

fn add_recipients(
    tx: &mut AgentTx<'_>,
    file: DbSndFileId,
    recipients: &[ReplicaRecipient],
) -> TxResult<Option<SndFileChunkReplica>> {
    match snd_chunk(tx, file)?.1 {
        Some(replica) => tx.add_snd_chunk_replica_recipients(replica, recipients).map(Some),
        None => Ok(None),
    }
}

operations! { FileOp, |tx, memory| {
    CreateRcvFile * 5 { user: UserId, description: Box<RcvFileDescription>, file: CryptoFile } =>
        receive(tx, memory, *user, description, file);
    CreateRcvFileRedirect * 3 {
        user: UserId, description: Box<RcvFileDescription>, file: CryptoFile
    } => receive_redirect(tx, memory, *user, description, file);
    LockRcvFile * 1 { file: DbRcvFileId } => tx.lock_rcv_file_for_update(*file);
    GetRcvFile * 3 { file: DbRcvFileId } => tx.get_rcv_file(*file);
    GetRcvFileByEntityId * 2 { which: Nth } => {
        let made = memory.rcv_files.iter().rev().nth(usize::from(which.0)).cloned();
        tx.get_rcv_file_by_entity_id(&made.unwrap_or_else(|| sample::unknown(RcvFileId::from_bytes)))
    };
    GetRcvFileRedirects * 2 { file: DbRcvFileId } => tx.get_rcv_file_redirects(*file).map(unordered);
    UpdateRcvChunkReplicaDelay * 1 { replica: RcvChunkReplicaId, delay: RetryDelay } =>
        tx.update_rcv_chunk_replica_delay(*replica, *delay);
    UpdateRcvFileChunkReceived * 3 {
        replica: RcvChunkReplicaId, chunk: RcvChunkId, path: FilePath
    } => tx.update_rcv_file_chunk_received(*replica, *chunk, path);
    UpdateRcvFileStatus * 3 { file: DbRcvFileId, status: RcvFileStatus } =>
        tx.update_rcv_file_status(*file, *status);
    UpdateRcvFileError * 1 { file: DbRcvFileId, error: FileErrorText } =>
        tx.update_rcv_file_error(*file, error);
    UpdateRcvFileComplete * 1 { file: DbRcvFileId } => tx.update_rcv_file_complete(*file);
    UpdateRcvFileRedirect * 2 { file: DbRcvFileId, description: Box<RcvFileDescription> } =>
        match tx.get_rcv_file(*file) {
            // An agent learns of the destination's chunks once.
            Ok(stored) if stored.chunks.is_empty() && stored.tmp_path.is_some() =>
                tx.update_rcv_file_redirect(*file, description),
            stored => stored.map(drop),
        };
    UpdateRcvFileNoTmpPath * 1 { file: DbRcvFileId } => tx.update_rcv_file_no_tmp_path(*file);
    UpdateRcvFileDeleted * 1 { file: DbRcvFileId } => tx.update_rcv_file_deleted(*file);
    DeleteRcvFileRecord * 1 { file: DbRcvFileId } => tx.delete_rcv_file_record(*file);
    NextRcvChunkToDownload * 4 { server: XftpServer, age: Age } =>
        tx.get_next_rcv_chunk_to_download(server, age.0);
    NextRcvFileToDecrypt * 4 { age: Age } => tx.get_next_rcv_file_to_decrypt(age.0);
    PendingRcvFilesServers * 2 { age: Age } =>
        tx.get_pending_rcv_files_servers(age.0).map(unordered);
    CleanupRcvFilesTmpPaths * 1 {} => tx.get_cleanup_rcv_files_tmp_paths().map(unordered);
    CleanupRcvFilesDeleted * 1 {} => tx.get_cleanup_rcv_files_deleted().map(unordered);
    RcvFilesExpired * 1 { age: Age } => tx.get_rcv_files_expired(age.0).map(unordered);
    CreateSndFile * 5 { user: UserId, file: Box<NewSndFile> } =>
        tx.create_snd_file(&mut memory.rng, *user, file)
            .inspect(|id| memory.snd_files.push(id.clone()));
    UpdateSndFileEncrypted * 5 { file: DbSndFileId, digest: FileDigest, chunks: EncryptedChunks } =>
        match tx.get_snd_file(*file) {
            // An agent encrypts a file once.
            Ok(stored) if stored.chunks.is_empty() && stored.prefix_path.is_some() =>
                tx.update_snd_file_encrypted(*file, digest, &chunks.0),
            stored => stored.map(drop),
        };
    LockSndFile * 1 { file: DbSndFileId } => tx.lock_snd_file_for_update(*file);
    GetSndFile * 3 { file: DbSndFileId } => tx.get_snd_file(*file);
    GetSndFileByEntityId * 2 { which: Nth } => {
        let made = memory.snd_files.iter().rev().nth(usize::from(which.0)).cloned();
        tx.get_snd_file_by_entity_id(&made.unwrap_or_else(|| sample::unknown(SndFileId::from_bytes)))
    };
    GetSndFileDeleted * 1 { file: DbSndFileId } => tx.get_snd_file_deleted(*file);
    UpdateSndFileError * 1 { file: DbSndFileId, error: FileErrorText } =>
        tx.update_snd_file_error(*file, error);
    UpdateSndFileStatus * 3 { file: DbSndFileId, status: SndFileStatus } =>
        tx.update_snd_file_status(*file, *status);
    UpdateSndFileComplete * 1 { file: DbSndFileId } => tx.update_snd_file_complete(*file);
    UpdateSndFileNoPrefixPath * 1 { file: DbSndFileId } => tx.update_snd_file_no_prefix_path(*file);
    UpdateSndFileDeleted * 1 { file: DbSndFileId } => tx.update_snd_file_deleted(*file);
    DeleteSndFileRecord * 1 { file: DbSndFileId } => tx.delete_snd_file_record(*file);
    CreateSndFileReplica * 4 { file: DbSndFileId, replica: Box<NewSndChunkReplica> } =>
        snd_chunk(tx, *file).and_then(|(chunk, _)| tx.create_snd_file_replica(&chunk, replica));
    CreateSndFileReplicaFor * 4 { chunk: SndChunkId, replica: Box<NewSndChunkReplica> } =>
        tx.create_snd_file_replica_for(*chunk, replica);
    AddSndChunkReplicaRecipients * 3 { file: DbSndFileId, recipients: Vec<ReplicaRecipient> } =>
        add_recipients(tx, *file, recipients);
    UpdateSndChunkReplicaDelay * 1 { replica: SndChunkReplicaId, delay: RetryDelay } =>
        tx.update_snd_chunk_replica_delay(*replica, *delay);
    UpdateSndChunkReplicaStatus * 2 { replica: SndChunkReplicaId, status: SndFileReplicaStatus } =>
        tx.update_snd_chunk_replica_status(*replica, *status);
    NextSndFileToPrepare * 3 { age: Age } => tx.get_next_snd_file_to_prepare(age.0);
    NextSndChunkToUpload * 4 { server: XftpServer, age: Age } =>
        tx.get_next_snd_chunk_to_upload(server, age.0);
    PendingSndFilesServers * 2 { age: Age } =>
        tx.get_pending_snd_files_servers(age.0).map(unordered);
    CleanupSndFilesPrefixPaths * 1 {} => tx.get_cleanup_snd_files_prefix_paths().map(unordered);
    CleanupSndFilesDeleted * 1 {} => tx.get_cleanup_snd_files_deleted().map(unordered);
    SndFilesExpired * 1 { age: Age } => tx.get_snd_files_expired(age.0).map(unordered);
    CreateDeletedReplica * 3 { user: UserId, replica: FileChunkReplica, digest: FileDigest } =>
        tx.create_deleted_snd_chunk_replica(*user, replica, digest);
    NextDeletedReplica * 3 { server: XftpServer, age: Age } =>
        tx.get_next_deleted_snd_chunk_replica(server, age.0);
    UpdateDeletedReplicaDelay * 1 { id: DeletedSndChunkReplicaId, delay: RetryDelay } =>
        tx.update_deleted_snd_chunk_replica_delay(*id, *delay);
    DeleteDeletedReplica * 1 { id: DeletedSndChunkReplicaId } =>
        tx.delete_deleted_snd_chunk_replica(*id);
    PendingDelFilesServers * 1 { age: Age } => tx.get_pending_del_files_servers(age.0).map(unordered);
    DeleteDeletedReplicasExpired * 1 { age: Age } =>
        tx.delete_deleted_snd_chunk_replicas_expired(age.0);
} }
