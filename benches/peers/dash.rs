//! DashMap's concurrent maps.

use std::hash::Hash;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use super::four_maps::{ConcurrentMap, FourMaps, Maps};

/// Four `DashMap`s.
pub(crate) type Dash = FourMaps<DashMaps>;

/// The crate `dashmap`.
pub(crate) struct DashMaps;

impl Maps for DashMaps {
    const NAME: &'static str = "dashmap";
    type Map<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> =
        DashMap<K, V>;
}

impl<K, V> ConcurrentMap<K, V> for DashMap<K, V>
where
    K: Hash + Eq + Send + Sync,
    V: Clone + Send + Sync,
{
    fn get(&self, key: &K) -> Option<V> {
        Some(DashMap::get(self, key)?.clone())
    }

    fn enter(&self, key: K, value: V) -> bool {
        match self.entry(key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert(value);
                true
            }
        }
    }

    fn remove(&self, key: &K) {
        DashMap::remove(self, key);
    }
}
