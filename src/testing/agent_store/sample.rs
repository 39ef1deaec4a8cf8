//! Values for operations, told apart by small numbers.

use crate::agent_store::types::*;
use crate::db::UtcTime;
use crate::protocol::Blob;
use crate::protocol::ServiceRole;
use crate::protocol::ntf::{PushProvider, X25519KeyPair};
use crate::testing::queue_store::sample;

/// What the constructors of types take: all values here are ones.
fn made<T>(value: Option<T>) -> T {
    #[allow(clippy::expect_used, reason = "a value here that its type refuses is a broken test")]
    value.expect("a value of its type")
}

pub(super) fn id<T>(number: u8, of: impl FnOnce(&[u8]) -> Option<T>) -> T {
    made(of(&[number; 16]))
}

/// An id that nothing has.
pub(super) fn unknown<T>(of: impl FnOnce(&[u8]) -> Option<T>) -> T {
    id(0xff, of)
}

/// Long ago, and never the same as now.
pub(super) fn time(number: u8) -> UtcTime {
    made(UtcTime::from_micros((1_000_000_000 + i64::from(number)) * 1_000_000))
}

/// Two that differ in their fingerprint only, one with two hosts, one with another port.
pub(super) fn router<P: Protocol>(number: u8) -> Server<P> {
    let (hosts, port, hash) = match number {
        0 => ("one.example", "5223", 1),
        1 => ("one.example", "5223", 2),
        2 => ("two.example,abc.onion", "5223", 1),
        _ => ("one.example", "", 1),
    };
    let hosts = made(ServerHosts::from_text(hosts));
    Server::new(hosts, Port(port.to_owned()), KeyHash(vec![hash; 32]))
}

pub(super) fn blob(number: u8) -> Blob {
    Blob::from(vec![number; usize::from(number)])
}

pub(super) fn body(number: u8) -> MsgBody {
    MsgBody(vec![number; usize::from(number)])
}

pub(super) fn agent_message(number: u8) -> AgentMessage {
    made(AgentMessage::new(vec![number; 10]))
}

pub(super) fn encrypt_key() -> MsgEncryptKey {
    made(MsgEncryptKey::new(MsgEncryptKeyParts {
        ratchet_version: 3,
        associated_data: &[1; 12],
        key: &[2; 32],
        iv: &[3; 16],
        encrypted_header: &[4; 30],
    }))
}

pub(super) fn key_pair(number: u8) -> X25519KeyPair {
    X25519KeyPair::from_private([number; 32])
}

pub(super) fn short_link(number: u8) -> ShortLinkCreds {
    ShortLinkCreds {
        link_id: id(number, LinkId::from_bytes),
        link_key: LinkKey(vec![number; 32]),
        link_priv_sig_key: Ed25519PrivateKey::new([number; 32]),
        link_root_sig_key: None,
        link_enc_fixed_data: blob(number),
    }
}

pub(super) fn ntf_creds(notifier_id: NotifierId, number: u8) -> ClientNtfCreds {
    ClientNtfCreds {
        ntf_public_key: crate::protocol::AuthKey::Ed25519([number; 32]),
        ntf_private_key: AuthPrivateKey::Ed25519([number; 32]),
        notifier_id,
        rcv_ntf_dh_secret: crate::protocol::DhSecret::new([number; 32]),
    }
}

pub(super) fn service_credentials(number: u8) -> ServiceCredentials {
    let key = AuthPrivateKey::Ed25519([number; 32]).to_der();
    ServiceCredentials {
        cert_hash: KeyHash(vec![number; 32]),
        cert_chain: sample::service(number, number, ServiceRole::Messaging).cert_chain,
        private_key: made(ServicePrivateKey::from_der(&key)),
    }
}

pub(super) fn ratchet(number: u8) -> Ratchet {
    made(Ratchet::from_json(format!("{{\"rcNs\":{number}}}").as_bytes()))
}

fn kem_key(number: u8) -> KemPublicKey {
    made(KemPublicKey::new(vec![number; 5]))
}

pub(super) fn x3dh_keys(number: u8, kem: bool) -> X3dhKeys {
    let secret_key = made(KemSecretKey::new(vec![number; 3]));
    let kem = kem.then(|| PrivateKemParams { public_key: kem_key(number), secret_key });
    let key = |byte| X448PrivateKey::new([byte; 56]);
    X3dhKeys { key_1: key(number), key_2: key(number + 1), kem }
}

pub(super) fn kem_params(number: u8, accepted: bool) -> KemParams {
    let public_key = kem_key(number);
    match accepted {
        true => {
            let ciphertext = made(KemCiphertext::new(vec![number; 4]));
            KemParams::Accepted { ciphertext, public_key }
        }
        false => KemParams::Proposed(public_key),
    }
}

pub(super) fn snd_e2e_params(number: u8, kem: Option<KemParams>) -> SndE2eParams {
    let key = |byte| X448PublicKey::new([byte; 56]);
    SndE2eParams { version: E2eVersion(3), key_1: key(number), key_2: key(number + 1), kem }
}

pub(super) fn header_key(number: u8) -> HeaderKey {
    HeaderKey(vec![number; 32])
}

/// Two keys under each of two header keys.
pub(super) fn skipped_keys(header: u8, first: u8) -> SkippedMsgKeys {
    let key = |number: u8| made(MessageKey::new(vec![number; 32], vec![number; 16]));
    let keys = || (first..first + 2).map(|number| (u32::from(number), key(number))).collect();
    (header..header + 2).map(|number| (header_key(number), keys())).collect()
}

pub(super) fn conn_req() -> ConnReq {
    made(ConnReq::from_bytes(b"simplex:/invitation#/?v=2"))
}

pub(super) fn device_token(number: u8) -> DeviceToken {
    DeviceToken::new(PushProvider::ApnsTest, &format!("{number:02x}"))
}

pub(super) fn path(number: u8) -> FilePath {
    made(FilePath::new(format!("/files/{number}")))
}

pub(super) fn crypto_file(number: u8, encrypted: bool) -> CryptoFile {
    let args = CryptoFileArgs { key: SbKey::new([number; 32]), nonce: SbNonce([number; 24]) };
    CryptoFile { path: path(number), crypto: encrypted.then_some(args) }
}
