//! Not operations of the store: what was made is made long ago, each row at a time of its own, so that what
//! expires does, and what is oldest first has an order, without waiting.

use crate::agent_store::{AgentTx, TxResult};
use crate::db::{Sql, ToParam};
use crate::testing::agent_store::op::operations;
use crate::testing::agent_store::sample;
use crate::testing::agent_store::tables::Column;

/// The rows of a table in the order of their numbers, and the time of one.
struct Aged {
    ids: Sql,
    id: &'static str,
    set: Sql,
}

macro_rules! aged {
    ($table:literal, $id:literal, $column:literal) => {
        Aged {
            ids: Sql::new(
                concat!("number the rows of ", $table),
                concat!(
                    "SELECT ",
                    $id,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $column,
                    " IS NOT NULL ORDER BY ",
                    $id
                ),
            ),
            id: concat!($table, ".", $id),
            set: Sql::new(
                concat!("age a row of ", $table),
                concat!("UPDATE ", $table, " SET ", $column, " = $2 WHERE ", $id, " = $1"),
            ),
        }
    };
}

fn age(tx: &mut AgentTx<'_>, aged: &Aged) -> TxResult<usize> {
    let ids: Vec<Column> = tx.statements().query(&aged.ids, &[], |row| row.next(aged.id))?;
    for (second, id) in (0..u8::MAX).zip(&ids) {
        let (integer, bytes);
        let id: &dyn ToParam = match id {
            Column::Int(number) => {
                integer = *number;
                &integer
            }
            Column::Blob(id) => {
                bytes = id.clone();
                &bytes
            }
            _ => continue,
        };
        tx.statements().execute(&aged.set, &[id, &sample::time(second)])?;
    }
    Ok(ids.len())
}

operations! { ClockOp, |tx, memory| {
    AgeRatchetKeyHashes * 1 {} => age(
        tx, &aged!("processed_ratchet_key_hashes", "processed_ratchet_key_hash_id", "created_at")
    );
    AgeRcvMsgHashes * 1 {} => age(
        tx, &aged!("encrypted_rcv_message_hashes", "encrypted_rcv_message_hash_id", "created_at")
    );
    AgeRcvFiles * 1 {} => age(tx, &aged!("rcv_files", "rcv_file_id", "created_at"));
    AgeSndFiles * 1 {} => age(tx, &aged!("snd_files", "snd_file_id", "created_at"));
    AgeDeletedReplicas * 1 {} => age(
        tx, &aged!("deleted_snd_chunk_replicas", "deleted_snd_chunk_replica_id", "created_at")
    );
    AgeNtfTokens * 1 {} => age(
        tx, &aged!("ntf_tokens_to_delete", "ntf_token_to_delete_id", "created_at")
    );
    AgeCommands * 1 {} => age(tx, &aged!("commands", "command_id", "created_at"));
    AgeNtfActions * 1 {} => age(tx, &aged!("ntf_subscriptions", "conn_id", "ntf_sub_action_ts"));
    AgeWaitingConns * 1 {} => age(tx, &aged!("connections", "conn_id", "deleted_at_wait_delivery"));
} }
