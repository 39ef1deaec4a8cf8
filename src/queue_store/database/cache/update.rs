//! What changes the cache: only for the holder of the queue's lock, or for a row that may come in.

use std::hash::Hash;
use std::sync::Arc;

use super::{Cache, Cached};
use crate::protocol::{LinkId, NotifierId, QueueRec, RecipientId};
use crate::queue_store::StoreQueue;
use crate::queue_store::database::change::edit_record;
use crate::queue_store::database::control::NEVER;
use crate::queue_store::database::fault::{StoreFault, is_out};
use crate::stm::{StmResult, TMap, Transaction};

impl<Q: StoreQueue> Cache<Q> {
    /// Makes the object stand for a live queue with this record, in whatever state it was.
    pub(in crate::queue_store::database) fn renew(
        &self,
        tx: &mut Transaction<'_>,
        queue: &Arc<Q>,
        generation: u64,
        record: &Arc<QueueRec>,
    ) -> StmResult<()> {
        if let Some(old) = queue.record().replace(tx, Some(Arc::clone(record)))? {
            self.unindex(tx, queue, &old)?;
        }
        let cached = self.enter(tx, queue, generation)?;
        if self.strict { self.index(tx, &cached, record) } else { Ok(()) }
    }

    /// Enters a queue that was added by this store, under all its ids.
    pub(in crate::queue_store::database) fn add(
        &self,
        tx: &mut Transaction<'_>,
        queue: &Arc<Q>,
        generation: u64,
        record: &QueueRec,
    ) -> StmResult<()> {
        // One of another life of this id, whose end was not told of.
        if let Some(old) = self.object(tx, queue.recipient_id())? {
            self.forget(tx, &old)?;
        }
        let cached = self.enter(tx, queue, generation)?;
        self.index(tx, &cached, record)
    }

    /// Enters an object under its recipient id, in the place of what is there.
    fn enter(
        &self,
        tx: &mut Transaction<'_>,
        queue: &Arc<Q>,
        generation: u64,
    ) -> StmResult<Cached<Q>> {
        let id = queue.recipient_id();
        let number = match self.queues.get(tx, id)? {
            Some(present) => present.number,
            None => self.ages.come(tx, id)?,
        };
        let cached = Cached { queue: Arc::clone(queue), generation, number };
        self.queues.insert(tx, id.clone(), cached.clone())?;
        Ok(cached)
    }

    /// Changes the record in the cached object, and in another one that the caller has, and moves the
    /// index entries whose ids changed. Only for the holder of the queue's lock.
    pub(in crate::queue_store::database) fn edit(
        &self,
        tx: &mut Transaction<'_>,
        given: &Q,
        change: &impl Fn(&mut QueueRec),
    ) -> StmResult<()> {
        let id = given.recipient_id();
        let object = self.object(tx, id)?;
        if !object.as_ref().is_some_and(|object| std::ptr::eq(&**object, given)) {
            edit_record(tx, given, change)?;
        }
        let Some(cached) = self.queues.get(tx, id)? else {
            let rested = object.map(|object| edit_record(tx, &*object, change));
            return rested.transpose().map(drop);
        };
        let Some((old, new)) = edit_record(tx, &*cached.queue, change)? else { return Ok(()) };
        let (old_ntf, new_ntf) = (notifier_id(&old), notifier_id(&new));
        if old_ntf != new_ntf {
            self.drop_entry(tx, &self.notifiers, old_ntf, &cached.queue)?;
            if let Some(id) = new_ntf {
                self.notifiers.insert(tx, id.clone(), cached.clone())?;
            }
        }
        let (old_link, new_link) = (link_id(&old), link_id(&new));
        // Under `Reference` only adding a queue fills this index, and nothing empties it (PG-24).
        if self.strict && old_link != new_link {
            self.drop_entry(tx, &self.links, old_link, &cached.queue)?;
            if let Some(id) = new_link {
                self.links.insert(tx, id.clone(), cached.clone())?;
            }
        }
        Ok(())
    }

    /// Marks a queue deleted, in the cached object and in another one that the caller has. Under
    /// `Reference` it stays under its recipient id and its link id (PG-11, PG-34).
    pub(in crate::queue_store::database) fn delete(
        &self,
        tx: &mut Transaction<'_>,
        given: &Q,
    ) -> StmResult<()> {
        if let Some(queue) = self.object(tx, given.recipient_id())? {
            self.forget(tx, &queue)?;
        }
        given.record().write(tx, None)
    }

