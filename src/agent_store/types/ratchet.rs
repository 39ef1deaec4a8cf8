//! What ratchets are kept as (section 3.15): their state, keys of messages that were skipped, and the
//! parameters of a key agreement. All of it is secret: `Debug` shows none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;

use super::macros::{binary_column, version};
use super::{X448PrivateKey, X448PublicKey};
use crate::db::{Cell, FromCell, Param, ToParam, Unreadable};
use crate::encoding::binary::{self, LengthPrefix};
use crate::encoding::{ParseResult, Parser};

/// The longest state of a ratchet that is taken, in bytes. One with keys against quantum computers has
/// about ten thousand.
const MAX_RATCHET: usize = 1 << 20;

/// The state of a ratchet: a JSON object, kept byte for byte. What is in it belongs to the layer above.
#[derive(Clone, PartialEq, Eq)]
pub struct Ratchet(Box<str>);

impl Ratchet {
    /// The state with this document; `None` for what isn't a JSON object, and for more than 1 MiB.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        if json.len() > MAX_RATCHET {
            return None;
        }
        let text = std::str::from_utf8(json).ok()?;
        let is_object = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
        let is_json = || serde_json::from_str::<IgnoredAny>(text).is_ok();
        (is_object && is_json()).then(|| Self(text.into()))
    }

    /// Its document.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ratchet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ratchet>")
    }
}

impl ToParam for Ratchet {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(Cow::Borrowed(self.0.as_bytes()))
    }
}

impl FromCell<'_> for Ratchet {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        let ratchet = Self::from_json(<&[u8]>::from_cell(cell)?);
        ratchet.ok_or_else(|| Unreadable::expected("a ratchet, which is a JSON object"))
    }
}

/// What headers of messages are encrypted with. Any bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderKey(pub Vec<u8>);

impl fmt::Debug for HeaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<header key>")
    }
}

impl ToParam for HeaderKey {
    fn to_param(&self) -> Param<'_> {
        self.0.to_param()
    }
}

impl FromCell<'_> for HeaderKey {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Unreadable> {
        Vec::from_cell(cell).map(Self)
    }
}

/// What one message is encrypted with: a key and an initialisation vector, each of up to 255 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageKey {
    key: Vec<u8>,
    iv: Vec<u8>,
}

impl MessageKey {
    /// These two; `None` when one has more than 255 bytes.
    pub fn new(key: Vec<u8>, iv: Vec<u8>) -> Option<Self> {
        let fits = |bytes: &[u8]| bytes.len() <= LengthPrefix::One.max_length();
        (fits(&key) && fits(&iv)).then_some(Self { key, iv })
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The initialisation vector.
    pub fn iv(&self) -> &[u8] {
        &self.iv
    }

    /// Appends the two, each with a length of one byte.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_bytes(&self.key, LengthPrefix::One, out);
        write_bytes(&self.iv, LengthPrefix::One, out);
    }

    /// Reads what [`write`](Self::write) appends.
    ///
    /// # Errors
    ///
    /// Where a length or as many bytes should stand.
    pub fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        let key = binary::read_bytes(parser, LengthPrefix::One)?.to_vec();
        Ok(Self { key, iv: binary::read_bytes(parser, LengthPrefix::One)?.to_vec() })
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<message key>")
    }
}

binary_column!(MessageKey, "a message's key");

/// The keys of messages that were skipped: by header key, then by the message's number.
pub type SkippedMsgKeys = BTreeMap<HeaderKey, BTreeMap<u32, MessageKey>>;

/// What a step of the ratchet changes in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkippedMsgDiff {
    /// Nothing.
    NoChange,
    /// The message with this number came.
    Remove(HeaderKey, u32),
    /// These were skipped.
    Add(SkippedMsgKeys),
}

