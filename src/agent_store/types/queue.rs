//! Queues (section 3.4).

use super::{
    ConnId, DbEntityId, Ed25519PrivateKey, Ed25519PublicKey, LinkId, LinkKey, NewEntity, NoticeId,
    NotifierId, QueueMode, QueueNumber, QueueStatus, RcvSwitchStatus, RecipientId, SenderId,
    SmpClientVersion, SmpServer, SndSwitchStatus, StoredEntity, UserId, X25519PublicKey,
};
use crate::protocol::ntf::{AuthPrivateKey, X25519KeyPair};
use crate::protocol::{AuthKey, Blob, DhSecret};

/// What all kinds of queues have: where they are, and whether they are stored yet.
pub trait SmpQueue {
    /// The id by which this side knows the queue: the recipient's of a receive queue, the sender's of a
    /// send queue.
    type Id: PartialEq + AsRef<[u8]>;

    /// Whether it is stored yet: operations that make queues take those that are not, operations that
    /// change queues those that are (AS-19).
    type Entity: DbEntityId;

    /// The router it is on.
    fn server(&self) -> &SmpServer;

    /// Its id there.
    fn queue_id(&self) -> &Self::Id;

    /// What the database knows it by.
    fn entity(&self) -> Self::Entity;

    /// Whether it is there: hosts, port and id are compared, and not the fingerprint.
    fn is_at(&self, server: &SmpServer, id: &Self::Id) -> bool {
        self.server().same_address(server) && self.queue_id() == id
    }

    /// Its number within its connection.
    fn number(&self) -> QueueNumber
    where
        Self: SmpQueue<Entity = StoredEntity>,
    {
        QueueNumber(self.entity().0)
    }
}

/// What a client needs to change and to give away the short link of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShortLinkCreds {
    /// The id that the link carries.
    pub link_id: LinkId,
    /// What the link's data is encrypted with.
    pub link_key: LinkKey,
    /// What changes of the data are signed with.
    pub link_priv_sig_key: Ed25519PrivateKey,
    /// The first owner's key, where it is another. It isn't stored: none after loading (AS-24).
    pub link_root_sig_key: Option<Ed25519PublicKey>,
    /// The part of the data that never changes, encrypted.
    pub link_enc_fixed_data: Blob,
}

/// What a client needs to have notifications of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientNtfCreds {
    /// What the router checks the notifier's commands with.
    pub ntf_public_key: AuthKey,
    /// What the notifier's commands are authorized with.
    pub ntf_private_key: AuthPrivateKey,
    /// The queue's id for the notifier.
    pub notifier_id: NotifierId,
    /// What the notifications' metadata is encrypted with.
    pub rcv_ntf_dh_secret: DhSecret,
}

/// A receive queue that is to be made. What isn't here begins at its default, and the connection is an
/// argument of the operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRcvQueue {
    /// The router it is on.
    pub server: SmpServer,
    /// Its id for the recipient.
    pub rcv_id: RecipientId,
    /// What the recipient's commands are authorized with.
    pub rcv_private_key: AuthPrivateKey,
    /// What the router encrypts messages with for the recipient.
    pub rcv_dh_secret: DhSecret,
    /// This side's keys of the end-to-end layer.
    pub e2e_priv_key: X25519KeyPair,
    /// What was agreed on with them, once the sender confirmed.
    pub e2e_dh_secret: Option<DhSecret>,
    /// Its id for the sender: what is given to the peer.
    pub snd_id: SenderId,
    /// What it is for.
    pub queue_mode: Option<QueueMode>,
    /// Its short link, if it has one.
    pub short_link: Option<ShortLinkCreds>,
    /// Whether the client's service subscribes to it.
    pub rcv_service_assoc: bool,
    /// How far its setting up has come.
    pub status: QueueStatus,
    /// Whether it is the primary one, or the next.
    pub primary: bool,
    /// The queue that it is to replace.
    pub db_replace_queue_id: Option<QueueNumber>,
    /// The version of the protocol between clients.
    pub smp_client_version: SmpClientVersion,
    /// Its notifier's credentials, if it has one.
    pub client_ntf_creds: Option<ClientNtfCreds>,
}

