//! Messages as they are stored and as they are loaded (section 3.8).

use std::borrow::Cow;
use std::fmt;

use super::{
    AgentMessageType, ExternalSndId, InternalId, InternalRcvId, InternalSndId, MsgEncryptKey,
    MsgFlags, MsgId, MsgIntegrity, MsgReceiptStatus, RetryState2, SndMsgBodyId,
};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable, UtcTime};
use crate::encoding::base64url;

/// The hash of a message: a link of a chain. At the head of a chain that has no message yet it is empty.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct MsgHash(pub Vec<u8>);

/// What is sent or was received; any bytes. `Debug` shows how many.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct MsgBody(pub Vec<u8>);

/// A message of the agent in its binary encoding, which this module doesn't look into; at least one
/// byte. `Debug` shows how many.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AgentMessage(Vec<u8>);

impl AgentMessage {
    /// The message with this encoding; `None` when it is empty.
    pub fn new(encoding: Vec<u8>) -> Option<Self> {
        (!encoding.is_empty()).then_some(Self(encoding))
    }

    /// Its encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for MsgHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgHash({})", base64url::to_string(&self.0))
    }
}

macro_rules! hidden {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(<{} bytes>)", stringify!($name), self.0.len())
            }
        }
    )*};
}
hidden!(MsgBody, AgentMessage);

macro_rules! blobs {
    ($($name:ident),*) => {$(
        impl ToParam for $name {
            fn to_param(&self) -> Param<'_> {
                Param::Blob(Cow::Borrowed(&self.0))
            }
        }
    )*};
}
blobs!(MsgHash, MsgBody, AgentMessage);

impl FromCell<'_> for MsgHash {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

impl FromCell<'_> for MsgBody {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

impl FromCell<'_> for AgentMessage {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let message = Self::new(Vec::from_cell(cell)?);
        message.ok_or_else(|| Unreadable::expected("a message of the agent: it is empty"))
    }
}

/// What is known of a received message beside its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MsgMeta {
    /// Whether it continues the chain.
    pub integrity: MsgIntegrity,
    /// Its place in the connection, and when it came, by the local clock.
    pub recipient: (InternalId, UtcTime),
    /// Its id on the router, and the router's time.
    pub broker: (MsgId, UtcTime),
    /// The number that its sender gave it.
    pub snd_msg_id: ExternalSndId,
    /// Whether post-quantum encryption was used.
    pub pq_encryption: bool,
}

/// What a receipt says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MsgReceipt {
    /// In a [`SndMsg`], the received message that carried the receipt; in a [`RcvMsg`], the sent message that it
    /// confirms.
    pub msg_id: InternalId,
    /// How that message arrived.
    pub status: MsgReceiptStatus,
}

/// The numbers of a message that is being received, and the chain that it continues.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RcvMsgIds {
    /// Its place among all messages of the connection.
    pub internal_id: InternalId,
    /// Its place among the received ones.
    pub internal_rcv_id: InternalRcvId,
    /// The number that the sender gave the message before it.
    pub prev_external_snd_id: ExternalSndId,
    /// The hash of the message before it.
    pub prev_rcv_hash: MsgHash,
}

/// The numbers of a message that is to be sent, and the chain that it continues.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SndMsgIds {
    /// Its place among all messages of the connection.
    pub internal_id: InternalId,
    /// Its place among the sent ones.
    pub internal_snd_id: InternalSndId,
    /// The hash of the message before it.
    pub prev_snd_hash: MsgHash,
}

/// A received message, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RcvMsgData {
    /// What is known of it.
    pub msg_meta: MsgMeta,
    /// What it is.
    pub msg_type: AgentMessageType,
    /// What its sender asked of the router.
    pub msg_flags: MsgFlags,
    /// Its content.
    pub msg_body: MsgBody,
    /// Its place among the received ones.
    pub internal_rcv_id: InternalRcvId,
    /// Its hash.
    pub internal_hash: MsgHash,
    /// The hash of the message before it, as its sender says.
    pub external_prev_snd_hash: MsgHash,
    /// The hash of what came, before it was decrypted.
    pub encrypted_msg_hash: MsgHash,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RcvMsg {
    /// Its place in the connection.
    pub internal_id: InternalId,
    /// What is known of it.
    pub msg_meta: MsgMeta,
    /// What it is.
    pub msg_type: AgentMessageType,
    /// Its content.
    pub msg_body: MsgBody,
    /// Its hash.
    pub internal_hash: MsgHash,
    /// The sent message that it confirms, if it is a receipt.
    pub msg_receipt: Option<MsgReceipt>,
    /// Whether the application has acknowledged it.
    pub user_ack: bool,
}

/// A message that is to be sent, to be stored: ready, with its body, or prepared, with an empty one and
/// what its body is made of when it is delivered (AS-29).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SndMsgData {
    /// Its place in the connection.
    pub internal_id: InternalId,
    /// Its place among the sent ones.
    pub internal_snd_id: InternalSndId,
    /// When it was made, by the local clock.
    pub internal_ts: UtcTime,
    /// What it is.
    pub msg_type: AgentMessageType,
    /// What it asks of the router.
    pub msg_flags: MsgFlags,
    /// What is sent; empty for a prepared message.
    pub msg_body: MsgBody,
    /// Whether post-quantum encryption is used.
    pub pq_encryption: bool,
    /// Its hash.
    pub internal_hash: MsgHash,
    /// The hash of the message before it.
    pub prev_msg_hash: MsgHash,
    /// What a prepared message is made of.
    pub prep_data: Option<SndMsgPrepData>,
}

/// What a prepared message is made of, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SndMsgPrepData {
    /// What encrypts it.
    pub encrypt_key: MsgEncryptKey,
    /// How long it is made by padding.
    pub padded_len: u32,
    /// The body, which it may share with others.
    pub snd_msg_body_id: SndMsgBodyId,
}

/// A sent message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SndMsg {
    /// Its place in the connection.
    pub internal_id: InternalId,
    /// Its place among the sent ones.
    pub internal_snd_id: InternalSndId,
    /// What it is.
    pub msg_type: AgentMessageType,
    /// Its hash.
    pub internal_hash: MsgHash,
    /// The receipt that came for it.
    pub msg_receipt: Option<MsgReceipt>,
}

/// A message that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PendingMsgData {
    /// Its place in the connection.
    pub msg_id: InternalId,
    /// What it is.
    pub msg_type: AgentMessageType,
    /// What it asks of the router.
    pub msg_flags: MsgFlags,
    /// What is sent; empty for a prepared message.
    pub msg_body: MsgBody,
    /// Whether post-quantum encryption is used.
    pub pq_encryption: bool,
    /// How long its next attempts wait, if it failed before (AS-30).
    pub retry_state: Option<RetryState2>,
    /// When it was made, by the local clock.
    pub internal_ts: UtcTime,
    /// Its place among the sent ones.
    pub internal_snd_id: InternalSndId,
    /// The hash of the message before it.
    pub prev_msg_hash: MsgHash,
    /// What a prepared message is made of.
    pub prep_data: Option<PendingMsgPrepData>,
}

/// What a prepared message is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PendingMsgPrepData {
    /// What encrypts it.
    pub encrypt_key: MsgEncryptKey,
    /// How long it is made by padding.
    pub padded_len: u32,
    /// The message that is encrypted.
    pub snd_msg_body: AgentMessage,
}
