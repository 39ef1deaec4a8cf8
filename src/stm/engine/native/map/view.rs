//! Snapshots: a whole map as it was at one time.
//!
//! **The promise.** Taking one costs the same however large the map is, copies nothing, and keeps no writer waiting for
//! longer than that. It shares everything with the map that doesn't change while it is held.
//!
//! **The algorithm.** A snapshot is a time. It registers with the map, then reads the clock. From then on a commit that
//! overwrites or removes an entry which a registered snapshot can see moves it to its bucket's list of old entries. Reading a
//! snapshot means to read the bucket and take what was there at its time. When it is dropped, the lists are
//! swept.
//!
//! **Why the ordering is right.** A commit with a number after the snapshot's time took that number from the clock after the snapshot
//! had read it, so it sees the registration. One with a number up to the snapshot's time had its locks by then, and
//! the snapshot's reader waits for them. Registering, deciding what to keep and deciding what to sweep happen under
//! one lock of the map, the last two while the shard is locked as well; commits come to it only while a snapshot is held. Whoever ends a
//! snapshot takes the list of what is to be swept, and puts back each shard that still keeps something
//! for others; a shard that splits between the two is swept by the split.

use super::super::super::super::transaction::outside;
use super::super::clock;
use super::super::fault::{EngineFault, is_out};
use super::bucket::{Bucket, Old, Slot};
use super::table::{Cursor, Table, hash_of};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::hash::Hash;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The snapshots of a map that are held now.
#[derive(Default)]
pub(super) struct Views {
    /// Whether there are any, or one is being taken.
    any: AtomicBool,
    held: Mutex<Held>,
}

/// What is under the lock.
#[derive(Default)]
pub(super) struct Held {
    /// The times of the snapshots.
    times: Vec<u64>,
    /// A hash of each bucket that keeps something for them.
    keeping: Vec<u64>,
}

impl Views {
    /// For a commit that has its number: what is held, if anything may be.
    pub(super) fn held(&self) -> Option<MutexGuard<'_, Held>> {
        // Relaxed: the clock makes it visible to those who must see it.
        let any = self.any.load(Ordering::Relaxed) && !is_out(EngineFault::ForgottenSnapshots);
        any.then(|| self.held.lock())
    }

    /// Begins to register a snapshot; commits that take their number from now on wait for its time.
    fn begin(&self) -> MutexGuard<'_, Held> {
        let held = self.held.lock();
        self.any.store(true, Ordering::Relaxed);
        held
    }

    /// Takes a snapshot off, and gives a hash of each bucket that keeps something, for the caller to sweep.
    fn end(&self, time: u64) -> Vec<u64> {
        let mut held = self.held.lock();
        if let Some(at) = held.times.iter().position(|other| *other == time) {
            held.times.swap_remove(at);
        }
        if held.times.is_empty() {
            self.any.store(false, Ordering::Relaxed);
        }
        std::mem::take(&mut held.keeping)
    }

    /// Takes out of the bucket of this hash, which the caller has locked, what no snapshot can see any more. Decided under the
    /// lock: a snapshot may have been taken a moment ago, and a commit may have kept something for it.
    pub(super) fn sweep<K, V>(&self, hash: u64, bucket: &mut Bucket<K, V>) -> Vec<Old<K, V>> {
        let mut held = self.held.lock();
        let swept = match is_out(EngineFault::GreedySweeps) {
            true => bucket.sweep(&[]),
            false => bucket.sweep(&held.times),
        };
        if bucket.has_old() {
            held.note(hash);
        }
        swept
    }
}

impl Held {
    /// Whether a snapshot sees what was written at `version` and is there until now.
    pub(super) fn sees(&self, version: u64) -> bool {
        self.times.iter().any(|time| version <= *time)
    }

    pub(super) fn note(&mut self, hash: u64) {
        self.keeping.push(hash);
    }
}

/// A map as it was at one time.
pub(in crate::stm) struct View<K, V> {
    table: Arc<Table<K, V>>,
    time: u64,
}