/// A receive queue, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvQueue {
    /// The connection's user (AS-22).
    pub user_id: UserId,
    /// Its connection.
    pub conn_id: ConnId,
    /// The router it is on, with the fingerprint that counts for this queue (AS-31).
    pub server: SmpServer,
    /// Its id for the recipient.
    pub rcv_id: RecipientId,
    /// What the recipient's commands are authorized with.
    pub rcv_private_key: AuthPrivateKey,
    /// What the router encrypts messages with for the recipient.
    pub rcv_dh_secret: DhSecret,
    /// This side's keys of the end-to-end layer.
    pub e2e_priv_key: X25519KeyPair,
    /// What was agreed on with them, once the sender confirmed.
    pub e2e_dh_secret: Option<DhSecret>,
    /// Its id for the sender: what is given to the peer.
    pub snd_id: SenderId,
    /// What it is for.
    pub queue_mode: Option<QueueMode>,
    /// Its short link, if it has one.
    pub short_link: Option<ShortLinkCreds>,
    /// Whether the client's service subscribes to it.
    pub rcv_service_assoc: bool,
    /// How far its setting up has come.
    pub status: QueueStatus,
    /// Whether the connection's notifications are wanted (AS-22, AS-32).
    pub enable_ntfs: bool,
    /// The router's notice about it, if there is one.
    pub client_notice_id: Option<NoticeId>,
    /// Its number within its connection.
    pub db_queue_id: StoredEntity,
    /// Whether it is the primary one, or the next: the next one also has a number that it replaces.
    pub primary: bool,
    /// The queue that it is to replace.
    pub db_replace_queue_id: Option<QueueNumber>,
    /// How far its own replacement has come.
    pub rcv_switch_status: Option<RcvSwitchStatus>,
    /// The version of the protocol between clients.
    pub smp_client_version: SmpClientVersion,
    /// Its notifier's credentials, if it has one.
    pub client_ntf_creds: Option<ClientNtfCreds>,
    /// How often deleting it on its router failed, so that one can give up after a limit (AS-23).
    pub delete_errors: i64,
}

/// As much of a receive queue as subscribing to it needs: thousands of them are kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RcvQueueSub {
    /// The connection's user.
    pub user_id: UserId,
    /// Its connection.
    pub conn_id: ConnId,
    /// The router it is on.
    pub server: SmpServer,
    /// Its id for the recipient.
    pub rcv_id: RecipientId,
    /// What the recipient's commands are authorized with.
    pub rcv_private_key: AuthPrivateKey,
    /// How far its setting up has come.
    pub status: QueueStatus,
    /// Whether the connection's notifications are wanted.
    pub enable_ntfs: bool,
    /// The router's notice about it, if there is one.
    pub client_notice_id: Option<NoticeId>,
    /// Its number within its connection.
    pub db_queue_id: StoredEntity,
    /// Whether it is the primary one, or the next.
    pub primary: bool,
    /// The queue that it is to replace.
    pub db_replace_queue_id: Option<QueueNumber>,
}

/// A send queue that is to be made; the connection is an argument of the operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSndQueue {
    /// The router it is on.
    pub server: SmpServer,
    /// Its id for the sender.
    pub snd_id: SenderId,
    /// What it is for.
    pub queue_mode: Option<QueueMode>,
    /// What the sender's commands are authorized with.
    pub snd_private_key: AuthPrivateKey,
    /// This side's public key of the end-to-end layer.
    pub e2e_pub_key: Option<X25519PublicKey>,
    /// What was agreed on for that layer.
    pub e2e_dh_secret: DhSecret,
    /// How far its setting up has come.
    pub status: QueueStatus,
    /// Whether it is the primary one, or the next.
    pub primary: bool,
    /// The queue that it is to replace.
    pub db_replace_queue_id: Option<QueueNumber>,
    /// The version of the protocol between clients.
    pub smp_client_version: SmpClientVersion,
}

