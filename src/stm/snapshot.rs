//! A map or set as it was at one moment.

use super::map::Map;
use std::fmt;
use std::hash::Hash;

/// All entries of a [`TMap`](super::TMap) at one moment. It shares its structure with the map and doesn't
/// change; a clone costs as little as the first.
///
/// ```
/// use simplex_stores::stm::{TMap, atomically};
///
/// let map = TMap::new();
/// atomically(|tx| map.union(tx, [(2, "b"), (1, "a")]));
/// let snapshot = map.snapshot_atomic();
/// atomically(|tx| map.clear(tx));
/// assert_eq!(snapshot.iter_sorted(), [(&1, &"a"), (&2, &"b")]);
/// ```
pub struct Snapshot<K, V> {
    map: Map<K, V>,
}

impl<K: Hash + Eq + Clone, V: Clone> Snapshot<K, V> {
    pub(super) fn of(map: Map<K, V>) -> Self {
        Snapshot { map }
    }

    /// The value of `key`, if it has one.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The entries, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.map.iter()
    }

    /// The entries by ascending key (TM-23). Sorts references to all of them.
    #[must_use]
    pub fn iter_sorted(&self) -> Vec<(&K, &V)>
    where
        K: Ord,
    {
        let mut entries: Vec<_> = self.map.iter().collect();
        entries.sort_unstable_by_key(|&(key, _)| key);
        entries
    }
}

impl<K: Clone, V: Clone> Clone for Snapshot<K, V> {
    fn clone(&self) -> Self {
        Snapshot { map: self.map.clone() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> fmt::Debug for Snapshot<K, V> {
    /// Shows how many entries there are, not what they are: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot {{ len: {} }}", self.len())
    }
}
