//! The cache: live queues by the ids of their parties, each as the database had it at one moment.
//!
//! **The promise.** While nobody holds the lock of a queue, what is cached and served of it is what the
//! database has; where several processes change the database, what it had when they were last heard of. There is one object for a live queue, whoever loads it and however often (RACE-37).
//!
//! **How.** Whoever changes a queue holds its lock from before the statement until the transaction that
//! brings the change into the cache, which also gives the lock back; meanwhile nobody is served that
//! queue. A row that was read without the lock enters the cache in a transaction that finds the lock
//! free and the count of changes as it was before the row was read; so no change came in between
//! ([`admit`](Cache::admit)). Entries have a generation; when what others change is not known, a new
//! generation begins, and an object of an older one is read again before it is served. Which queues are taken
//! out when there are too many: see [`ages`](super::ages).

mod trim;
mod update;

use std::sync::Arc;

use super::ages::Ages;
use super::control::State;
use super::fault::{StoreFault, is_out};
use super::locks::{Held, Locks};
use crate::protocol::{LinkId, NotifierId, QueueRec, RecipientId, SenderId};
use crate::queue_store::{QueueKey, StoreQueue};
use crate::stm::{StmResult, TMap, TVar, Transaction, atomically, retry};

/// A queue in an index.
struct Cached<Q> {
    queue: Arc<Q>,
    generation: u64,
    /// Its turn to be taken out.
    number: u64,
}

impl<Q> Clone for Cached<Q> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), ..*self }
    }
}

/// A queue object, and the record that it had when it was found; `None` when it was deleted.
pub(super) type Found<Q> = (Arc<Q>, Option<Arc<QueueRec>>);

/// What is served for some keys, and what the cache was like then.
pub(super) struct Look<Q> {
    pub(super) seen: Seen,
    pub(super) hits: Hits<Q>,
}

/// What is served for each of some keys.
pub(super) type Hits<Q> = Vec<Option<Found<Q>>>;

/// What the cache was like before rows were read.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) state: State,
    changes: u64,
}

/// A row that was read, and the object that stands for it unless one is cached already.
pub(super) struct Fresh<'r, Q> {
    /// The key that it was looked up by.
    pub(super) key: &'r QueueKey,
    pub(super) queue: Arc<Q>,
    pub(super) record: Arc<QueueRec>,
}

pub(super) struct Cache<Q> {
    /// Under `Reference`, the indexes are filled and emptied as documented (section 5.2).
    strict: bool,
    queues: TMap<RecipientId, Cached<Q>>,
    senders: TMap<SenderId, Cached<Q>>,
    notifiers: TMap<NotifierId, Cached<Q>>,
    links: TMap<LinkId, Cached<Q>>,
    pub(super) locks: Locks<RecipientId>,
    ages: Ages<Q>,
    /// Counts what may have made a row old that was read and isn't cached yet.
    changes: TVar<u64>,
}

impl<Q: StoreQueue> Cache<Q> {
    /// An empty cache; under `Reference` nothing is ever taken out (PG-34).
    pub(super) fn new(strict: bool, capacity: Option<usize>) -> Self {
        Self {
            strict,
            ages: Ages::new(capacity.filter(|_| strict)),
            queues: TMap::new(),
            senders: TMap::new(),
            notifiers: TMap::new(),
            links: TMap::new(),
            locks: Locks::new(),
            changes: TVar::new(0),
        }
    }

    /// The queue that is served for a key without a transaction, if it is certain at once.
    ///
    /// When no lock was held at a moment of this call, the entry that is found afterwards is what the
    /// database had then, or what a later change brought.
    pub(super) fn serve(&self, state: State, key: &QueueKey) -> Option<Arc<Q>> {
        if !self.locks.are_free() && !is_out(StoreFault::UncheckedServing) {
            return None;
        }
        let cached = match key {
            QueueKey::Recipient(id) => self.queues.get_atomic(id),
            QueueKey::Sender(id) => self.senders.get_atomic(id),
            QueueKey::Notifier(id) => self.notifiers.get_atomic(id),
            QueueKey::Link(id) => self.links.get_atomic(id),
        }?;
        let generation = match self.strict {
            true => cached.generation,
            false => self.queues.get_atomic(cached.queue.recipient_id())?.generation,
        };
        state.serves(generation).then_some(cached.queue)
    }

