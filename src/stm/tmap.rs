//! A transactional map: the reference's `TMap`.
//!
//! **The promise.** Every operation is a part of the transaction that it stands in (formats.md, section 1). Reads
//! outside of transactions see one committed map.
//!
//! **The algorithm.** The engine's. On the native one the map conflicts by key: a transaction depends on the keys it looked up,
//! found or absent, and on the whole map only if it asked for its length or a snapshot. On the others
//! it is one variable around a persistent map.
//!
//! **Differences from the reference.** Keys are hashed, not ordered, so enumeration in key order
//! sorts ([`Snapshot::iter_sorted`]). An operation that changes nothing writes nothing, as TM-19 allows:
//! removing an absent key leaves transactions that read the map in peace.
//!
//! **Tests.** `tests/stm_laws/tmap.rs`: each TM- item, and random operations against `BTreeMap`.

use super::conflicts::VarId;
use super::engine::Map;
use super::error::StmResult;
use super::snapshot::Snapshot;
use super::transaction::Transaction;
use std::fmt;
use std::hash::Hash;

/// A map that transactions share. A clone is another handle to the same map.
///
/// ```
/// use simplex_stores::stm::{TMap, atomically};
///
/// let ages = TMap::new();
/// let before = atomically(|tx| {
///     ages.insert(tx, "ann", 41)?;
///     ages.replace(tx, "ann", 42)
/// });
/// assert_eq!(before, Some(41));
/// assert_eq!(ages.get_atomic(&"ann"), Some(42));
/// ```
pub struct TMap<K, V> {
    pub(super) map: Map<K, V>,
}

