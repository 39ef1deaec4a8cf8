//! Bodies that messages share, and what becomes of them when nothing refers to them (AS-69, AS-71, Q-6).

use crate::agent_store::error::TxResult;
use crate::agent_store::store::AgentTx;
use crate::agent_store::types::SndMsgBodyId;
use crate::db::{Dialect, Param, Sql, Texts};

/// Those who take back the last references at once must see each other's: they take turns (AS-10).
const LOCK: Sql = Sql::new(
    "lock a message body",
    "SELECT snd_message_body_id FROM snd_message_bodies WHERE snd_message_body_id = $1",
)
.locking("FOR UPDATE");
const DELETE_UNUSED: Sql = Sql::new(
    "delete a message body that nothing refers to",
    "DELETE FROM snd_message_bodies
      WHERE snd_message_body_id = $1
        AND NOT EXISTS (SELECT 1 FROM snd_messages s WHERE s.snd_message_body_id = $1)",
);
/// What a transaction that hasn't ended refers to is locked by it, and passed over.
const LOCK_ALL_UNUSED: Sql = Sql::new(
    "look for message bodies that nothing refers to",
    "SELECT b.snd_message_body_id FROM snd_message_bodies b
      WHERE NOT EXISTS (SELECT 1 FROM snd_messages s WHERE s.snd_message_body_id = b.snd_message_body_id)
      ORDER BY b.snd_message_body_id LIMIT $1",
)
.locking("FOR UPDATE SKIP LOCKED");
const DELETE_ALL_UNUSED: Sql = Sql::differing(
    "delete message bodies that nothing refers to",
    Texts {
        sqlite: "DELETE FROM snd_message_bodies WHERE snd_message_body_id = $1",
        postgres: "DELETE FROM snd_message_bodies b WHERE b.snd_message_body_id = ANY ($1)
            AND NOT EXISTS (SELECT 1 FROM snd_messages s WHERE s.snd_message_body_id = b.snd_message_body_id)",
    },
);

impl AgentTx<'_> {
    /// Deletes bodies that no message refers to, the oldest first and at most `limit` of them, and says how
    /// many those were. Such are left by the deletion of connections and users, by the reference, and by a
    /// sender that stopped between storing a body and its messages.
    ///
    /// A body is also unused between the transaction that makes it and the one that stores its first message,
    /// where these are two: then this may be called only while nothing is being sent, as when a program starts.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_unused_snd_msg_bodies(&mut self, limit: u32) -> TxResult<u64> {
        let column = "snd_message_bodies.snd_message_body_id";
        let unused: Vec<i64> =
            self.tx.query(&LOCK_ALL_UNUSED, &[&limit], |row| row.next(column))?;
        if self.tx.dialect() == Dialect::Postgres {
            return Ok(self.tx.execute(&DELETE_ALL_UNUSED, &[&Param::Ints(unused)])?);
        }
        let mut deleted = 0;
        for id in unused {
            deleted += self.tx.execute(&DELETE_ALL_UNUSED, &[&id])?;
        }
        Ok(deleted)
    }

    /// Deletes a body when no message refers to it any more.
    pub(super) fn release_snd_msg_body(&mut self, id: SndMsgBodyId) -> TxResult<()> {
        if self.tx.dialect() == Dialect::Postgres && !self.tx.exists(&LOCK, &[&id])? {
            return Ok(());
        }
        self.tx.execute(&DELETE_UNUSED, &[&id])?;
        Ok(())
    }
}