/// A send queue, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndQueue {
    /// The connection's user (AS-22).
    pub user_id: UserId,
    /// Its connection.
    pub conn_id: ConnId,
    /// The router it is on, with the fingerprint that counts for this queue (AS-31).
    pub server: SmpServer,
    /// Its id for the sender.
    pub snd_id: SenderId,
    /// What it is for.
    pub queue_mode: Option<QueueMode>,
    /// What the sender's commands are authorized with.
    pub snd_private_key: AuthPrivateKey,
    /// This side's public key of the end-to-end layer.
    pub e2e_pub_key: Option<X25519PublicKey>,
    /// What was agreed on for that layer.
    pub e2e_dh_secret: DhSecret,
    /// How far its setting up has come.
    pub status: QueueStatus,
    /// Its number within its connection.
    pub db_queue_id: StoredEntity,
    /// Whether it is the primary one, or the next: the next one also has a number that it replaces.
    pub primary: bool,
    /// The queue that it is to replace.
    pub db_replace_queue_id: Option<QueueNumber>,
    /// How far its own replacement has come.
    pub snd_switch_status: Option<SndSwitchStatus>,
    /// The version of the protocol between clients.
    pub smp_client_version: SmpClientVersion,
}

/// A receive queue's address, as it is given to others: never with the recipient's id (AS-25).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmpQueueAddress {
    /// The router it is on.
    pub server: SmpServer,
    /// Its id for the sender.
    pub snd_id: SenderId,
    /// The recipient's public key of the end-to-end layer.
    pub dh_public_key: X25519PublicKey,
    /// What it is for.
    pub queue_mode: Option<QueueMode>,
}

impl RcvQueue {
    /// The address that is given to others (AS-25).
    pub fn address(&self) -> SmpQueueAddress {
        SmpQueueAddress {
            server: self.server.clone(),
            snd_id: self.snd_id.clone(),
            dh_public_key: X25519PublicKey::new(*self.e2e_priv_key.public()),
            queue_mode: self.queue_mode,
        }
    }

    /// Whether the change to the queue that replaces this one may still be given up (AS-26); not when there
    /// is no such change.
    pub fn can_abort_switch(&self) -> bool {
        self.rcv_switch_status.is_some_and(RcvSwitchStatus::can_abort)
    }
}

impl From<&RcvQueue> for RcvQueueSub {
    fn from(queue: &RcvQueue) -> Self {
        Self {
            user_id: queue.user_id,
            conn_id: queue.conn_id.clone(),
            server: queue.server.clone(),
            rcv_id: queue.rcv_id.clone(),
            rcv_private_key: queue.rcv_private_key.clone(),
            status: queue.status,
            enable_ntfs: queue.enable_ntfs,
            client_notice_id: queue.client_notice_id,
            db_queue_id: queue.db_queue_id,
            primary: queue.primary,
            db_replace_queue_id: queue.db_replace_queue_id,
        }
    }
}

macro_rules! queues {
    ($($name:ident, $id:ident: $id_type:ty, $entity:ty, $read:expr;)+) => {$(
        impl SmpQueue for $name {
            type Id = $id_type;
            type Entity = $entity;

            fn server(&self) -> &SmpServer {
                &self.server
            }

            fn queue_id(&self) -> &Self::Id {
                &self.$id
            }

            fn entity(&self) -> Self::Entity {
                let read: fn(&Self) -> $entity = $read;
                read(self)
            }
        }
    )+};
}
queues! {
    NewRcvQueue, rcv_id: RecipientId, NewEntity, |_| NewEntity;
    RcvQueue, rcv_id: RecipientId, StoredEntity, |queue| queue.db_queue_id;
    RcvQueueSub, rcv_id: RecipientId, StoredEntity, |queue| queue.db_queue_id;
    NewSndQueue, snd_id: SenderId, NewEntity, |_| NewEntity;
    SndQueue, snd_id: SenderId, StoredEntity, |queue| queue.db_queue_id;
}
