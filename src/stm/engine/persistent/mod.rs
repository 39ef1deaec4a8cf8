//! Maps on the engines that have variables only: a variable around a persistent map.
//!
//! **The promise.** The map is one variable to a transaction: one that looked at any key commits only if no other key
//! changed either (formats.md, section 1).
//!
//! **The algorithm.** A snapshot shares the whole structure; the first change after it copies the path from the root to the
//! entry, and further changes in the same transaction happen in place wherever nothing is shared.

mod map;

use super::super::transaction::Transaction;
use super::super::tvar::TVar;
use crate::stm::StmResult;
use std::hash::Hash;

/// A map. A clone is another handle to the same one.
pub(in crate::stm) struct Map<K, V>(TVar<map::Map<K, V>>);

/// A whole map at one moment.
pub(in crate::stm) struct Whole<K, V>(map::Map<K, V>);

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map(self.0.clone())
    }
}

impl<K, V> Clone for Whole<K, V> {
    fn clone(&self) -> Self {
        Whole(self.0.clone())
    }
}

impl<K, V> Map<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(in crate::stm) fn new() -> Self {
        Map(TVar::new(map::Map::new()))
    }

    pub(in crate::stm) fn unit(key: K, value: V) -> Self {
        Map(TVar::new(map::Map::unit(key, value)))
    }

    pub(in crate::stm) fn id(&self) -> usize {
        self.0.id().0
    }

    pub(in crate::stm) fn ptr_eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }

    pub(in crate::stm) fn get_atomic(&self, key: &K) -> Option<V> {
        self.0.with_atomic(|map| map.get(key).cloned())
    }

    pub(in crate::stm) fn contains_atomic(&self, key: &K) -> bool {
        self.0.with_atomic(|map| map.contains_key(key))
    }

    pub(in crate::stm) fn len_atomic(&self) -> usize {
        self.0.with_atomic(map::Map::len)
    }

    pub(in crate::stm) fn get(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        self.0.with(tx, |map| map.get(key).cloned())
    }

    pub(in crate::stm) fn contains(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.0.with(tx, |map| map.contains_key(key))
    }

    pub(in crate::stm) fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        self.0.with(tx, map::Map::len)
    }

    pub(in crate::stm) fn insert(
        &self,
        tx: &mut Transaction<'_>,
        key: K,
        value: V,
    ) -> StmResult<()> {
        self.0.update(tx, |map| map.insert(key, value))
    }

    pub(in crate::stm) fn remove(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<()> {
        if !self.contains(tx, key)? {
            return Ok(());
        }
        self.0.update(tx, |map| map.remove(key))
    }

    pub(in crate::stm) fn clear(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        self.0.write(tx, map::Map::new())
    }

    /// As [`TMap::alter_with`](crate::stm::TMap::alter_with).
    pub(in crate::stm) fn alter_with<'t>(
        &self,
        tx: &mut Transaction<'t>,
        key: K,
        change: impl FnOnce(&mut Transaction<'t>, Option<V>) -> StmResult<Option<V>>,
    ) -> StmResult<()> {
        let mut early = self.0.read(tx)?;
        match change(tx, early.get(&key).cloned())? {
            Some(value) => early.insert(key, value),
            None => early.remove(&key),
        }
        self.0.write(tx, early)
    }

    pub(in crate::stm) fn whole(&self, tx: &mut Transaction<'_>) -> StmResult<Whole<K, V>> {
        self.0.with(tx, |map| Whole(map.clone()))
    }

    pub(in crate::stm) fn whole_atomic(&self) -> Whole<K, V> {
        self.0.with_atomic(|map| Whole(map.clone()))
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Whole<K, V> {
    pub(in crate::stm) fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }

    pub(in crate::stm) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    pub(in crate::stm) fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::stm) fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.0.iter().map(|(key, value)| (key.clone(), value.clone()))
    }
}
