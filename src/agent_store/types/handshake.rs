//! What is kept while two agents connect (section 3.7): confirmations, connection requests, and the state of
//! joining through a short link.

use super::{
    ConfirmationId, ConnId, ConnReq, InvitationId, LinkId, LinkKey, Ratchet, ReplyQueues, SenderId,
    SmpClientVersion, SmpServer, X25519PublicKey,
};
use crate::protocol::ntf::AuthPrivateKey;
use crate::protocol::{AuthKey, Blob};

/// What the sender of a confirmation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmpConfirmation {
    /// What its messages are authorized with; none when the sender has secured the queue itself.
    pub sender_key: Option<AuthKey>,
    /// Its half of the key agreement of the queue.
    pub e2e_pub_key: X25519PublicKey,
    /// What it says of itself to the application.
    pub conn_info: Blob,
    /// The queues that it offers for the reply.
    pub smp_reply_queues: ReplyQueues,
    /// The version of the protocol between clients that it uses.
    pub smp_client_version: SmpClientVersion,
}

/// A confirmation that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConfirmation {
    /// The connection that it came through.
    pub conn_id: ConnId,
    /// What its sender says.
    pub sender_conf: SmpConfirmation,
    /// The ratchet that begins with it.
    pub ratchet_state: Ratchet,
}

/// A confirmation that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedConfirmation {
    /// Its id.
    pub confirmation_id: ConfirmationId,
    /// The connection that it came through.
    pub conn_id: ConnId,
    /// What its sender says.
    pub sender_conf: SmpConfirmation,
    /// The ratchet that begins with it.
    pub ratchet_state: Ratchet,
    /// What the sender is told.
    pub own_conn_info: Blob,
}

/// A connection request that came through an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInvitation {
    /// The address's connection.
    pub contact_conn_id: ConnId,
    /// The request.
    pub conn_req: ConnReq,
    /// What its sender says of itself to the application.
    pub recipient_conn_info: Blob,
}

/// A connection request, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// The address's connection; none when that was deleted since (AS-28).
    pub contact_conn_id: Option<ConnId>,
    /// The request.
    pub conn_req: ConnReq,
    /// What its sender says of itself to the application.
    pub recipient_conn_info: Blob,
    /// What the sender is told, once it is accepted.
    pub own_conn_info: Option<Blob>,
    /// Whether it is accepted.
    pub accepted: bool,
}

/// The state of joining through a short link that is good for one peer. Reading such a link marks it as read
/// on its router, so a retry has to use the same keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvShortLink {
    /// The router it is on.
    pub server: SmpServer,
    /// The id that the link carries.
    pub link_id: LinkId,
    /// What the link's data is encrypted with.
    pub link_key: LinkKey,
    /// What this side's messages will be authorized with; the same again in a retry.
    pub snd_private_key: AuthPrivateKey,
    /// The queue's id for the sender, known after the link was read.
    pub snd_id: Option<SenderId>,
}