    /// What is served for the keys at one moment. Waits for the locks of these queues; whoever holds some waits
    /// for no others, and gets `None`.
    pub(super) fn look(
        &self,
        tx: &mut Transaction<'_>,
        state: State,
        keys: &[QueueKey],
        held: Option<&Held<'_, RecipientId>>,
    ) -> StmResult<Option<Look<Q>>> {
        let seen = Seen { state, changes: self.changes.read(tx)? };
        let mut hits = Vec::with_capacity(keys.len());
        for key in keys {
            let cached = self.entry(tx, key)?.filter(|entry| state.serves(entry.generation));
            hits.push(match cached {
                None => None,
                Some(Cached { queue, .. }) => {
                    let id = queue.recipient_id();
                    if !holds(held, id) && self.is_changing(tx, id)? {
                        return if held.is_some() { Ok(None) } else { retry() };
                    }
                    let record = queue.record().read(tx)?;
                    Some((queue, record))
                }
            });
        }
        Ok(Some(Look { seen, hits }))
    }

    /// Caches rows that were read after `seen`, and gives for each the object that stands for it; `None`
    /// when a change may have come in between to one of them or of `hits`.
    ///
    /// `gone` are keys for which there was no row. Only while the generation of `seen` lasts: a row of an older
    /// one would replace a newer one.
    pub(super) fn admit(
        &self,
        tx: &mut Transaction<'_>,
        seen: Seen,
        hits: &[Arc<Q>],
        rows: &[Fresh<'_, Q>],
        gone: &[&QueueKey],
        held: Option<&Held<'_, RecipientId>>,
    ) -> StmResult<Option<Vec<Found<Q>>>> {
        let quiet = self.changes.read(tx)? == seen.changes || is_out(StoreFault::UncheckedLoads);
        for queue in hits.iter().chain(rows.iter().map(|row| &row.queue)) {
            let id = queue.recipient_id();
            if !holds(held, id) && (!quiet || self.is_changing(tx, id)?) {
                return Ok(None);
            }
        }
        if quiet {
            gone.iter().try_for_each(|key| self.drop_stale(tx, seen, key))?;
        }
        if !seen.state.trusted && !rows.is_empty() {
            // Nobody says what others change: another row may be newer or older than this one.
            self.count_change(tx)?;
        }
        let found = rows.iter().map(|row| self.admit_row(tx, seen.state, row));
        Ok(Some(found.collect::<StmResult<_>>()?))
    }

    fn admit_row(
        &self,
        tx: &mut Transaction<'_>,
        state: State,
        row: &Fresh<'_, Q>,
    ) -> StmResult<Found<Q>> {
        let generation = state.generation;
        let present = self.queues.get(tx, row.queue.recipient_id())?;
        let found = match present {
            // Somebody else loaded it meanwhile: the first one in stays (PG-5).
            Some(Cached { queue, generation: of, .. })
                if state.serves(of) && !is_out(StoreFault::OwnObjects) =>
            {
                let record = queue.record().read(tx)?;
                (queue, record)
            }
            Some(Cached { queue, .. }) if !is_out(StoreFault::OwnObjects) => {
                self.renew(tx, &queue, generation, &row.record)?;
                (queue, Some(Arc::clone(&row.record)))
            }
            _ => {
                let rested = self.ages.resting(tx, row.queue.recipient_id())?;
                let queue = rested.unwrap_or_else(|| Arc::clone(&row.queue));
                self.renew(tx, &queue, generation, &row.record)?;
                (queue, Some(Arc::clone(&row.record)))
            }
        };
        if !self.strict {
            self.remember(tx, row.key, &found.0, generation)?;
        }
        Ok(found)
    }

    /// Under `Reference` a lookup by the sender's or the link's id is remembered, both as a sender's
    /// (PG-25, RACE-34).
    fn remember(
        &self,
        tx: &mut Transaction<'_>,
        key: &QueueKey,
        queue: &Arc<Q>,
        generation: u64,
    ) -> StmResult<()> {
        let sender = match key {
            QueueKey::Sender(id) => id.clone(),
            QueueKey::Link(id) => SenderId::from(id.entity().clone()),
            QueueKey::Recipient(_) | QueueKey::Notifier(_) => return Ok(()),
        };
        let cached = Cached { queue: Arc::clone(queue), generation, number: 0 };
        self.senders.insert(tx, sender, cached)
    }

    /// Whether what is cached of a queue may differ from what the database has.
    fn is_changing(&self, tx: &mut Transaction<'_>, id: &RecipientId) -> StmResult<bool> {
        Ok(self.locks.is_held(tx, id)? && !is_out(StoreFault::UncheckedLocks))
    }

    /// Of these ids, the ones with an object or whose lock is held.
    pub(super) fn concerned(&self, ids: &[RecipientId]) -> Vec<RecipientId> {
        atomically(|tx| {
            self.count_change(tx)?;
            let mut concerned = Vec::new();
            for id in ids {
                if self.object(tx, id)?.is_some() || self.locks.is_held(tx, id)? {
                    concerned.push(id.clone());
                }
            }
            Ok(concerned)
        })
    }

    /// The object of a queue, whether or not it is served, also one that was taken out and is held.
    pub(super) fn object(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
    ) -> StmResult<Option<Arc<Q>>> {
        match self.queues.get(tx, id)? {
            Some(cached) => Ok(Some(cached.queue)),
            None => self.ages.resting(tx, id),
        }
    }

    /// The cached object of a queue, if it is served.
    pub(super) fn served(
        &self,
        tx: &mut Transaction<'_>,
        state: State,
        id: &RecipientId,
    ) -> StmResult<Option<Arc<Q>>> {
        let cached = self.queues.get(tx, id)?.filter(|cached| state.serves(cached.generation));
        Ok(cached.map(|cached| cached.queue))
    }

    /// Takes a notifier's entry out, as its lookup does under `Reference` (PG-3).
    pub(super) fn take_notifier(&self, id: &NotifierId) {
        atomically(|tx| self.notifiers.remove(tx, id));
    }

    pub(super) fn has_notifier(&self, id: &NotifierId) -> bool {
        self.notifiers.contains_key_atomic(id)
    }

    /// The cached objects in ascending order of ids, as they were at one moment.
    pub(super) fn objects(&self, state: State) -> Vec<Arc<Q>> {
        let entries = self.queues.snapshot_atomic().iter_sorted().into_iter();
        let served = entries.filter(|(_, cached)| state.serves(cached.generation));
        served.map(|(_, cached)| cached.queue).collect()
    }

    /// How many queues rest.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn resting(&self) -> usize {
        self.ages.resting_len()
    }

