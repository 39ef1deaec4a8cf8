//! A whole map as one transaction saw it.

use super::view::{Entries, View};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A snapshot, with what the transaction that took it had itself written.
pub(in crate::stm) struct Whole<K, V> {
    committed: Arc<View<K, V>>,
    own: Option<Arc<Own<K, V>>>,
}

/// What a transaction wrote: a value, or none for a key that it removed.
pub(super) struct Own<K, V> {
    pub(super) written: HashMap<K, Option<V>>,
    /// How many entries there are with it.
    pub(super) len: usize,
}

impl<K, V> Clone for Whole<K, V> {
    fn clone(&self) -> Self {
        Whole { committed: Arc::clone(&self.committed), own: self.own.clone() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Whole<K, V> {
    pub(super) fn of(committed: Arc<View<K, V>>, own: Option<Own<K, V>>) -> Self {
        Whole { committed, own: own.map(Arc::new) }
    }

    pub(in crate::stm) fn get(&self, key: &K) -> Option<V> {
        match self.written(key) {
            Some(written) => written.clone(),
            None => self.committed.get(key),
        }
    }

    pub(in crate::stm) fn contains(&self, key: &K) -> bool {
        match self.written(key) {
            Some(written) => written.is_some(),
            None => self.committed.contains(key),
        }
    }

    fn written(&self, key: &K) -> Option<&Option<V>> {
        self.own.as_ref()?.written.get(key)
    }

    pub(in crate::stm) fn len(&self) -> usize {
        self.own.as_ref().map_or_else(|| self.committed.len(), |own| own.len)
    }

    pub(in crate::stm) fn iter(&self) -> impl Iterator<Item = (K, V)> {
        let committed: Entries<'_, K, V> = self.committed.iter();
        let own = self.own.as_deref().into_iter().flat_map(|own| &own.written);
        let own = own.filter_map(|(key, value)| Some((key.clone(), value.clone()?)));
        committed.filter(|(key, _)| self.written(key).is_none()).chain(own)
    }
}
