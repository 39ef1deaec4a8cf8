//! Replicas of sent chunks that still have to be deleted on their routers (section 4.13).
//!
//! A row is independent of the file that it came from, which may be gone by then.

use std::time::Duration;

use super::error::{StoreError, TxResult};
use super::servers::xftp_server;
use super::store::AgentTx;
use super::types::{
    DeletedSndChunkReplica, DeletedSndChunkReplicaId, FileChunkReplica, FileDigest, RetryDelay,
    UserId, XftpServer,
};
use super::work_items::get_work_item;
use crate::db::{Sql, UtcTime};

const CREATE: Sql = Sql::new(
    "note a replica to delete",
    "INSERT INTO deleted_snd_chunk_replicas
       (user_id, xftp_server_id, replica_id, replica_key, chunk_digest)
     VALUES ($1, $2, $3, $4, $5)",
);
const NEXT: Sql = Sql::new(
    "look for a replica to delete",
    "SELECT d.deleted_snd_chunk_replica_id
       FROM xftp_servers s
       JOIN deleted_snd_chunk_replicas d ON d.xftp_server_id = s.xftp_server_id
      WHERE s.xftp_host = $1 AND s.xftp_port = $2 AND s.xftp_key_hash = $3
        AND d.failed = 0 AND d.created_at >= $4
      ORDER BY d.retries, d.created_at, d.deleted_snd_chunk_replica_id
      LIMIT 1",
);
const LOAD: Sql = Sql::new(
    "load a replica to delete",
    "SELECT user_id, replica_id, replica_key, chunk_digest, delay, retries
       FROM deleted_snd_chunk_replicas WHERE deleted_snd_chunk_replica_id = $1",
);
const MARK_FAILED: Sql = Sql::new(
    "mark a replica to delete as failed",
    "UPDATE deleted_snd_chunk_replicas SET failed = 1 WHERE deleted_snd_chunk_replica_id = $1",
);
const DELAY: Sql = Sql::new(
    "delay the deletion of a replica",
    "UPDATE deleted_snd_chunk_replicas
        SET delay = $2, retries = retries + 1, updated_at = $3
      WHERE deleted_snd_chunk_replica_id = $1",
);
const DELETE: Sql = Sql::new(
    "forget a deleted replica",
    "DELETE FROM deleted_snd_chunk_replicas WHERE deleted_snd_chunk_replica_id = $1",
);
const PENDING_SERVERS: Sql = Sql::new(
    "list routers with replicas to delete",
    "SELECT DISTINCT s.xftp_host, s.xftp_port, s.xftp_key_hash
       FROM deleted_snd_chunk_replicas d
       JOIN xftp_servers s ON s.xftp_server_id = d.xftp_server_id
      WHERE d.created_at >= $1",
);
const DELETE_EXPIRED: Sql = Sql::new(
    "forget expired deleted replicas",
    "DELETE FROM deleted_snd_chunk_replicas WHERE created_at < $1",
);

impl AgentTx<'_> {
    /// Notes a replica that has to be deleted on its router, which is registered if it is new (F-204).
    ///
    /// # Errors
    ///
    /// A failure of the database; also when there is no such user.
    pub fn create_deleted_snd_chunk_replica(
        &mut self,
        user_id: UserId,
        replica: &FileChunkReplica,
        chunk_digest: &FileDigest,
    ) -> TxResult<()> {
        let FileChunkReplica { server, replica_id, replica_key } = replica;
        let server_id = self.create_xftp_server(server)?;
        self.tx.execute(&CREATE, &[&user_id, &server_id, replica_id, replica_key, chunk_digest])?;
        Ok(())
    }

    /// The next replica to delete on this router (same hosts, port and fingerprint), if one is left that
    /// was noted at most `ttl` ago and isn't marked as failed (F-205): that with the fewest retries, of
    /// those the oldest (AS-89). One that can't be read is marked, so that it doesn't block the others
    /// (AS-34).
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] for a row that can't be read, [`StoreError::WorkItem`] when none could be
    /// looked for, or a bad one not be marked.
    pub fn get_next_deleted_snd_chunk_replica(
        &mut self,
        server: &XftpServer,
        ttl: Duration,
    ) -> TxResult<Option<DeletedSndChunkReplica>> {
        let limit = UtcTime::now().before(ttl);
        let XftpServer { hosts, port, key_hash, .. } = server;
        get_work_item(
            self,
            "deleted replica",
            |tx| {
                let column = "deleted_snd_chunk_replicas.deleted_snd_chunk_replica_id";
                Ok(tx
                    .tx
                    .query_opt(&NEXT, &[hosts, port, key_hash, &limit], |row| row.next(column))?)
            },
            |tx, id| tx.deleted_snd_chunk_replica(*id, server),
            |tx, id| {
                tx.tx.execute(&MARK_FAILED, &[id])?;
                Ok(())
            },
        )
    }

    fn deleted_snd_chunk_replica(
        &mut self,
        id: DeletedSndChunkReplicaId,
        server: &XftpServer,
    ) -> TxResult<DeletedSndChunkReplica> {
        let found = self.tx.query_opt(&LOAD, &[&id], |row| {
            Ok(DeletedSndChunkReplica {
                deleted_snd_chunk_replica_id: id,
                user_id: row.next("deleted_snd_chunk_replicas.user_id")?,
                server: server.clone(),
                replica_id: row.next("deleted_snd_chunk_replicas.replica_id")?,
                replica_key: row.next("deleted_snd_chunk_replicas.replica_key")?,
                chunk_digest: row.next("deleted_snd_chunk_replicas.chunk_digest")?,
                delay: row.next("deleted_snd_chunk_replicas.delay")?,
                retries: row.next("deleted_snd_chunk_replicas.retries")?,
            })
        })?;
        found.ok_or_else(|| StoreError::DeletedSndChunkReplicaNotFound.into())
    }

    /// Notes after how long a deletion is tried again, and that it was tried once more (F-206).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn update_deleted_snd_chunk_replica_delay(
        &mut self,
        replica_id: DeletedSndChunkReplicaId,
        delay: RetryDelay,
    ) -> TxResult<()> {
        self.tx.execute(&DELAY, &[&replica_id, &delay, &UtcTime::now()])?;
        Ok(())
    }

    /// Forgets a replica that was deleted on its router (F-207).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_deleted_snd_chunk_replica(
        &mut self,
        replica_id: DeletedSndChunkReplicaId,
    ) -> TxResult<()> {
        self.tx.execute(&DELETE, &[&replica_id])?;
        Ok(())
    }

    /// The routers with replicas to delete that were noted at most `ttl` ago, each once, in no order
    /// (F-208); also those whose replicas are all marked as failed (AS-35).
    ///
    /// # Errors
    ///
    /// A failure of the database; a row that can't be read.
    pub fn get_pending_del_files_servers(&mut self, ttl: Duration) -> TxResult<Vec<XftpServer>> {
        let limit = UtcTime::now().before(ttl);
        Ok(self.tx.query(&PENDING_SERVERS, &[&limit], xftp_server)?)
    }

    /// Forgets all replicas that were noted more than `ttl` ago, whether they were deleted or not (F-209).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_deleted_snd_chunk_replicas_expired(&mut self, ttl: Duration) -> TxResult<()> {
        let limit = UtcTime::now().before(ttl);
        self.tx.execute(&DELETE_EXPIRED, &[&limit])?;
        Ok(())
    }
}
