//! Running histories on a store.

use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::answer::Answer;
use super::history::{History, Mode, Transaction};
use super::op::Memory;
use super::tables;
use crate::agent_store::{AgentStore, AgentTx, StoreError, TxError, TxResult};
use crate::db::{DbError, DbErrorKind, Sql, Texts};

/// Runs a history on an empty store and gives what each operation answered, and then each transaction.
///
/// Numbers of rows are the same on both databases: before each operation, what a deletion or a rollback left
/// out is given again, as SQLite does and PostgreSQL's sequences don't.
///
/// `afterwards` is run after each operation: a statement that makes the store a broken one.
pub fn run(store: &AgentStore, history: &History, afterwards: Option<&Sql>) -> Vec<Vec<Answer>> {
    let mut runner = Runner {
        memory: Memory {
            rng: SmallRng::seed_from_u64(1),
            confirmations: Vec::new(),
            invitations: Vec::new(),
            rcv_files: Vec::new(),
            snd_files: Vec::new(),
        },
        afterwards,
    };
    history.0.iter().map(|transaction| runner.transaction(store, transaction)).collect()
}

/// Deletes all rows, for the next history.
///
/// # Errors
///
/// A failure of the database.
pub fn clear(store: &AgentStore) -> Result<(), StoreError> {
    store.transaction("clear", tables::clear)
}

struct Runner<'a> {
    memory: Memory,
    afterwards: Option<&'a Sql>,
}

impl Runner<'_> {
    fn transaction(&mut self, store: &AgentStore, transaction: &Transaction) -> Vec<Answer> {
        let mut answers = Vec::new();
        let ended = store.transaction("a history's transaction", |tx| {
            for op in &transaction.ops {
                give_numbers_again(tx)?;
                let mut one = |tx: &mut AgentTx<'_>| op.run(tx, &mut self.memory);
                let result = match transaction.mode {
                    Mode::Apart => tx.savepoint(one),
                    Mode::Together | Mode::TakenBack => one(tx),
                };
                let failed = match &result {
                    Err(TxError::Database(error)) if transaction.mode != Mode::Apart => {
                        Some(error.clone())
                    }
                    _ => None,
                };
                answers.push(Answer::from(result));
                if let Some(error) = failed {
                    return Err(error.into());
                }
                if let Some(sql) = self.afterwards {
                    tx.statements().execute(sql, &[])?;
                }
            }
            match transaction.mode {
                Mode::TakenBack => Err(taken_back().into()),
                Mode::Together | Mode::Apart => Ok(()),
            }
        });
        answers.push(Answer::from(ended.map(super::op::boxed).map_err(TxError::Store)));
        answers
    }
}

fn taken_back() -> DbError {
    DbError::new("a history's transaction", DbErrorKind::Other, "it is to be taken back")
}

fn give_numbers_again(tx: &mut AgentTx<'_>) -> TxResult<()> {
    Ok(tx.statements().query_each(&NUMBERS, &[], |_| Ok(()))?)
}

macro_rules! sequences {
    ($first:ident . $first_id:ident $(, $table:ident . $id:ident)*) => {
        concat!(
            "SELECT ", sequences!(@ $first $first_id), $(", ", sequences!(@ $table $id),)* ""
        )
    };
    (@ $table:ident $id:ident) => {
        concat!(
            "setval(pg_get_serial_sequence('", stringify!($table), "', '", stringify!($id),
            "'), (SELECT coalesce(max(", stringify!($id), "), 0) + 1 FROM ", stringify!($table),
            "), false)"
        )
    };
}

const NUMBERS: Sql = Sql::differing(
    "give numbers again",
    Texts {
        // The only table whose numbers SQLite never gives twice.
        sqlite: "UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(user_id), 0) FROM users)
            WHERE name = 'users'",
        postgres: sequences!(
            users.user_id,
            xftp_servers.xftp_server_id,
            inv_short_links.inv_short_link_id,
            snd_message_bodies.snd_message_body_id,
            encrypted_rcv_message_hashes.encrypted_rcv_message_hash_id,
            snd_message_deliveries.snd_message_delivery_id,
            skipped_messages.skipped_message_id,
            processed_ratchet_key_hashes.processed_ratchet_key_hash_id,
            commands.command_id,
            client_notices.client_notice_id,
            ntf_tokens_to_delete.ntf_token_to_delete_id,
            rcv_files.rcv_file_id,
            rcv_file_chunks.rcv_file_chunk_id,
            rcv_file_chunk_replicas.rcv_file_chunk_replica_id,
            snd_files.snd_file_id,
            snd_file_chunks.snd_file_chunk_id,
            snd_file_chunk_replicas.snd_file_chunk_replica_id,
            snd_file_chunk_replica_recipients.snd_file_chunk_replica_recipient_id,
            deleted_snd_chunk_replicas.deleted_snd_chunk_replica_id
        ),
    },
);
