//! Connection requests that came through an address (section 4.6).

use rand::Rng;

use super::error::{StoreError, TxResult};
use super::store::AgentTx;
use super::types::{Invitation, InvitationId, NewInvitation};
use crate::db::{Sql, ToParam};
use crate::protocol::Blob;

const CREATE: Sql = Sql::new(
    "keep a connection request",
    "INSERT INTO conn_invitations
       (invitation_id, contact_conn_id, cr_invitation, recipient_conn_info, accepted)
     VALUES ($1, $2, $3, $4, 0)
     RETURNING invitation_id",
);
const NOT_ACCEPTED: Sql = Sql::new(
    "look for a connection request",
    "SELECT contact_conn_id, cr_invitation, recipient_conn_info, own_conn_info, accepted
       FROM conn_invitations WHERE invitation_id = $1 AND accepted = 0",
);
const ACCEPT: Sql = Sql::new(
    "accept a connection request",
    "UPDATE conn_invitations SET accepted = 1, own_conn_info = $1 WHERE invitation_id = $2",
);
const UNACCEPT: Sql = Sql::new(
    "take back the acceptance of a connection request",
    "UPDATE conn_invitations SET accepted = 0, own_conn_info = NULL WHERE invitation_id = $1",
);
const DELETE: Sql = Sql::new(
    "delete a connection request",
    "DELETE FROM conn_invitations WHERE invitation_id = $1",
);

impl AgentTx<'_> {
    /// Keeps a connection request that came, under a random id (F-076). It outlives the address (AS-28).
    ///
    /// # Errors
    ///
    /// [`StoreError::UniqueId`], also when there is no such connection (AS-40);
    /// [`StoreError::Internal`] for any other failure of the database.
    pub fn create_invitation(
        &mut self,
        rng: &mut impl Rng,
        invitation: &NewInvitation,
    ) -> TxResult<InvitationId> {
        let NewInvitation { contact_conn_id, conn_req, recipient_conn_info } = invitation;
        self.with_random_id(rng, |tx, id| {
            let row: [&dyn ToParam; 4] = [&id, contact_conn_id, conn_req, recipient_conn_info];
            let column = "conn_invitations.invitation_id";
            Ok(tx.tx.query_one(&CREATE, &row, |row| row.next(column))?)
        })
    }

    /// A connection request that isn't accepted (F-077, AS-59). `context` says for whom, in the error.
    ///
    /// # Errors
    ///
    /// [`StoreError::InvitationNotFound`] with the context and the id, also for one that is accepted.
    pub fn get_invitation(
        &mut self,
        context: &str,
        invitation_id: &InvitationId,
    ) -> TxResult<Invitation> {
        let found = self.tx.query_opt(&NOT_ACCEPTED, &[invitation_id], |row| {
            Ok(Invitation {
                invitation_id: invitation_id.clone(),
                contact_conn_id: row.next("conn_invitations.contact_conn_id")?,
                conn_req: row.next("conn_invitations.cr_invitation")?,
                recipient_conn_info: row.next("conn_invitations.recipient_conn_info")?,
                own_conn_info: row.next("conn_invitations.own_conn_info")?,
                accepted: row.next("conn_invitations.accepted")?,
            })
        })?;
        let missing = || StoreError::InvitationNotFound {
            context: context.to_owned(),
            invitation_id: invitation_id.clone(),
        };
        Ok(found.ok_or_else(missing)?)
    }

    /// Accepts a connection request and keeps what its sender is told (F-078). One that isn't there is passed
    /// over.
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn accept_invitation(
        &mut self,
        invitation_id: &InvitationId,
        own_conn_info: &Blob,
    ) -> TxResult<()> {
        self.tx.execute(&ACCEPT, &[own_conn_info, invitation_id])?;
        Ok(())
    }

    /// Takes the acceptance of a connection request back, so that it can be accepted again (F-079).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn unaccept_invitation(&mut self, invitation_id: &InvitationId) -> TxResult<()> {
        self.tx.execute(&UNACCEPT, &[invitation_id])?;
        Ok(())
    }

    /// Deletes a connection request (F-080).
    ///
    /// # Errors
    ///
    /// A failure of the database.
    pub fn delete_invitation(&mut self, invitation_id: &InvitationId) -> TxResult<()> {
        self.tx.execute(&DELETE, &[invitation_id])?;
        Ok(())
    }
}
