//! Making files that are to be received.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ChunkSize, CryptoFile, DbRcvFileId, FileChunk, FilePath, RcvChunkId, RcvFileDescription,
    RcvFileId, RcvFileRedirect, RcvFileStatus, Recipient, RedirectFileInfo, ReplicaNumber, SbKey,
    SbNonce, UserId, XftpServer, XftpServerId,
};
use crate::db::{Sql, ToParam, UtcTime};

const INSERT: Sql = Sql::new(
    "insert a received file",
    "INSERT INTO rcv_files
       (rcv_file_entity_id, user_id, size, digest, key, nonce, chunk_size, prefix_path, tmp_path,
        save_path, save_file_key, save_file_nonce, status, redirect_id, redirect_entity_id,
        redirect_size, redirect_digest, approved_relays)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
     RETURNING rcv_file_id, rcv_file_entity_id",
);
const INSERT_CHUNK: Sql = Sql::new(
    "insert a received file's chunk",
    "INSERT INTO rcv_file_chunks (rcv_file_id, chunk_no, chunk_size, digest)
     VALUES ($1, $2, $3, $4) RETURNING rcv_file_chunk_id",
);
const INSERT_REPLICA: Sql = Sql::new(
    "insert a received file's replica",
    "INSERT INTO rcv_file_chunk_replicas
       (rcv_file_chunk_id, replica_number, xftp_server_id, replica_id, replica_key)
     VALUES ($1, $2, $3, $4, $5)",
);
const FILL_DESTINATION: Sql = Sql::new(
    "fill a redirect's destination",
    "UPDATE rcv_files SET key = $1, nonce = $2, chunk_size = $3, updated_at = $4
      WHERE rcv_file_id = $5",
);

/// What stands for a destination's key until its description is there (AS-85).
const UNKNOWN_KEY: SbKey = SbKey::new([b'#'; 32]);
/// What stands for its nonce.
const UNKNOWN_NONCE: SbNonce = SbNonce([0; 24]);

/// A file that is to be received.
#[derive(Clone, Copy, Debug)]
pub struct NewRcvFile<'a> {
    /// Whose it is.
    pub user_id: UserId,
    /// Where it is.
    pub description: &'a RcvFileDescription,
    /// The folder of the transfer.
    pub prefix_path: &'a FilePath,
    /// The folder for the chunks.
    pub tmp_path: &'a FilePath,
    /// Where it is to be in the end.
    pub save_file: &'a CryptoFile,
    /// Whether the user approved of routers that aren't known.
    pub approved_relays: bool,
}

/// A file that is to be received and whose description is in another file.
#[derive(Clone, Copy, Debug)]
pub struct NewRcvFileRedirect<'a> {
    /// Whose it is.
    pub user_id: UserId,
    /// Where the file with the description is, and what the destination is like.
    pub description: &'a RcvFileDescription,
    /// The folder of the transfer.
    pub prefix_path: &'a FilePath,
    /// The folder for the chunks of the file with the description.
    pub redirect_path: &'a FilePath,
    /// Where that file is to be in the end.
    pub redirect_file: &'a CryptoFile,
    /// The folder for the destination's chunks.
    pub dst_path: &'a FilePath,
    /// Where the destination is to be in the end.
    pub dst_file: &'a CryptoFile,
    /// Whether the user approved of routers that aren't known.
    pub approved_relays: bool,
}

