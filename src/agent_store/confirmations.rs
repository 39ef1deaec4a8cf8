//! Confirmations of handshakes that wait to be accepted (section 4.5).

use rand::Rng;

use super::error::{StoreError, TxResult};
use super::queues::rows::FIRST_CLIENT_VERSION;
use super::store::AgentTx;
use super::types::{
    AcceptedConfirmation, ConfirmationId, ConnId, NewConfirmation, SmpConfirmation,
};
use crate::db::{DbError, Row, Sql, ToParam};
use crate::protocol::Blob;

const CREATE: Sql = Sql::new(
    "keep a confirmation",
    "INSERT INTO conn_confirmations
       (confirmation_id, conn_id, sender_key, e2e_snd_pub_key, ratchet_state, sender_conn_info,
        smp_reply_queues, smp_client_version, accepted)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)
     RETURNING confirmation_id",
);
const ACCEPT: Sql = Sql::new(
    "accept a confirmation",
    "UPDATE conn_confirmations SET accepted = 1, own_conn_info = $1 WHERE confirmation_id = $2
     RETURNING confirmation_id, conn_id, sender_key, e2e_snd_pub_key, ratchet_state,
       sender_conn_info, smp_reply_queues, smp_client_version, own_conn_info",
);
const ACCEPTED: Sql = Sql::new(
    "look for an accepted confirmation",
    "SELECT confirmation_id, conn_id, sender_key, e2e_snd_pub_key, ratchet_state,
       sender_conn_info, smp_reply_queues, smp_client_version, own_conn_info
       FROM conn_confirmations WHERE conn_id = $1 AND accepted = 1 LIMIT 1",
);
const REMOVE: Sql =
    Sql::new("remove confirmations", "DELETE FROM conn_confirmations WHERE conn_id = $1");

impl AgentTx<'_> {
    /// Keeps a confirmation that came, under a random id (F-072).
    ///
    /// # Errors
    ///
    /// [`StoreError::UniqueId`], also when there is no such connection (AS-40);
    /// [`StoreError::Internal`] for any other failure of the database.
    pub fn create_confirmation(
        &mut self,
        rng: &mut impl Rng,
        confirmation: &NewConfirmation,
    ) -> TxResult<ConfirmationId> {
        let NewConfirmation { conn_id, sender_conf, ratchet_state } = confirmation;
        let SmpConfirmation {
            sender_key,
            e2e_pub_key,
            conn_info,
            smp_reply_queues,
            smp_client_version,
        } = sender_conf;
        self.with_random_id(rng, |tx, id| {
            let column = "conn_confirmations.confirmation_id";
            let row: [&dyn ToParam; 8] = [
                &id,
                conn_id,
                sender_key,
                e2e_pub_key,
                ratchet_state,
                conn_info,
                smp_reply_queues,
                smp_client_version,
            ];
            Ok(tx.tx.query_one(&CREATE, &row, |row| row.next(column))?)
        })
    }

    /// Accepts a confirmation and keeps what its sender is told (F-073).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConfirmationNotFound`] when there is none with this id.
    pub fn accept_confirmation(
        &mut self,
        confirmation_id: &ConfirmationId,
        own_conn_info: &Blob,
    ) -> TxResult<AcceptedConfirmation> {
        let found = self.tx.query_opt(&ACCEPT, &[own_conn_info, confirmation_id], accepted)?;
        Ok(found.ok_or(StoreError::ConfirmationNotFound)?)
    }

    /// A connection's confirmation that was accepted (F-074).
    ///
    /// # Errors
    ///
    /// [`StoreError::ConfirmationNotFound`] when none was.
    pub fn get_accepted_confirmation(
        &mut self,
        conn_id: &ConnId,
    ) -> TxResult<AcceptedConfirmation> {
        let found = self.tx.query_opt(&ACCEPTED, &[conn_id], accepted)?;
        Ok(found.ok_or(StoreError::ConfirmationNotFound)?)
    }

    /// Removes all confirmations of a connection (F-075).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn remove_confirmations(&mut self, conn_id: &ConnId) -> TxResult<()> {
        self.tx.execute(&REMOVE, &[conn_id])?;
        Ok(())
    }
}

fn accepted(row: &mut Row<'_>) -> Result<AcceptedConfirmation, DbError> {
    let confirmation_id = row.next("conn_confirmations.confirmation_id")?;
    let conn_id = row.next("conn_confirmations.conn_id")?;
    let sender_key = row.next("conn_confirmations.sender_key")?;
    let e2e_pub_key = row.next("conn_confirmations.e2e_snd_pub_key")?;
    let ratchet_state = row.next("conn_confirmations.ratchet_state")?;
    let sender_conf = SmpConfirmation {
        sender_key,
        e2e_pub_key,
        conn_info: row.next("conn_confirmations.sender_conn_info")?,
        smp_reply_queues: row.next("conn_confirmations.smp_reply_queues")?,
        smp_client_version: row
            .next::<Option<_>>("conn_confirmations.smp_client_version")?
            .unwrap_or(FIRST_CLIENT_VERSION),
    };
    let own_conn_info = row.next("conn_confirmations.own_conn_info")?;
    Ok(AcceptedConfirmation { confirmation_id, conn_id, sender_conf, ratchet_state, own_conn_info })
}
