//! Public keys that authorize commands, and shared secrets (SE-21 to SE-33, SE-55 to SE-57).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::{Semantics, TextDecode, TextEncode, bytes};
use crate::encoding::base64url::{self, Encoded};
use crate::encoding::binary::{self, LengthPrefix, ReadError, WriteError};
use crate::encoding::der::{self, KeyAlgorithm, MAX_PUBLIC_DER};
use crate::encoding::{ParseResult, Parser, list};

/// A public key that authorizes commands; X448 is none (SE-29).
///
/// Only the algorithm and the length are known to be right: the bytes may be no point of the
/// curve, and are kept as they are (SE-30).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuthKey {
    /// Signatures over Curve25519 (SE-23).
    Ed25519([u8; 32]),
    /// Signatures over Curve448; rare, and long enough to live apart (SE-24).
    Ed448(Box<[u8; 57]>),
    /// Authenticators from key agreement over Curve25519 (SE-21).
    X25519([u8; 32]),
}

impl AuthKey {
    /// The key with this DER form; `None` for X448 and for anything that is not exactly the
    /// canonical form (SE-29, SE-31, SE-55).
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (algorithm, key) = der::parse_public(der)?;
        match algorithm {
            KeyAlgorithm::Ed25519 => key.try_into().ok().map(Self::Ed25519),
            KeyAlgorithm::X25519 => key.try_into().ok().map(Self::X25519),
            KeyAlgorithm::Ed448 => {
                <[u8; 57]>::try_from(key).ok().map(|key| Self::Ed448(Box::new(key)))
            }
            KeyAlgorithm::X448 => None,
        }
    }

    /// The key's DER form (SE-55).
    pub fn to_der(&self) -> Vec<u8> {
        let (prefix, key) = self.der_parts();
        [prefix, key].concat()
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Ed25519(_) => KeyAlgorithm::Ed25519,
            Self::Ed448(_) => KeyAlgorithm::Ed448,
            Self::X25519(_) => KeyAlgorithm::X25519,
        }
    }

    /// The key's bytes, without the DER around them.
    pub fn key_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) | Self::X25519(key) => key,
            Self::Ed448(key) => key.as_slice(),
        }
    }

    fn der_parts(&self) -> (&[u8], &[u8]) {
        (self.algorithm().public_prefix(), self.key_bytes())
    }

    fn decode(encoded: Encoded<'_>) -> Option<Self> {
        encoded.with_decoded::<MAX_PUBLIC_DER, _>(Self::from_der)
    }

    /// Calls `use_der` with the DER form, which is built on the stack.
    fn with_der<T>(&self, use_der: impl FnOnce(&[u8]) -> T) -> T {
        let (prefix, key) = self.der_parts();
        let mut buffer = [0; MAX_PUBLIC_DER];
        let length = prefix.len() + key.len();
        for (place, byte) in buffer.iter_mut().zip(prefix.iter().chain(key)) {
            *place = *byte;
        }
        use_der(buffer.get(..length).unwrap_or_default())
    }
}

/// Public, so shown in full, as its text form.
impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_der(|der| f.write_str(&base64url::to_string(der)))
    }
}

impl TextEncode for AuthKey {
    fn encode_text(&self, out: &mut Vec<u8>) {
        self.with_der(|der| base64url::write(der, out));
    }
}

impl TextDecode for AuthKey {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_with(parser, "a public key (Ed25519, Ed448 or X25519)", Self::decode)
    }
}

impl Serialize for AuthKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_der(|der| serializer.serialize_bytes(der))
    }
}

impl<'de> Deserialize<'de> for AuthKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::deserialize(deserializer, "a public key", Self::from_der)
    }
}

/// The keys of a queue's recipients: at least one, order and repetitions kept (SE-32).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecipientKeys(Keys);

/// Nearly every queue has one recipient, whose key then needs no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Keys {
    One([AuthKey; 1]),
    Many(Box<[AuthKey]>),
}

impl RecipientKeys {
    /// The list of one key.
    pub fn one(key: AuthKey) -> Self {
        Self(Keys::One([key]))
    }

    /// The list of these keys; `None` when there are none.
    pub fn new(keys: impl Into<Vec<AuthKey>>) -> Option<Self> {
        match <[AuthKey; 1]>::try_from(keys.into()) {
            Ok(one) => Some(Self(Keys::One(one))),
            Err(keys) if keys.is_empty() => None,
            Err(keys) => Some(Self(Keys::Many(keys.into()))),
        }
    }

    /// The keys, at least one, in order.
    pub fn as_slice(&self) -> &[AuthKey] {
        match &self.0 {
            Keys::One(key) => key,
            Keys::Many(keys) => keys,
        }
    }

    /// The keys in order.
    pub fn iter(&self) -> std::slice::Iter<'_, AuthKey> {
        self.as_slice().iter()
    }

    /// How many keys there are: one or more.
    #[allow(clippy::len_without_is_empty)] // there is always one
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Appends the form of the database column (SE-56); fails, with nothing appended, for more
    /// than 255 keys.
    pub fn encode_binary(&self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let keys: Vec<Vec<u8>> = self.iter().map(AuthKey::to_der).collect();
        binary::write_list(keys.iter().map(Vec::as_slice), LengthPrefix::One, out)
    }

    /// Reads the form of the database column from the whole of `column` (SE-56).
    pub fn decode_binary(column: &[u8]) -> Result<Self, ReadError> {
        let mut keys = Vec::new();
        binary::read_list(column, LengthPrefix::One, |der| {
            AuthKey::from_der(der).map(|key| keys.push(key)).is_some()
        })?;
        Self::new(keys).ok_or(ReadError { offset: 0, expected: "a key" })
    }
}

impl fmt::Debug for RecipientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl TextEncode for RecipientKeys {
    fn encode_text(&self, out: &mut Vec<u8>) {
        list::write(self.iter(), out, AuthKey::encode_text);
    }
}

impl TextDecode for RecipientKeys {
    fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
        let start = parser.clone();
        let (mut first, mut more) = (None, Vec::new());
        list::parse_each(
            parser,
            |parser| AuthKey::decode_text(parser, semantics),
            |key| match first {
                None => first = Some(key),
                Some(_) => more.push(key),
            },
        )?;
        let first = first.ok_or_else(|| start.error("a public key"))?;
        if more.is_empty() {
            return Ok(Self::one(first));
        }
        more.insert(0, first);
        Ok(Self(Keys::Many(more.into())))
    }
}

impl Serialize for RecipientKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for RecipientKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Vec::<AuthKey>::deserialize(deserializer)?;
        Self::new(keys).ok_or_else(|| D::Error::custom("a queue has at least one recipient key"))
    }
}

/// A secret that two parties agreed on over X25519: 32 bytes (SE-33, SE-57). Never shown.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct DhSecret([u8; 32]);

impl DhSecret {
    /// The secret with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret with these bytes; `None` unless there are 32 (SE-57).
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The secret's bytes, which are also its database form (SE-57).
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DhSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl TextEncode for DhSecret {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(&self.0, out);
    }
}

impl TextDecode for DhSecret {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_array(parser, "a shared secret of 32 bytes").map(Self)
    }
}
