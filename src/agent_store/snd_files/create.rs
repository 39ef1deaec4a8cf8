//! Making a sent file, and its chunks once it is encrypted.

use rand::Rng;

use crate::agent_store::error::{StoreError, TxResult};
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    ChunkNo, DbSndFileId, FileDigest, NewSndFile, SndFileId, SndFileStatus, UserId, XftpChunkSpec,
};
use crate::db::{Sql, UtcTime};

const CREATE: Sql = Sql::new(
    "create a sent file",
    "INSERT INTO snd_files
       (snd_file_entity_id, user_id, num_recipients, key, nonce, path, prefix_path, status,
        src_file_key, src_file_nonce, redirect_size, redirect_digest)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
);
const ENCRYPTED: Sql = Sql::new(
    "note that a sent file is encrypted",
    "UPDATE snd_files SET status = $2, digest = $3, updated_at = $4 WHERE snd_file_id = $1",
);
const CREATE_CHUNK: Sql = Sql::new(
    "create a sent file's chunk",
    "INSERT INTO snd_file_chunks (snd_file_id, chunk_no, chunk_offset, chunk_size, digest)
     VALUES ($1, $2, $3, $4, $5)",
);

impl AgentTx<'_> {
    /// Makes a file that is to be sent, with an id of its own and status `new` (F-181).
    ///
    /// No constraint says that the id is new (AS-91): that it is rests on its 12 random bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::UniqueId`] when a constraint refused it three
    /// times, as without such a user (AS-40); [`StoreError::Internal`]
    /// for any other failure of the database.
    pub fn create_snd_file(
        &mut self,
        rng: &mut impl Rng,
        user_id: UserId,
        file: &NewSndFile,
    ) -> TxResult<SndFileId> {
        let NewSndFile { src_file, num_recipients, prefix_path, key, nonce, redirect } = file;
        let (src_key, src_nonce) = src_file.crypto_columns();
        let redirect_size = redirect.as_ref().map(|redirect| redirect.size);
        let redirect_digest = redirect.as_ref().map(|redirect| &redirect.digest);
        self.with_random_id(rng, |tx, id| {
            tx.tx.execute(
                &CREATE,
                &[
                    &id,
                    &user_id,
                    num_recipients,
                    key,
                    nonce,
                    &src_file.path,
                    prefix_path,
                    &SndFileStatus::New,
                    &src_key,
                    &src_nonce,
                    &redirect_size,
                    &redirect_digest,
                ],
            )?;
            SndFileId::from_bytes(id).ok_or_else(|| StoreError::UniqueId.into())
        })
    }

    /// Says that a file is encrypted (F-188): its status is `encrypted`, its digest known, and it has these
    /// chunks, which are numbered from 1 in their order. Where a chunk's file is isn't stored: that follows
    /// from the file's folder.
    ///
    /// # Errors
    ///
    /// A failure of the database; also when there is no such file, unless it has no chunks.
    pub fn update_snd_file_encrypted(
        &mut self,
        file_id: DbSndFileId,
        digest: &FileDigest,
        chunks: &[(XftpChunkSpec, FileDigest)],
    ) -> TxResult<()> {
        let status = SndFileStatus::Encrypted;
        self.tx.execute(&ENCRYPTED, &[&file_id, &status, digest, &UtcTime::now()])?;
        for (number, (spec, digest)) in (1..).map(ChunkNo).zip(chunks) {
            let XftpChunkSpec { chunk_offset, chunk_size, .. } = spec;
            self.tx
                .execute(&CREATE_CHUNK, &[&file_id, &number, chunk_offset, chunk_size, digest])?;
        }
        Ok(())
    }
}
