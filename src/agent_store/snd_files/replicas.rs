//! Replicas of a sent file's chunks, and who may download them.

use super::load::read_recipient;
use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::{
    NewSndChunkReplica, ReplicaNumber, ReplicaRecipient, RetryDelay, SndChunkId, SndChunkReplicaId,
    SndFileChunk, SndFileChunkReplica, SndFileReplicaStatus,
};
use crate::db::{Sql, UtcTime};

const CREATE: Sql = Sql::new(
    "create a sent chunk's replica",
    "INSERT INTO snd_file_chunk_replicas
       (snd_file_chunk_id, replica_number, xftp_server_id, replica_id, replica_key, replica_status)
     VALUES ($1, $2, $3, $4, $5, $6)
     RETURNING snd_file_chunk_replica_id",
);
const CREATE_RECIPIENT: Sql = Sql::new(
    "add a replica's recipient",
    "INSERT INTO snd_file_chunk_replica_recipients
       (snd_file_chunk_replica_id, rcv_replica_id, rcv_replica_key)
     VALUES ($1, $2, $3)",
);
const RECIPIENTS: Sql = Sql::new(
    "load a replica's recipients",
    "SELECT rcv_replica_id, rcv_replica_key FROM snd_file_chunk_replica_recipients
      WHERE snd_file_chunk_replica_id = $1
      ORDER BY snd_file_chunk_replica_recipient_id",
);
const DELAY: Sql = Sql::new(
    "delay the upload of a replica",
    "UPDATE snd_file_chunk_replicas SET delay = $2, retries = retries + 1, updated_at = $3
      WHERE snd_file_chunk_replica_id = $1",
);
const SET_STATUS: Sql = Sql::new(
    "set a sent chunk's replica's status",
    "UPDATE snd_file_chunk_replicas SET replica_status = $2, updated_at = $3
      WHERE snd_file_chunk_replica_id = $1",
);

/// Each chunk has one replica.
const FIRST: ReplicaNumber = ReplicaNumber(1);

impl AgentTx<'_> {
    /// Notes the place that a chunk is uploaded to (F-194), as
    /// [`create_snd_file_replica_for`](Self::create_snd_file_replica_for) does.
    ///
    /// # Errors
    ///
    /// A failure of the database; also when the chunk is gone.
    pub fn create_snd_file_replica(
        &mut self,
        chunk: &SndFileChunk,
        replica: &NewSndChunkReplica,
    ) -> TxResult<()> {
        self.create_snd_file_replica_for(chunk.snd_chunk_id, replica)
    }

    /// Notes a place that a chunk is uploaded to, with its recipients (F-195): its number is 1 and its
    /// status `created`. The router is registered if it is new.
    ///
    /// # Errors
    ///
    /// A failure of the database; also when there is no such chunk.
    pub fn create_snd_file_replica_for(
        &mut self,
        chunk_id: SndChunkId,
        replica: &NewSndChunkReplica,
    ) -> TxResult<()> {
        let NewSndChunkReplica { server, replica_id, replica_key, rcv_ids_keys } = replica;
        let server_id = self.create_xftp_server(server)?;
        let status = SndFileReplicaStatus::Created;
        let stored_id = self.tx.query_one(
            &CREATE,
            &[&chunk_id, &FIRST, &server_id, replica_id, replica_key, &status],
            |row| row.next("snd_file_chunk_replicas.snd_file_chunk_replica_id"),
        )?;
        self.create_snd_replica_recipients(stored_id, rcv_ids_keys)
    }

    /// Adds recipients to a replica and gives it with all that it has (F-198), in the order in which they
    /// were added; the rest of it is as it was given.
    ///
    /// # Errors
    ///
    /// A failure of the database; also when there is no such replica, or a recipient can't be read.
    pub fn add_snd_chunk_replica_recipients(
        &mut self,
        replica: SndFileChunkReplica,
        recipients: &[ReplicaRecipient],
    ) -> TxResult<SndFileChunkReplica> {
        let id = replica.snd_chunk_replica_id;
        self.create_snd_replica_recipients(id, recipients)?;
        Ok(SndFileChunkReplica { rcv_ids_keys: self.snd_replica_recipients(id)?, ..replica })
    }

    /// Notes after how long an upload is tried again, and that it was tried once more (F-197).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_chunk_replica_delay(
        &mut self,
        replica_id: SndChunkReplicaId,
        delay: RetryDelay,
    ) -> TxResult<()> {
        self.tx.execute(&DELAY, &[&replica_id, &delay, &UtcTime::now()])?;
        Ok(())
    }

    /// Sets how far a replica's upload has come (F-199).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_snd_chunk_replica_status(
        &mut self,
        replica_id: SndChunkReplicaId,
        status: SndFileReplicaStatus,
    ) -> TxResult<()> {
        self.tx.execute(&SET_STATUS, &[&replica_id, &status, &UtcTime::now()])?;
        Ok(())
    }

    fn create_snd_replica_recipients(
        &mut self,
        id: SndChunkReplicaId,
        recipients: &[ReplicaRecipient],
    ) -> TxResult<()> {
        for ReplicaRecipient { replica_id, replica_key } in recipients {
            self.tx.execute(&CREATE_RECIPIENT, &[&id, replica_id, replica_key])?;
        }
        Ok(())
    }

    pub(super) fn snd_replica_recipients(
        &mut self,
        id: SndChunkReplicaId,
    ) -> TxResult<Vec<ReplicaRecipient>> {
        Ok(self.tx.query(&RECIPIENTS, &[&id], read_recipient)?)
    }
}