/// A map of which a snapshot is about to be taken, whatever its type.
#[allow(unreachable_pub, reason = "named by a trait that is public and sealed")]
pub trait Viewed {
    /// Tells maps apart, and orders them.
    fn id(&self) -> usize;
    /// Registers with this map, then with the `rest` of them, and returns the time.
    fn register(&self, rest: &[&dyn Viewed]) -> u64;
}

impl<K, V> Viewed for Arc<Table<K, V>> {
    fn id(&self) -> usize {
        Table::id(self)
    }

    fn register(&self, rest: &[&dyn Viewed]) -> u64 {
        // A map may stand there twice; its lock can be taken once.
        let again = rest.iter().take_while(|map| map.id() == Viewed::id(self)).count();
        let early = is_out(EngineFault::LateSnapshots).then(clock::now_for_all);
        let mut held = self.views_or_made().begin();
        let time = register(rest.get(again..).unwrap_or_default());
        let time = early.unwrap_or(time);
        held.times.extend(std::iter::repeat_n(time, 1 + again));
        time
    }
}

/// Registers with all maps, which stand in the order of their ids, and returns the time.
fn register(maps: &[&dyn Viewed]) -> u64 {
    match maps.split_first() {
        Some((map, rest)) => map.register(rest),
        None => clock::now_for_all(),
    }
}

/// The time of a snapshot of all these maps, with which it is registered.
pub(in crate::stm) fn register_all(maps: &mut [&dyn Viewed]) -> u64 {
    maps.sort_unstable_by_key(|map| map.id());
    register(maps)
}

impl<K, V> View<K, V> {
    pub(super) fn take(table: &Arc<Table<K, V>>) -> Self {
        View { table: Arc::clone(table), time: register_all(&mut [table]) }
    }

    /// The snapshot at a time for which the map is registered already.
    pub(super) fn registered(table: &Arc<Table<K, V>>, time: u64) -> Self {
        View { table: Arc::clone(table), time }
    }

    pub(super) fn time(&self) -> u64 {
        self.time
    }

    pub(in crate::stm) fn len(&self) -> usize {
        let mut len = 0;
        let _ = self.table.each(
            |table, hash| Some(table.read(hash)),
            |bucket| {
                len += bucket.len_at(self.time);
                ControlFlow::Continue(())
            },
        );
        len
    }
}

impl<K: Hash + Eq + Clone, V: Clone> View<K, V> {
    pub(in crate::stm) fn get(&self, key: &K) -> Option<V> {
        let hash = hash_of(key);
        self.table.read(hash).find_at(hash, key, self.time).cloned()
    }

    pub(in crate::stm) fn contains(&self, key: &K) -> bool {
        let hash = hash_of(key);
        self.table.read(hash).find_at(hash, key, self.time).is_some()
    }

    /// The entries, copied bucket by bucket.
    pub(in crate::stm) fn iter(&self) -> Entries<'_, K, V> {
        Entries { view: self, next: Some(Cursor::default()), copied: Vec::new().into_iter() }
    }
}

impl<K, V> Drop for View<K, V> {
    fn drop(&mut self) {
        // A model checker ends the threads of a failed execution by unwinding them, when its locks are gone.
        if cfg!(any(loom, shuttle)) && std::thread::panicking() {
            return;
        }
        let Some(views) = self.table.views() else { return };
        for hash in views.end(self.time) {
            let mut shard = self.table.write(hash);
            let swept = views.sweep(hash, shard.bucket_mut());
            // Users' destructors run under no lock, and in no transaction.
            drop(shard);
            outside(|| drop(swept));
        }
    }
}

/// The entries of a snapshot.
pub(in crate::stm) struct Entries<'v, K, V> {
    view: &'v View<K, V>,
    next: Option<Cursor>,
    copied: std::vec::IntoIter<(K, V)>,
}

impl<K: Clone, V: Clone> Iterator for Entries<'_, K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        loop {
            if let Some(entry) = self.copied.next() {
                return Some(entry);
            }
            let cursor = self.next?;
            let bucket = self.view.table.read(cursor.hash());
            let copy = |slot: &Slot<K, V>| (slot.key.clone(), slot.value.clone());
            self.copied = bucket.slots_at(self.view.time).map(copy).collect::<Vec<_>>().into_iter();
            self.next = cursor.after(bucket.depth());
        }
    }
}
