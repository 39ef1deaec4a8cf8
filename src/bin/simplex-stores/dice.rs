//! Random parts of records that are the same for the same seed, on every machine and version.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use simplex_stores::protocol::{
    AuthKey, Blob, BlockingInfo, BlockingReason, CertChain, CertFingerprint, ClientNotice,
    DhSecret, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, RecipientKeys, RoundedDate,
    ServiceId, ServiceRec, ServiceRole,
};

/// 2025-01-01, the first day of anything random.
const FIRST_DAY: i64 = 1_735_689_600;
const DAY: i64 = 86_400;

/// A source of random parts. Only the generator's words are used, never another library's way of
/// making ranges of them, so that a seed means the same bytes for ever.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The generator itself, for ids.
    pub(crate) fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.0
    }

    /// A number below `bound`; zero when `bound` is zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A place in a list of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.index(from.len()))
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn blob(&mut self, length: usize) -> Blob {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes.into()
    }

    /// A key as clients make them: mostly for signatures, some for authenticators, few long ones.
    pub(crate) fn key(&mut self) -> AuthKey {
        match self.below(20) {
            0 => AuthKey::Ed448(Box::new(self.bytes())),
            1..=7 => AuthKey::X25519(self.bytes()),
            _ => AuthKey::Ed25519(self.bytes()),
        }
    }

    /// The keys of a queue's recipient: one, or several where more than one device or member owns it.
    pub(crate) fn keys(&mut self) -> RecipientKeys {
        let more = if self.percent(5) { 1 + self.below(3) } else { 0 };
        let first = self.key();
        let keys: Vec<AuthKey> = (0..more).map(|_| self.key()).collect();
        let all: Vec<AuthKey> = std::iter::once(first.clone()).chain(keys).collect();
        RecipientKeys::new(all).unwrap_or_else(|| RecipientKeys::one(first))
    }

    pub(crate) fn secret(&mut self) -> DhSecret {
        DhSecret::new(self.bytes())
    }

    /// Link data: a small fixed part, a user part of the size of a short profile.
    pub(crate) fn link_data(&mut self) -> LinkData {
        let user = 40 + self.index(200);
        LinkData { fixed: self.blob(64), user: self.blob(user) }
    }

    pub(crate) fn link(&mut self) -> QueueLink {
        QueueLink { id: LinkId::random(self.rng()), data: self.link_data() }
    }

    pub(crate) fn notifier(&mut self, service_id: Option<ServiceId>) -> NtfCreds {
        NtfCreds {
            notifier_id: NotifierId::random(self.rng()),
            key: self.key(),
            dh_secret: self.secret(),
            service_id,
        }
    }

    /// Why a queue is blocked. A notice makes a record that the reference writes and cannot read
    /// back when the queue has a receiving service (JR-21), so the caller says whether to have one.
    pub(crate) fn blocking(&mut self, with_notice: bool) -> BlockingInfo {
        let reason = if self.percent(50) { BlockingReason::Spam } else { BlockingReason::Content };
        let ttl = self.percent(50).then_some(30 * DAY);
        BlockingInfo { reason, notice: with_notice.then_some(ClientNotice { ttl }) }
    }

    /// A day within so many days of the first.
    pub(crate) fn day(&mut self, within: u64) -> RoundedDate {
        let day = i64::try_from(self.below(within)).unwrap_or(0);
        RoundedDate::from_seconds(FIRST_DAY + day * DAY)
    }

    /// A service with a chain of two certificates of the right structure, under the fingerprint of
    /// the second, which is the one that identifies it (SE-45).
    pub(crate) fn service(&mut self, role: ServiceRole) -> ServiceRec {
        let leaf = certificate(&self.bytes(), &self.bytes(), &self.bytes());
        let identity = certificate(&self.bytes(), &self.bytes(), &self.bytes());
        let cert_hash = CertFingerprint::of_certificate(&identity);
        ServiceRec {
            service_id: ServiceId::random(self.rng()),
            role,
            cert_chain: CertChain::new(vec![leaf.into(), identity.into()]).unwrap_or_default(),
            cert_hash,
            created_at: self.day(30),
        }
    }
}

/// A certificate by structure: its signature is random, and so is the key that it certifies.
fn certificate(serial: &[u8; 8], key: &[u8; 32], signature: &[u8; 64]) -> Vec<u8> {
    let algorithm = element(0x30, &[&[0x06, 0x03, 0x2b, 0x65, 0x70]]);
    // The top bit makes a number negative: a serial number is positive.
    let mut number = *serial;
    if let Some(first) = number.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let name_part = element(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &element(0x0c, &[b"s"])]);
    let name = element(0x30, &[&element(0x31, &[&name_part])]);
    let validity =
        element(0x30, &[&element(0x17, &[b"250101000000Z"]), &element(0x17, &[b"450101000000Z"])]);
    let public_key = element(0x30, &[&algorithm, &element(0x03, &[&[0], key])]);
    let certified = element(
        0x30,
        &[
            &element(0xa0, &[&[0x02, 0x01, 0x02]]),
            &element(0x02, &[&number]),
            &algorithm,
            &name,
            &validity,
            &name,
            &public_key,
        ],
    );
    element(0x30, &[&certified, &algorithm, &element(0x03, &[&[0], signature])])
}

/// A DER element of less than 64 KB: its tag, its length in as few bytes as can be, its content.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = vec![tag];
    match (high, low) {
        (0, 0..=0x7f) => bytes.push(low),
        (0, _) => bytes.extend([0x81, low]),
        _ => bytes.extend([0x82, high, low]),
    }
    bytes.extend(content);
    bytes
}
