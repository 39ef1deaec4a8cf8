//! Small ids and records, and stores to put them into.

use std::path::PathBuf;

use simplex_stores::protocol::{
    AuthKey, Blob, CertChain, CertFingerprint, DhSecret, EntityStatus, ErrorType, LinkData, LinkId,
    NotifierId, NtfCreds, QueueLink, QueueMode, QueueRec, RecipientId, RecipientKeys, RoundedDate,
    Semantics, SenderId, ServiceId, ServiceRec, ServiceRole,
};
use simplex_stores::queue_store::{BasicFactory, BasicQueue, QueueKey, QueueStore, StmQueueStore};
use simplex_stores::store_log::StoreLogConfig;

pub(crate) const STRICT: Semantics = Semantics::Strict;
pub(crate) const REFERENCE: Semantics = Semantics::Reference;
pub(crate) const BOTH: [Semantics; 2] = [STRICT, REFERENCE];

fn bytes(kind: u8, number: u8) -> [u8; 24] {
    let mut bytes = [number; 24];
    bytes[0] = kind;
    bytes
}

pub(crate) fn rid(number: u8) -> RecipientId {
    RecipientId::from_bytes(&bytes(b'r', number)).unwrap()
}

pub(crate) fn sid(number: u8) -> SenderId {
    SenderId::from_bytes(&bytes(b's', number)).unwrap()
}

pub(crate) fn nid(number: u8) -> NotifierId {
    NotifierId::from_bytes(&bytes(b'n', number)).unwrap()
}

pub(crate) fn lid(number: u8) -> LinkId {
    LinkId::from_bytes(&bytes(b'l', number)).unwrap()
}

pub(crate) fn vid(number: u8) -> ServiceId {
    ServiceId::from_bytes(&bytes(b'v', number)).unwrap()
}

pub(crate) fn key(number: u8) -> AuthKey {
    AuthKey::X25519([number; 32])
}

pub(crate) fn data(fixed: u8, user: u8) -> LinkData {
    LinkData { fixed: Blob::from(vec![fixed; 5]), user: Blob::from(vec![user; 7]) }
}

pub(crate) fn creds(number: u8, service: Option<u8>) -> NtfCreds {
    NtfCreds {
        notifier_id: nid(number),
        key: key(number),
        dh_secret: DhSecret::new([number; 32]),
        service_id: service.map(vid),
    }
}

pub(crate) fn rec(number: u8) -> QueueRec {
    QueueRec {
        recipient_keys: RecipientKeys::one(key(number)),
        rcv_dh_secret: DhSecret::new([number; 32]),
        sender_id: sid(number),
        sender_key: None,
        queue_mode: Some(QueueMode::Messaging),
        link: None,
        notifier: None,
        updated_at: None,
        status: EntityStatus::Active,
        rcv_service_id: None,
    }
}

/// With a link and a notifier of the same number.
pub(crate) fn full_rec(number: u8) -> QueueRec {
    QueueRec {
        link: Some(Box::new(QueueLink { id: lid(number), data: data(number, number) })),
        notifier: Some(Box::new(creds(number, None))),
        ..rec(number)
    }
}

pub(crate) fn service(number: u8, cert: u8, role: ServiceRole) -> ServiceRec {
    ServiceRec {
        service_id: vid(number),
        role,
        cert_chain: CertChain::new(Vec::new()).unwrap(),
        cert_hash: CertFingerprint::new([cert; 32]),
        created_at: RoundedDate::from_seconds(86_400),
    }
}

pub(crate) const MESSAGING: ServiceRole = ServiceRole::Messaging;
pub(crate) const NOTIFIER: ServiceRole = ServiceRole::Notifier;

/// A store on a journal of its own.
pub(crate) struct Running {
    folder: tempfile::TempDir,
    pub(crate) store: StmQueueStore,
}

impl Running {
    pub(crate) fn new(semantics: Semantics) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreLogConfig::new(folder.path().join("log")).semantics(semantics);
        let (store, _) = StmQueueStore::open(&config, BasicFactory).unwrap();
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The journal's text so far.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    /// The tags of the records that `call` wrote.
    pub(crate) fn tags<T>(&self, call: impl FnOnce(&StmQueueStore) -> T) -> (T, Vec<String>) {
        let before = self.text().len();
        let result = call(&self.store);
        let text = self.text();
        let tag = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        (result, text[before..].lines().map(tag).collect())
    }

    pub(crate) fn record(&self, number: u8) -> QueueRec {
        (*self.store.get_queue_rec(&rid(number).into()).unwrap().1).clone()
    }
}

/// Says `AUTH`, whatever the answer was to be.
pub(crate) fn auth<T>() -> Result<T, ErrorType> {
    Err(ErrorType::Auth)
}

/// Whether a live queue is found.
pub(crate) fn finds(store: &StmQueueStore, key: impl Into<QueueKey>) -> bool {
    store.get_queue_rec(&key.into()).is_ok()
}

/// Every operation that changes one queue, with its name.
pub(crate) type Change = fn(&StmQueueStore, &BasicQueue) -> Result<(), ErrorType>;

pub(crate) const CHANGES: [(&str, Change); 12] = [
    ("LINK", |store, queue| store.add_link_data(queue, lid(9), data(9, 9))),
    ("LDELETE", |store, queue| store.delete_link_data(queue)),
    ("SECURE", |store, queue| store.secure_queue(queue, key(9))),
    ("KEYS", |store, queue| store.update_keys(queue, RecipientKeys::one(key(9)))),
    ("NOTIFIER", |store, queue| store.add_notifier(queue, creds(9, None)).map(drop)),
    ("NDELETE", |store, queue| store.delete_notifier(queue).map(drop)),
    ("SUSPEND", |store, queue| store.suspend_queue(queue)),
    ("BLOCK", |store, queue| store.block_queue(queue, blocking())),
    ("UNBLOCK", |store, queue| store.unblock_queue(queue)),
    ("TIME", |store, queue| store.update_time(queue, RoundedDate::from_seconds(9)).map(drop)),
    ("QUEUE_SERVICE", |store, queue| {
        store.set_queue_service(queue, simplex_stores::protocol::ServiceParty::Receiver, None)
    }),
    ("DELETE", |store, queue| store.delete_queue(queue).map(drop)),
];

pub(crate) fn blocking() -> simplex_stores::protocol::BlockingInfo {
    simplex_stores::protocol::BlockingInfo {
        reason: simplex_stores::protocol::BlockingReason::Spam,
        notice: None,
    }
}
