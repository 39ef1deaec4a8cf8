//! `quickcheck::Arbitrary` for the types of notification servers.
//!
//! What is generated can be read from its text under `Strict`, as the same value. So device tokens
//! are readable ones, error texts have no newline, and notifier queues already have the onion host
//! that reading would add.

use std::net::{Ipv4Addr, Ipv6Addr};

use quickcheck::{Arbitrary, Gen};

use super::arbitrary::{array, bytes, one_in, one_of};
use crate::protocol::ntf::{
    AuthPrivateKey, DeviceToken, InvalidReason, Nonce, NotifierQueue, PendingNtf, PendingNtfRecord,
    PushProvider, RegCode, ServerHost, SmpServer, SubscriptionRec, SubscriptionStatus, TokenNtf,
    TokenNtfRecord, TokenNtfs, TokenRec, TokenStatus, X25519KeyPair,
};
use crate::protocol::{
    AuthKey, Blob, DhSecret, NotifierId, RoundedTime, Semantics, SubscriptionId, TextDecode,
    TextEncode, TokenId,
};

impl Arbitrary for PushProvider {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, Self::ALL)
    }
}

/// 32 bytes in hex mostly; the test token, and none to 99 bytes otherwise.
impl Arbitrary for DeviceToken {
    fn arbitrary(g: &mut Gen) -> Self {
        if one_in(g, 10) {
            return Self::new(PushProvider::ApnsNull, "test_ntf_token");
        }
        let length = if one_in(g, 4) { usize::arbitrary(g) % 100 } else { 32 };
        let text: String = bytes(g, length).iter().map(|byte| format!("{byte:02x}")).collect();
        Self::new(PushProvider::arbitrary(g), &text)
    }
}

impl Arbitrary for X25519KeyPair {
    fn arbitrary(g: &mut Gen) -> Self {
        Self::from_private(array(g))
    }
}

impl Arbitrary for AuthPrivateKey {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 3 {
            0 => Self::Ed25519(array(g)),
            1 => Self::Ed448(Box::new(array(g))),
            _ => Self::X25519(array(g)),
        }
    }
}

impl Arbitrary for RegCode {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(Blob::arbitrary(g))
    }
}

impl Arbitrary for Nonce {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(array(g))
    }
}

/// Domain names are the preset ones, ordinary ones and any bytes that a name may have.
impl Arbitrary for ServerHost {
    fn arbitrary(g: &mut Gen) -> Self {
        let length = 1 + usize::arbitrary(g) % 30;
        let host = match u8::arbitrary(g) % 8 {
            0 => Self::V4(Ipv4Addr::from(array(g))),
            1 => Self::V6(Ipv6Addr::from(array(g))),
            2 => Self::V6(one_of(g, [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED])),
            3 => Self::Onion(format!("{}.onion", "abcdefg".repeat(8)).into()),
            4 => Self::Domain(bytes(g, length).into()),
            5 => Self::Domain(one_of(g, [&b"smp4.simplex.im"[..], b"smp10.simplex.im"]).into()),
            _ => Self::Domain(format!("smp{}.example.com", u8::arbitrary(g)).into_bytes().into()),
        };
        if host.is_readable() { host } else { Self::Domain(b"smp.example.com"[..].into()) }
    }
}

impl Arbitrary for SmpServer {
    fn arbitrary(g: &mut Gen) -> Self {
        let count = if one_in(g, 3) { 1 + usize::arbitrary(g) % 4 } else { 1 };
        let hosts: Vec<ServerHost> = (0..count).map(|_| ServerHost::arbitrary(g)).collect();
        let port = one_in(g, 2).then(|| one_of(g, [0, 443, 5223, 10_000, u16::MAX]));
        #[allow(clippy::expect_used, reason = "there is a host, and each is readable")]
        Self::new(&hosts, port, array(g)).expect("a readable host at least")
    }
}

impl Arbitrary for NotifierQueue {
    fn arbitrary(g: &mut Gen) -> Self {
        let queue = Self { server: SmpServer::arbitrary(g), notifier_id: NotifierId::arbitrary(g) };
        Self::from_text(&queue.to_text(), Semantics::Strict).unwrap_or(queue)
    }
}

impl Arbitrary for InvalidReason {
    fn arbitrary(g: &mut Gen) -> Self {
        one_of(g, [Self::Bad, Self::Topic, Self::Expired, Self::Unregistered])
    }
}

impl Arbitrary for TokenStatus {
    fn arbitrary(g: &mut Gen) -> Self {
        let invalid = Self::Invalid(Option::arbitrary(g));
        let others = [Self::New, Self::Registered, Self::Confirmed, Self::Active, Self::Expired];
        if one_in(g, 3) { invalid } else { one_of(g, others) }
    }
}

impl Arbitrary for TokenRec {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            id: TokenId::arbitrary(g),
            device: DeviceToken::arbitrary(g),
            status: TokenStatus::arbitrary(g),
            verify_key: AuthKey::arbitrary(g),
            dh_keys: X25519KeyPair::arbitrary(g),
            dh_secret: DhSecret::arbitrary(g),
            reg_code: RegCode::arbitrary(g),
            cron: u16::arbitrary(g),
            updated_at: Option::arbitrary(g),
        }
    }
}

/// A third of them are errors: with no text, with one that ends like a record, and with any bytes
/// but newlines.
impl Arbitrary for SubscriptionStatus {
    fn arbitrary(g: &mut Gen) -> Self {
        if !one_in(g, 3) {
            use SubscriptionStatus::*;
            return one_of(g, [New, Pending, Active, Inactive, End, Deleted, Auth, Service]);
        }
        let length = usize::arbitrary(g) % 50;
        let mut noise = bytes(g, length);
        noise.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        let texts = [
            noise,
            Vec::new(),
            b"some_error".to_vec(),
            b"some_error serviceAssoc=T".to_vec(),
            b" serviceAssoc=F".to_vec(),
            b"serviceAssoc=T".to_vec(),
        ];
        Self::Err(one_of(g, texts).into())
    }
}

impl Arbitrary for SubscriptionRec {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            id: SubscriptionId::arbitrary(g),
            queue: NotifierQueue::arbitrary(g),
            notifier_key: AuthPrivateKey::arbitrary(g),
            token_id: TokenId::arbitrary(g),
            status: SubscriptionStatus::arbitrary(g),
            service_associated: bool::arbitrary(g),
        }
    }
}

impl Arbitrary for TokenNtf {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            queue: NotifierQueue::arbitrary(g),
            at: RoundedTime::arbitrary(g),
            nonce: Nonce::arbitrary(g),
            meta: Blob::arbitrary(g),
        }
    }
}

impl Arbitrary for TokenNtfs {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut ntfs = vec![TokenNtf::arbitrary(g)];
        ntfs.extend((0..u8::arbitrary(g) % 4).map(|_| TokenNtf::arbitrary(g)));
        #[allow(clippy::expect_used, reason = "the first one was made before")]
        Self::new(ntfs).expect("one notification at least")
    }
}

impl Arbitrary for TokenNtfRecord {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { token_id: TokenId::arbitrary(g), ntf: TokenNtf::arbitrary(g) }
    }
}

impl Arbitrary for PendingNtf {
    fn arbitrary(g: &mut Gen) -> Self {
        Self {
            message_id: Blob::arbitrary(g),
            at: RoundedTime::arbitrary(g),
            nonce: Nonce::arbitrary(g),
            meta: Blob::arbitrary(g),
        }
    }
}

impl Arbitrary for PendingNtfRecord {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { notifier_id: NotifierId::arbitrary(g), ntf: PendingNtf::arbitrary(g) }
    }
}
