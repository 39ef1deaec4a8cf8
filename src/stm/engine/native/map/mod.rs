//! Maps of which a transaction depends on the keys that it touched, and on no others.
//!
//! **The promise.** Two transactions conflict only if one writes a key that the other reads or writes; a lookup that found nothing
//! conflicts with the insertion of its key. Reading the whole map depends on all of it.
//!
//! **The algorithm.** A key is to the engine what a variable is: its entry has a version, a commit that writes it locks the
//! shard it is in, and whoever read it looks again. An absent key has no version; its bucket knows when it last lost one. The [`table`]
//! finds the shard; a [`part`] is what a transaction knows of a map; [`held`] shards are those
//! that a commit writes; a [`view`] is the whole map at one time.
//!
//! **Under a lock**, a shard's, the code of users' types runs in three places, as in every hash map with locks: keys are compared and, when a
//! shard grows, hashed; keys and values are cloned for readers. So these should be small things: an id, a number,
//! a handle, an `Arc`. They must not use transactions. Values are never dropped under a lock.
//!
//! **Tests.** `tests/stm_laws/` on real threads; `loom-tests/tests/stm_maps/` under loom, `random_maps.rs` under shuttle.

mod bucket;
mod held;
mod part;
mod table;
mod view;
mod whole;

pub(super) use table::hash_of;
pub(in crate::stm) use view::{Viewed, register_all};
pub(in crate::stm) use whole::Whole;

use super::super::super::transaction::Transaction;
use super::parts::MapPart;
use crate::stm::StmResult;
use part::{Entry, Part, Read, Seen, Write};
use std::hash::Hash;
use std::sync::Arc;
use table::Table;
use view::View;
use whole::Own;

/// A map. A clone is another handle to the same one.
pub(in crate::stm) struct Map<K, V> {
    table: Arc<Table<K, V>>,
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Self {
        Map { table: Arc::clone(&self.table) }
    }
}