    pub(super) fn forget(&self, tx: &mut Transaction<'_>, queue: &Arc<Q>) -> StmResult<()> {
        if let Some(old) = queue.record().replace(tx, None)? {
            self.unindex(tx, queue, &old)?;
        }
        let id = queue.recipient_id();
        self.ages.wake(tx, id)?;
        if !self.strict {
            return Ok(());
        }
        match self.queues.take(tx, id)? {
            Some(cached) => self.ages.go(tx, cached.number),
            None => Ok(()),
        }
    }

    /// What is cached of a queue isn't served before it was read again.
    pub(in crate::queue_store::database) fn doubt(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
    ) -> StmResult<()> {
        if is_out(StoreFault::ForgottenDoubt) {
            return Ok(());
        }
        let Some(Cached { queue, .. }) = self.queues.get(tx, id)? else { return Ok(()) };
        match queue.record().read(tx)? {
            Some(record) => self.renew(tx, &queue, NEVER, &record),
            None => Ok(()),
        }
    }

    /// Something was changed: rows that were read before may be old.
    pub(in crate::queue_store::database) fn count_change(
        &self,
        tx: &mut Transaction<'_>,
    ) -> StmResult<()> {
        self.changes.modify(tx, |count| count.wrapping_add(1))
    }

    /// What was read of queues whose locks the caller holds; those without a row are gone.
    pub(in crate::queue_store::database) fn replace(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        generation: u64,
        record: Option<&Arc<QueueRec>>,
    ) -> StmResult<()> {
        match (self.queues.get(tx, id)?, record) {
            (None, _) => self.replace_resting(tx, id, record),
            (Some(Cached { queue, .. }), None) => self.forget(tx, &queue),
            (Some(Cached { queue, .. }), Some(record)) => {
                self.renew(tx, &queue, generation, record)
            }
        }
    }

    fn replace_resting(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        record: Option<&Arc<QueueRec>>,
    ) -> StmResult<()> {
        let Some(queue) = self.ages.resting(tx, id)? else { return Ok(()) };
        queue.record().write(tx, record.map(Arc::clone))?;
        match record {
            Some(_) => Ok(()),
            // A deleted object stays deleted, also when its id is given to another queue.
            None => self.ages.wake(tx, id),
        }
    }

    fn index(
        &self,
        tx: &mut Transaction<'_>,
        cached: &Cached<Q>,
        record: &QueueRec,
    ) -> StmResult<()> {
        self.senders.insert(tx, record.sender_id.clone(), cached.clone())?;
        if let Some(id) = notifier_id(record) {
            self.notifiers.insert(tx, id.clone(), cached.clone())?;
        }
        if let Some(id) = link_id(record) {
            self.links.insert(tx, id.clone(), cached.clone())?;
        }
        Ok(())
    }

    pub(super) fn unindex(
        &self,
        tx: &mut Transaction<'_>,
        queue: &Arc<Q>,
        record: &QueueRec,
    ) -> StmResult<()> {
        self.drop_entry(tx, &self.senders, Some(&record.sender_id), queue)?;
        self.drop_entry(tx, &self.notifiers, notifier_id(record), queue)?;
        match self.strict {
            true => self.drop_entry(tx, &self.links, link_id(record), queue),
            false => Ok(()),
        }
    }

    /// Drops an entry unless it has become another queue's.
    fn drop_entry<K>(
        &self,
        tx: &mut Transaction<'_>,
        index: &TMap<K, Cached<Q>>,
        id: Option<&K>,
        queue: &Arc<Q>,
    ) -> StmResult<()>
    where
        K: Clone + Eq + Hash + Ord + Send + Sync + 'static,
    {
        let Some(id) = id else { return Ok(()) };
        match index.get(tx, id)? {
            Some(cached) if Arc::ptr_eq(&cached.queue, queue) => index.remove(tx, id),
            _ => Ok(()),
        }
    }
}

fn notifier_id(record: &QueueRec) -> Option<&NotifierId> {
    record.notifier.as_ref().map(|creds| &creds.notifier_id)
}

fn link_id(record: &QueueRec) -> Option<&LinkId> {
    record.link.as_ref().map(|link| &link.id)
}
