//! Private keys, codes and nonces (SE-25 to SE-28, NE-8, NE-9). None of them shows in `Debug`.

use std::fmt;

use serde::{Deserialize, Serialize};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::encoding::der::{self, KeyAlgorithm};
use crate::protocol::{Blob, bytes};

/// A key pair for key agreement over Curve25519. Only the private half is kept in a record; the public
/// one is computed from it (NE-10).
#[derive(Clone, PartialEq, Eq)]
pub struct X25519KeyPair {
    private: [u8; 32],
    public: [u8; 32],
}

impl X25519KeyPair {
    /// The pair with this private key, kept and written as it is given.
    pub fn from_private(private: [u8; 32]) -> Self {
        let public = PublicKey::from(&StaticSecret::from(private)).to_bytes();
        Self { private, public }
    }

    /// The private key's bytes.
    pub fn private(&self) -> &[u8; 32] {
        &self.private
    }

    /// The public key's bytes.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }
}

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
