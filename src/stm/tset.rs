//! A transactional set: a [`TMap`] without values.
//!
//! **The promise.** As the map's: one variable, each operation a part of its transaction.
//!
//! **Tests.** `tests/stm_laws/tset.rs`.

use super::error::StmResult;
use super::snapshot::Snapshot;
use super::tmap::TMap;
use super::transaction::Transaction;
use std::fmt;
use std::hash::Hash;

/// A set that transactions share. A clone is another handle to the same set.
///
/// ```
/// use simplex_stores::stm::{TSet, atomically};
///
/// let seen = TSet::new();
/// assert!(atomically(|tx| seen.insert(tx, 7)));
/// assert!(!atomically(|tx| seen.insert(tx, 7)));
/// ```
pub struct TSet<K> {
    pub(super) map: TMap<K, ()>,
}

impl<K: Ord + Hash + Eq + Clone + Send + Sync + 'static> TSet<K> {
    /// A new empty set.
    #[must_use]
    pub fn new() -> Self {
        TSet { map: TMap::new() }
    }

    /// Adds `key`; true when it wasn't there.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that take a
    /// transaction.
    pub fn insert(&self, tx: &mut Transaction<'_>, key: K) -> StmResult<bool> {
        if self.contains(tx, &key)? {
            return Ok(false);
        }
        self.map.insert(tx, key, ()).map(|()| true)
    }

    /// Removes `key`; true when it was there.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn remove(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.map.take(tx, key).map(|was| was.is_some())
    }

    /// Whether `key` is in the set.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn contains(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.map.contains_key(tx, key)
    }

    /// Whether `key` is in the committed set, outside of any transaction.
    #[must_use]
    pub fn contains_atomic(&self, key: &K) -> bool {
        self.map.contains_key_atomic(key)
    }

    /// How many keys there are.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        self.map.len(tx)
    }

    /// How many keys the committed set has, outside of any transaction.
    #[must_use]
    pub fn len_atomic(&self) -> usize {
        self.map.len_atomic()
    }

    /// Whether there is no key.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        self.map.is_empty(tx)
    }

    /// Removes every key.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn clear(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        self.map.clear(tx)
    }

    /// The whole set as the transaction sees it; takes constant time.
    ///
    /// # Errors
    ///
    /// As [`insert`](TSet::insert).
    pub fn snapshot(&self, tx: &mut Transaction<'_>) -> StmResult<SetSnapshot<K>> {
        self.map.snapshot(tx).map(SetSnapshot)
    }

    /// The whole committed set, outside of any transaction; takes constant time.
    #[must_use]
    pub fn snapshot_atomic(&self) -> SetSnapshot<K> {
        SetSnapshot(self.map.snapshot_atomic())
    }

    /// Whether both are handles to one set.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.map.ptr_eq(&other.map)
    }
}

impl<K> Clone for TSet<K> {
    fn clone(&self) -> Self {
        TSet { map: self.map.clone() }
    }
}

impl<K: Ord + Hash + Eq + Clone + Send + Sync + 'static> Default for TSet<K> {
    fn default() -> Self {
        TSet::new()
    }
}

impl<K: Ord + Hash + Eq + Clone + Send + Sync + 'static> fmt::Debug for TSet<K> {
    /// Shows how many keys the committed set has, not what they are: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TSet {{ len: {} }}", self.len_atomic())
    }
}

/// All keys of a [`TSet`] at one moment.
pub struct SetSnapshot<K>(pub(super) Snapshot<K, ()>);

impl<K: Hash + Eq + Clone> SetSnapshot<K> {
    /// Whether `key` is in the set.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, in no particular order. No lock is held between two of them.
    pub fn iter(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(key, ())| key)
    }

    /// The keys in ascending order.
    #[must_use]
    pub fn iter_sorted(&self) -> Vec<K>
    where
        K: Ord,
    {
        self.0.iter_sorted().into_iter().map(|(key, ())| key).collect()
    }
}

impl<K> Clone for SetSnapshot<K> {
    fn clone(&self) -> Self {
        SetSnapshot(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for SetSnapshot<K> {
    /// Shows how many keys there are, not what they are: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetSnapshot {{ len: {} }}", self.len())
    }
}
