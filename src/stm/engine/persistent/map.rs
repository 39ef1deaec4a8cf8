//! The persistent map inside of a `TMap`.
//!
//! **The promise.** A clone costs one counter, and neither the clone nor the original sees what happens to the
//! other.
//!
//! **The algorithm.** A persistent hash map of [`Entry`]s, each one pointer to a key with its value. A change
//! to a shared map copies every node on the path to the entry, whole, so what counts is how small a node is:
//! with keys and values of 32 bytes in the nodes themselves, a copied path was five times as
//! large, changes to a shared map took half as long again, and the map twice the memory.
//!
//! **Tests.** Those of `TMap`.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A key with its value; hashed and compared by its key alone.
struct Entry<K, V>(Arc<(K, V)>);

/// A persistent hash map.
pub(super) struct Map<K, V> {
    entries: im::HashMap<Entry<K, V>, ()>,
}

impl<K: Hash + Eq, V> Map<K, V> {
    pub(super) fn new() -> Self {
        Map { entries: im::HashMap::new() }
    }

    pub(super) fn unit(key: K, value: V) -> Self {
        let mut map = Map::new();
        map.insert(key, value);
        map
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let (Entry(entry), ()) = self.entries.get_key_value(key)?;
        Some(&entry.1)
    }

    pub(super) fn contains_key(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.entries.insert(Entry(Arc::new((key, value))), ());
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> {
        self.entries.keys().map(|Entry(entry)| (&entry.0, &entry.1))
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map { entries: self.entries.clone() }
    }
}

impl<K, V> Clone for Entry<K, V> {
    fn clone(&self) -> Self {
        Entry(Arc::clone(&self.0))
    }
}

impl<K, V> Borrow<K> for Entry<K, V> {
    fn borrow(&self) -> &K {
        &self.0.0
    }
}

impl<K: Hash, V> Hash for Entry<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.0.hash(state);
    }
}

impl<K: PartialEq, V> PartialEq for Entry<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

impl<K: Eq, V> Eq for Entry<K, V> {}
