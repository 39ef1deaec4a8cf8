//! A bucket: the entries of one shard of a map, and what commits and snapshots need to know of them.

use super::super::fault::{EngineFault, is_out};
use super::super::wait::Waiter;
use hashbrown::HashTable;
use std::hash::Hash;
use std::sync::Arc;

/// A key with its value, and the version at which the value was written.
pub(super) struct Slot<K, V> {
    pub(super) key: K,
    pub(super) value: V,
    pub(super) version: u64,
}

/// What an entry was before it was overwritten or removed, for as long as a snapshot needs it.
pub(super) struct Old<K, V> {
    pub(super) slot: Slot<K, V>,
    pub(super) hash: u64,
    /// The version that ended it.
    pub(super) until: u64,
}

/// The entries of one shard.
pub(super) struct Bucket<K, V> {
    slots: HashTable<Slot<K, V>>,
    /// How many of a hash's lowest bits the shard's keys have in common.
    depth: usize,
    /// The version of the last change.
    changed: u64,
    /// The version of the last removal: what is absent has been so since then at the latest.
    removed: u64,
    /// What few buckets have.
    rare: Option<Box<Rare<K, V>>>,
}

struct Rare<K, V> {
    /// Threads that sleep until the key with this hash changes, or until any does.
    waiters: Vec<(Option<u64>, Arc<Waiter>)>,
    old: Vec<Old<K, V>>,
}

impl<K, V> Default for Rare<K, V> {
    fn default() -> Self {
        Rare { waiters: Vec::new(), old: Vec::new() }
    }
}

/// The hash by which a bucket places an entry: the lowest bits have chosen the shard and are all the same in it.
fn placed(hash: u64) -> u64 {
    hash.rotate_left(32)
}

impl<K, V> Bucket<K, V> {
    pub(super) fn new(depth: usize) -> Self {
        Bucket { slots: HashTable::new(), depth, changed: 0, removed: 0, rare: None }
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn changed(&self) -> u64 {
        self.changed
    }

    pub(super) fn removed(&self) -> u64 {
        self.removed
    }

    /// How many entries there were at `time`.
    pub(super) fn len_at(&self, time: u64) -> usize {
        match self.changed <= time {
            true => self.slots.len(),
            false => self.slots_at(time).count(),
        }
    }

    /// The entries as they were at `time`, for which a snapshot has been registered.
    pub(super) fn slots_at(&self, time: u64) -> impl Iterator<Item = &Slot<K, V>> {
        let present = self.slots.iter().filter(move |slot| slot.version <= time);
        present.chain(self.old_at(time).map(|old| &old.slot))
    }

    fn old(&self) -> &[Old<K, V>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.old)
    }

    fn old_at(&self, time: u64) -> impl Iterator<Item = &Old<K, V>> {
        self.old().iter().filter(move |old| old.slot.version <= time && time < old.until)
    }

    fn rare_mut(&mut self) -> &mut Rare<K, V> {
        self.rare.get_or_insert_default()
    }

    /// Adds a thread to those to be woken when the key with this hash changes, or when any does.
    pub(super) fn enlist(&mut self, hash: Option<u64>, waiter: &Arc<Waiter>) {
        self.rare_mut().waiters.push((hash, Arc::clone(waiter)));
    }

    /// Takes a thread off the list.
    pub(super) fn strike(&mut self, waiter: &Arc<Waiter>) {
        if let Some(rare) = &mut self.rare {
            rare.waiters.retain(|(_, other)| !Arc::ptr_eq(other, waiter));
        }
        self.tidy();
    }

    /// Takes those who wait for the key with this hash.
    pub(super) fn take_waiters(&mut self, hash: u64, into: &mut Vec<Arc<Waiter>>) {
        let Some(rare) = &mut self.rare else { return };
        let waits_for = |on: Option<u64>| on.is_none_or(|on| on == hash);
        into.extend(
            rare.waiters.extract_if(.., |(on, _)| waits_for(*on)).map(|(_, waiter)| waiter),
        );
        self.tidy();
    }

    /// Whether anything is kept for snapshots.
    pub(super) fn has_old(&self) -> bool {
        !self.old().is_empty()
    }

    /// Keeps an entry for the snapshots that can see it.
    pub(super) fn keep(&mut self, old: Old<K, V>) {
        self.rare_mut().old.push(old);
    }

    /// Takes out what no snapshot at one of these times can see.
    pub(super) fn sweep(&mut self, views: &[u64]) -> Vec<Old<K, V>> {
        let Some(rare) = &mut self.rare else { return Vec::new() };
        let is_seen = |old: &Old<K, V>| {
            views.iter().any(|time| old.slot.version <= *time && *time < old.until)
        };
        let swept = rare.old.extract_if(.., |old| !is_seen(old)).collect();
        self.tidy();
        swept
    }

