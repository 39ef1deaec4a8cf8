//! Locks by key: one holder for each key, and no trace of a key that nobody holds.
//!
//! **The promise.** Of those who hold the same key, each begins after the one before has ended. Several
//! keys are taken in one step, so holders of many never wait for each other in a circle. A key takes
//! memory only while somebody holds it (RACE-40).
//!
//! **How.** The set of held keys is a transactional variable: to hold a key is to enter it where it is
//! not, and whoever finds it there waits for the set to change. There is no object that stands for a
//! lock and could be dropped, replaced or made twice.

use std::hash::Hash;

use super::fault::{StoreFault, is_cut_off, is_out};
use crate::stm::{StmResult, TSet, Transaction, atomically, guard};
use crate::sync::atomic::{AtomicUsize, Ordering};

/// The keys that somebody holds.
pub(super) struct Locks<K> {
    held: TSet<K>,
    /// How many hold keys, or are about to. When it is zero, no key is held.
    holders: AtomicUsize,
}

impl<K: Clone + Eq + Hash + Ord + Send + Sync + 'static> Locks<K> {
    pub(super) fn new() -> Self {
        Self { held: TSet::new(), holders: AtomicUsize::new(0) }
    }

    /// Waits until nobody holds any of the keys, and holds them all.
    pub(super) fn hold(&self, mut keys: Vec<K>) -> Held<'_, K> {
        keys.sort_unstable();
        keys.dedup();
        if is_out(StoreFault::NoLocks) {
            keys.clear();
        }
        // Before the first key is entered, so that whoever reads zero meets no key.
        self.holders.fetch_add(1, Ordering::AcqRel);
        atomically(|tx| {
            for key in &keys {
                guard(!self.held.contains(tx, key)?)?;
                self.held.insert(tx, key.clone())?;
            }
            Ok(())
        });
        Held { locks: self, keys, released: false }
    }

    /// Whether nobody held any key at some moment of this call.
    pub(super) fn are_free(&self) -> bool {
        self.holders.load(Ordering::Acquire) == 0
    }

    pub(super) fn is_held(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        self.held.contains(tx, key)
    }

    /// How many keys are held.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn len(&self) -> usize {
        self.held.len_atomic()
    }
}

/// Keys that are held until this is dropped, or released in a transaction.
pub(super) struct Held<'l, K: Clone + Eq + Hash + Ord + Send + Sync + 'static> {
    locks: &'l Locks<K>,
    keys: Vec<K>,
    released: bool,
}

impl<K: Clone + Eq + Hash + Ord + Send + Sync + 'static> Held<'_, K> {
    pub(super) fn contains(&self, key: &K) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// Gives the keys back as a part of a transaction. When it has committed, say so with
    /// [`done`](Self::done).
    pub(super) fn release(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        for key in &self.keys {
            self.locks.held.remove(tx, key)?;
        }
        Ok(())
    }

    /// The transaction that released the keys has committed.
    pub(super) fn done(mut self) {
        self.released = true;
    }
}

impl<K: Clone + Eq + Hash + Ord + Send + Sync + 'static> Drop for Held<'_, K> {
    fn drop(&mut self) {
        if is_cut_off() {
            return;
        }
        if !self.released {
            atomically(|tx| self.release(tx));
        }
        self.locks.holders.fetch_sub(1, Ordering::AcqRel);
    }
}