    /// An entry of an index. Under `Reference` nothing empties some of them (PG-24): there the generation is the
    /// one of the queue's own entry.
    fn entry(&self, tx: &mut Transaction<'_>, key: &QueueKey) -> StmResult<Option<Cached<Q>>> {
        let cached = match key {
            QueueKey::Recipient(id) => self.queues.get(tx, id),
            QueueKey::Sender(id) => self.senders.get(tx, id),
            QueueKey::Notifier(id) => self.notifiers.get(tx, id),
            QueueKey::Link(id) => self.links.get(tx, id),
        }?;
        match cached {
            Some(cached) if !self.strict => self.queues.get(tx, cached.queue.recipient_id()),
            cached => Ok(cached),
        }
    }

    /// Drops an entry of an older generation whose key no queue has any more.
    fn drop_stale(&self, tx: &mut Transaction<'_>, seen: Seen, key: &QueueKey) -> StmResult<()> {
        match self.entry(tx, key)? {
            Some(cached) if !seen.state.serves(cached.generation) => match key {
                QueueKey::Recipient(_) => self.forget(tx, &cached.queue),
                // A queue keeps its sender's id for life.
                QueueKey::Sender(_) if self.strict => self.forget(tx, &cached.queue),
                QueueKey::Sender(id) => self.senders.remove(tx, id),
                QueueKey::Notifier(id) => self.notifiers.remove(tx, id),
                QueueKey::Link(id) => self.links.remove(tx, id),
            },
            _ => Ok(()),
        }
    }
}

fn holds(held: Option<&Held<'_, RecipientId>>, id: &RecipientId) -> bool {
    held.is_some_and(|held| held.contains(id))
}