    fn tidy(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.waiters.is_empty() && rare.old.is_empty()) {
            self.rare = None;
        }
    }

    /// Puts a key where [`find_place`](Self::find_place) found none; [`reserve`](Self::reserve) has made room.
    pub(super) fn add(&mut self, hash: u64, slot: Slot<K, V>) {
        self.changed = slot.version;
        // There is room: nothing is hashed again.
        self.slots.insert_unique(placed(hash), slot, |_| 0);
    }

    /// Changes the value at a place, and returns the earlier one with its version.
    pub(super) fn overwrite(&mut self, place: usize, value: V, version: u64) -> Option<(V, u64)> {
        self.changed = version;
        let slot = self.slots.get_bucket_mut(place)?;
        let earlier = std::mem::replace(&mut slot.version, version);
        Some((std::mem::replace(&mut slot.value, value), earlier))
    }

    /// Removes what is at a place.
    pub(super) fn remove(&mut self, place: usize, version: u64) -> Option<Slot<K, V>> {
        self.changed = version;
        if !is_out(EngineFault::ForgottenRemovals) {
            self.removed = version;
        }
        let entry = self.slots.get_bucket_entry(place).ok()?;
        Some(entry.remove().0)
    }
}

impl<K: Hash + Eq, V> Bucket<K, V> {
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<&Slot<K, V>> {
        self.slots.find(placed(hash), |slot| slot.key == *key)
    }

    /// The value of a key as it was at `time`, for which a snapshot has been registered.
    pub(super) fn find_at(&self, hash: u64, key: &K, time: u64) -> Option<&V> {
        if let Some(slot) = self.find(hash, key).filter(|slot| slot.version <= time) {
            return Some(&slot.value);
        }
        let mut old = self.old_at(time);
        let old = old.find(|old| old.hash == hash && old.slot.key == *key)?;
        Some(&old.slot.value)
    }

    /// Where a key is. It stays there until it is removed or [room is made](Self::reserve).
    pub(super) fn find_place(&self, hash: u64, key: &K) -> Option<usize> {
        self.slots.find_bucket_index(placed(hash), |slot| slot.key == *key)
    }

    /// Makes room for so many more entries. All hashing comes before the first move, so a panic in it
    /// changes nothing.
    pub(super) fn reserve(&mut self, more: usize, hash_of: impl Fn(&K) -> u64) {
        if self.slots.capacity() - self.slots.len() >= more {
            return;
        }
        let hashed = self.hashed(hash_of);
        let mut larger = HashTable::with_capacity(self.slots.len() + more);
        Self::take(&mut self.slots, hashed, &mut larger);
        self.slots = larger;
    }

    /// Takes out the half whose hashes have a one where the shard's own number now gets a zero: the entries of a new shard, which
    /// gets room for `room` of them.
    pub(super) fn split(&mut self, room: usize, hash_of: impl Fn(&K) -> u64) -> Self {
        let bit = 1_u64 << self.depth;
        let mut hashed = self.hashed(hash_of);
        hashed.retain(|(_, hash)| hash & bit != 0);
        let mut slots = HashTable::with_capacity(room.max(hashed.len()));
        Self::take(&mut self.slots, hashed, &mut slots);
        self.depth += 1;
        let rare = self.rare.as_mut().map(|rare| Box::new(rare.split(bit)));
        let half = Bucket { slots, rare, ..*self };
        self.tidy();
        half.tidied()
    }

    fn hashed(&self, hash_of: impl Fn(&K) -> u64) -> Vec<(usize, u64)> {
        let hashed = |place| Some((place, hash_of(&self.slots.get_bucket(place)?.key)));
        self.slots.iter_buckets().filter_map(hashed).collect()
    }

    fn take(
        from: &mut HashTable<Slot<K, V>>,
        hashed: Vec<(usize, u64)>,
        to: &mut HashTable<Slot<K, V>>,
    ) {
        for (place, hash) in hashed {
            if let Ok(entry) = from.get_bucket_entry(place) {
                to.insert_unique(placed(hash), entry.remove().0, |_| 0);
            }
        }
    }

    fn tidied(mut self) -> Self {
        self.tidy();
        self
    }
}

impl<K, V> Rare<K, V> {
    fn split(&mut self, bit: u64) -> Self {
        let goes = |hash: u64| hash & bit != 0;
        let old = self.old.extract_if(.., |old| goes(old.hash)).collect();
        if is_out(EngineFault::ForgottenWaiters) {
            return Rare { waiters: Vec::new(), old };
        }
        let both = self.waiters.iter().filter(|(on, _)| on.is_none()).cloned();
        let mut waiters: Vec<_> = both.collect();
        waiters.extend(self.waiters.extract_if(.., |(on, _)| on.is_some_and(goes)));
        Rare { waiters, old }
    }
}
