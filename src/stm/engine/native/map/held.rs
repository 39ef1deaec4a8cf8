//! Publishing what a transaction wrote to one map.
//!
//! **In order.** The shards of the written keys are locked by ascending number, and asked under their locks whether they are
//! responsible; if one isn't, because of a split, all are given up and found anew. Then room is made, and each key's place is found: all
//! that runs code of the key's type, so that a panic of it publishes nothing. After that, publishing only moves values.

use super::super::fault::{EngineFault, is_out};
use super::super::parts::Held;
use super::super::wait::Waiter;
use super::bucket::{Bucket, Old, Slot};
use super::part::{Entry, Part, Seen, Write};
use super::table::{Table, Writing, hash_of};
use super::view;
use crate::sync::MutexGuard;
use std::hash::Hash;
use std::ops::{ControlFlow, Deref};
use std::sync::Arc;

/// The locked shards of one map, and what is to be done to them.
pub(super) struct HeldShards<'p, K, V> {
    table: &'p Table<K, V>,
    entries: &'p mut [Entry<K, V>],
    retired: &'p mut Vec<Slot<K, V>>,
    full: &'p mut Vec<u64>,
    reads_whole: bool,
    shards: Vec<Writing<'p, K, V>>,
    targets: Vec<Target>,
}

/// Where a written entry goes.
struct Target {
    entry: usize,
    /// Which of the locked shards.
    shard: usize,
    /// Where the key is in its bucket.
    place: Option<usize>,
}

impl<'p, K, V> HeldShards<'p, K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn lock(part: &'p mut Part<K, V>) -> Self {
        let reads_whole = part.whole().is_some();
        let Part { table, entries, retired, full, .. } = part;
        let targets = entries.iter().enumerate().filter(|(_, entry)| entry.written.is_some());
        let targets = targets.map(|(entry, _)| Target { entry, shard: 0, place: None }).collect();
        let mut held =
            HeldShards { table, entries, retired, full, reads_whole, shards: Vec::new(), targets };
        while !held.try_lock() {
            held.shards.clear();
        }
        held.find_places();
        held
    }

    /// Locks the shards that seem to be responsible, and says whether they are.
    fn try_lock(&mut self) -> bool {
        let (table, entries) = (self.table, &self.entries);
        let hash_of = |target: &Target| entries.get(target.entry).map_or(0, |entry| entry.hash);
        let mut numbered: Vec<(usize, usize)> =
            self.targets.iter().enumerate().map(|(at, t)| (table.number(hash_of(t)), at)).collect();
        numbered.sort_unstable();
        let mut last = None;
        for (number, at) in numbered {
            if last != Some(number) {
                let Some(shard) = table.write_number(number) else { return false };
                self.shards.push(shard);
                last = Some(number);
            }
            let (Some(target), Some(shard)) = (self.targets.get_mut(at), self.shards.last()) else {
                return false;
            };
            if !shard.is_responsible(hash_of(target)) {
                return false;
            }
            target.shard = self.shards.len() - 1;
        }
        true
    }

    fn find_places(&mut self) {
        for shard in 0..self.shards.len() {
            let more = self.targets.iter().filter(|target| target.shard == shard).count();
            if let Some(shard) = self.shards.get_mut(shard) {
                shard.bucket_mut().reserve(more, hash_of);
            }
        }
        for target in &mut self.targets {
            let entry = self.entries.get(target.entry);
            let shard = self.shards.get(target.shard);
            target.place = entry
                .zip(shard)
                .and_then(|(entry, shard)| shard.bucket().find_place(entry.hash, &entry.key));
        }
    }

    /// The bucket of a hash: one that is locked here, or another if no commit has it.
    fn bucket(&self, hash: u64) -> Option<impl Deref<Target = Bucket<K, V>>> {
        match self.shards.iter().find(|shard| shard.is_responsible(hash)) {
            Some(shard) => Some(Either::Own(shard.bucket())),
            None => self.table.try_read(hash).map(Either::Other),
        }
    }

    fn whole_stands(&self, time: u64) -> bool {
        !self.reads_whole
            || self
                .table
                .each(
                    |_, hash| self.bucket(hash),
                    |bucket| match bucket.changed() <= time {
                        true => ControlFlow::Continue(()),
                        false => ControlFlow::Break(()),
                    },
                )
                .is_continue()
    }

    fn stands(&self, entry: &Entry<K, V>, seen: &Seen<V>, version: u64) -> bool {
        self.bucket(entry.hash).is_some_and(|bucket| {
            seen.stands(bucket.find(entry.hash, &entry.key).map(|slot| slot.version), || {
                bucket.removed() < version
            })
        })
    }
}

/// A bucket that is locked here, or the right to read another.
enum Either<'h, B, G> {
    Own(&'h B),
    Other(G),
}

impl<B, G: Deref<Target = B>> Deref for Either<'_, B, G> {
    type Target = B;

    fn deref(&self) -> &B {
        match self {
            Either::Own(bucket) => bucket,
            Either::Other(guard) => guard,
        }
    }
}

impl<K, V> Held for HeldShards<'_, K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn stands(&self, time: u64, version: u64) -> bool {
        let unchecked = is_out(EngineFault::UncheckedKeys);
        self.whole_stands(time)
            && self.entries.iter().all(|entry| match &entry.seen {
                Some(Seen::Absent) if is_out(EngineFault::UncheckedAbsence) => true,
                Some(seen) => unchecked || self.stands(entry, seen, version),
                None => true,
            })
    }

    fn publish(&mut self, version: u64, wake: &mut Vec<Arc<Waiter>>) {
        let held = self.table.views().and_then(view::Views::held);
        let mut publisher = Publisher { version, held, retired: self.retired };
        for target in &mut self.targets {
            let entry = self.entries.get_mut(target.entry);
            let shard = self.shards.get_mut(target.shard);
            let (Some(entry), Some(shard)) = (entry, shard) else { continue };
            shard.bucket_mut().take_waiters(entry.hash, wake);
            publisher.publish(entry, target.place, shard.bucket_mut());
            if shard.is_full() {
                self.full.push(entry.hash);
            }
        }
    }
}

/// Does one write after the other.
struct Publisher<'p, K, V> {
    version: u64,
    held: Option<MutexGuard<'p, view::Held>>,
    retired: &'p mut Vec<Slot<K, V>>,
}

impl<K, V> Publisher<'_, K, V> {
    fn publish(
        &mut self,
        entry: &mut Entry<K, V>,
        place: Option<usize>,
        bucket: &mut Bucket<K, V>,
    ) {
        let version = self.version;
        let ended = match (entry.written.take(), place) {
            (Some(Write::Put(key, value)), None) => {
                bucket.add(entry.hash, Slot { key, value, version });
                None
            }
            (Some(Write::Put(key, value)), Some(place)) => bucket
                .overwrite(place, value, version)
                .map(|(value, version)| Slot { key, value, version }),
            (Some(Write::Remove), Some(place)) => bucket.remove(place, version),
            (Some(Write::Remove), None) | (None, _) => None,
        };
        if let Some(slot) = ended {
            self.keep_or_retire(slot, entry.hash, bucket);
        }
    }

    fn keep_or_retire(&mut self, slot: Slot<K, V>, hash: u64, bucket: &mut Bucket<K, V>) {
        match &mut self.held {
            Some(held) if held.sees(slot.version) => {
                if !bucket.has_old() {
                    held.note(hash);
                }
                bucket.keep(Old { slot, hash, until: self.version });
            }
            _ => self.retired.push(slot),
        }
    }
}
