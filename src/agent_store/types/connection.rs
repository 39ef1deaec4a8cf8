//! Connections, and the statuses of queues (sections 3.3 to 3.6).

use super::macros::{column_enum, version};
use super::{ConnId, ExternalSndId, Queues, RcvQueue, RcvQueueSub, SndQueue, UserId};

version! {
    /// The version of the protocol between agents.
    AgentVersion
}
version! {
    /// The version of the protocol between clients of a router.
    SmpClientVersion
}

column_enum! {
    /// What a connection is for.
    ConnectionMode as text, "a connection's mode" {
        /// One peer.
        Invitation = "INV",
        /// An address that many may write to.
        Contact = "CON",
    }
}

/// The kind of a connection: which queues it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnType {
    /// No queues yet.
    New,
    /// One receive queue: this side offered, and doesn't know the peer's queue yet.
    Rcv,
    /// One send queue: this side joined, and has no queue of its own yet.
    Snd,
    /// Queues in both directions.
    Duplex,
    /// An address: one receive queue.
    Contact,
}

impl ConnType {
    /// Whether a connection of this kind is what was asked for. One without queues never is (AS-20).
    pub fn serves_as(self, wanted: Self) -> bool {
        self != Self::New && self == wanted
    }
}

/// A connection that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConnData {
    /// The id that it is to have; a random one when there is none.
    pub conn_id: Option<ConnId>,
    /// Its user.
    pub user_id: UserId,
    /// The agreed version of the protocol between agents.
    pub agent_version: AgentVersion,
    /// Whether notifications are wanted.
    pub enable_ntfs: bool,
    /// Whether keys are agreed on that hold against quantum computers.
    pub pq_support: bool,
}

/// A connection, without its queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnData {
    /// Its id.
    pub conn_id: ConnId,
    /// Its user.
    pub user_id: UserId,
    /// The agreed version of the protocol between agents.
    pub agent_version: AgentVersion,
    /// Whether notifications are wanted (AS-32).
    pub enable_ntfs: bool,
    /// The number that the peer gave to its last message.
    pub last_external_snd_id: ExternalSndId,
    /// Whether it is marked as deleted: it is hidden, until its queues are deleted on their routers
    /// (AS-21).
    pub deleted: bool,
    /// Whether both sides' ratchets agree.
    pub ratchet_sync_state: RatchetSyncState,
    /// Whether keys are agreed on that hold against quantum computers.
    pub pq_support: bool,
}

/// A connection: its data and its queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conn<R = RcvQueue> {
    /// What is known of it.
    pub data: ConnData,
    /// Its queues, which are its kind.
    pub queues: ConnQueues<R>,
}

/// The same with receive queues in the reduced form, for subscribing.
pub type ConnSub = Conn<RcvQueueSub>;

/// The queues of a connection; which there are is its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "most connections have a receive queue, as large")]
pub enum ConnQueues<R = RcvQueue> {
    /// None yet.
    New,
    /// One receive queue: this side offered, and doesn't know the peer's queue yet.
    Rcv(R),
    /// One send queue: this side joined, and has no queue of its own yet.
    Snd(SndQueue),
    /// Queues in both directions.
    Duplex(Queues<R>, Queues<SndQueue>),
    /// An address: one receive queue.
    Contact(R),
}

impl<R> Conn<R> {
    /// Its kind.
    pub fn conn_type(&self) -> ConnType {
        match self.queues {
            ConnQueues::New => ConnType::New,
            ConnQueues::Rcv(_) => ConnType::Rcv,
            ConnQueues::Snd(_) => ConnType::Snd,
            ConnQueues::Duplex(..) => ConnType::Duplex,
            ConnQueues::Contact(_) => ConnType::Contact,
        }
    }
}

impl<R> ConnQueues<R> {
    /// What a connection has that is for this and has these queues, each list in queue order (AS-50); `None`
    /// for an address that sends.
    pub fn of(mode: ConnectionMode, rcv: Vec<R>, snd: Vec<SndQueue>) -> Option<Self> {
        match (Queues::new(rcv), Queues::new(snd), mode) {
            (None, None, _) => Some(Self::New),
            (Some(rcv), Some(snd), ConnectionMode::Invitation) => Some(Self::Duplex(rcv, snd)),
            (Some(rcv), None, ConnectionMode::Invitation) => Some(Self::Rcv(rcv.into_first())),
            (None, Some(snd), ConnectionMode::Invitation) => Some(Self::Snd(snd.into_first())),
            (Some(rcv), None, ConnectionMode::Contact) => Some(Self::Contact(rcv.into_first())),
            (_, Some(_), ConnectionMode::Contact) => None,
        }
    }
}

column_enum! {
    /// How far a queue's setting up has come.
    QueueStatus as text, "a queue's status" {
        /// Made, and nothing known of the other side.
        New = "new",
        /// Confirmed by the sender.
        Confirmed = "confirmed",
        /// Only its sender may send; receive queues only.
        Secured = "secured",
        /// In use.
        Active = "active",
        /// Takes no more messages; receive queues only.
        Disabled = "disabled",
    }
}

/// Whether a new queue is subscribed to; it isn't stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionMode {
    /// At once.
    Subscribe,
    /// Later: the queue is marked as one that still has to be.
    OnlyCreate,
}

column_enum! {
    /// How far the receiver's change to another queue has come.
    RcvSwitchStatus as text, "a receive switch's status" {
        /// It was decided.
        SwitchStarted = "switch_started",
        /// The new queue is being told to the sender.
        SendingQadd = "sending_qadd",
        /// The sender is being told to use it.
        SendingQuse = "sending_quse",
        /// A message came through the new queue.
        ReceivedMessage = "received_message",
    }
}

impl RcvSwitchStatus {
    /// Whether the switch may still be given up (AS-26): later, the sender may have removed the old queue,
    /// and the connection would be left without any.
    pub fn can_abort(self) -> bool {
        matches!(self, Self::SwitchStarted | Self::SendingQadd)
    }
}

column_enum! {
    /// How far the sender's side of such a change has come.
    SndSwitchStatus as text, "a send switch's status" {
        /// Its key for the new queue is being sent.
        SendingQkey = "sending_qkey",
        /// A test through the new queue is being sent.
        SendingQtest = "sending_qtest",
    }
}

column_enum! {
    /// Whether both sides' ratchets agree.
    RatchetSyncState as text, "a state of ratchet synchronisation" {
        /// They do.
        Ok = "ok",
        /// They may not: synchronising is allowed.
        Allowed = "allowed",
        /// They don't: synchronising is needed.
        Required = "required",
        /// Synchronising began.
        Started = "started",
        /// New keys are agreed on.
        Agreed = "agreed",
    }
}

/// The first agent version that can synchronise ratchets.
const SYNC_VERSION: AgentVersion = AgentVersion(3);

impl RatchetSyncState {
    /// Whether an agent of this version may begin to synchronise (AS-27).
    pub fn may_synchronise(self, agent_version: AgentVersion) -> bool {
        agent_version >= SYNC_VERSION && matches!(self, Self::Allowed | Self::Required)
    }

    /// Whether nothing may be sent meanwhile (AS-27).
    pub fn prohibits_sending(self) -> bool {
        matches!(self, Self::Required | Self::Started | Self::Agreed)
    }
}
