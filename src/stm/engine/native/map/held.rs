//! Publishing what a transaction wrote to one map.
//!
//! **In order.** The shards of the written keys are locked by ascending number, and asked under their locks whether they are
//! responsible; if one isn't, because of a split, all are given up and found anew. Then room is made, and each key's place is found: all
//! that runs code of the key's type, so that a panic of it publishes nothing. After that, publishing only moves values.

use super::super::fault::{EngineFault, is_out};
use super::super::parts::Held;
use super::super::wait::Waiter;
use super::bucket::{Bucket, Old, Slot};
use super::part::{Entry, Pieces, Seen, Write};
use super::table::{Writing, hash_of};
use super::view;
use crate::sync::MutexGuard;
use smallvec::SmallVec;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

/// The locked shards of one map, and what is to be done to them.
pub(super) struct HeldShards<'p, K, V> {
    pieces: Pieces<'p, K, V>,
    shards: SmallVec<[Writing<'p, K, V>; 2]>,
}

/// Where a written entry goes.
pub(super) struct Target {
    entry: usize,
    hash: u64,
    /// The number of its shard, and which of the locked ones that is.
    number: usize,
    shard: usize,
    /// Where the key is in its bucket.
    place: Option<usize>,
}

impl<'p, K, V> HeldShards<'p, K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(super) fn lock(pieces: Pieces<'p, K, V>) -> Self {
        let written = |(_, entry): &(usize, &Entry<K, V>)| entry.written.is_some();
        let target = |(at, entry): (usize, &Entry<K, V>)| Target {
            entry: at,
            hash: entry.hash,
            number: 0,
            shard: 0,
            place: None,
        };
        let targets = pieces.entries.iter().enumerate().filter(written).map(target);
        pieces.targets.extend(targets);
        let mut held = HeldShards { pieces, shards: SmallVec::new() };
        while !held.try_lock() {
            held.shards.clear();
        }
        held.find_places();
        held
    }

    /// Locks the shards that seem to be responsible, and says whether they are.
    fn try_lock(&mut self) -> bool {
        let Pieces { table, targets, .. } = &mut self.pieces;
        targets.iter_mut().for_each(|target| target.number = table.number(target.hash));
        targets.sort_unstable_by_key(|target| target.number);
        let mut last = None;
        for target in targets.iter_mut() {
            if last != Some(target.number) {
                let Some(shard) = table.write_number(target.number) else { return false };
                self.shards.push(shard);
                last = Some(target.number);
            }
            target.shard = self.shards.len() - 1;
            let is_it = self.shards.last().is_some_and(|shard| shard.is_responsible(target.hash));
            if !is_it && !is_out(EngineFault::UncheckedTargets) {
                return false;
            }
        }
        true
    }

    /// Makes room, and finds each key's place. The targets of one shard stand together.
    fn find_places(&mut self) {
        let Pieces { entries, targets, .. } = &mut self.pieces;
        for targets in targets.chunk_by_mut(|one, other| one.shard == other.shard) {
            let shard = targets.first().and_then(|target| self.shards.get_mut(target.shard));
            let Some(shard) = shard else { continue };
            shard.bucket_mut().reserve(targets.len(), hash_of);
            for target in targets {
                let entry = entries.get(target.entry);
                target.place =
                    entry.and_then(|entry| shard.bucket().find_place(entry.hash, &entry.key));
            }
        }
    }

    /// The bucket of a hash: one that is locked here, or another if no commit has it.
    fn bucket(&self, hash: u64) -> Option<impl Deref<Target = Bucket<K, V>>> {
        // A shard that is locked here can't split: its number is where its hashes lead.
        let number = self.pieces.table.number(hash);
        let held = self.shards.binary_search_by_key(&number, Writing::number);
        match held.ok().and_then(|at| self.shards.get(at)) {
            Some(shard) => Some(Either::Own(shard.bucket())),
            None => self.pieces.table.try_read(hash).map(Either::Other),
        }
    }

    fn whole_stands(&self, time: u64) -> bool {
        !self.pieces.reads_whole
            || is_out(EngineFault::UncheckedWhole)
            || self.pieces.table.stands_since(time, |_, hash| self.bucket(hash))
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
            && self.pieces.entries.iter().all(|entry| match &entry.seen {
                Some(Seen::Absent) if is_out(EngineFault::UncheckedAbsence) => true,
                Some(seen) => unchecked || self.stands(entry, seen, version),
                None => true,
            })
    }

    fn publish(&mut self, version: u64, wake: &mut Vec<Arc<Waiter>>) {
        let Pieces { table, entries, retired, full, targets, .. } = &mut self.pieces;
        let held = table.views().and_then(view::Views::held);
        let mut publisher = Publisher { version, held, retired };
        for target in targets.iter() {
            let entry = entries.get_mut(target.entry);
            let shard = self.shards.get_mut(target.shard);
            let (Some(entry), Some(shard)) = (entry, shard) else { continue };
            shard.bucket_mut().take_waiters(entry.hash, wake);
            publisher.publish(entry, target.place, shard.bucket_mut());
            if shard.is_full() {
                full.push(entry.hash);
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
