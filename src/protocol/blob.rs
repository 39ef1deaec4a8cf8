//! Immutable bytes that the stores keep and never look into.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{Semantics, bytes};
use crate::encoding::base64url::{self, Encoded};
use crate::encoding::{ParseResult, Parser};

/// Immutable bytes, possibly none; cloning shares them. `Debug` shows only the length.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(Arc<[u8]>);

impl Blob {
    /// Decodes a text into bytes that are allocated once; `None` when it can't be decoded.
    pub(super) fn decode(encoded: Encoded<'_>) -> Option<Self> {
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, encoded.decoded_length()).collect();
        encoded.decode_into(Arc::get_mut(&mut bytes)?)?;
        Some(Self(bytes))
    }

    /// Reads bytes that may be none. Those end at once, at a space, a semicolon or the end, where
    /// nothing else could mean them; the reference writes them and cannot read them (SE-16, JR-20).
    pub(super) fn parse_maybe_empty(
        parser: &mut Parser<'_>,
        semantics: Semantics,
        expected: &'static str,
    ) -> ParseResult<Self> {
        if semantics == Semantics::Strict && matches!(parser.peek(), None | Some(b' ' | b';')) {
            return Ok(Self::default());
        }
        base64url::parse_with(parser, expected, Self::decode)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Blob {
    fn default() -> Self {
        Self::from(&[][..])
    }
}

impl From<&[u8]> for Blob {
    fn from(bytes: &[u8]) -> Self {
        Self(Arc::from(bytes))
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::from(bytes))
    }
}

impl AsRef<[u8]> for Blob {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bytes::deserialize(deserializer, "bytes", |bytes| Some(Self::from(bytes)))
    }
}
