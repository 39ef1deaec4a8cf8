//! Random calls: ids come from small pools, so that they collide often.

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{
    AuthKey, Blob, BlockingInfo, BlockingReason, CertChain, CertFingerprint, ClientNotice,
    DhSecret, EntityStatus, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueMode, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, SenderId, ServiceId, ServiceParty, ServiceRec,
    ServiceRole,
};
use simplex_stores::queue_store::QueueKey;

use crate::model::Op;

const QUEUES: u8 = 6;
const NOTIFIERS: u8 = 5;
const LINKS: u8 = 4;
const SERVICES: u8 = 4;

fn bytes(kind: u8, number: u8) -> [u8; 24] {
    let mut bytes = [number; 24];
    bytes[0] = kind;
    bytes
}

pub(crate) fn recipient(number: u8) -> RecipientId {
    RecipientId::from_bytes(&bytes(b'r', number)).unwrap()
}

pub(crate) fn sender(number: u8) -> SenderId {
    SenderId::from_bytes(&bytes(b's', number)).unwrap()
}

pub(crate) fn notifier(number: u8) -> NotifierId {
    NotifierId::from_bytes(&bytes(b'n', number)).unwrap()
}

pub(crate) fn link(number: u8) -> LinkId {
    LinkId::from_bytes(&bytes(b'l', number)).unwrap()
}

pub(crate) fn service_id(number: u8) -> ServiceId {
    ServiceId::from_bytes(&bytes(b'v', number)).unwrap()
}

pub(crate) fn key(number: u8) -> AuthKey {
    match number % 3 {
        0 => AuthKey::Ed25519([number; 32]),
        1 => AuthKey::Ed448(Box::new([number; 57])),
        _ => AuthKey::X25519([number; 32]),
    }
}

pub(crate) fn keys(number: u8) -> RecipientKeys {
    RecipientKeys::new(vec![key(number), key(number.wrapping_add(1))]).unwrap()
}

pub(crate) fn creds(number: u8, service: Option<ServiceId>) -> NtfCreds {
    NtfCreds {
        notifier_id: notifier(number),
        key: key(number),
        dh_secret: DhSecret::new([number; 32]),
        service_id: service,
    }
}

pub(crate) fn link_data(fixed: u8, user: u8) -> LinkData {
    LinkData { fixed: Blob::from(vec![fixed; 3]), user: Blob::from(vec![user; user as usize]) }
}

/// A plain, unsecured queue.
pub(crate) fn record(number: u8) -> QueueRec {
    QueueRec {
        recipient_keys: keys(number),
        rcv_dh_secret: DhSecret::new([number; 32]),
        sender_id: sender(number),
        sender_key: None,
        queue_mode: Some(QueueMode::Messaging),
        link: None,
        notifier: None,
        updated_at: None,
        status: EntityStatus::Active,
        rcv_service_id: None,
    }
}

pub(crate) fn service(number: u8, cert: u8, role: ServiceRole) -> ServiceRec {
    ServiceRec {
        service_id: service_id(number),
        role,
        cert_chain: CertChain::new(Vec::new()).unwrap(),
        cert_hash: CertFingerprint::new([cert; 32]),
        created_at: RoundedDate::from_seconds(1_735_689_600),
    }
}

fn below(g: &mut Gen, bound: u8) -> u8 {
    u8::arbitrary(g) % bound
}

fn some<T>(g: &mut Gen, make: impl FnOnce(&mut Gen) -> T) -> Option<T> {
    bool::arbitrary(g).then(|| make(g))
}

fn some_service(g: &mut Gen) -> Option<ServiceId> {
    // Mostly none, so that operations are not refused all the time.
    (below(g, 3) == 0).then(|| service_id(below(g, SERVICES)))
}

fn some_record(g: &mut Gen) -> QueueRec {
    let mut record = record(below(g, QUEUES));
    record.sender_key = some(g, |g| key(below(g, 4)));
    record.queue_mode =
        some(g, |g| if bool::arbitrary(g) { QueueMode::Messaging } else { QueueMode::Contact });
    record.link = some(g, |g| Box::new(some_link(g)));
    record.notifier = some(g, |g| Box::new(some_creds(g)));
    record.updated_at = some(g, some_date);
    record.rcv_service_id = some_service(g);
    record
}

fn some_link(g: &mut Gen) -> QueueLink {
    QueueLink { id: link(below(g, LINKS)), data: some_data(g) }
}

fn some_data(g: &mut Gen) -> LinkData {
    link_data(below(g, 2), below(g, 3))
}

fn some_creds(g: &mut Gen) -> NtfCreds {
    let service = some_service(g);
    creds(below(g, NOTIFIERS), service)
}

fn some_date(g: &mut Gen) -> RoundedDate {
    RoundedDate::from_seconds(1_735_689_600 + 86_400 * i64::from(below(g, 3)))
}

fn some_info(g: &mut Gen) -> BlockingInfo {
    let reason = if bool::arbitrary(g) { BlockingReason::Spam } else { BlockingReason::Content };
    let notice = some(g, |g| ClientNotice { ttl: some(g, |g| i64::from(below(g, 9))) });
    BlockingInfo { reason, notice }
}

fn some_key(g: &mut Gen) -> QueueKey {
    match below(g, 4) {
        0 => recipient(below(g, QUEUES)).into(),
        1 => sender(below(g, QUEUES)).into(),
        2 => notifier(below(g, NOTIFIERS)).into(),
        _ => link(below(g, LINKS)).into(),
    }
}

fn some_party(g: &mut Gen) -> ServiceParty {
    if bool::arbitrary(g) { ServiceParty::Receiver } else { ServiceParty::Notifier }
}

fn some_role(g: &mut Gen) -> ServiceRole {
    match below(g, 5) {
        0 | 1 => ServiceRole::Messaging,
        2 | 3 => ServiceRole::Notifier,
        _ => ServiceRole::Proxy,
    }
}

fn list<T>(g: &mut Gen, mut make: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    (0..below(g, 6)).map(|_| make(g)).collect()
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        let id = recipient(below(g, QUEUES));
        match below(g, 34) {
            0..=5 => Op::Add(id, Box::new(some_record(g))),
            6 | 7 => Op::Get(some_key(g)),
            8 => Op::GetLink(id, link(below(g, LINKS))),
            9 | 10 => Op::AddLink(id, link(below(g, LINKS)), some_data(g)),
            11 => Op::DeleteLink(id),
            12 | 13 => Op::Secure(id, key(below(g, 4))),
            14 => Op::Keys(id, keys(below(g, 5))),
            15 | 16 => Op::AddNotifier(id, Box::new(some_creds(g))),
            17 => Op::DeleteNotifier(id),
            18 => Op::Suspend(id),
            19 => Op::Block(id, some_info(g)),
            20 => Op::Unblock(id),
            21 => Op::Time(id, some_date(g)),
            22 | 23 => Op::Delete(id),
            24 | 25 => {
                let (number, role) = (below(g, SERVICES), some_role(g));
                Op::Service(Box::new(service(number, below(g, SERVICES), role)))
            }
            26 | 27 => Op::SetService(id, some_party(g), some_service(g)),
            28 => {
                let ids = list(g, |g| recipient(below(g, QUEUES)));
                Op::SetServices(ids, some_party(g), some_service(g))
            }
            29 => Op::Group(list(g, |g| notifier(below(g, NOTIFIERS)))),
            30 => Op::CountHash(some_party(g), service_id(below(g, SERVICES))),
            31 => Op::Fold(service_id(below(g, SERVICES))),
            32 => Op::Counts,
            _ => Op::Restart,
        }
    }
}
