//! Connections of each kind with queues, made by the operations that make them. What they are called decides
//! all their ids, so that two of them never meet.

use simplex_stores::agent_store::types::*;
use simplex_stores::protocol::ntf::{AuthPrivateKey, X25519KeyPair};
use simplex_stores::protocol::{AuthKey, Blob, DhSecret};

use crate::fixture::{TestStore, server};

/// The router of all queues here.
pub(crate) fn smp_server() -> SmpServer {
    server("smp.example,abc.onion", "5223", &[1; 32])
}

/// What a connection called so is made from.
pub(crate) fn new_conn_data(user_id: UserId, name: &str) -> NewConnData {
    NewConnData {
        conn_id: ConnId::from_bytes(name.as_bytes()),
        user_id,
        agent_version: AgentVersion(7),
        enable_ntfs: true,
        pq_support: false,
    }
}

/// A receive queue called so: primary, without link and notifier.
pub(crate) fn new_rcv_queue(name: &str) -> NewRcvQueue {
    NewRcvQueue {
        server: smp_server(),
        rcv_id: RecipientId::from_bytes(format!("{name} rcv").as_bytes()).unwrap(),
        rcv_private_key: AuthPrivateKey::Ed25519([2; 32]),
        rcv_dh_secret: DhSecret::new([3; 32]),
        e2e_priv_key: X25519KeyPair::from_private([4; 32]),
        e2e_dh_secret: None,
        snd_id: SenderId::from_bytes(format!("{name} snd").as_bytes()).unwrap(),
        queue_mode: Some(QueueMode::Messaging),
        short_link: None,
        rcv_service_assoc: false,
        status: QueueStatus::New,
        primary: true,
        db_replace_queue_id: None,
        smp_client_version: SmpClientVersion(4),
        client_ntf_creds: None,
    }
}

/// A send queue called so: primary.
pub(crate) fn new_snd_queue(name: &str) -> NewSndQueue {
    NewSndQueue {
        server: smp_server(),
        snd_id: SenderId::from_bytes(format!("{name} of the peer").as_bytes()).unwrap(),
        queue_mode: Some(QueueMode::Messaging),
        snd_private_key: AuthPrivateKey::X25519([5; 32]),
        e2e_pub_key: Some(X25519PublicKey::new([6; 32])),
        e2e_dh_secret: DhSecret::new([7; 32]),
        status: QueueStatus::New,
        primary: true,
        db_replace_queue_id: None,
        smp_client_version: SmpClientVersion(4),
    }
}

/// A short link called so.
pub(crate) fn short_link(name: &str) -> ShortLinkCreds {
    ShortLinkCreds {
        link_id: LinkId::from_bytes(format!("{name} link").as_bytes()).unwrap(),
        link_key: LinkKey(vec![8; 32]),
        link_priv_sig_key: Ed25519PrivateKey::new([9; 32]),
        link_root_sig_key: None,
        link_enc_fixed_data: Blob::from(&b"fixed data"[..]),
    }
}

/// A notifier's credentials called so.
pub(crate) fn ntf_creds(name: &str) -> ClientNtfCreds {
    ClientNtfCreds {
        ntf_public_key: AuthKey::Ed25519([10; 32]),
        ntf_private_key: AuthPrivateKey::Ed25519([11; 32]),
        notifier_id: NotifierId::from_bytes(format!("{name} ntf").as_bytes()).unwrap(),
        rcv_ntf_dh_secret: DhSecret::new([12; 32]),
    }
}

impl TestStore {
    /// A connection to one peer, without queues.
    pub(crate) fn new_connection(&self, user: UserId, name: &str) -> ConnId {
        self.connection_for(ConnectionMode::Invitation, user, name)
    }

    fn connection_for(&self, mode: ConnectionMode, user: UserId, name: &str) -> ConnId {
        let data = new_conn_data(user, name);
        self.run(|tx| tx.create_new_conn(&mut rand::rng(), &data, mode)).unwrap()
    }

    /// A connection with a receive queue.
    pub(crate) fn rcv_connection(&self, user: UserId, name: &str) -> RcvQueue {
        let conn_id = self.new_connection(user, name);
        self.first_rcv_queue(&conn_id, name)
    }

    /// A connection with a send queue.
    pub(crate) fn snd_connection(&self, user: UserId, name: &str) -> SndQueue {
        let (data, queue) = (new_conn_data(user, name), new_snd_queue(name));
        let made = self.run(|tx| tx.create_snd_conn(&mut rand::rng(), &data, &queue));
        made.unwrap().1
    }

    /// A connection with one queue in each direction.
    pub(crate) fn duplex(&self, user: UserId, name: &str) -> (RcvQueue, SndQueue) {
        let rcv = self.rcv_connection(user, name);
        let queue = new_snd_queue(name);
        let snd = self.run(|tx| tx.upgrade_rcv_conn_to_duplex(&rcv.conn_id, &queue));
        (rcv, snd.unwrap())
    }

    /// An address, with its receive queue.
    pub(crate) fn contact(&self, user: UserId, name: &str) -> RcvQueue {
        let conn_id = self.connection_for(ConnectionMode::Contact, user, name);
        self.first_rcv_queue(&conn_id, name)
    }

    fn first_rcv_queue(&self, conn_id: &ConnId, name: &str) -> RcvQueue {
        let (queue, mode) = (new_rcv_queue(name), SubscriptionMode::Subscribe);
        self.run(|tx| tx.update_new_conn_rcv(conn_id, &queue, mode)).unwrap()
    }

    /// Another receive queue of a connection that has queues in both directions; primary or not, and
    /// instead of the one with this number.
    pub(crate) fn more_rcv(
        &self,
        conn_id: &ConnId,
        name: &str,
        primary: bool,
        replaces: Option<i64>,
    ) -> RcvQueue {
        let db_replace_queue_id = replaces.map(QueueNumber);
        let queue = NewRcvQueue { primary, db_replace_queue_id, ..new_rcv_queue(name) };
        let mode = SubscriptionMode::Subscribe;
        self.run(|tx| tx.add_conn_rcv_queue(conn_id, &queue, mode)).unwrap()
    }

    /// The same of a send queue.
    pub(crate) fn more_snd(
        &self,
        conn_id: &ConnId,
        name: &str,
        primary: bool,
        replaces: Option<i64>,
    ) -> SndQueue {
        let db_replace_queue_id = replaces.map(QueueNumber);
        let queue = NewSndQueue { primary, db_replace_queue_id, ..new_snd_queue(name) };
        self.run(|tx| tx.add_conn_snd_queue(conn_id, &queue)).unwrap()
    }
}
