//! Asynchronous commands, and the text that they are kept as (section 3.10).

mod text;

use std::fmt;

use super::macros::column_enum;
use super::{
    AgentMsgId, AsyncCmdId, ConfirmationId, ConnId, ConnReq, ConnectionMode, CorrId, InternalId,
    LinkSetParams, MsgId, RecipientId, ShortLink, SubscriptionMode, UserId,
};
use crate::db::{Cell, FromCell, Unreadable};
use crate::encoding::{ParseResult, Parser};
use crate::protocol::{AuthKey, Blob};

column_enum! {
    /// The kind of a command, for diagnosis.
    AgentCommandTag as bytes, "a kind of command" {
        /// Make a connection.
        New = "CLIENT NEW",
        /// Set the data of a link.
        LSet = "CLIENT LSET",
        /// Get the data of a link.
        LGet = "CLIENT LGET",
        /// Join a connection.
        Join = "CLIENT JOIN",
        /// Accept a confirmation.
        Let = "CLIENT LET",
        /// Acknowledge a message.
        Ack = "CLIENT ACK",
        /// Change to another queue.
        Swch = "CLIENT SWCH",
        /// Delete a connection.
        Del = "CLIENT DEL",
        /// Acknowledge a message on its router.
        InternalAck = "INTERNAL ACK",
        /// The same, and delete it here.
        AckDel = "INTERNAL ACK_DEL",
        /// Secure a queue, and let the peer connect.
        AllowSecure = "INTERNAL ALLOW_SECURE",
        /// Secure the queue for the reply.
        DuplexSecure = "INTERNAL DUPLEX_SECURE",
        /// Delete a connection.
        DeleteConn = "INTERNAL DELETE_CONN",
        /// Delete a receive queue.
        DeleteRcvQueue = "INTERNAL DELETE_RCV_QUEUE",
        /// Secure a queue that replaces another.
        QSecure = "INTERNAL QSECURE",
        /// Delete a queue that was replaced.
        QDelete = "INTERNAL QDELETE",
    }
}

/// Which keys a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InitialKeys {
    /// `pq=invitation`: the invitation has some that hold against quantum computers.
    Invitation,
    /// `pq=enable`: the peer may propose such keys.
    Enable,
    /// `pq=disable`: no such keys.
    Disable,
}

/// A command that waits to be executed: a client's or one of the agent's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentCommand {
    /// A client's.
    Client(ClientCommand),
    /// One of the agent's own.
    Internal(InternalCommand),
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCommand {
    /// `NEW`: make a connection.
    New {
        /// Whether notifications are wanted.
        enable_ntfs: bool,
        /// What it is for.
        mode: ConnectionMode,
        /// Which keys it begins with.
        initial_keys: InitialKeys,
        /// Whether its queue is subscribed to.
        subscription: SubscriptionMode,
    },
    /// `LSET`: set the data of the connection's link.
    LSet(LinkSetParams),
    /// `LGET`: get the data of a link.
    LGet(ShortLink),
    /// `JOIN`: join a connection.
    Join {
        /// Whether notifications are wanted.
        enable_ntfs: bool,
        /// What the peer offers.
        conn_req: ConnReq,
        /// Whether keys are wanted that hold against quantum computers.
        pq_support: bool,
        /// Whether the queue for the reply is subscribed to.
        subscription: SubscriptionMode,
        /// What the peer is told.
        conn_info: Blob,
    },
    /// `LET`: accept a confirmation.
    Let {
        /// Which.
        confirmation_id: ConfirmationId,
        /// What the peer is told.
        conn_info: Blob,
    },
    /// `ACK`: acknowledge a message.
    Ack {
        /// Which.
        message_id: AgentMsgId,
        /// What its receipt says, when it has one.
        receipt_info: Option<Blob>,
    },
    /// `SWCH`: change to another queue.
    Swch,
    /// `DEL`: delete the connection.
    Del,
}

