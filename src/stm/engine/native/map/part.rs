//! What a running transaction has read of one map, and will write to it.
//!
//! The same as the [log](super::super::super::super::log) of variables, an entry a key: what was seen under it, what will be written
//! under it, and what to put back when a branch is taken back.

use super::super::fault::{EngineFault, is_out};
use super::super::parts::{Held, MapPart};
use super::super::wait::Waiter;
use super::bucket::{Bucket, Slot};
use super::held::{HeldShards, Target};
use super::table::Table;
use super::view::View;
use hashbrown::HashTable;
use std::any::Any;
use std::hash::Hash;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Up to so many entries, looking at each is faster than hashing.
const SCANNED: usize = 8;
/// A part that grew beyond this isn't kept for the thread's next transaction.
const KEPT: usize = 64;

/// One map in a transaction.
pub(super) struct Part<K, V> {
    /// The map; none between two transactions.
    table: Option<Arc<Table<K, V>>>,
    pub(super) entries: Vec<Entry<K, V>>,
    /// Where each key's entry is; filled only beyond [`SCANNED`] entries.
    index: HashTable<usize>,
    undo: Vec<Saved<K, V>>,
    /// The whole map was read, and this is it at the transaction's time.
    whole: Option<Read<K, V>>,
    /// What was replaced, to be dropped when no transaction runs.
    pub(super) retired: Vec<Slot<K, V>>,
    /// A hash of each shard that the commit filled.
    pub(super) full: Vec<u64>,
    /// Memory for the commit.
    pub(super) targets: Vec<Target>,
}

/// How the whole of a map was read.
pub(super) enum Read<K, V> {
    /// By looking at its only bucket.
    Looked,
    Viewed(Arc<View<K, V>>),
}

/// One key in a transaction.
pub(super) struct Entry<K, V> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) seen: Option<Seen<V>>,
    pub(super) written: Option<Write<K, V>>,
    /// The branch for which `written` was saved last.
    saved_for: u64,
}

/// What was read under a key.
pub(super) enum Seen<V> {
    Absent,
    /// The version, and the value if that was asked for.
    Present(u64, Option<V>),
}

/// What a transaction does to a key.
#[derive(Clone)]
pub(super) enum Write<K, V> {
    Put(K, V),
    Remove,
}

/// What an entry had before a branch wrote to it.
struct Saved<K, V> {
    branch: u64,
    entry: usize,
    written: Option<Write<K, V>>,
}

impl<K, V> Default for Part<K, V> {
    fn default() -> Self {
        Part {
            table: None,
            entries: Vec::new(),
            index: HashTable::new(),
            undo: Vec::new(),
            whole: None,
            retired: Vec::new(),
            full: Vec::new(),
            targets: Vec::new(),
        }
    }
}

impl<K, V> Part<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Gives an empty part to a map.
    pub(super) fn begin(&mut self, table: &Arc<Table<K, V>>) {
        self.table = Some(Arc::clone(table));
    }

    fn table(&self) -> &Table<K, V> {
        known(&self.table)
    }

    /// What a commit needs: the map, the entries, what it leaves behind, and memory.
    pub(super) fn split(&mut self) -> Pieces<'_, K, V> {
        Pieces {
            table: known(&self.table),
            entries: &mut self.entries,
            retired: &mut self.retired,
            full: &mut self.full,
            targets: &mut self.targets,
            reads_whole: self.whole.is_some(),
        }
    }

    /// The place of a key's entry, if it has one.
    pub(super) fn position(&self, hash: u64, key: &K) -> Option<usize> {
        let is_it = |entry: &Entry<K, V>| entry.hash == hash && entry.key == *key;
        if self.entries.len() <= SCANNED {
            return self.entries.iter().position(is_it);
        }
        self.index.find(hash, |at| self.entries.get(*at).is_some_and(is_it)).copied()
    }

    /// Adds an entry for a key that has none, and gives its place.
    pub(super) fn add(&mut self, hash: u64, key: K) -> usize {
        let at = self.entries.len();
        self.entries.push(Entry { hash, key, seen: None, written: None, saved_for: 0 });
        let entries = &self.entries;
        let hash_at = |at: &usize| entries.get(*at).map_or(0, |entry| entry.hash);
        if at == SCANNED {
            for at in 0..=at {
                self.index.insert_unique(hash_at(&at), at, hash_at);
            }
        } else if at > SCANNED {
            self.index.insert_unique(hash, at, hash_at);
        }
        at
    }

    /// Sets what will be done to a key.
    pub(super) fn write(&mut self, at: usize, write: Option<Write<K, V>>, branch: u64) {
        let Some(entry) = self.entries.get_mut(at) else { return };
        let earlier = std::mem::replace(&mut entry.written, write);
        if std::mem::replace(&mut entry.saved_for, branch) != branch && branch != 0 {
            self.undo.push(Saved { branch, entry: at, written: earlier });
        }
    }

    /// All that will be written, by entry.
    pub(super) fn written(&self) -> Vec<Option<Write<K, V>>> {
        self.entries.iter().map(|entry| entry.written.clone()).collect()
    }

    /// Goes back to what would have been written; entries that came since write nothing.
    pub(super) fn write_again(&mut self, written: Vec<Option<Write<K, V>>>, branch: u64) {
        let mut written = written.into_iter();
        for at in 0..self.entries.len() {
            self.write(at, written.next().flatten(), branch);
        }
    }

    pub(super) fn whole(&self) -> Option<&Read<K, V>> {
        self.whole.as_ref()
    }

    pub(super) fn set_whole(&mut self, whole: Read<K, V>) {
        self.whole = Some(whole);
    }

    /// Whether the map, if the whole of it was read, has not changed since `time`.
    fn whole_stands(&self, time: u64) -> bool {
        self.whole.is_none()
            || self.table().stands_since(time, |table, hash| Some(table.read(hash)))
    }

    fn enlist_for_all(&self, waiter: &Arc<Waiter>, time: u64) -> bool {
        let enlist = |bucket: &mut Bucket<K, V>| {
            if bucket.changed() > time && !is_out(EngineFault::UncheckedSleep) {
                return ControlFlow::Break(());
            }
            bucket.enlist(None, waiter);
            ControlFlow::Continue(())
        };
        self.table().each_mut(enlist).is_continue()
    }

    /// Whether a key is as it was seen, and was so at `by` already.
    fn stands(&self, entry: &Entry<K, V>, by: u64) -> bool {
        let Some(seen) = &entry.seen else { return true };
        let bucket = self.table().read(entry.hash);
        seen.stands(bucket.find(entry.hash, &entry.key).map(|slot| slot.version), || {
            bucket.removed() <= by
        })
    }
}

