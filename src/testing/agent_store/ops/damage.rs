//! Not operations of the store: rows of each kind of work that can't be read any more, so that workers
//! meet them (AS-34), and two of what isn't work.

use crate::agent_store::types::*;
use crate::agent_store::{AgentTx, TxResult};
use crate::db::{Params, Sql};
use crate::testing::agent_store::op::operations;

fn damage(tx: &mut AgentTx<'_>, text: &'static str, params: Params<'_>) -> TxResult<u64> {
    Ok(tx.statements().execute(&Sql::new("damage a row", text), params)?)
}

/// What is no key and no document.
const NOTHING: &[u8] = &[0];

operations! { DamageOp, |tx, memory| {
    DamageCommand * 1 { id: AsyncCmdId } =>
        damage(tx, "UPDATE commands SET command = $2 WHERE command_id = $1", &[id, &NOTHING]);
    DamageMessage * 1 { conn: ConnId, id: InternalId } => damage(
        tx, "UPDATE messages SET msg_type = $3 WHERE conn_id = $1 AND internal_id = $2",
        &[conn, id, &NOTHING]
    );
    DamagePrepared * 1 { conn: ConnId } => damage(
        tx, "UPDATE snd_messages SET padded_msg_len = NULL WHERE conn_id = $1", &[conn]
    );
    DamageRcvFile * 1 { file: DbRcvFileId } =>
        damage(tx, "UPDATE rcv_files SET key = $2 WHERE rcv_file_id = $1", &[file, &NOTHING]);
    DamageRcvReplica * 1 { replica: RcvChunkReplicaId } => damage(
        tx, "UPDATE rcv_file_chunk_replicas SET replica_key = $2 WHERE rcv_file_chunk_replica_id = $1",
        &[replica, &NOTHING]
    );
    DamageSndFile * 1 { file: DbSndFileId } =>
        damage(tx, "UPDATE snd_files SET key = $2 WHERE snd_file_id = $1", &[file, &NOTHING]);
    DamageSndReplica * 1 { replica: SndChunkReplicaId } => damage(
        tx, "UPDATE snd_file_chunk_replicas SET replica_key = $2 WHERE snd_file_chunk_replica_id = $1",
        &[replica, &NOTHING]
    );
    DamageDeletedReplica * 1 { id: DeletedSndChunkReplicaId } => damage(
        tx,
        "UPDATE deleted_snd_chunk_replicas SET replica_key = $2 WHERE deleted_snd_chunk_replica_id = $1",
        &[id, &NOTHING]
    );
    DamageTokenToDelete * 1 { id: NtfTokenToDeleteId } => damage(
        tx, "UPDATE ntf_tokens_to_delete SET tkn_priv_key = $2 WHERE ntf_token_to_delete_id = $1",
        &[id, &NOTHING]
    );
    DamageNtfSubscription * 1 { conn: ConnId } => damage(
        tx, "UPDATE ntf_subscriptions SET ntf_sub_status = 'odd' WHERE conn_id = $1", &[conn]
    );
    DamageRatchet * 1 { conn: ConnId } =>
        damage(tx, "UPDATE ratchets SET ratchet_state = $2 WHERE conn_id = $1", &[conn, &NOTHING]);
    DamageConnection * 1 { conn: ConnId } => damage(
        tx, "UPDATE connections SET ratchet_sync_state = 'odd' WHERE conn_id = $1", &[conn]
    );
} }