impl AgentTx<'_> {
    /// Makes a file that is `receiving`, with its chunks and with their replicas, numbered from 1 in the
    /// description's order, and registers routers that are new (F-160). What the description says of a
    /// redirect has no meaning here.
    ///
    /// # Errors
    ///
    /// [`StoreError::UniqueId`] when three random ids were refused, so also without such a user (AS-40);
    /// [`StoreError::Internal`] when the file's row could not be inserted for another reason (AS-38). After
    /// both, nothing of the file is there.
    pub fn create_rcv_file(
        &mut self,
        rng: &mut impl Rng,
        file: &NewRcvFile<'_>,
    ) -> TxResult<RcvFileId> {
        let (file_id, entity_id) = self.insert_rcv_file(rng, file, None)?;
        self.insert_rcv_chunks(file_id, &file.description.chunks)?;
        Ok(entity_id)
    }

    /// Makes two files (F-161, AS-85): the destination, of which only size and hash are known yet, and the
    /// file that holds its description and refers to it. Gives the destination's id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a description that isn't a redirect, and otherwise as
    /// [`create_rcv_file`](Self::create_rcv_file). After each of them, neither file is there.
    pub fn create_rcv_file_redirect(
        &mut self,
        rng: &mut impl Rng,
        redirect: &NewRcvFileRedirect<'_>,
    ) -> TxResult<RcvFileId> {
        let Some(file_info) = &redirect.description.redirect else {
            let problem = "create_rcv_file_redirect: the description is not a redirect's";
            return Err(StoreError::Internal(problem.to_owned()).into());
        };
        self.savepoint(|tx| {
            let unknown = unknown_description(file_info);
            let (rcv_file_id, entity_id) =
                tx.insert_rcv_file(rng, &redirect.destination(&unknown), None)?;
            let to = RcvFileRedirect {
                rcv_file_id,
                rcv_file_entity_id: entity_id.clone(),
                file_info: file_info.clone(),
            };
            let (file_id, _) = tx.insert_rcv_file(rng, &redirect.description_file(), Some(&to))?;
            tx.insert_rcv_chunks(file_id, &redirect.description.chunks)?;
            Ok(entity_id)
        })
    }

    /// Fills the destination of a redirect (F-171): key, nonce and size of chunks, and the chunks with their
    /// replicas. Size and hash stay as the redirect gave them.
    ///
    /// # Errors
    ///
    /// A failure of the database: also, with any chunk, when there is no such file.
    pub fn update_rcv_file_redirect(
        &mut self,
        file_id: DbRcvFileId,
        description: &RcvFileDescription,
    ) -> TxResult<()> {
        let RcvFileDescription { key, nonce, chunk_size, chunks, .. } = description;
        let now = UtcTime::now();
        self.tx.execute(&FILL_DESTINATION, &[key, nonce, chunk_size, &now, &file_id])?;
        self.insert_rcv_chunks(file_id, chunks)
    }

    fn insert_rcv_file(
        &mut self,
        rng: &mut impl Rng,
        file: &NewRcvFile<'_>,
        redirect: Option<&RcvFileRedirect>,
    ) -> TxResult<(DbRcvFileId, RcvFileId)> {
        let RcvFileDescription { size, digest, key, nonce, chunk_size, .. } = file.description;
        let (save_key, save_nonce) = file.save_file.crypto_columns();
        self.with_random_id(rng, |tx, id| {
            let inserted = tx.tx.query_one(
                &INSERT,
                &[
                    &id,
                    &file.user_id,
                    size,
                    digest,
                    key,
                    nonce,
                    chunk_size,
                    file.prefix_path,
                    file.tmp_path,
                    &file.save_file.path,
                    &save_key,
                    &save_nonce,
                    &RcvFileStatus::Receiving,
                    &redirect.map(|to| to.rcv_file_id),
                    &redirect.map(|to| &to.rcv_file_entity_id),
                    &redirect.map(|to| to.file_info.size),
                    &redirect.map(|to| &to.file_info.digest),
                    &file.approved_relays,
                ],
                |row| {
                    let file_id = row.next("rcv_files.rcv_file_id")?;
                    Ok((file_id, row.next("rcv_files.rcv_file_entity_id")?))
                },
            );
            Ok(inserted?)
        })
    }

    fn insert_rcv_chunks(&mut self, file_id: DbRcvFileId, chunks: &[FileChunk]) -> TxResult<()> {
        let servers = self.registered(chunks)?;
        for FileChunk { chunk_no, chunk_size, digest, replicas } in chunks {
            let params: [&dyn ToParam; 4] = [&file_id, chunk_no, chunk_size, digest];
            let chunk_id: RcvChunkId = self.tx.query_one(&INSERT_CHUNK, &params, |row| {
                row.next("rcv_file_chunks.rcv_file_chunk_id")
            })?;
            for (number, replica) in (1..).map(ReplicaNumber).zip(replicas) {
                let server_id = servers.get(&replica.server);
                let (id, key) = (&replica.replica_id, &replica.replica_key);
                self.tx.execute(&INSERT_REPLICA, &[&chunk_id, &number, &server_id, id, key])?;
            }
        }
        Ok(())
    }

    /// The routers of these chunks, nearly always a few, which are registered in one order whatever the
    /// description's is: of two files with the same new routers, neither waits for the other and is waited for.
    fn registered<'c>(
        &mut self,
        chunks: &'c [FileChunk],
    ) -> TxResult<BTreeMap<&'c XftpServer, XftpServerId>> {
        let servers: BTreeSet<&XftpServer> = chunks
            .iter()
            .flat_map(|chunk| chunk.replicas.iter().map(|replica| &replica.server))
            .collect();
        let mut register = |server| Ok((server, self.create_xftp_server(server)?));
        servers.into_iter().map(&mut register).collect()
    }
}

impl<'a> NewRcvFileRedirect<'a> {
    fn destination(&self, unknown: &'a RcvFileDescription) -> NewRcvFile<'a> {
        NewRcvFile {
            user_id: self.user_id,
            description: unknown,
            prefix_path: self.prefix_path,
            tmp_path: self.dst_path,
            save_file: self.dst_file,
            approved_relays: self.approved_relays,
        }
    }

    fn description_file(&self) -> NewRcvFile<'a> {
        NewRcvFile {
            user_id: self.user_id,
            description: self.description,
            prefix_path: self.prefix_path,
            tmp_path: self.redirect_path,
            save_file: self.redirect_file,
            approved_relays: self.approved_relays,
        }
    }
}

/// What is known of a destination before its description is there.
fn unknown_description(file_info: &RedirectFileInfo) -> RcvFileDescription {
    RcvFileDescription {
        party: Recipient,
        size: file_info.size,
        digest: file_info.digest.clone(),
        key: UNKNOWN_KEY,
        nonce: UNKNOWN_NONCE,
        chunk_size: ChunkSize(0),
        chunks: Vec::new(),
        redirect: None,
    }
}
