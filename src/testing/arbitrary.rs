//! `quickcheck::Arbitrary` for the domain types and the journal's records.

use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};

use crate::protocol::{
    AuthKey, Blob, BlockingInfo, BlockingReason, CertChain, CertFingerprint, ClientNotice,
    CommandError, CountHash, DhSecret, EntityId, EntityStatus, ErrorType, IdsHash, LinkData,
    LinkId, NotifierId, NtfCreds, ProxyError, QueueLink, QueueMode, QueueRec, RecipientId,
    RecipientKeys, RoundedTime, SenderId, ServiceId, ServiceParty, ServiceQueues, ServiceRec,
    ServiceRole, SubscriptionId, TokenId,
};
use crate::store_log::LogRecord;

/// Whether the reference can read the record back from the text that it writes for it: not so
/// with an empty part of link data (JR-20), nor with a receiving service after a notice (JR-21).
pub fn reference_can_read(record: &LogRecord) -> bool {
    let whole = |data: &LinkData| !data.fixed.is_empty() && !data.user.is_empty();
    match record {
        LogRecord::CreateLink(_, link) => whole(&link.data),
        LogRecord::CreateQueue(_, queue) => {
            let notice = match &queue.status {
                EntityStatus::Blocked(info) => info.notice.is_some(),
                _ => false,
            };
            queue.link.as_ref().is_none_or(|link| whole(&link.data))
                && !(notice && queue.rcv_service_id.is_some())
        }
        _ => true,
    }
}

/// One of these, each as likely as the others; the first when there is nothing to choose from.
pub(super) fn one_of<T: Clone, const N: usize>(g: &mut Gen, values: [T; N]) -> T {
    let index = usize::arbitrary(g) % N.max(1);
    let mut values = values.into_iter();
    #[allow(clippy::expect_used)] // the index is below N; a table without entries is a broken test
    values.nth(index).expect("a choice of one or more")
}

/// Whether the next one in `n` cases has come.
pub(super) fn one_in(g: &mut Gen, n: u32) -> bool {
    u32::arbitrary(g) % n == 0
}

pub(super) fn array<const N: usize>(g: &mut Gen) -> [u8; N] {
    std::array::from_fn(|_| u8::arbitrary(g))
}

pub(super) fn bytes(g: &mut Gen, length: usize) -> Vec<u8> {
    (0..length).map(|_| u8::arbitrary(g)).collect()
}

/// Ids are 24 bytes mostly; any other length from 1 to 100 otherwise, past the inline limit too.
impl Arbitrary for EntityId {
    fn arbitrary(g: &mut Gen) -> Self {
        let length = if one_in(g, 4) { usize::arbitrary(g) % 100 } else { 23 };
        let mut id = bytes(g, length);
        id.push(u8::arbitrary(g));
        #[allow(clippy::expect_used)] // a byte was pushed
        Self::from_bytes(&id).expect("a byte at least")
    }
}

macro_rules! arbitrary_ids {
    ($($name:ident),*) => {
        $(impl Arbitrary for $name {
            fn arbitrary(g: &mut Gen) -> Self {
                EntityId::arbitrary(g).into()
            }
        })*
    };
}

arbitrary_ids!(RecipientId, SenderId, NotifierId, LinkId, ServiceId, TokenId, SubscriptionId);

impl Arbitrary for AuthKey {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 3 {
            0 => Self::Ed25519(array(g)),
            1 => Self::Ed448(Box::new(array(g))),
            _ => Self::X25519(array(g)),
        }
    }
}

impl Arbitrary for RecipientKeys {
    fn arbitrary(g: &mut Gen) -> Self {
        let first = AuthKey::arbitrary(g);
        if !one_in(g, 4) {
            return Self::one(first);
        }
        let mut keys = vec![first.clone()];
        keys.extend((0..u8::arbitrary(g) % 5).map(|_| AuthKey::arbitrary(g)));
        Self::new(keys).unwrap_or_else(|| Self::one(first))
    }
}

impl Arbitrary for DhSecret {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::new(array(g))
    }
}

/// Empty once in ten times.
impl Arbitrary for Blob {
    fn arbitrary(g: &mut Gen) -> Self {
        if one_in(g, 10) {
            return Self::default();
        }
        let length = 1 + usize::arbitrary(g) % 200;
        Self::from(bytes(g, length))
    }
}

impl Arbitrary for LinkData {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { fixed: Blob::arbitrary(g), user: Blob::arbitrary(g) }
    }
}

impl Arbitrary for QueueLink {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { id: LinkId::arbitrary(g), data: LinkData::arbitrary(g) }
    }
}

impl Arbitrary for NtfCreds {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            notifier_id: NotifierId::arbitrary(g),
            key: AuthKey::arbitrary(g),
            dh_secret: DhSecret::arbitrary(g),
            service_id: Option::arbitrary(g),
        }
    }
}

impl Arbitrary for ClientNotice {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { ttl: Option::arbitrary(g) }
    }
}

impl Arbitrary for BlockingReason {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Spam, Self::Content])
    }
}

impl Arbitrary for BlockingInfo {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { reason: BlockingReason::arbitrary(g), notice: Option::arbitrary(g) }
    }
}

impl Arbitrary for EntityStatus {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 4 {
            0 | 1 => Self::Active,
            2 => Self::Off,
            _ => Self::Blocked(BlockingInfo::arbitrary(g)),
        }
    }
}

impl Arbitrary for QueueMode {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Messaging, Self::Contact])
    }
}

impl<const PRECISION: i64> Arbitrary for RoundedTime<PRECISION> {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::rounded(i64::arbitrary(g))
    }
}