impl<K, V> Map<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(in crate::stm) fn new() -> Self {
        Map { table: Arc::new(Table::new()) }
    }

    /// A map with one entry, which no other thread can know yet.
    pub(in crate::stm) fn unit(key: K, value: V) -> Self {
        let map = Map::new();
        let hash = hash_of(&key);
        let mut shard = map.table.write(hash);
        shard.bucket_mut().reserve(1, hash_of);
        shard.bucket_mut().add(hash, bucket::Slot { key, value, version: 0 });
        drop(shard);
        map
    }

    pub(in crate::stm) fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table)
    }

    pub(in crate::stm) fn id(&self) -> usize {
        self.table.id()
    }

    /// The value of a key in the committed map, outside of any transaction.
    pub(in crate::stm) fn get_atomic(&self, key: &K) -> Option<V> {
        let hash = hash_of(key);
        self.table.read(hash).find(hash, key).map(|slot| slot.value.clone())
    }

    pub(in crate::stm) fn contains_atomic(&self, key: &K) -> bool {
        let hash = hash_of(key);
        self.table.read(hash).find(hash, key).is_some()
    }

    /// How many entries the committed map has.
    pub(in crate::stm) fn len_atomic(&self) -> usize {
        if self.table.is_small() {
            let bucket = self.table.read(0);
            if bucket.depth() == 0 {
                return bucket.len();
            }
        }
        self.whole_atomic().len()
    }

    pub(in crate::stm) fn get(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<Option<V>> {
        let entry = self.read(tx, key, true)?;
        Ok(match (&entry.written, &entry.seen) {
            (Some(Write::Put(_, value)), _) | (None, Some(Seen::Present(_, Some(value)))) => {
                Some(value.clone())
            }
            _ => None,
        })
    }

    pub(in crate::stm) fn contains(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<bool> {
        let entry = self.read(tx, key, false)?;
        Ok(match (&entry.written, &entry.seen) {
            (Some(write), _) => matches!(write, Write::Put(..)),
            (None, seen) => matches!(seen, Some(Seen::Present(..))),
        })
    }

    /// Sets the value of a key. The transaction doesn't come to depend on what it was.
    pub(in crate::stm) fn insert(
        &self,
        tx: &mut Transaction<'_>,
        key: K,
        value: V,
    ) -> StmResult<()> {
        let hash = hash_of(&key);
        let branch = tx.branch();
        let part = self.part(tx);
        let at = part.position(hash, &key);
        let at = at.unwrap_or_else(|| part.add(hash, key.clone()));
        part.write(at, Some(Write::Put(key, value)), branch);
        Ok(())
    }

    /// Removes a key, if it is there.
    pub(in crate::stm) fn remove(&self, tx: &mut Transaction<'_>, key: &K) -> StmResult<()> {
        if self.contains(tx, key)? {
            self.write_removal(tx, key);
        }
        Ok(())
    }

    fn write_removal(&self, tx: &mut Transaction<'_>, key: &K) {
        let hash = hash_of(key);
        let branch = tx.branch();
        let part = self.part(tx);
        let at = part.position(hash, key).unwrap_or_else(|| part.add(hash, key.clone()));
        part.write(at, Some(Write::Remove), branch);
    }

    pub(in crate::stm) fn clear(&self, tx: &mut Transaction<'_>) -> StmResult<()> {
        let whole = self.whole(tx)?;
        whole.iter().for_each(|(key, _)| self.write_removal(tx, &key));
        Ok(())
    }

    pub(in crate::stm) fn len(&self, tx: &mut Transaction<'_>) -> StmResult<usize> {
        let committed = match self.small_len(tx)? {
            Some(len) => len,
            None => self.view(tx)?.len(),
        };
        self.len_with_own(tx, committed)
    }

    /// The number of entries, given how many the map has without what the transaction itself wrote.
    fn len_with_own(&self, tx: &mut Transaction<'_>, committed: usize) -> StmResult<usize> {
        let part = self.part(tx);
        let written: Vec<_> = part
            .entries
            .iter()
            .filter(|entry| entry.written.is_some())
            .map(|entry| entry.key.clone())
            .collect();
        let mut len = committed;
        for key in written {
            let entry = self.read_committed(tx, &key)?;
            let was = matches!(entry.seen, Some(Seen::Present(..)));
            match (was, matches!(entry.written, Some(Write::Put(..)))) {
                (true, false) => len = len.saturating_sub(1),
                (false, true) => len += 1,
                _ => {}
            }
        }
        Ok(len)
    }

    /// How many entries the map has at the transaction's time, if it is of one shard.
    fn small_len(&self, tx: &mut Transaction<'_>) -> StmResult<Option<usize>> {
        if !self.table.is_small() {
            return Ok(None);
        }
        let len = tx.read_newest(|| {
            let bucket = self.table.read(0);
            match bucket.depth() {
                0 => (Some(bucket.len()), bucket.changed()),
                _ => (None, 0),
            }
        })?;
        let part = self.part(tx);
        if len.is_some() && part.whole().is_none() {
            part.set_whole(Read::Looked);
        }
        Ok(len)
    }

    /// As [`TMap::alter_with`](crate::stm::TMap::alter_with).
    pub(in crate::stm) fn alter_with<'t>(
        &self,
        tx: &mut Transaction<'t>,
        key: K,
        change: impl FnOnce(&mut Transaction<'t>, Option<V>) -> StmResult<Option<V>>,
    ) -> StmResult<()> {
        let present = self.get(tx, &key)?;
        let early = self.part(tx).written();
        let value = change(tx, present)?;
        let branch = tx.branch();
        self.part(tx).write_again(early, branch);
        match value {
            Some(value) => self.insert(tx, key, value),
            None => self.remove(tx, &key),
        }
    }

    /// The whole committed map.
    pub(in crate::stm) fn whole_atomic(&self) -> Whole<K, V> {
        Whole::of(Arc::new(View::take(&self.table)), None)
    }

    /// This map among others of which a snapshot is to be taken.
    pub(in crate::stm) fn viewed(&self) -> &dyn Viewed {
        &self.table
    }

    /// The whole committed map at a time for which it is registered.
    pub(in crate::stm) fn whole_registered(&self, time: u64) -> Whole<K, V> {
        Whole::of(Arc::new(View::registered(&self.table, time)), None)
    }

    /// The whole map as the transaction sees it.
    pub(in crate::stm) fn whole(&self, tx: &mut Transaction<'_>) -> StmResult<Whole<K, V>> {
        let view = self.view(tx)?;
        if !self.part(tx).has_written() {
            return Ok(Whole::of(view, None));
        }
        let len = self.len_with_own(tx, view.len())?;
        let written = self.part(tx).entries.iter().filter_map(|entry| match &entry.written {
            Some(Write::Put(key, value)) => Some((key.clone(), Some(value.clone()))),
            Some(Write::Remove) => Some((entry.key.clone(), None)),
            None => None,
        });
        let written = written.collect();
        Ok(Whole::of(view, Some(Own { written, len })))
    }

    /// The whole map without what the transaction itself wrote, at a time that becomes the transaction's.
    fn view(&self, tx: &mut Transaction<'_>) -> StmResult<Arc<View<K, V>>> {
        if let Some(Read::Viewed(view)) = self.part(tx).whole() {
            return Ok(Arc::clone(view));
        }
        let view = Arc::new(View::take(&self.table));
        tx.extend_to(view.time())?;
        self.part(tx).set_whole(Read::Viewed(Arc::clone(&view)));
        Ok(view)
    }

    fn part<'a>(&self, tx: &'a mut Transaction<'_>) -> &'a mut Part<K, V> {
        let place = self.place(tx);
        tx.parts().at(place)
    }

    fn place(&self, tx: &mut Transaction<'_>) -> usize {
        tx.parts().place(self.id(), |part: &mut Part<K, V>| part.begin(&self.table))
    }

    /// A key's entry, which has been read or written. `value`: whether the value is wanted.
    fn read<'a>(
        &self,
        tx: &'a mut Transaction<'_>,
        key: &K,
        value: bool,
    ) -> StmResult<&'a Entry<K, V>> {
        let is_known = |entry: &Entry<K, V>| match (&entry.written, &entry.seen) {
            (Some(_), _) | (None, Some(Seen::Absent | Seen::Present(_, Some(_)))) => true,
            (None, Some(Seen::Present(_, None))) => !value,
            (None, None) => false,
        };
        self.read_unless(tx, key, value, is_known)
    }

    /// A key's entry, which has been read.
    fn read_committed<'a>(
        &self,
        tx: &'a mut Transaction<'_>,
        key: &K,
    ) -> StmResult<&'a Entry<K, V>> {
        self.read_unless(tx, key, false, |entry| entry.seen.is_some())
    }

    fn read_unless<'a>(
        &self,
        tx: &'a mut Transaction<'_>,
        key: &K,
        value: bool,
        is_known: impl FnOnce(&Entry<K, V>) -> bool,
    ) -> StmResult<&'a Entry<K, V>> {
        let hash = hash_of(key);
        let place = self.place(tx);
        let part = tx.parts().at::<Part<K, V>>(place);
        let at = part.position(hash, key);
        if let Some(at) = at
            && is_known(&part.entries[at])
        {
            return Ok(&tx.parts().at::<Part<K, V>>(place).entries[at]);
        }
        let seen = tx.read_newest(|| self.look(hash, key, value))?;
        let part = tx.parts().at::<Part<K, V>>(place);
        let at = at.unwrap_or_else(|| part.add(hash, key.clone()));
        part.entries[at].seen = Some(seen);
        Ok(&part.entries[at])
    }

    /// What is under a key, and the version since which that is so at the latest.
    fn look(&self, hash: u64, key: &K, value: bool) -> (Seen<V>, u64) {
        let bucket = self.table.read(hash);
        match bucket.find(hash, key) {
            Some(slot) => {
                let value = value.then(|| slot.value.clone());
                (Seen::Present(slot.version, value), slot.version)
            }
            None => (Seen::Absent, bucket.removed()),
        }
    }
}
