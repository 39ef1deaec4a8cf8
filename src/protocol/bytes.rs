//! Reading values that serde keeps as byte strings.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Reads a byte string and makes a value of it with `make`; `expected` names the value where
/// there is none. Formats without byte strings, JSON among them, hold a list of numbers.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    make: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_bytes(BytesVisitor { expected, make })
}

struct BytesVisitor<F> {
    expected: &'static str,
    make: F,
}

impl<'de, T, F: FnOnce(&[u8]) -> Option<T>> Visitor<'de> for BytesVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        let expected = self.expected;
        (self.make)(bytes).ok_or_else(|| E::custom(format_args!("expected {expected}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        self.visit_bytes(&bytes)
    }
}
