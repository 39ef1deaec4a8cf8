//! The table behind a map: shards that split as it grows, each under a lock of its own.
//!
//! **The promise.** A key is found in the one shard that is responsible for it, however many splits happen meanwhile. Memory and
//! cost stay flat: a table of one entry has one shard, and one of millions has as many as it takes for each
//! to stay small.
//!
//! **The algorithm.** Extendible hashing. A shard of *depth* d is responsible for all hashes whose lowest d bits are
//! its number. When it holds [`FULL`] entries it splits: those whose next bit is set move to the shard whose number
//! is its own plus 2^d. The shards stand in *segments*, each as large as all before it, which are made once and never move, so finding
//! one takes no lock. Looking for a hash begins with as many bits as the deepest shard has, and drops the
//! highest bit for as long as there is no such shard yet.
//!
//! **Why the ordering is right.** Whether a shard is there, and its depth, change only under its lock; what is known of that without
//! the lock is a hint where to look, and is checked under it. A split holds the locks of both shards, and the one
//! that splits knows its new depth before its lock is given up: whoever comes to it for a hash that has moved is sent on. Locks of several
//! shards are taken by ascending number, and a shard's other half has a higher one. Nobody waits for another lock while holding the one
//! of a shard that turned out not to be there.

use super::super::fault::{EngineFault, is_out};
use super::super::identity::Identity;
use super::bucket::{Bucket, Old};
use super::view::Views;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::hash::{BuildHasher, Hash};
use std::ops::{ControlFlow, Deref};

/// A shard with so many entries splits: what a hash table of 256 places takes before it grows.
const FULL: usize = if cfg!(any(loom, shuttle)) { 2 } else { 224 };
/// So many bits of a hash can choose a shard.
const DEEPEST: usize = 32;
/// There may be so many times as many shard numbers as shards. Keys with equal hashes, which no split can part, must
/// not make the segments grow.
const SPREAD: usize = 8;

/// The shards of a map.
pub(super) struct Table<K, V> {
    identity: Identity,
    first: Shard<K, V>,
    /// The depth of the deepest shard. A hint where to begin.
    depth: AtomicUsize,
    grown: OnceLock<Box<Grown<K, V>>>,
    views: OnceLock<Box<Views>>,
}

/// What a table has whose first shard was split.
struct Grown<K, V> {
    /// Segment n holds the shards 2^n to 2^(n+1).
    segments: [Segment<K, V>; DEEPEST],
    shards: AtomicUsize,
}

type Segment<K, V> = OnceLock<Box<[Shard<K, V>]>>;

/// The place of a bucket.
struct Shard<K, V> {
    /// Whether the bucket is there. A hint: the lock knows.
    is_there: AtomicBool,
    bucket: RwLock<Option<Bucket<K, V>>>,
}

impl<K, V> Shard<K, V> {
    fn new(bucket: Option<Bucket<K, V>>) -> Self {
        Shard { is_there: AtomicBool::new(bucket.is_some()), bucket: RwLock::new(bucket) }
    }
}

/// The right to read a bucket.
pub(super) struct Reading<'t, K, V>(RwLockReadGuard<'t, Option<Bucket<K, V>>>);

impl<K, V> Deref for Reading<'_, K, V> {
    type Target = Bucket<K, V>;

    fn deref(&self) -> &Bucket<K, V> {
        match &*self.0 {
            Some(bucket) => bucket,
            None => unreachable!("made only of shards that are there"),
        }
    }
}

/// The right to change a bucket.
pub(super) struct Writing<'t, K, V> {
    guard: RwLockWriteGuard<'t, Option<Bucket<K, V>>>,
    number: usize,
}

impl<K, V> Writing<'_, K, V> {
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Whether the shard is the one for the hash.
    pub(super) fn is_responsible(&self, hash: u64) -> bool {
        (*self.guard).as_ref().is_some_and(|bucket| self.number == bits(hash, bucket.depth()))
    }

    pub(super) fn bucket(&self) -> &Bucket<K, V> {
        match &*self.guard {
            Some(bucket) => bucket,
            None => unreachable!("made only of shards that are there"),
        }
    }

    pub(super) fn bucket_mut(&mut self) -> &mut Bucket<K, V> {
        match &mut *self.guard {
            Some(bucket) => bucket,
            None => unreachable!("made only of shards that are there"),
        }
    }

    /// Whether the shard should be split.
    pub(super) fn is_full(&self) -> bool {
        self.bucket().len() >= FULL
    }
}