/// The pieces of a part that a commit works with.
pub(super) struct Pieces<'p, K, V> {
    pub(super) table: &'p Table<K, V>,
    pub(super) entries: &'p mut [Entry<K, V>],
    pub(super) retired: &'p mut Vec<Slot<K, V>>,
    pub(super) full: &'p mut Vec<u64>,
    pub(super) targets: &'p mut Vec<Target>,
    pub(super) reads_whole: bool,
}

fn known<K, V>(table: &Option<Arc<Table<K, V>>>) -> &Table<K, V> {
    match table {
        Some(table) => table,
        None => unreachable!("a part is used in a transaction only, and has a map there"),
    }
}

impl<V> Seen<V> {
    /// Whether a key is as it was seen. `since`: whether an absent one has been so for long enough.
    pub(super) fn stands(&self, version: Option<u64>, since: impl FnOnce() -> bool) -> bool {
        match (self, version) {
            (Seen::Present(seen, _), Some(version)) => *seen == version,
            (Seen::Absent, None) => since(),
            _ => false,
        }
    }
}

impl<K, V> MapPart for Part<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn has_read(&self) -> bool {
        self.whole.is_some() || self.entries.iter().any(|entry| entry.seen.is_some())
    }

    fn has_written(&self) -> bool {
        self.entries.iter().any(|entry| entry.written.is_some())
    }

    fn stands(&self, time: u64, now: u64) -> bool {
        self.whole_stands(time) && self.entries.iter().all(|entry| self.stands(entry, now))
    }

    fn roll_back(&mut self, branch: u64) {
        while let Some(saved) = self.undo.pop_if(|saved| saved.branch >= branch) {
            if let Some(entry) = self.entries.get_mut(saved.entry) {
                entry.written = saved.written;
            }
        }
    }

    fn enlist(&self, waiter: &Arc<Waiter>, time: u64) -> bool {
        if self.whole.is_some() && !self.enlist_for_all(waiter, time) {
            return false;
        }
        self.entries.iter().filter(|entry| entry.seen.is_some()).all(|entry| {
            let mut shard = self.table().write(entry.hash);
            let bucket = shard.bucket_mut();
            let version = bucket.find(entry.hash, &entry.key).map(|slot| slot.version);
            let stands = entry.seen.as_ref().is_none_or(|seen| seen.stands(version, || true))
                || is_out(EngineFault::UncheckedSleep);
            if stands {
                bucket.enlist(Some(entry.hash), waiter);
            }
            stands
        })
    }

    fn strike(&self, waiter: &Arc<Waiter>) {
        if self.whole.is_some() {
            let _ = self.table().each_mut(|bucket| {
                bucket.strike(waiter);
                ControlFlow::Continue(())
            });
        }
        for entry in self.entries.iter().filter(|entry| entry.seen.is_some()) {
            self.table().write(entry.hash).bucket_mut().strike(waiter);
        }
    }

    fn lock(&mut self) -> Box<dyn Held + '_> {
        Box::new(HeldShards::lock(self.split()))
    }

    fn grow(&mut self) {
        let table = known(&self.table);
        let swept = self.full.drain(..).flat_map(|hash| table.split(hash));
        self.retired.extend(swept.map(|old| old.slot));
    }

    fn forget(&mut self) -> bool {
        self.entries.clear();
        self.index.clear();
        self.undo.clear();
        self.whole = None;
        self.retired.clear();
        self.targets.clear();
        self.table = None;
        self.entries.capacity() <= KEPT && self.retired.capacity() <= KEPT
    }
}
