//! Hashes over sets of queue ids, and what a service and the router compare with them (SE-49,
//! SE-50, section 2.11 of formats.md).

use std::fmt;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::ServiceId;
use crate::encoding::base64url;

/// The hash of a set of ids: the XOR of the MD5 of each (SE-49, SE-50).
///
/// Putting an id in and taking it out are the same operation, so order never matters.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdsHash([u8; 16]);

/// How many ids a set has, and their hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CountHash {
    /// How many ids.
    pub count: i64,
    /// Their hash.
    pub hash: IdsHash,
}

/// The queues of one service, as a client expects them or as the router has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceQueues {
    /// The service.
    pub service_id: ServiceId,
    /// Its queues.
    pub queues: CountHash,
}

/// The first thing in which two [`ServiceQueues`] differ (section 2.11 of formats.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceDifference {
    /// Another service.
    ServiceId {
        /// What the client expects.
        expected: ServiceId,
        /// What the router has.
        actual: ServiceId,
    },
    /// The same service with another number of queues.
    Count {
        /// What the client expects.
        expected: i64,
        /// What the router has.
        actual: i64,
    },
    /// The same service and number, but other queues.
    Hash {
        /// What the client expects.
        expected: IdsHash,
        /// What the router has.
        actual: IdsHash,
    },
}

impl IdsHash {
    /// The hash of no ids: 16 zero bytes (SE-50).
    pub const EMPTY: Self = Self([0; 16]);

    /// The hash of one id: MD5 of its bytes (SE-49).
    pub fn of_id(id: &[u8]) -> Self {
        Self(Md5::digest(id).into())
    }

    /// The hash with these bytes; `None` unless there are 16 (SE-54).
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The hash's bytes, which are also its database form (SE-54).
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash of the ids that are in exactly one of two sets; for sets with nothing in common,
    /// that of their union (SE-50).
    #[must_use]
    pub fn xor(self, other: Self) -> Self {
        Self((u128::from_ne_bytes(self.0) ^ u128::from_ne_bytes(other.0)).to_ne_bytes())
    }
}

impl FromIterator<IdsHash> for IdsHash {
    fn from_iter<I: IntoIterator<Item = IdsHash>>(hashes: I) -> Self {
        hashes.into_iter().fold(Self::EMPTY, Self::xor)
    }
}

impl fmt::Display for IdsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&base64url::to_string(&self.0))
    }
}

impl fmt::Debug for IdsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl CountHash {
    /// No ids.
    pub const EMPTY: Self = Self { count: 0, hash: IdsHash::EMPTY };

    /// One id.
    pub fn of_id(id: &[u8]) -> Self {
        Self { count: 1, hash: IdsHash::of_id(id) }
    }

    /// Both sets together, which have no id in common: counts added, hashes combined. A count
    /// that would leave the 64-bit range stays at its end.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // the pair of `subtract`, which is no inverse of it
    pub fn add(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), hash: self.hash.xor(other.hash) }
    }

    /// This set without the `other`, which is a part of it. When this set has no more ids than
    /// the other, nothing is left.
    #[must_use]
    pub fn subtract(self, other: Self) -> Self {
        if self.count <= other.count {
            return Self::EMPTY;
        }
        Self { count: self.count.saturating_sub(other.count), hash: self.hash.xor(other.hash) }
    }
}

impl ServiceQueues {
    /// Compares what a client expects (`self`) with what the router has; the first difference in
    /// the order service id, count, hash is reported.
    pub fn difference(&self, actual: &Self) -> Option<ServiceDifference> {
        if self.service_id != actual.service_id {
            let (expected, actual) = (self.service_id.clone(), actual.service_id.clone());
            return Some(ServiceDifference::ServiceId { expected, actual });
        }
        let (expected, actual) = (self.queues, actual.queues);
        if expected.count != actual.count {
            let (expected, actual) = (expected.count, actual.count);
            return Some(ServiceDifference::Count { expected, actual });
        }
        let (expected, actual) = (expected.hash, actual.hash);
        (expected != actual).then_some(ServiceDifference::Hash { expected, actual })
    }
}
