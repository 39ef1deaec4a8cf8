//! Rows of queues, for areas that only change or find them.

use simplex_stores::agent_store::types::{
    AuthPrivateKey, ConnId, KeyHash, NoticeId, QueueNumber, QueueStatus, RcvQueue, RcvQueueSub,
    RecipientId, SenderId, SmpServer, SndQueue, StoredEntity, UserId,
};
use simplex_stores::protocol::ntf::X25519KeyPair;

use crate::fixture::{TestStore, server};

/// The router `a.example`, whose fingerprint is the first one seen.
pub(crate) fn router(host: &str) -> SmpServer {
    server(host, "5223", &[1; 32])
}

/// The same router with another fingerprint.
pub(crate) fn rekeyed(server: &SmpServer) -> SmpServer {
    SmpServer::new(server.hosts.clone(), server.port.clone(), KeyHash(vec![2; 32]))
}

impl TestStore {
    /// Registers the router of that name.
    pub(crate) fn router(&self, host: &str) -> SmpServer {
        let server = router(host);
        self.run(|tx| tx.create_server(&server)).unwrap();
        server
    }

    /// The receive queue with this number, whatever its state.
    pub(crate) fn rcv_queue(&self, conn_id: &ConnId, number: u8) -> RcvQueue {
        let found = self.run(|tx| {
            let number = QueueNumber(number.into());
            tx.get_rcv_queue_by_id(conn_id, number)
        });
        found.unwrap()
    }

    pub(crate) fn snd_queue(&self, conn_id: &ConnId, number: u8) -> SndQueue {
        let number = QueueNumber(number.into());
        self.run(|tx| tx.get_snd_queue_by_id(conn_id, number)).unwrap()
    }
}

/// A row of `rcv_queues`.
#[derive(Clone, Debug)]
pub(crate) struct RcvRow {
    pub(crate) user_id: UserId,
    pub(crate) conn_id: ConnId,
    pub(crate) server: SmpServer,
    pub(crate) own_key_hash: Option<KeyHash>,
    /// The byte that its id is made of.
    pub(crate) id: u8,
    pub(crate) number: u8,
    pub(crate) primary: bool,
    pub(crate) replaces: Option<i64>,
    pub(crate) deleted: bool,
    pub(crate) to_subscribe: bool,
    pub(crate) service_assoc: bool,
}

const RCV: &str = "INSERT INTO rcv_queues
     (host, port, rcv_id, conn_id, rcv_private_key, rcv_dh_secret, e2e_priv_key, snd_id, status,
      rcv_queue_id, rcv_primary, replace_rcv_queue_id, server_key_hash, deleted, to_subscribe,
      rcv_service_assoc)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $9, $10, $11, $12, $13, $14, $15)";

impl RcvRow {
    /// The number of the queue is the byte that its id is made of.
    pub(crate) fn new(user_id: UserId, conn_id: &ConnId, server: &SmpServer, id: u8) -> Self {
        Self {
            user_id,
            conn_id: conn_id.clone(),
            server: server.clone(),
            own_key_hash: None,
            id,
            number: id,
            primary: true,
            replaces: None,
            deleted: false,
            to_subscribe: false,
            service_assoc: false,
        }
    }

    pub(crate) fn rcv_id(&self) -> RecipientId {
        RecipientId::from_bytes(&[self.id; 24]).unwrap()
    }

    pub(crate) fn insert(&self, test: &TestStore) -> &Self {
        let key = AuthPrivateKey::Ed25519([self.id; 32]);
        let SmpServer { hosts, port, .. } = &self.server;
        let values: simplex_stores::db::Params<'_> = &[
            hosts,
            port,
            &self.rcv_id(),
            &self.conn_id,
            &key,
            &[self.id; 32],
            &X25519KeyPair::from_private([self.id; 32]),
            &SenderId::from_bytes(&[self.id; 20]).unwrap(),
            &i64::from(self.number),
            &self.primary,
            &self.replaces,
            &self.own_key_hash,
            &self.deleted,
            &self.to_subscribe,
            &self.service_assoc,
        ];
        assert_eq!(test.execute(RCV, values), 1);
        self
    }

    /// The reduced form of it.
    pub(crate) fn sub(&self) -> RcvQueueSub {
        let SmpServer { hosts, port, key_hash, .. } = &self.server;
        let key_hash = self.own_key_hash.as_ref().unwrap_or(key_hash);
        RcvQueueSub {
            user_id: self.user_id,
            conn_id: self.conn_id.clone(),
            server: SmpServer::new(hosts.clone(), port.clone(), key_hash.clone()),
            rcv_id: self.rcv_id(),
            rcv_private_key: AuthPrivateKey::Ed25519([self.id; 32]),
            status: QueueStatus::New,
            enable_ntfs: true,
            client_notice_id: None::<NoticeId>,
            db_queue_id: StoredEntity(self.number.into()),
            primary: self.primary,
            db_replace_queue_id: self.replaces.map(QueueNumber),
        }
    }
}

const SND: &str = "INSERT INTO snd_queues
     (host, port, snd_id, conn_id, snd_private_key, e2e_dh_secret, status, snd_queue_id,
      snd_primary, replace_snd_queue_id)
     VALUES ($1, $2, $3, $4, $5, $6, 'new', $7, $8, $9)";

/// A row of `snd_queues`, whose number is the byte that its id is made of.
pub(crate) fn insert_snd(
    test: &TestStore,
    conn_id: &ConnId,
    server: &SmpServer,
    id: u8,
    (primary, replaces): (bool, Option<i64>),
) {
    let SmpServer { hosts, port, .. } = server;
    let (number, snd_id) = (i64::from(id), SenderId::from_bytes(&[id; 24]).unwrap());
    let key = AuthPrivateKey::Ed25519([id; 32]);
    let values: simplex_stores::db::Params<'_> =
        &[hosts, port, &snd_id, conn_id, &key, &[id; 32], &number, &primary, &replaces];
    assert_eq!(test.execute(SND, values), 1);
}
