//! Private keys, codes and nonces (SE-25 to SE-28, NE-8, NE-9). None of them shows in `Debug`.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::encoding::base64url;
use crate::encoding::der::{self, KeyAlgorithm, MAX_PRIVATE_DER, MAX_PUBLIC_DER};
use crate::encoding::{ParseResult, Parser};
use crate::protocol::{Blob, Semantics, TextDecode, TextEncode, bytes};

/// A key pair for key agreement over Curve25519. Only the private half is kept in a record; the public
/// one is computed from it (NE-10).
#[derive(Clone)]
pub struct X25519KeyPair {
    private: [u8; 32],
    /// Computed when it is first asked for: a store of many tokens is read without.
    public: OnceLock<[u8; 32]>,
}

impl X25519KeyPair {
    /// The pair with this private key, kept and written as it is given.
    pub fn from_private(private: [u8; 32]) -> Self {
        Self { private, public: OnceLock::new() }
    }

    /// The private key's bytes.
    pub fn private(&self) -> &[u8; 32] {
        &self.private
    }

    /// The public key's bytes.
    pub fn public(&self) -> &[u8; 32] {
        let compute = || PublicKey::from(&StaticSecret::from(self.private)).to_bytes();
        self.public.get_or_init(compute)
    }
}

impl PartialEq for X25519KeyPair {
    fn eq(&self, other: &Self) -> bool {
        self.private == other.private
    }
}

impl Eq for X25519KeyPair {}

impl fmt::Debug for X25519KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<key pair>")
    }
}

/// A private key that authorizes commands; X448 is none (SE-29).
#[derive(Clone, PartialEq, Eq)]
pub enum AuthPrivateKey {
    /// Signatures over Curve25519 (SE-27).
    Ed25519([u8; 32]),
    /// Signatures over Curve448 (SE-28).
    Ed448(Box<[u8; 57]>),
    /// Authenticators from key agreement over Curve25519 (SE-25).
    X25519([u8; 32]),
}

impl AuthPrivateKey {
    /// The key with this DER form; `None` for X448 and for anything that is not exactly the
    /// canonical form (SE-29, SE-31).
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (algorithm, key) = der::parse_private(der)?;
        match algorithm {
            KeyAlgorithm::Ed25519 => key.try_into().ok().map(Self::Ed25519),
            KeyAlgorithm::X25519 => key.try_into().ok().map(Self::X25519),
            KeyAlgorithm::Ed448 => {
                <[u8; 57]>::try_from(key).ok().map(|key| Self::Ed448(Box::new(key)))
            }
            KeyAlgorithm::X448 => None,
        }
    }

    /// The key's DER form (SE-25 to SE-28).
    pub fn to_der(&self) -> Vec<u8> {
        let key = match self {
            Self::Ed25519(key) | Self::X25519(key) => key.as_slice(),
            Self::Ed448(key) => key.as_slice(),
        };
        [self.algorithm().private_prefix(), key].concat()
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Ed25519(_) => KeyAlgorithm::Ed25519,
            Self::Ed448(_) => KeyAlgorithm::Ed448,
            Self::X25519(_) => KeyAlgorithm::X25519,
        }
    }
}

impl fmt::Debug for AuthPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<private {:?} key>", self.algorithm())
    }
}

/// The code that a device sends back to show that pushes reach it (NE-8).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegCode(pub Blob);

impl fmt::Debug for RegCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<code>")
    }
}

/// The nonce under which a notification's metadata is encrypted (NE-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(pub [u8; 24]);

/// The public key, a space, the private key.
impl TextEncode for X25519KeyPair {
    fn encode_text(&self, out: &mut Vec<u8>) {
        let algorithm = KeyAlgorithm::X25519;
        base64url::write(&[&algorithm.public_prefix()[..], self.public()].concat(), out);
        out.push(b' ');
        base64url::write(&[&algorithm.private_prefix()[..], &self.private].concat(), out);
    }
}

/// The public key has to be one and is then forgotten: what counts is the private key's own (NE-10).
impl TextDecode for X25519KeyPair {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_with(parser, "an X25519 public key", |encoded| {
            encoded.with_decoded::<MAX_PUBLIC_DER, _>(|der| x25519(der::parse_public(der)?))
        })?;
        parser.space()?;
        base64url::parse_with(parser, "an X25519 private key", |encoded| {
            encoded.with_decoded::<MAX_PRIVATE_DER, _>(|der| x25519(der::parse_private(der)?))
        })
        .map(Self::from_private)
    }
}

/// The bytes of a key, if it is for key agreement over Curve25519.
fn x25519((algorithm, key): (KeyAlgorithm, &[u8])) -> Option<[u8; 32]> {
    key.try_into().ok().filter(|_| algorithm == KeyAlgorithm::X25519)
}

impl TextEncode for AuthPrivateKey {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(&self.to_der(), out);
    }
}

impl TextDecode for AuthPrivateKey {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_with(parser, "a private key (Ed25519, Ed448 or X25519)", |encoded| {
            encoded.with_decoded::<MAX_PRIVATE_DER, _>(Self::from_der)
        })
    }
}

impl TextEncode for RegCode {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(self.0.as_bytes(), out);
    }
}

impl TextDecode for RegCode {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        Blob::parse_maybe_empty(parser, semantics, "a registration code").map(Self)
    }
}

impl TextEncode for Nonce {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(&self.0, out);
    }
}

/// Under `Reference` a shorter nonce is filled up with zeros, and a longer one cut (NE-9).
impl TextDecode for Nonce {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        const EXPECTED: &str = "a nonce of 24 bytes";
        if semantics == Semantics::Strict {
            return base64url::parse_array(parser, EXPECTED).map(Self);
        }
        let bytes = base64url::parse(parser, EXPECTED)?;
        let mut nonce = [0; 24];
        for (place, byte) in nonce.iter_mut().zip(bytes) {
            *place = byte;
        }
        Ok(Self(nonce))
    }
}

impl Serialize for X25519KeyPair {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.private.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for X25519KeyPair {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u8; 32]>::deserialize(deserializer).map(Self::from_private)
    }
}

impl Serialize for AuthPrivateKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_der())
    }
}

impl<'de> Deserialize<'de> for AuthPrivateKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::deserialize(deserializer, "a private key", Self::from_der)
    }
}
