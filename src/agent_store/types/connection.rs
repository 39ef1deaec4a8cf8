//! Connections and queues (sections 3.3 to 3.6).

use super::macros::column_enum;

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
const SYNC_VERSION: u16 = 3;

impl RatchetSyncState {
    /// Whether an agent of this version may begin to synchronise (AS-27).
    pub fn may_synchronise(self, agent_version: u16) -> bool {
        agent_version >= SYNC_VERSION && matches!(self, Self::Allowed | Self::Required)
    }

    /// Whether nothing may be sent meanwhile (AS-27).
    pub fn prohibits_sending(self) -> bool {
        matches!(self, Self::Required | Self::Started | Self::Agreed)
    }
}