/// What the agent has to do itself. The id is always the recipient's of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InternalCommand {
    /// `ACK`: acknowledge a message on its router.
    Ack(RecipientId, MsgId),
    /// `ACK_DEL`: the same, and delete it here.
    AckDel(RecipientId, MsgId, InternalId),
    /// `ALLOW_SECURE`: secure a queue, when there is a key for it, and let the peer connect.
    AllowSecure(RecipientId, Option<AuthKey>),
    /// `DUPLEX_SECURE`: secure the queue for the reply.
    DuplexSecure(RecipientId, AuthKey),
    /// `DELETE_CONN`: delete the connection.
    DeleteConn,
    /// `DELETE_RCV_QUEUE`: delete a queue.
    DeleteRcvQueue(RecipientId),
    /// `QSECURE`: secure a queue that replaces another.
    QSecure(RecipientId, AuthKey),
    /// `QDELETE`: delete a queue that was replaced.
    QDelete(RecipientId),
}

/// A command that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCommand {
    /// Its number.
    pub cmd_id: AsyncCmdId,
    /// What the client calls it by.
    pub corr_id: CorrId,
    /// The user of its connection.
    pub user_id: UserId,
    /// Its connection.
    pub conn_id: ConnId,
    /// What is to be done.
    pub command: AgentCommand,
}

/// Why a command has no text: the id of its confirmation has a space in it, at which the reader would end
/// it. Ids that the store makes have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnwritableCommand;

impl fmt::Display for UnwritableCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a confirmation's id with a space in it has no place in a command")
    }
}

impl std::error::Error for UnwritableCommand {}

impl AgentCommand {
    /// Its kind.
    pub fn tag(&self) -> AgentCommandTag {
        use AgentCommandTag as Tag;
        match self {
            Self::Client(command) => match command {
                ClientCommand::New { .. } => Tag::New,
                ClientCommand::LSet(_) => Tag::LSet,
                ClientCommand::LGet(_) => Tag::LGet,
                ClientCommand::Join { .. } => Tag::Join,
                ClientCommand::Let { .. } => Tag::Let,
                ClientCommand::Ack { .. } => Tag::Ack,
                ClientCommand::Swch => Tag::Swch,
                ClientCommand::Del => Tag::Del,
            },
            Self::Internal(command) => match command {
                InternalCommand::Ack(..) => Tag::InternalAck,
                InternalCommand::AckDel(..) => Tag::AckDel,
                InternalCommand::AllowSecure(..) => Tag::AllowSecure,
                InternalCommand::DuplexSecure(..) => Tag::DuplexSecure,
                InternalCommand::DeleteConn => Tag::DeleteConn,
                InternalCommand::DeleteRcvQueue(_) => Tag::DeleteRcvQueue,
                InternalCommand::QSecure(..) => Tag::QSecure,
                InternalCommand::QDelete(_) => Tag::QDelete,
            },
        }
    }

    /// What the database keeps: the kind, then the parameters, with single spaces between them. Free bytes
    /// come last, after their length and a line feed.
    ///
    /// # Errors
    ///
    /// [`UnwritableCommand`], when it could not be read again.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnwritableCommand> {
        let mut out = self.tag().text().as_bytes().to_vec();
        match self {
            Self::Client(command) => text::write_client(command, &mut out)?,
            Self::Internal(command) => text::write_internal(command, &mut out),
        }
        Ok(out)
    }

    /// Reads what the database keeps; nothing may follow it. In commands of earlier versions, keys and
    /// subscribing may be missing: no keys against quantum computers, and subscribing.
    ///
    /// # Errors
    ///
    /// Where something else should stand.
    pub fn from_bytes(bytes: &[u8]) -> ParseResult<Self> {
        Parser::whole(bytes, text::parse)
    }
}

/// The column `command`.
impl FromCell<'_> for AgentCommand {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let bytes = <&[u8]>::from_cell(cell)?;
        Self::from_bytes(bytes).map_err(|error| Unreadable::new(format!("not a command: {error}")))
    }
}
