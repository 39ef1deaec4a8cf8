//! Ratchets and the keys that they begin with (section 4.8).

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{
    ConnId, E2eVersion, HeaderKey, MessageKey, Ratchet, SkippedMsgDiff, SkippedMsgKeys,
    SndE2eParams, X3dhKeys,
};
use crate::db::{Row, Sql};

const CREATE_KEYS: Sql = Sql::new(
    "keep keys of a key agreement",
    "INSERT INTO ratchets (conn_id, x3dh_priv_key_1, x3dh_priv_key_2, pq_priv_kem)
     VALUES ($1, $2, $3, $4)",
);
const KEYS: Sql = Sql::new(
    "look for keys of a key agreement",
    "SELECT x3dh_priv_key_1, x3dh_priv_key_2, pq_priv_kem FROM ratchets WHERE conn_id = $1",
);
const SET_KEYS: Sql = Sql::new(
    "replace keys of a key agreement",
    "UPDATE ratchets SET x3dh_priv_key_1 = $1, x3dh_priv_key_2 = $2, pq_priv_kem = $3
      WHERE conn_id = $4",
);
const CREATE_SND: Sql = Sql::new(
    "keep the joining side's ratchet",
    "INSERT INTO ratchets (conn_id, ratchet_state, x3dh_pub_key_1, x3dh_pub_key_2, pq_pub_kem)
     VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (conn_id) DO UPDATE SET
         ratchet_state = excluded.ratchet_state,
         x3dh_priv_key_1 = NULL,
         x3dh_priv_key_2 = NULL,
         x3dh_pub_key_1 = excluded.x3dh_pub_key_1,
         x3dh_pub_key_2 = excluded.x3dh_pub_key_2,
         pq_priv_kem = NULL,
         pq_pub_kem = excluded.pq_pub_kem",
);
const SND: Sql = Sql::new(
    "look for the joining side's ratchet",
    "SELECT ratchet_state, x3dh_pub_key_1, x3dh_pub_key_2, pq_pub_kem FROM ratchets
      WHERE conn_id = $1",
);
const CREATE: Sql = Sql::new(
    "keep a ratchet",
    "INSERT INTO ratchets (conn_id, ratchet_state) VALUES ($1, $2)
       ON CONFLICT (conn_id) DO UPDATE SET
         ratchet_state = excluded.ratchet_state,
         x3dh_priv_key_1 = NULL,
         x3dh_priv_key_2 = NULL,
         x3dh_pub_key_1 = NULL,
         x3dh_pub_key_2 = NULL,
         pq_priv_kem = NULL,
         pq_pub_kem = NULL",
);
const DELETE: Sql = Sql::new("delete a ratchet", "DELETE FROM ratchets WHERE conn_id = $1");
const STATE: Sql =
    Sql::new("look for a ratchet", "SELECT ratchet_state FROM ratchets WHERE conn_id = $1");
const STATE_FOR_UPDATE: Sql = STATE.locking("FOR UPDATE");
const SET_STATE: Sql =
    Sql::new("change a ratchet", "UPDATE ratchets SET ratchet_state = $1 WHERE conn_id = $2");
const SKIPPED: Sql = Sql::new(
    "list keys of skipped messages",
    "SELECT header_key, msg_n, msg_key FROM skipped_messages WHERE conn_id = $1",
);
const DELETE_SKIPPED: Sql = Sql::new(
    "delete the key of a skipped message",
    "DELETE FROM skipped_messages WHERE conn_id = $1 AND header_key = $2 AND msg_n = $3",
);
const CREATE_SKIPPED: Sql = Sql::new(
    "keep the key of a skipped message",
    "INSERT INTO skipped_messages (conn_id, header_key, msg_n, msg_key) VALUES ($1, $2, $3, $4)",
);

