//! The domain types of an agent's store (section 3 of the specification): ids that can't be mixed up, and
//! an enumeration for every status, each with its database text both ways.
//!
//! | file | types |
//! |---|---|
//! | `ids` | row ids, the agent's own ids, message numbers, [`DbEntityId`] |
//! | `server` | [`Server`] of each protocol, [`KeyHash`] |
//! | `connection` | [`Conn`] and what it is made of; modes, kinds and statuses of connections and queues |
//! | `queue`, `queue_list` | [`RcvQueue`], [`SndQueue`], new ones, and lists of them |
//! | `keys` | keys of one algorithm |
//! | `message` | kinds of messages, integrity, receipts, flags |
//! | `notification` | statuses and actions of tokens and subscriptions for notifications |
//! | `ntf_records` | those tokens and subscriptions, and the work on them |
//! | `message_data` | messages as they are stored and loaded |
//! | `message_key` | what a prepared message is encrypted with |
//! | `file` | files both ways: statuses, sizes, keys, paths, descriptions |
//! | `rcv_file` | received files, their chunks and replicas |
//! | `service` | services of clients, and what they show |
//! | `stats` | statistics of routers |
//! | `handshake` | confirmations, connection requests, joining through short links |
//! | `ratchet` | [`Ratchet`], keys of skipped messages, parameters of key agreements |
//! | `command` | [`AgentCommand`] and its text |
//! | `nested` | values of the layer above, which are kept as they are |
//! | `snd_file` | sent files, their chunks and replicas, and replicas to delete |
//! | `columns` | types of [`crate::protocol`] as columns |
//!
//! Each type that stands in a column is [`ToParam`](crate::db::ToParam) and
//! [`FromCell`](crate::db::FromCell). What can't be read is an error that names table and column, and
//! never the value.

mod columns;
mod command;
mod connection;
mod file;
mod handshake;
mod ids;
mod keys;
mod macros;
mod message;
mod message_data;
mod message_key;
mod nested;
mod notification;
mod ntf_records;
mod queue;
mod queue_list;
mod ratchet;
mod rcv_file;
mod server;
mod service;
mod snd_file;
mod stats;

pub use command::{
    AgentCommand, AgentCommandTag, ClientCommand, InitialKeys, InternalCommand, PendingCommand,
    UnwritableCommand,
};
pub use connection::{
    AgentVersion, Conn, ConnData, ConnQueues, ConnSub, ConnType, ConnectionMode, NewConnData,
    QueueStatus, RatchetSyncState, RcvSwitchStatus, SmpClientVersion, SndSwitchStatus,
    SubscriptionMode,
};
pub use file::{
    ChunkNo, ChunkSize, CryptoFile, CryptoFileArgs, FileChunk, FileChunkReplica, FileDescription,
    FileDigest, FileErrorText, FileParty, FilePath, FileSize, RcvFileDescription, RcvFileStatus,
    Recipient, RedirectFileInfo, ReplicaNumber, RetryDelay, SbKey, SbNonce, Sender,
    SndFileDescription, SndFileReplicaStatus, SndFileStatus,
};
pub use handshake::{
    AcceptedConfirmation, InvShortLink, Invitation, NewConfirmation, NewInvitation, SmpConfirmation,
};
pub use ids::{
    AgentMsgId, AsyncCmdId, ChunkReplicaId, ConfirmationId, ConnId, CorrId, DbEntityId,
    DbRcvFileId, DbSndFileId, DeletedSndChunkReplicaId, ExternalSndId, InternalId, InternalRcvId,
    InternalSndId, InvitationId, MsgId, NewEntity, NoticeId, NtfSubscriptionId, NtfTokenId,
    NtfTokenToDeleteId, QueueNumber, RatchetKeyHash, RcvChunkId, RcvChunkReplicaId, RcvFileId,
    SndChunkId, SndChunkReplicaId, SndFileId, SndMsgBodyId, StoredEntity, UserId, XftpServerId,
};
pub use keys::{
    Ed25519PrivateKey, Ed25519PublicKey, LinkKey, X448PrivateKey, X448PublicKey, X25519PublicKey,
};
pub use message::{
    AgentMessageType, MsgErrorType, MsgFlags, MsgIntegrity, MsgReceiptStatus, RetryState2,
};
pub use message_data::{
    AgentMessage, MsgBody, MsgHash, MsgMeta, MsgReceipt, PendingMsgData, PendingMsgPrepData,
    RcvMsg, RcvMsgData, RcvMsgIds, SndMsg, SndMsgData, SndMsgIds, SndMsgPrepData,
};
pub use message_key::{MsgEncryptKey, MsgEncryptKeyParts};
pub use nested::{ConnReq, LinkSetParams, ReplyQueues, ShortLink};
pub use notification::{
    NotificationsMode, NtfActionKind, NtfAgentSubStatus, NtfSubAction, NtfSubNtfAction,
    NtfSubSmpAction, NtfTknAction,
};
pub use ntf_records::{
    NtfRcvQueue, NtfSubNtfWork, NtfSubSmpWork, NtfSubscription, NtfSupervisorSub, NtfToken,
    NtfTokenToDelete,
};
pub use queue::{
    ClientNtfCreds, NewRcvQueue, NewSndQueue, RcvQueue, RcvQueueSub, ShortLinkCreds, SmpQueue,
    SmpQueueAddress, SndQueue,
};
pub use queue_list::Queues;
pub use ratchet::{
    E2eVersion, HeaderKey, KemCiphertext, KemParams, KemPublicKey, KemSecretKey, MessageKey,
    PrivateKemParams, Ratchet, SkippedMsgDiff, SkippedMsgKeys, SndE2eParams, X3dhKeys,
};
pub use rcv_file::{
    RcvChunkToDownload, RcvFile, RcvFileChunk, RcvFileChunkReplica, RcvFileCleanup, RcvFileRedirect,
};
pub use server::{
    KeyHash, Ntf, NtfServer, Port, Protocol, Server, ServerHosts, Smp, SmpServer, Xftp, XftpServer,
};
pub use service::{ClientService, ServiceCredentials, ServicePrivateKey};
pub use snd_file::{
    ChunkOffset, DeletedSndChunkReplica, NewSndChunkReplica, NewSndFile, ReplicaRecipient, SndFile,
    SndFileChunk, SndFileChunkReplica, SndFileFolder, SndFileToDelete, XftpChunkSpec,
};
pub use stats::{AgentServersStats, NtfServerStats, ServersStats, SmpServerStats, XftpServerStats};

pub use crate::protocol::ServiceQueues as ServiceSub;
pub use crate::protocol::ntf::{
    AuthPrivateKey, DeviceToken, PushProvider, ServerHost, SubscriptionStatus as NtfSubStatus,
    TokenStatus as NtfTknStatus,
};
pub use crate::protocol::{
    ClientNotice, LinkId, NotifierId, QueueMode, RecipientId, Semantics, SenderId, ServiceId,
};
