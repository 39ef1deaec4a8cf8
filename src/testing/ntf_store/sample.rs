//! Sample values, told apart by a small number: the same number gives the same value.

use std::sync::{Arc, LazyLock};

use crate::protocol::ntf::{
    AuthPrivateKey, DeviceToken, Nonce, NotifierQueue, PushProvider, RegCode, ServerHost,
    SmpServer, SubscriptionRec, SubscriptionStatus, TokenNtf, TokenRec, TokenStatus, X25519KeyPair,
};
use crate::protocol::{
    AuthKey, Blob, DhSecret, EntityId, RoundedDate, RoundedSeconds, SubscriptionId, TokenId,
};
use crate::testing::queue_store::sample::notifier;

/// Made once: the public halves take most of a test's time.
static DH_KEYS: LazyLock<[X25519KeyPair; 4]> =
    LazyLock::new(|| [1, 2, 3, 4].map(|number| X25519KeyPair::from_private([number; 32])));

fn id<Id: From<EntityId>>(kind: u8, number: u8) -> Id {
    match EntityId::from_bytes(&[kind, number]) {
        Some(id) => id.into(),
        None => unreachable!("two bytes are an id"),
    }
}

/// The token id `number`.
pub fn token_id(number: u8) -> TokenId {
    id(b't', number)
}

/// The subscription id `number`.
pub fn subscription_id(number: u8) -> SubscriptionId {
    id(b'u', number)
}

/// The device token `number`.
pub fn device(number: u8) -> DeviceToken {
    DeviceToken::new(PushProvider::ApnsProd, &format!("{number:02x}"))
}

/// The verification key `number`. The first two have the same bytes in different algorithms, so they are one
/// registration (NS-1); the third is longer.
pub fn verify_key(number: u8) -> AuthKey {
    match number {
        0 => AuthKey::Ed25519([1; 32]),
        1 => AuthKey::X25519([1; 32]),
        2 => AuthKey::Ed448(Box::new([2; 57])),
        _ => AuthKey::Ed25519([number; 32]),
    }
}

/// The router `number`.
pub fn server(number: u8) -> SmpServer {
    let host = ServerHost::Domain(format!("smp{number}.example").into_bytes().into());
    match SmpServer::new(&[host], None, [number; 32]) {
        Some(server) => server,
        None => unreachable!("there is a host"),
    }
}

/// The queue `number`: those with even numbers at the router 0, those with odd ones at the router 1.
pub fn queue(number: u8) -> NotifierQueue {
    NotifierQueue { server: server(number % 2), notifier_id: notifier(number) }
}

/// The token `number` with this device token and key, newly registered.
pub fn token(number: u8, device_number: u8, key_number: u8) -> TokenRec {
    TokenRec {
        id: token_id(number),
        device: device(device_number),
        status: TokenStatus::Registered,
        verify_key: verify_key(key_number),
        dh_keys: DH_KEYS[usize::from(number % 4)].clone(),
        dh_secret: DhSecret::new([number; 32]),
        reg_code: RegCode(Blob::from(vec![number; 4])),
        cron: 0,
        updated_at: Some(RoundedDate::from_seconds(1_735_689_600)),
    }
}

/// The subscription `number` of a token to a queue, newly made.
pub fn subscription(number: u8, token_number: u8, queue_number: u8) -> SubscriptionRec {
    SubscriptionRec {
        id: subscription_id(number),
        queue: queue(queue_number),
        notifier_key: AuthPrivateKey::Ed25519([number; 32]),
        token_id: token_id(token_number),
        status: SubscriptionStatus::New,
        service_associated: false,
    }
}

/// The notification of message `message` in this queue.
pub fn ntf(queue_number: u8, message: u8) -> Arc<TokenNtf> {
    Arc::new(TokenNtf {
        queue: queue(queue_number),
        at: RoundedSeconds::from_seconds(1_735_689_600 + i64::from(message)),
        nonce: Nonce([message; 24]),
        meta: Blob::from(vec![message; 3]),
    })
}
