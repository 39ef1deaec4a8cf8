//! scc's concurrent maps.
//!
//! scc and not papaya: it is released every few weeks, and its locks lie on single buckets, for writers as much as for readers,
//! where papaya is made for reads and keeps what was removed for a while.

use std::hash::Hash;

use scc::HashMap;
use scc::hash_map::Entry;

use super::four_maps::{ConcurrentMap, FourMaps, Maps};

/// Four `scc::HashMap`s.
pub(crate) type Scc = FourMaps<SccMaps>;

/// The crate `scc`.
pub(crate) struct SccMaps;

impl Maps for SccMaps {
    const NAME: &'static str = "scc";
    type Map<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> =
        HashMap<K, V>;
}

impl<K, V> ConcurrentMap<K, V> for HashMap<K, V>
where
    K: Hash + Eq + Send + Sync,
    V: Clone + Send + Sync,
{
    fn get(&self, key: &K) -> Option<V> {
        self.read_sync(key, |_, value| value.clone())
    }

    fn enter(&self, key: K, value: V) -> bool {
        match self.entry_sync(key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(free) => {
                free.insert_entry(value);
                true
            }
        }
    }

    fn remove(&self, key: &K) {
        self.remove_sync(key);
    }
}