impl Arbitrary for QueueRec {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            recipient_keys: RecipientKeys::arbitrary(g),
            rcv_dh_secret: DhSecret::arbitrary(g),
            sender_id: SenderId::arbitrary(g),
            sender_key: Option::arbitrary(g),
            queue_mode: Option::arbitrary(g),
            link: Option::arbitrary(g),
            notifier: Option::arbitrary(g),
            updated_at: Option::arbitrary(g),
            status: EntityStatus::arbitrary(g),
            rcv_service_id: Option::arbitrary(g),
        }
    }
}

impl Arbitrary for ServiceRole {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Messaging, Self::Notifier, Self::Proxy])
    }
}

impl Arbitrary for ServiceParty {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Receiver, Self::Notifier])
    }
}

/// The DER of a certificate that is one by structure: names, key and signature are random, and
/// nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(pub Vec<u8>);

impl Arbitrary for Certificate {
    fn arbitrary(g: &mut Gen) -> Self {
        let serial = element(0x02, &[u8::arbitrary(g) & 0x7f]);
        let algorithm = element(0x30, b"\x06\x03\x2b\x65\x70");
        let mut name = || {
            let length = usize::arbitrary(g) % 40;
            let text: Vec<u8> = bytes(g, length).iter().map(|byte| b'a' + byte % 26).collect();
            let attribute = [b"\x06\x03\x55\x04\x03".to_vec(), element(0x0c, &text)].concat();
            element(0x30, &element(0x31, &element(0x30, &attribute)))
        };
        let (issuer, subject) = (name(), name());
        let date = element(0x17, b"250101000000Z");
        let validity = element(0x30, &[date.clone(), date].concat());
        let key = AuthKey::Ed25519(array(g)).to_der();
        let signature = element(0x03, &[vec![0], bytes(g, 64)].concat());
        let version = element(0xa0, &element(0x02, &[2]));
        let signed = [version, serial, algorithm.clone(), issuer, validity, subject, key].concat();
        Self(element(0x30, &[element(0x30, &signed), algorithm, signature].concat()))
    }
}

/// A DER element of up to 65,535 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let header = match content.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&header, content].concat()
}

impl Arbitrary for CertChain {
    fn arbitrary(g: &mut Gen) -> Self {
        let count = u8::arbitrary(g) % 4;
        let certificates = (0..count).map(|_| Blob::from(Certificate::arbitrary(g).0)).collect();
        Self::new(certificates).unwrap_or_default()
    }
}

impl Arbitrary for CertFingerprint {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::new(array(g))
    }
}

impl Arbitrary for ServiceRec {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            service_id: ServiceId::arbitrary(g),
            role: ServiceRole::arbitrary(g),
            cert_chain: CertChain::arbitrary(g),
            cert_hash: CertFingerprint::arbitrary(g),
            created_at: RoundedTime::arbitrary(g),
        }
    }
}

impl Arbitrary for IdsHash {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::of_id(&array::<16>(g))
    }
}

impl Arbitrary for CountHash {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { count: i64::arbitrary(g) % 1_000_000, hash: IdsHash::arbitrary(g) }
    }
}

impl Arbitrary for ServiceQueues {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { service_id: ServiceId::arbitrary(g), queues: CountHash::arbitrary(g) }
    }
}

impl Arbitrary for CommandError {
    fn arbitrary(g: &mut Gen) -> Self {
        use CommandError::*;
        one_of(g, [Unknown, Syntax, Prohibited, NoAuth, HasAuth, NoEntity])
    }
}

impl Arbitrary for ProxyError {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Protocol, Self::Broker, Self::BasicAuth, Self::NoSession])
    }
}

impl Arbitrary for ErrorType {
    fn arbitrary(g: &mut Gen) -> Self {
        let values = [
            Self::Auth,
            Self::Duplicate,
            Self::Service,
            Self::Store(String::arbitrary(g)),
            Self::Internal,
            Self::Block,
            Self::Session,
            Self::Cmd(CommandError::arbitrary(g)),
            Self::Proxy(ProxyError::arbitrary(g)),
            Self::Blocked(BlockingInfo::arbitrary(g)),
            Self::Crypto,
            Self::Quota,
            Self::NoMsg,
            Self::LargeMsg,
            Self::Expired,
        ];
        one_of(g, values)
    }
}

impl Arbitrary for LogRecord {
    fn arbitrary(g: &mut Gen) -> Self {
        let queue = RecipientId::arbitrary(g);
        match u8::arbitrary(g) % 18 {
            0 => Self::CreateLink(queue, QueueLink::arbitrary(g)),
            1 => Self::DeleteLink(queue),
            2 => Self::SecureQueue(queue, AuthKey::arbitrary(g)),
            3 => Self::UpdateKeys(queue, RecipientKeys::arbitrary(g)),
            4 => Self::AddNotifier(queue, Box::arbitrary(g)),
            5 => Self::SuspendQueue(queue),
            6 => Self::BlockQueue(queue, BlockingInfo::arbitrary(g)),
            7 => Self::UnblockQueue(queue),
            8 => Self::DeleteQueue(queue),
            9 => Self::DeleteNotifier(queue),
            10 => Self::UpdateTime(queue, RoundedTime::arbitrary(g)),
            11 | 12 => Self::NewService(Box::arbitrary(g)),
            13 => Self::QueueService(queue, ServiceParty::arbitrary(g), Option::arbitrary(g)),
            _ => Self::CreateQueue(queue, Arc::arbitrary(g)),
        }
    }
}
