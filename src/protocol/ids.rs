//! Ids of queues, links, notifiers and services (SE-17).
//!
//! An id is an opaque, non-empty byte string. The router makes 24 random bytes, and journals may
//! hold any length, so ids of up to 30 bytes live inline and only longer ones on the heap.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use rand::Rng;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::{Semantics, TextDecode, TextEncode, bytes};
use crate::encoding::base64url::{self, Encoded};
use crate::encoding::{ParseResult, Parser};

/// The longest id that needs no allocation, in bytes.
const INLINE: usize = 30;

/// How many bytes the router gives to a new id (SE-17).
const RANDOM: usize = 24;

/// An opaque, non-empty id (SE-17); ordered by its bytes.
///
/// Its text, in `Display`, `Debug` and the journal, is base64url. The "no entity" id, the empty
/// string, is not a value of this type.
#[derive(Clone)]
pub struct EntityId(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl EntityId {
    /// The id with these bytes; `None` when there are none. Allocates only past 30 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::build(bytes.len(), |id| {
            id.copy_from_slice(bytes);
            Some(())
        })
    }

    /// The id's bytes, which are also its database form (SE-54).
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline { length, bytes } => {
                bytes.get(..usize::from(*length)).unwrap_or_default()
            }
            Bytes::Heap(bytes) => bytes,
        }
    }

    /// A new id of 24 random bytes (SE-17).
    pub fn random(rng: &mut impl Rng) -> Self {
        let mut bytes = [0; INLINE];
        if let Some(random) = bytes.get_mut(..RANDOM) {
            rng.fill_bytes(random);
        }
        Self(Bytes::Inline { length: RANDOM as u8, bytes })
    }

    /// An id of `length` bytes, written by `fill`; `None` when `length` is zero or `fill` says so.
    fn build(length: usize, fill: impl FnOnce(&mut [u8]) -> Option<()>) -> Option<Self> {
        if length == 0 {
            return None;
        }
        let mut bytes = [0; INLINE];
        if let Some(inline) = bytes.get_mut(..length) {
            fill(inline)?;
            return Some(Self(Bytes::Inline { length: length as u8, bytes }));
        }
        let mut bytes = vec![0; length].into_boxed_slice();
        fill(&mut bytes)?;
        Some(Self(Bytes::Heap(bytes)))
    }

    fn decode(encoded: Encoded<'_>) -> Option<Self> {
        Self::build(encoded.decoded_length(), |id| encoded.decode_into(id))
    }
}

impl PartialEq for EntityId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for EntityId {}

impl PartialOrd for EntityId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EntityId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for EntityId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Equality, order and hash of an id are those of its bytes, so a map can be asked with bytes.
impl Borrow<[u8]> for EntityId {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for EntityId {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base64url::to_string(self.as_bytes()))
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TextEncode for EntityId {
    fn encode_text(&self, out: &mut Vec<u8>) {
        base64url::write(self.as_bytes(), out);
    }
}

impl TextDecode for EntityId {
    fn decode_text(parser: &mut Parser<'_>, _: Semantics) -> ParseResult<Self> {
        base64url::parse_with(parser, "a base64url id", Self::decode)
    }
}

impl Serialize for EntityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(self.as_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return bytes::deserialize(deserializer, "a non-empty id", Self::from_bytes);
        }
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::from_text(text.as_bytes(), Semantics::default()).map_err(D::Error::custom)
    }
}

/// One kind of id: a newtype over [`EntityId`] with the same interface.
macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(EntityId);

        impl $name {
            /// The id with these bytes; `None` when there are none (SE-17).
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                EntityId::from_bytes(bytes).map(Self)
            }

            /// The id's bytes, which are also its database form (SE-54).
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// A new id of 24 random bytes (SE-17).
            pub fn random(rng: &mut impl Rng) -> Self {
                Self(EntityId::random(rng))
            }

            /// The id without its kind.
            pub fn entity(&self) -> &EntityId {
                &self.0
            }
        }

        impl From<EntityId> for $name {
            fn from(id: EntityId) -> Self {
                Self(id)
            }
        }

        impl From<$name> for EntityId {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl Borrow<[u8]> for $name {
            fn borrow(&self) -> &[u8] {
                self.as_bytes()
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                self.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl TextEncode for $name {
            fn encode_text(&self, out: &mut Vec<u8>) {
                self.0.encode_text(out);
            }
        }

        impl TextDecode for $name {
            fn decode_text(parser: &mut Parser<'_>, semantics: Semantics) -> ParseResult<Self> {
                EntityId::decode_text(parser, semantics).map(Self)
            }
        }
    };
}

id_type! {
    /// The id by which a queue's recipient knows it, and its name in every journal record.
    RecipientId
}
id_type! {
    /// The id by which a queue's sender knows it.
    SenderId
}
id_type! {
    /// The id by which a notification server knows a queue.
    NotifierId
}
id_type! {
    /// The id of a queue's short link.
    LinkId
}
id_type! {
    /// The id of a service that receives or is notified for many queues.
    ServiceId
}
id_type! {
    /// The id of a device's token at a notification server.
    TokenId
}
id_type! {
    /// The id of a subscription at a notification server.
    SubscriptionId
}