impl<K, V> TMap<K, V>
where
    K: Ord + Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A new empty map (TM-1).
    #[must_use]
    pub fn new() -> Self {
        TMap { map: Map::new() }
    }

    /// A new map with one entry (TM-2). It is reachable for others only through what the transaction
    /// commits.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that take a
    /// transaction.
    pub fn singleton(_tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<Self> {
        Ok(TMap { map: Map::unit(key, value) })
    }

    /// Removes every entry (TM-3).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn clear(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        self.map.clear(tx)
    }

    /// Whether there is no entry (TM-4).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        self.map.len(tx).map(|len| len == 0)
    }

    /// How many entries there are.
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        self.map.len(tx)
    }

    /// The value of `key`, if it has one (TM-5).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn get(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        self.map.get(tx, key)
    }

    /// The value of `key` in the committed map, outside of any transaction (TM-6). Two calls look at two
    /// moments (TM-21): for several keys take one [`snapshot_atomic`](TMap::snapshot_atomic).
    #[must_use]
    pub fn get_atomic(&self, key: &K) -> Option<V> {
        self.map.get_atomic(key)
    }

    /// Whether `key` has a value (TM-7).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn contains_key(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.map.contains(tx, key)
    }

    /// Whether `key` has a value in the committed map, outside of any transaction (TM-8).
    #[must_use]
    pub fn contains_key_atomic(&self, key: &K) -> bool {
        self.map.contains_atomic(key)
    }

    /// Sets the value of `key`, in place of any earlier one (TM-9).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn insert(&self, tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<()> {
        self.map.insert(tx, key, value)
    }

    /// Runs `make`, then sets the value of `key` to what it yields, in the map as it is by then: what
    /// `make` itself did to the map stays, except for `key` (TM-10).
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn insert_with(
        &self,
        tx: &mut Transaction<'_>,
        key: K,
        make: impl FnOnce(&mut Transaction<'_>) -> StmResult<V>,
    ) -> StmResult<()> {
        let value = make(tx)?;
        self.insert(tx, key, value)
    }

    /// Removes `key`; nothing happens when it is absent (TM-11).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn remove(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<()> {
        self.map.remove(tx, key)
    }

    /// Sets the value of `key` and returns the earlier one, in one step (TM-12, TM-20).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn replace(&self, tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<Option<V>> {
        let old = self.get(tx, &key)?;
        self.insert(tx, key, value)?;
        Ok(old)
    }

    /// Removes `key` and returns the value that it had, in one step (TM-13, TM-20).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn take(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        let value = self.get(tx, key)?;
        if value.is_some() {
            self.map.remove(tx, key)?;
        }
        Ok(value)
    }

    /// Changes the value of `key` if it has one; never adds or removes (TM-14).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn adjust(
        &self,
        tx: &mut Transaction<'_>,
        key: &K,
        change: impl FnOnce(V) -> V,
    ) -> StmResult<()> {
        self.update(tx, key, |value| Some(change(value)))
    }

    /// Changes or removes the value of `key` if it has one; an absent key stays absent (TM-15).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn update(
        &self,
        tx: &mut Transaction<'_>,
        key: &K,
        change: impl FnOnce(V) -> Option<V>,
    ) -> StmResult<()> {
        match self.get(tx, key)? {
            Some(value) => self.set(tx, key.clone(), change(value)),
            None => Ok(()),
        }
    }

    /// Adds, changes or removes: `change` makes the new value or none from the present value or none (TM-16).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn alter(
        &self,
        tx: &mut Transaction<'_>,
        key: K,
        change: impl FnOnce(Option<V>) -> Option<V>,
    ) -> StmResult<()> {
        let present = self.get(tx, &key)?;
        self.set(tx, key, change(present))
    }

    /// As [`alter`](TMap::alter), with a part of a transaction (TM-17).
    ///
    /// **The map is read before `change` runs and written after it, from that early copy: whatever `change`
    /// does to this same map is lost.** What it does to other variables stays, and a retry in it retries the
    /// whole transaction.
    ///
    /// # Errors
    ///
    /// Those of `change`.
    pub fn alter_with(
        &self,
        tx: &mut Transaction<'_>,
        key: K,
        change: impl FnOnce(&mut Transaction<'_>, Option<V>) -> StmResult<Option<V>>,
    ) -> StmResult<()> {
        self.map.alter_with(tx, key, change)
    }

    /// Adds all `entries`; on equal keys the incoming value wins (TM-18).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn union(
        &self,
        tx: &mut Transaction<'_>,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> StmResult<()> {
        entries.into_iter().try_for_each(|(key, value)| self.insert(tx, key, value))
    }

    /// How many entries the committed map has, outside of any transaction.
    #[must_use]
    pub fn len_atomic(&self) -> usize {
        self.map.len_atomic()
    }

    /// The whole map as the transaction sees it (TM-22). Takes constant time and shares its structure.
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn snapshot(&self, tx: &mut Transaction<'_>) -> StmResult<Snapshot<K, V>> {
        self.map.whole(tx).map(Snapshot::of)
    }

    /// The whole committed map, outside of any transaction (TM-21, TM-22). Takes constant time, never waits for a writer
    /// to finish and never starves.
    #[must_use]
    pub fn snapshot_atomic(&self) -> Snapshot<K, V> {
        Snapshot::of(self.map.whole_atomic())
    }

    /// Tells the map from all other maps and variables that exist, for [`conflicts`](super::conflicts).
    #[must_use]
    pub fn id(&self) -> VarId {
        VarId(self.map.id())
    }

    /// Whether both are handles to one map.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.map.ptr_eq(&other.map)
    }

    fn set(&self, tx: &mut Transaction<'_>, key: K, value: Option<V>) -> StmResult<()> {
        match value {
            Some(value) => self.insert(tx, key, value),
            None => self.remove(tx, &key),
        }
    }
}

impl<K, V> Clone for TMap<K, V> {
    fn clone(&self) -> Self {
        TMap { map: self.map.clone() }
    }
}

impl<K, V> Default for TMap<K, V>
where
    K: Ord + Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        TMap::new()
    }
}

impl<K, V> fmt::Debug for TMap<K, V>
where
    K: Ord + Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Shows how many entries the committed map has, not what they are: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TMap {{ len: {} }}", self.len_atomic())
    }
}
