//! Ids (section 3.1).

use super::macros::{bytes_id, row_id};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};

row_id! {
    /// A user's number.
    UserId
}
row_id! {
    /// A notice's number.
    NoticeId
}
row_id! {
    /// An asynchronous command's number.
    AsyncCmdId
}
row_id! {
    /// The row of a file that is received.
    DbRcvFileId
}
row_id! {
    /// The row of a file that is sent.
    DbSndFileId
}
row_id! {
    /// The row of a chunk of a received file.
    RcvChunkId
}
row_id! {
    /// The row of a replica of a received file's chunk.
    RcvChunkReplicaId
}
row_id! {
    /// The row of a chunk of a sent file.
    SndChunkId
}
row_id! {
    /// The row of a replica of a sent file's chunk.
    SndChunkReplicaId
}
row_id! {
    /// The row of a replica that is to be deleted.
    DeletedSndChunkReplicaId
}
row_id! {
    /// The row of a file router.
    XftpServerId
}
row_id! {
    /// The row of a message body that several messages share.
    SndMsgBodyId
}
row_id! {
    /// The row of a token that is to be deleted on its router.
    NtfTokenToDeleteId
}
row_id! {
    /// The number of a queue within its connection.
    QueueNumber
}
row_id! {
    /// A message's place among all messages of its connection: what the application sees.
    InternalId
}
row_id! {
    /// A message's place among those received by its connection.
    InternalRcvId
}
row_id! {
    /// A message's place among those sent by its connection.
    InternalSndId
}
row_id! {
    /// The number of a message, as the application gives it.
    AgentMsgId
}
row_id! {
    /// The number that a message's sender gave it.
    ExternalSndId
}

bytes_id! {
    /// An agent's connection.
    ConnId
}
bytes_id! {
    /// A confirmation of a handshake.
    ConfirmationId
}
bytes_id! {
    /// A connection request that came through a contact address.
    InvitationId
}
bytes_id! {
    /// A received file, as the application knows it.
    RcvFileId
}
bytes_id! {
    /// A sent file, as the application knows it.
    SndFileId
}
bytes_id! {
    /// A token at its notification router.
    NtfTokenId
}
bytes_id! {
    /// A subscription at its notification router.
    NtfSubscriptionId
}
bytes_id! {
    /// A replica of a chunk at its file router.
    ChunkReplicaId
}
bytes_id! {
    /// A message at its router.
    MsgId
}
bytes_id! {
    /// The hash of a ratchet key, by which one that was processed is known again.
    RatchetKeyHash
}

/// What a client calls an asynchronous command by; any bytes, also none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrId(pub Vec<u8>);

impl ToParam for CorrId {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for CorrId {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

/// Whether something is in the database yet, and under which number (AS-19): a queue that is to be made is
/// a [`NewEntity`], one that was loaded a [`StoredEntity`], so that neither can stand for the other.
pub trait DbEntityId: Copy + std::fmt::Debug + Eq {
    /// The number, once there is one.
    fn number(self) -> Option<i64>;
}

/// Not stored yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NewEntity;

/// Stored under this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredEntity(pub i64);

impl DbEntityId for NewEntity {
    fn number(self) -> Option<i64> {
        None
    }
}

impl DbEntityId for StoredEntity {
    fn number(self) -> Option<i64> {
        Some(self.0)
    }
}

impl ToParam for StoredEntity {
    fn to_param(&self) -> Param<'_> {
        Param::Int(self.0)
    }
}

impl FromCell<'_> for StoredEntity {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        i64::from_cell(cell).map(Self)
    }
}

/// As JSON, what is new is null, and so is what is left out.
impl serde::Serialize for NewEntity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<'de> serde::Deserialize<'de> for NewEntity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<serde::de::IgnoredAny>::deserialize(deserializer)? {
            None => Ok(Self),
            Some(_) => Err(serde::de::Error::custom("expected null: nothing is stored yet")),
        }
    }
}

/// As JSON, what is stored is its number.
impl serde::Serialize for StoredEntity {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for StoredEntity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}