/// The hash by which a key is placed: keyed with what the process chose when it started, so that nobody can choose
/// keys that collide; under a model checker always the same, so that executions can be repeated.
pub(in super::super) fn hash_of<K: Hash>(key: &K) -> u64 {
    #[cfg(not(any(loom, shuttle)))]
    {
        static KEYED: OnceLock<foldhash::quality::RandomState> = OnceLock::new();
        KEYED.get_or_init(foldhash::quality::RandomState::default).hash_one(key)
    }
    #[cfg(any(loom, shuttle))]
    {
        foldhash::quality::FixedState::default().hash_one(key)
    }
}

/// The lowest bits of a hash.
fn bits(hash: u64, depth: usize) -> usize {
    (hash & ((1 << depth) - 1)) as usize
}

impl<K, V> Table<K, V> {
    pub(super) fn new() -> Self {
        Table {
            identity: Identity::new(),
            first: Shard::new(Some(Bucket::new(0))),
            depth: AtomicUsize::new(0),
            grown: OnceLock::new(),
            views: OnceLock::new(),
        }
    }

    /// Tells tables apart for as long as both exist, and orders them.
    pub(super) fn id(&self) -> usize {
        self.identity.of(self)
    }

    /// The snapshots of this table, if there ever was one.
    pub(super) fn views(&self) -> Option<&Views> {
        self.views.get().map(Box::as_ref)
    }

    pub(super) fn views_or_made(&self) -> &Views {
        self.views.get_or_init(Box::default)
    }

    /// Whether the first shard, as far as one can tell without its lock, is the only one.
    pub(super) fn is_small(&self) -> bool {
        self.depth.load(Ordering::Acquire) == 0
    }

    /// The shard with this number, if its segment was made.
    fn shard(&self, number: usize) -> Option<&Shard<K, V>> {
        let Some(segment) = number.checked_ilog2() else {
            return Some(&self.first);
        };
        let segment_start = 1 << segment;
        self.grown.get()?.segments.get(segment as usize)?.get()?.get(number - segment_start)
    }

    /// The shard with this number; its segment is made when it wasn't.
    fn shard_or_made(&self, number: usize) -> Option<&Shard<K, V>> {
        let Some(segment) = number.checked_ilog2() else {
            return Some(&self.first);
        };
        let segment_start = 1 << segment;
        let made = self.grown().segments.get(segment as usize)?;
        let made = made.get_or_init(|| (0..segment_start).map(|_| Shard::new(None)).collect());
        made.get(number - segment_start)
    }

    fn grown(&self) -> &Grown<K, V> {
        self.grown.get_or_init(|| {
            let segments = std::array::from_fn(|_| OnceLock::new());
            Box::new(Grown { segments, shards: AtomicUsize::new(1) })
        })
    }

    /// The number of a shard that is there, or was a moment ago, for the hash. `depth`: with how many bits to begin.
    fn likely(&self, hash: u64, mut depth: usize) -> (usize, &Shard<K, V>) {
        loop {
            let number = bits(hash, depth);
            if number == 0 {
                return (0, &self.first);
            }
            match self.shard(number) {
                Some(shard) if shard.is_there.load(Ordering::Acquire) => return (number, shard),
                _ => depth -= 1,
            }
        }
    }

    /// Calls `lock` on shards until it is given the one that is responsible for the hash.
    fn responsible<'t, G>(
        &'t self,
        hash: u64,
        lock: impl Fn(&'t RwLock<Option<Bucket<K, V>>>) -> Option<G>,
        bucket: impl Fn(&G) -> Option<&Bucket<K, V>>,
    ) -> Option<(G, usize)> {
        let mut depth = self.depth.load(Ordering::Acquire);
        loop {
            let (number, shard) = self.likely(hash, depth);
            let locked = lock(&shard.bucket)?;
            match bucket(&locked).map(Bucket::depth) {
                Some(depth) if bits(hash, depth) == number => return Some((locked, number)),
                Some(_) if is_out(EngineFault::UncheckedShards) => return Some((locked, number)),
                // It was split after we looked where to begin.
                Some(deeper) => depth = deeper,
                None => depth = depth.saturating_sub(1),
            }
        }
    }