impl AgentTx<'_> {
    /// Keeps the offering side's keys for agreeing on a ratchet (F-115).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when the connection has a ratchet or such keys already.
    pub fn create_ratchet_x3dh_keys(&mut self, conn_id: &ConnId, keys: &X3dhKeys) -> TxResult<()> {
        let X3dhKeys { key_1, key_2, kem } = keys;
        self.tx.execute(&CREATE_KEYS, &[conn_id, key_1, key_2, kem])?;
        Ok(())
    }

    /// The offering side's keys (F-116).
    ///
    /// # Errors
    ///
    /// [`StoreError::X3dhKeysNotFound`] when one of the two keys isn't there.
    pub fn get_ratchet_x3dh_keys(&mut self, conn_id: &ConnId) -> TxResult<X3dhKeys> {
        let found = self.tx.query_opt(&KEYS, &[conn_id], |row| {
            let key_1: Option<_> = row.next("ratchets.x3dh_priv_key_1")?;
            let key_2: Option<_> = row.next("ratchets.x3dh_priv_key_2")?;
            let kem = row.next("ratchets.pq_priv_kem")?;
            Ok(key_1.zip(key_2).map(|(key_1, key_2)| X3dhKeys { key_1, key_2, kem }))
        })?;
        Ok(found.flatten().ok_or(StoreError::X3dhKeysNotFound)?)
    }

    /// Replaces the offering side's keys and keeps the ratchet, for synchronising it again (F-117). A
    /// connection without a ratchet and without keys stays so.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn set_ratchet_x3dh_keys(&mut self, conn_id: &ConnId, keys: &X3dhKeys) -> TxResult<()> {
        let X3dhKeys { key_1, key_2, kem } = keys;
        self.tx.execute(&SET_KEYS, &[key_1, key_2, kem, conn_id])?;
        Ok(())
    }

    /// Keeps the joining side's ratchet and what that side sends, for sending it again (F-118); it replaces
    /// whatever ratchet and keys there were. The parameters' version isn't kept, and keys of messages that
    /// an earlier ratchet skipped stay (AS-74).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when there is no such connection.
    pub fn create_snd_ratchet(
        &mut self,
        conn_id: &ConnId,
        ratchet: &Ratchet,
        params: &SndE2eParams,
    ) -> TxResult<()> {
        let SndE2eParams { key_1, key_2, kem, .. } = params;
        self.tx.execute(&CREATE_SND, &[conn_id, ratchet, key_1, key_2, kem])?;
        Ok(())
    }

    /// The joining side's ratchet and what that side sends; the version is the caller's (F-119, AS-73).
    ///
    /// # Errors
    ///
    /// [`StoreError::X3dhKeysNotFound`] when the ratchet or one of the two keys isn't there.
    pub fn get_snd_ratchet(
        &mut self,
        conn_id: &ConnId,
        version: E2eVersion,
    ) -> TxResult<(Ratchet, SndE2eParams)> {
        let found = self.tx.query_opt(&SND, &[conn_id], |row| {
            let state: Option<Ratchet> = row.next("ratchets.ratchet_state")?;
            let key_1: Option<_> = row.next("ratchets.x3dh_pub_key_1")?;
            let key_2: Option<_> = row.next("ratchets.x3dh_pub_key_2")?;
            let kem = row.next("ratchets.pq_pub_kem")?;
            let params = |(key_1, key_2)| SndE2eParams { version, key_1, key_2, kem };
            Ok(state.zip(key_1.zip(key_2).map(params)))
        })?;
        Ok(found.flatten().ok_or(StoreError::X3dhKeysNotFound)?)
    }

    /// Keeps a ratchet; it replaces whatever ratchet and keys there were (F-120). Keys of messages that an
    /// earlier ratchet skipped stay: who wants them gone deletes that one first (AS-74).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when there is no such connection.
    pub fn create_ratchet(&mut self, conn_id: &ConnId, ratchet: &Ratchet) -> TxResult<()> {
        self.tx.execute(&CREATE, &[conn_id, ratchet])?;
        Ok(())
    }

    /// Deletes a connection's ratchet, its keys and those of skipped messages (F-121).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_ratchet(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[conn_id])?;
        Ok(())
    }

    /// A connection's ratchet (F-122).
    ///
    /// # Errors
    ///
    /// [`StoreError::RatchetNotFound`] when there is none, or only keys.
    pub fn get_ratchet(&mut self, conn_id: &ConnId) -> TxResult<Ratchet> {
        self.ratchet(&STATE, conn_id)
    }

    /// The same for a step that changes it: others who want to do so wait until this transaction ends
    /// (F-123, AS-10).
    ///
    /// # Errors
    ///
    /// As [`get_ratchet`](Self::get_ratchet).
    pub fn get_ratchet_for_update(&mut self, conn_id: &ConnId) -> TxResult<Ratchet> {
        self.ratchet(&STATE_FOR_UPDATE, conn_id)
    }

    fn ratchet(&mut self, sql: &Sql, conn_id: &ConnId) -> TxResult<Ratchet> {
        let found: Option<Option<Ratchet>> =
            self.tx.query_opt(sql, &[conn_id], |row| row.next("ratchets.ratchet_state"))?;
        Ok(found.flatten().ok_or(StoreError::RatchetNotFound)?)
    }

    /// The keys of all messages that a connection's ratchet skipped (F-124).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn get_skipped_msg_keys(&mut self, conn_id: &ConnId) -> TxResult<SkippedMsgKeys> {
        let mut keys = SkippedMsgKeys::new();
        self.tx.query_each(&SKIPPED, &[conn_id], |row| {
            let (header_key, number, key) = skipped(row)?;
            keys.entry(header_key).or_default().insert(number, key);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Changes a connection's ratchet, and the keys of skipped messages by what its step changed in them
    /// (F-125).
    ///
    /// # Errors
    ///
    /// A failure of the database, also when keys are to be added and there is no ratchet.
    pub fn update_ratchet(
        &mut self,
        conn_id: &ConnId,
        ratchet: &Ratchet,
        skipped: &SkippedMsgDiff,
    ) -> TxResult<()> {
        self.tx.execute(&SET_STATE, &[ratchet, conn_id])?;
        match skipped {
            SkippedMsgDiff::NoChange => {}
            SkippedMsgDiff::Remove(header_key, number) => {
                self.tx.execute(&DELETE_SKIPPED, &[conn_id, header_key, number])?;
            }
            SkippedMsgDiff::Add(keys) => self.add_skipped_msg_keys(conn_id, keys)?,
        }
        Ok(())
    }

    fn add_skipped_msg_keys(&mut self, conn_id: &ConnId, keys: &SkippedMsgKeys) -> TxResult<()> {
        for (header_key, of_header) in keys {
            for (number, key) in of_header {
                self.tx.execute(&CREATE_SKIPPED, &[conn_id, header_key, number, key])?;
            }
        }
        Ok(())
    }
}

fn skipped(row: &mut Row<'_>) -> Result<(HeaderKey, u32, MessageKey), crate::db::DbError> {
    let header_key = row.next("skipped_messages.header_key")?;
    let number = row.next("skipped_messages.msg_n")?;
    Ok((header_key, number, row.next("skipped_messages.msg_key")?))
}