/// A part of a key agreement that holds against quantum computers, of up to 65,535 bytes.
macro_rules! kem_part {
    ($(#[$doc:meta])* $name:ident, $shown:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Vec<u8>);

        impl $name {
            /// With these bytes; `None` for more than 65,535.
            pub fn new(bytes: Vec<u8>) -> Option<Self> {
                (bytes.len() <= LengthPrefix::Two.max_length()).then_some(Self(bytes))
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_bytes(&self.0, LengthPrefix::Two, out);
            }

            fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
                binary::read_bytes(parser, LengthPrefix::Two).map(|bytes| Self(bytes.to_vec()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($shown)
            }
        }
    };
}
kem_part! {
    /// The public key of an encapsulation.
    KemPublicKey, "<public KEM key>"
}
kem_part! {
    /// Its secret key.
    KemSecretKey, "<secret KEM key>"
}
kem_part! {
    /// The encapsulated secret.
    KemCiphertext, "<KEM ciphertext>"
}

/// The private half of an encapsulation that was proposed, with its public one. An accepted one is never
/// kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKemParams {
    /// What the peer encapsulates with.
    pub public_key: KemPublicKey,
    /// What opens it.
    pub secret_key: KemSecretKey,
}

const PROPOSED: u8 = b'P';
const ACCEPTED: u8 = b'A';

impl PrivateKemParams {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(PROPOSED);
        self.public_key.write(out);
        self.secret_key.write(out);
    }

    fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        parser.literal(&[PROPOSED], "P")?;
        let public_key = KemPublicKey::parse(parser)?;
        Ok(Self { public_key, secret_key: KemSecretKey::parse(parser)? })
    }
}

binary_column!(PrivateKemParams, "private KEM parameters");

/// What the joining side sends of an encapsulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KemParams {
    /// It proposes one.
    Proposed(KemPublicKey),
    /// It accepts the peer's, and proposes the next.
    Accepted {
        /// The secret, for the peer's key.
        ciphertext: KemCiphertext,
        /// What the peer encapsulates with.
        public_key: KemPublicKey,
    },
}

impl KemParams {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Proposed(public_key) => {
                out.push(PROPOSED);
                public_key.write(out);
            }
            Self::Accepted { ciphertext, public_key } => {
                out.push(ACCEPTED);
                ciphertext.write(out);
                public_key.write(out);
            }
        }
    }

    fn parse(parser: &mut Parser<'_>) -> ParseResult<Self> {
        if parser.skip(&[PROPOSED]) {
            return KemPublicKey::parse(parser).map(Self::Proposed);
        }
        parser.literal(&[ACCEPTED], "P or A")?;
        let ciphertext = KemCiphertext::parse(parser)?;
        Ok(Self::Accepted { ciphertext, public_key: KemPublicKey::parse(parser)? })
    }
}

binary_column!(KemParams, "KEM parameters");

version! {
    /// The version of the encryption between two agents.
    E2eVersion
}

/// What the joining side sends of itself, for the agreement on a ratchet's first keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SndE2eParams {
    /// The version it uses. It isn't stored: who asks for stored parameters says it (AS-73).
    pub version: E2eVersion,
    /// Its first public key.
    pub key_1: X448PublicKey,
    /// Its second.
    pub key_2: X448PublicKey,
    /// What it says about keys that hold against quantum computers: nothing, which counts as proposing none
    /// (AS-73), or one of these.
    pub kem: Option<KemParams>,
}

/// What the offering side keeps of itself for that agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct X3dhKeys {
    /// Its first private key.
    pub key_1: X448PrivateKey,
    /// Its second.
    pub key_2: X448PrivateKey,
    /// What opens the peer's encapsulated secret, when one was asked for.
    pub kem: Option<PrivateKemParams>,
}

/// Appends bytes whose length was checked when their type was made.
fn write_bytes(bytes: &[u8], prefix: LengthPrefix, out: &mut Vec<u8>) {
    let written = binary::write_bytes(bytes, prefix, out);
    debug_assert_eq!(written, Ok(()));
}
