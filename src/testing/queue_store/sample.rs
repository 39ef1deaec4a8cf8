//! Sample values, told apart by a small number: the same number gives the same value.

use quickcheck::{Arbitrary as _, Gen};

use crate::protocol::{
    AuthKey, Blob, CertChain, CertFingerprint, DhSecret, EntityId, EntityStatus, LinkData, LinkId,
    NotifierId, NtfCreds, QueueMode, QueueRec, RecipientId, RecipientKeys, RoundedDate, SenderId,
    ServiceId, ServiceRec, ServiceRole,
};
use crate::testing::Certificate;

fn id<Id: From<EntityId>>(kind: u8, number: u8) -> Id {
    let mut bytes = [number; 24];
    bytes[0] = kind;
    match EntityId::from_bytes(&bytes) {
        Some(id) => id.into(),
        None => unreachable!("24 bytes are an id"),
    }
}

/// The recipient id of queue `number`.
pub fn recipient(number: u8) -> RecipientId {
    id(b'r', number)
}

/// The sender id of queue `number`.
pub fn sender(number: u8) -> SenderId {
    id(b's', number)
}

/// The notifier id `number`.
pub fn notifier(number: u8) -> NotifierId {
    id(b'n', number)
}

/// The link id `number`.
pub fn link(number: u8) -> LinkId {
    id(b'l', number)
}

/// The service id `number`.
pub fn service_id(number: u8) -> ServiceId {
    id(b'v', number)
}

/// The key `number`: the three algorithms in turn.
pub fn key(number: u8) -> AuthKey {
    match number % 3 {
        0 => AuthKey::Ed25519([number; 32]),
        1 => AuthKey::Ed448(Box::new([number; 57])),
        _ => AuthKey::X25519([number; 32]),
    }
}

/// A list of two recipient keys.
pub fn keys(number: u8) -> RecipientKeys {
    let pair = vec![key(number), key(number.wrapping_add(1))];
    RecipientKeys::new(pair).unwrap_or_else(|| RecipientKeys::one(key(number)))
}

/// Notifier credentials with the notifier id `number`.
pub fn creds(number: u8, service: Option<ServiceId>) -> NtfCreds {
    NtfCreds {
        notifier_id: notifier(number),
        key: key(number),
        dh_secret: DhSecret::new([number; 32]),
        service_id: service,
    }
}

/// Link data of three fixed bytes and `user` user bytes: none when it is zero.
pub fn link_data(fixed: u8, user: u8) -> LinkData {
    LinkData { fixed: Blob::from(vec![fixed; 3]), user: Blob::from(vec![user; user as usize]) }
}

/// A plain, unsecured queue.
pub fn record(number: u8) -> QueueRec {
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

/// A service with the id `number`, the certificate `cert` and an empty chain.
pub fn service(number: u8, cert: u8, role: ServiceRole) -> ServiceRec {
    ServiceRec {
        service_id: service_id(number),
        role,
        cert_chain: chain(cert),
        cert_hash: CertFingerprint::new([cert; 32]),
        created_at: RoundedDate::from_seconds(1_735_689_600),
    }
}

/// A chain of one certificate: a database can't hold an empty one (SE-58).
fn chain(number: u8) -> CertChain {
    let Certificate(der) = Certificate::arbitrary(&mut Gen::from_size_and_seed(4, number.into()));
    CertChain::new(vec![Blob::from(der)]).unwrap_or_default()
}
