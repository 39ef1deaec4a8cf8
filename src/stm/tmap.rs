//! A transactional map: the reference's `TMap`, a variable that holds a persistent map.
//!
//! **The promise.** Every operation is a part of the transaction that it stands in, and the map is one
//! variable to it: a transaction that looked at any key commits only if no other key changed either
//! (formats.md, section 1). Reads outside of transactions see one committed map.
//!
//! **The algorithm.** A [`TVar`] around a persistent hash map. Taking a snapshot shares the whole
//! structure; the first change after that copies the path from the root to the entry, and further
//! changes in the same transaction happen in place wherever nothing is shared.
//!
//! **Differences from the reference.** Keys are hashed, not ordered, so enumeration in key order
//! sorts ([`Snapshot::iter_sorted`]). An operation that changes nothing writes nothing, as TM-19 allows:
//! removing an absent key leaves transactions that read the map in peace.
//!
//! **Tests.** `tests/stm_laws/tmap.rs`: each TM- item, and random operations against `BTreeMap`.

use super::error::StmResult;
use super::map::Map;
use super::snapshot::Snapshot;
use super::transaction::Transaction;
use super::tvar::TVar;
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
    map: TVar<Map<K, V>>,
}

impl<K, V> TMap<K, V>
where
    K: Ord + Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A new empty map (TM-1).
    #[must_use]
    pub fn new() -> Self {
        TMap { map: TVar::new(Map::new()) }
    }

    /// A new map with one entry (TM-2). It is reachable for others only through what the transaction
    /// commits.
    ///
    /// # Errors
    ///
    /// None of its own; see [`StmError`](super::StmError). The same holds for the other methods that take a
    /// transaction.
    pub fn singleton(_tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<Self> {
        Ok(TMap { map: TVar::new(Map::unit(key, value)) })
    }

    /// Removes every entry (TM-3).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn clear(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        self.map.write(tx, Map::new())
    }

    /// Whether there is no entry (TM-4).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn is_empty(&self, tx: &mut Transaction<'_>) -> StmResult<bool> {
        self.map.with(tx, Map::is_empty)
    }

    /// How many entries there are.
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        self.map.with(tx, Map::len)
    }

    /// The value of `key`, if it has one (TM-5).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn get(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        self.map.with(tx, |map| map.get(key).cloned())
    }

    /// The value of `key` in the committed map, outside of any transaction (TM-6). Two calls look at two
    /// moments (TM-21): for several keys take one [`snapshot_atomic`](TMap::snapshot_atomic).
    #[must_use]
    pub fn get_atomic(&self, key: &K) -> Option<V> {
        self.map.with_atomic(|map| map.get(key).cloned())
    }

    /// Whether `key` has a value (TM-7).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn contains_key(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.map.with(tx, |map| map.contains_key(key))
    }

    /// Whether `key` has a value in the committed map, outside of any transaction (TM-8).
    #[must_use]
    pub fn contains_key_atomic(&self, key: &K) -> bool {
        self.map.with_atomic(|map| map.contains_key(key))
    }

    /// Sets the value of `key`, in place of any earlier one (TM-9).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn insert(&self, tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<()> {
        self.map.update(tx, |map| map.insert(key, value))
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
        if !self.contains_key(tx, key)? {
            return Ok(());
        }
        self.map.update(tx, |map| map.remove(key))
    }

    /// Sets the value of `key` and returns the earlier one, in one step (TM-12, TM-20).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn replace(&self, tx: &mut Transaction<'_>, key: K, value: V) -> StmResult<Option<V>> {
        self.map.update(tx, |map| {
            let old = map.get(&key).cloned();
            map.insert(key, value);
            old
        })
    }

    /// Removes `key` and returns the value that it had, in one step (TM-13, TM-20).
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn take(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        let value = self.get(tx, key)?;
        if value.is_some() {
            self.map.update(tx, |map| map.remove(key))?;
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
        let mut early = self.map.read(tx)?;
        match change(tx, early.get(&key).cloned())? {
            Some(value) => early.insert(key, value),
            None => early.remove(&key),
        }
        self.map.write(tx, early)
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
        self.map.update(tx, |map| map.extend(entries))
    }

    /// How many entries the committed map has, outside of any transaction.
    #[must_use]
    pub fn len_atomic(&self) -> usize {
        self.map.with_atomic(Map::len)
    }

    /// The whole map as the transaction sees it (TM-22). Takes constant time and shares its structure.
    ///
    /// # Errors
    ///
    /// As [`singleton`](TMap::singleton).
    pub fn snapshot(&self, tx: &mut Transaction<'_>) -> StmResult<Snapshot<K, V>> {
        self.map.with(tx, |map| Snapshot::of(map.clone()))
    }

    /// The whole committed map, outside of any transaction (TM-21, TM-22). Takes constant time, never waits for a writer
    /// to finish and never starves.
    #[must_use]
    pub fn snapshot_atomic(&self) -> Snapshot<K, V> {
        self.map.with_atomic(|map| Snapshot::of(map.clone()))
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