    /// Waits for the shard that is responsible for the hash, to read it.
    pub(super) fn read(&self, hash: u64) -> Reading<'_, K, V> {
        match self.responsible(hash, |lock| Some(lock.read()), |locked| locked.as_ref()) {
            Some((locked, _)) => Reading(locked),
            None => unreachable!("a lock that is waited for is got"),
        }
    }

    /// The shard that is responsible for the hash, to read it; `None` while a commit has it.
    pub(super) fn try_read(&self, hash: u64) -> Option<Reading<'_, K, V>> {
        let (locked, _) =
            self.responsible(hash, |lock| lock.try_read(), |locked| locked.as_ref())?;
        Some(Reading(locked))
    }

    /// Waits for the shard that is responsible for the hash, to change it.
    pub(super) fn write(&self, hash: u64) -> Writing<'_, K, V> {
        match self.responsible(hash, |lock| Some(lock.write()), |locked| locked.as_ref()) {
            Some((guard, number)) => Writing { guard, number },
            None => unreachable!("a lock that is waited for is got"),
        }
    }

    /// The number of the shard that is responsible for the hash, or was a moment ago.
    pub(super) fn number(&self, hash: u64) -> usize {
        self.likely(hash, self.depth.load(Ordering::Acquire)).0
    }

    /// Waits for the shard with this number, if it is there.
    pub(super) fn write_number(&self, number: usize) -> Option<Writing<'_, K, V>> {
        let guard = self.shard(number)?.bucket.write();
        (*guard).is_some().then_some(Writing { guard, number })
    }

    /// Whether no bucket has changed since `time`; not so when `lock` doesn't get one.
    pub(super) fn stands_since<'t, G: Deref<Target = Bucket<K, V>>>(
        &'t self,
        time: u64,
        lock: impl Fn(&'t Self, u64) -> Option<G>,
    ) -> bool
    where
        K: 't,
        V: 't,
    {
        let look = |bucket: &Bucket<K, V>| match bucket.changed() <= time {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        self.each(lock, look).is_continue()
    }

    /// Calls `look` for each bucket, one after the other, until it breaks. `lock` gets the bucket for a hash. Buckets that split
    /// meanwhile are met in their parts: each key's bucket is met exactly once.
    pub(super) fn each<'t, G: Deref<Target = Bucket<K, V>>>(
        &'t self,
        lock: impl Fn(&'t Self, u64) -> Option<G>,
        mut look: impl FnMut(&Bucket<K, V>) -> ControlFlow<()>,
    ) -> ControlFlow<()>
    where
        K: 't,
        V: 't,
    {
        let mut cursor = Some(Cursor::default());
        while let Some(at) = cursor {
            let Some(bucket) = lock(self, at.hash()) else {
                return ControlFlow::Break(());
            };
            look(&bucket)?;
            cursor = at.after(bucket.depth());
        }
        ControlFlow::Continue(())
    }
}

impl<K, V> Table<K, V> {
    /// Calls `change` for each bucket, as [`each`](Self::each).
    pub(super) fn each_mut(
        &self,
        mut change: impl FnMut(&mut Bucket<K, V>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut cursor = Some(Cursor::default());
        while let Some(at) = cursor {
            let mut shard = self.write(at.hash());
            change(shard.bucket_mut())?;
            cursor = at.after(shard.bucket().depth());
        }
        ControlFlow::Continue(())
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    /// Splits the shard that is responsible for the hash, if it is full. Gives what it kept for snapshots that
    /// are gone, to be dropped.
    pub(super) fn split(&self, hash: u64) -> Vec<Old<K, V>> {
        let mut full = self.write(hash);
        let depth = full.bucket().depth();
        if !full.is_full() || depth >= DEEPEST {
            return Vec::new();
        }
        let grown = self.grown();
        // Relaxed: a count that is a little off does no harm.
        if depth >= usize::BITS as usize - 4
            || 1 << depth > SPREAD * grown.shards.load(Ordering::Relaxed)
        {
            return Vec::new();
        }
        let (number, new) = (full.number, full.number | 1 << depth);
        let Some(other) = self.shard_or_made(new) else {
            return Vec::new();
        };
        let mut empty = other.bucket.write();
        let mut half = full.bucket_mut().split(FULL, hash_of);
        let mut swept = self.sweep_half(number, full.bucket_mut());
        swept.extend(self.sweep_half(new, &mut half));
        *empty = Some(half);
        other.is_there.store(true, Ordering::Release);
        self.depth.fetch_max(depth + 1, Ordering::AcqRel);
        grown.shards.fetch_add(1, Ordering::Relaxed);
        swept
    }

    /// Sweeps one half of a shard that is being split. Whoever sweeps the shard, now or later, knows of one hash in it only,
    /// which leads to one of the halves.
    fn sweep_half(&self, number: usize, half: &mut Bucket<K, V>) -> Vec<Old<K, V>> {
        match self.views() {
            Some(views) if half.has_old() && !is_out(EngineFault::UnsweptHalves) => {
                views.sweep(number as u64, half)
            }
            _ => Vec::new(),
        }
    }
}

/// Where one is on the way through all hashes: their lowest 32 bits in reverse, so that the hashes of one shard are next to each
/// other whatever its depth.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursor(u32);

impl Cursor {
    /// The first hash that comes now.
    pub(super) fn hash(self) -> u64 {
        u64::from(self.0.reverse_bits())
    }

    /// Behind all hashes of a shard with this depth; none when they were the last.
    pub(super) fn after(self, depth: usize) -> Option<Self> {
        let width = 1_u64 << (DEEPEST - depth);
        u32::try_from(u64::from(self.0) + width).ok().map(Cursor)
    }
}
