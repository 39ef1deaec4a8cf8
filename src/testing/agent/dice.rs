//! Random parts of rows: the same for the same seed, on every machine.

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};

use crate::db::{Param, UtcTime};
use crate::encoding::base64url;
use crate::encoding::der::KeyAlgorithm;

/// 2025-01-01, in microseconds.
const FIRST: i64 = 1_735_689_600 * 1_000_000;

/// A value of a row.
pub(super) type Value = Param<'static>;

/// A source of random parts. Only the generator's words are used, never another library's way of making
/// ranges of them, so that a seed means the same rows for ever.
pub(super) struct Dice {
    random: ChaCha8Rng,
    /// The time of the last row that has one, in microseconds: they ascend, as in a database that grew.
    clock: i64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: ChaCha8Rng::seed_from_u64(seed), clock: FIRST }
    }

    /// A number below `bound`; zero when `bound` is zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len() as u64);
        from.get(usize::try_from(index).unwrap_or(0))
    }

    pub(super) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.random.fill_bytes(&mut bytes);
        bytes
    }

    /// An id as the agent makes it: 12 bytes in base64url.
    pub(super) fn own_id(&mut self) -> Vec<u8> {
        base64url::to_string(&self.bytes(12)).into_bytes()
    }

    /// Bytes as a value.
    pub(super) fn blob(&mut self, length: usize) -> Value {
        blob(self.bytes(length))
    }

    /// A public key in DER.
    pub(super) fn public_key(&mut self, algorithm: KeyAlgorithm) -> Value {
        let key = self.bytes(algorithm.key_length());
        blob([&algorithm.public_prefix()[..], &key].concat())
    }

    /// A private key in PKCS#8.
    pub(super) fn private_key(&mut self, algorithm: KeyAlgorithm) -> Value {
        let key = self.bytes(algorithm.key_length());
        blob([&algorithm.private_prefix()[..], &key].concat())
    }

    /// A time after all before it.
    pub(super) fn time(&mut self) -> Value {
        self.clock += 1 + i64::try_from(self.below(2_000_000)).unwrap_or(0);
        // The clock would have to run for thousands of years.
        UtcTime::from_micros(self.clock).map_or(Param::Null, Param::Time)
    }
}

pub(super) fn blob(bytes: impl Into<Vec<u8>>) -> Value {
    Param::Blob(bytes.into().into())
}

pub(super) fn text(text: impl Into<String>) -> Value {
    Param::Text(text.into().into())
}

pub(super) fn flag(value: bool) -> Value {
    Param::Bool(value)
}

pub(super) fn int(value: i64) -> Value {
    Param::Int(value)
}

/// The value, or none.
pub(super) fn when(condition: bool, value: impl FnOnce() -> Value) -> Value {
    if condition { value() } else { Param::Null }
}
