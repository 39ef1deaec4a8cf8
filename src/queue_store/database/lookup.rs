//! Finding queues: in the cache, and in the database when they aren't there.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::DatabaseQueueStore;
use super::cache::{Cache, Found, Fresh};
use super::fault::{StoreFault, is_out};
use super::locks::Held;
use super::queue_database::{QueueDatabase, ReadRow};
use crate::db::DbError;
use crate::protocol::{ErrorType, NotifierId, QueueRec, RecipientId};
use crate::queue_store::{QueueFactory, QueueKey, StoreQueue};
use crate::stm::{abort, atomically, try_atomically};

/// The name of the operation in errors.
const FIND: &str = "get queue";

/// What was found for one key.
type Answer<Q> = Result<Found<Q>, ErrorType>;

/// Objects that stand for rows unless others are cached.
type Made<Q> = HashMap<RecipientId, Arc<Q>>;

/// What the database has for one key.
type Looked = Result<Option<(RecipientId, Arc<QueueRec>)>, ErrorType>;

impl<D: QueueDatabase, F: QueueFactory> DatabaseQueueStore<D, F> {
    /// Finds the queue of a key; one that was deleted, under `Reference` only, has no record.
    pub(super) fn find(&self, key: &QueueKey) -> Answer<F::Queue> {
        let mut found = self.find_each(std::slice::from_ref(key))?;
        if let (false, QueueKey::Notifier(id), Some(cache)) = (self.is_strict(), key, &self.cache) {
            cache.take_notifier(id);
        }
        found.pop().unwrap_or(Err(ErrorType::Auth))
    }

    /// As [`find`](Self::find), from the cache alone where that is certain at once.
    pub(super) fn find_served(&self, key: &QueueKey) -> Result<Option<Arc<F::Queue>>, ErrorType> {
        let state = self.control.state_now();
        state.check_open()?;
        // Under `Reference` the entry of a notifier is used up by its lookup (PG-3).
        if !self.is_strict() && matches!(key, QueueKey::Notifier(_)) {
            return Ok(None);
        }
        Ok(self.cache.as_ref().and_then(|cache| cache.serve(state, key)))
    }

    /// Finds the queues of keys of one kind, at one moment: what isn't cached in one query (PG-6).
    ///
    /// When the query fails, that is the answer for each key that needed it.
    pub(super) fn find_each(&self, keys: &[QueueKey]) -> Result<Vec<Answer<F::Queue>>, ErrorType> {
        let Some(cache) = &self.cache else {
            let looked = self.look_up(&keys.iter().collect::<Vec<_>>())?;
            return Ok(looked.into_iter().map(|row| self.alone(None, row)).collect());
        };
        let mut made = HashMap::new();
        let mut held: Option<Held<'_, RecipientId>> = None;
        loop {
            let (seen, hits) = try_atomically(|tx| {
                let state = self.control.state(tx)?;
                match state.check_open() {
                    Ok(()) => Ok(cache.look(tx, state, keys, held.as_ref())?),
                    Err(closed) => abort(closed),
                }
            })?;
            let pairs = keys.iter().zip(&hits);
            let missing: Vec<&QueueKey> =
                pairs.filter(|(_, hit)| hit.is_none()).map(|(key, _)| key).collect();
            let looked = if missing.is_empty() { Vec::new() } else { self.look_up(&missing)? };
            if !self.is_strict() && keys.iter().all(|key| matches!(key, QueueKey::Notifier(_))) {
                return Ok(self.notifiers_alone(cache, hits, looked));
            }
            if missing.is_empty() {
                return Ok(hits.into_iter().flatten().map(Ok).collect());
            }
            let known: Vec<_> = hits.iter().flatten().map(|(queue, _)| Arc::clone(queue)).collect();
            let new = rows_of(&looked).any(|(id, _)| !made.contains_key(id));
            if !new || held.is_none() {
                self.make(&mut made, &looked);
                let (rows, gone) = with_objects(&missing, &looked, &made);
                let admitted = atomically(|tx| match self.control.state(tx)?.generation {
                    now if now != seen.state.generation
                        && !is_out(StoreFault::UncheckedGeneration) =>
                    {
                        Ok(None)
                    }
                    _ => cache.admit(tx, seen, &known, &rows, &gone, held.as_ref()),
                });
                if let Some(admitted) = admitted {
                    cache.trim();
                    return Ok(merge(hits, looked, admitted));
                }
            }
            // Somebody changes one of them, or did: from now on they are kept from that. Objects are made
            // while nothing is held.
            drop(held.take());
            self.make(&mut made, &looked);
            let ids = known.iter().map(|queue| queue.recipient_id()).chain(made.keys());
            held = Some(cache.locks.hold(ids.cloned().collect()));
        }
    }

    /// Makes an object for each row that has none yet.
    fn make(&self, made: &mut Made<F::Queue>, looked: &[Looked]) {
        for (id, record) in rows_of(looked) {
            if !made.contains_key(id) {
                let queue = self.factory.make_queue(id.clone(), Arc::clone(record));
                made.insert(id.clone(), Arc::new(queue));
            }
        }
    }

    /// Under `Reference`: a notifier's entry in the cache serves one single lookup, and rows that were
    /// loaded by a notifier's id aren't cached (PG-3, PG-4, PG-6).
    fn notifiers_alone(
        &self,
        cache: &Cache<F::Queue>,
        hits: Vec<Option<Found<F::Queue>>>,
        looked: Vec<Looked>,
    ) -> Vec<Answer<F::Queue>> {
        let mut looked = looked.into_iter();
        let found = hits.into_iter().map(|hit| match hit {
            Some(found) => Ok(found),
            None => self.alone(Some(cache), looked.next().unwrap_or(Ok(None))),
        });
        found.collect()
    }

    /// The object for a row: one that is served from the cache, or one that nobody else gets.
    fn alone(&self, cache: Option<&Cache<F::Queue>>, looked: Looked) -> Answer<F::Queue> {
        let (id, record) = looked?.ok_or(ErrorType::Auth)?;
        let state = self.control.state_now();
        let cached = cache.and_then(|cache| atomically(|tx| cache.served(tx, state, &id)));
        if let Some(queue) = cached {
            let record = queue.record().read_atomic();
            return Ok((queue, record));
        }
        let queue = self.factory.make_queue(id, Arc::clone(&record));
        Ok((Arc::new(queue), Some(record)))
    }

    /// What the database has for each key, asked in one query where they are of one kind.
    fn look_up(&self, keys: &[&QueueKey]) -> Result<Vec<Looked>, ErrorType> {
        let _running = self.control.begin()?;
        Ok(match keys {
            [key] => {
                let row = self.db.find_queue(key);
                let row = row.map(|row| row.map(|(id, record)| (id, Arc::new(record))));
                vec![row.map_err(|error| self.semantics.failed(FIND, &error))]
            }
            [QueueKey::Notifier(_), ..] => self.look_up_notifiers(keys),
            _ => self.look_up_recipients(keys),
        })
    }

    fn look_up_recipients(&self, keys: &[&QueueKey]) -> Vec<Looked> {
        let ids: Vec<RecipientId> =
            keys.iter().filter_map(|key| key.recipient()).cloned().collect();
        let rows = self.db.find_queues(&ids);
        let rows = rows.map(|rows| rows.into_iter().map(|row| (row.0.clone(), row)).collect());
        self.each(keys, rows, |key| key.recipient())
    }

    fn look_up_notifiers(&self, keys: &[&QueueKey]) -> Vec<Looked> {
        let ids: Vec<NotifierId> = keys.iter().filter_map(|key| key.notifier()).cloned().collect();
        let rows = self.db.find_queues_by_notifier(&ids);
        self.each(keys, rows, |key| key.notifier())
    }

    /// The rows in the order of the keys; a key may be there twice.
    fn each<K: Eq + Hash>(
        &self,
        keys: &[&QueueKey],
        rows: Result<Vec<(K, ReadRow)>, DbError>,
        id: impl for<'k> Fn(&'k QueueKey) -> Option<&'k K>,
    ) -> Vec<Looked> {
        let rows = match rows {
            Ok(rows) => rows.into_iter(),
            Err(error) => {
                let answer = self.semantics.failed(FIND, &error);
                return keys.iter().map(|_| Err(answer.clone())).collect();
            }
        };
        let rows = rows.map(|(key, (id, record))| match record {
            Ok(record) => (key, Ok((id, Arc::new(record)))),
            Err(error) => (key, Err(self.semantics.failed(FIND, &error))),
        });
        let rows: HashMap<K, _> = rows.collect();
        let looked = keys.iter().map(|key| rows.get(id(key)?).cloned());
        looked.map(Option::transpose).collect()
    }
}

/// The rows among what was looked up.
fn rows_of(looked: &[Looked]) -> impl Iterator<Item = &(RecipientId, Arc<QueueRec>)> {
    looked.iter().filter_map(|looked| looked.as_ref().ok()?.as_ref())
}

/// The rows with their keys and objects; and the keys without a row.
fn with_objects<'k, Q>(
    keys: &[&'k QueueKey],
    looked: &[Looked],
    made: &Made<Q>,
) -> (Vec<Fresh<'k, Q>>, Vec<&'k QueueKey>) {
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (key, looked) in keys.iter().zip(looked) {
        match looked {
            Ok(Some((id, record))) => {
                if let Some(queue) = made.get(id) {
                    let (queue, record) = (Arc::clone(queue), Arc::clone(record));
                    rows.push(Fresh { key, queue, record });
                }
            }
            Ok(None) => gone.push(*key),
            Err(_) => {}
        }
    }
    (rows, gone)
}

/// The answers in the order of the keys: what was cached, and what was read for the rest.
fn merge<Q>(
    hits: Vec<Option<Found<Q>>>,
    looked: Vec<Looked>,
    admitted: Vec<Found<Q>>,
) -> Vec<Answer<Q>> {
    let (mut looked, mut admitted) = (looked.into_iter(), admitted.into_iter());
    let mut read = || match looked.next() {
        Some(Ok(Some(_))) => admitted.next().ok_or(ErrorType::Auth),
        Some(Ok(None)) | None => Err(ErrorType::Auth),
        Some(Err(error)) => Err(error),
    };
    hits.into_iter().map(|hit| hit.map_or_else(&mut read, Ok)).collect()
}

impl QueueKey {
    fn recipient(&self) -> Option<&RecipientId> {
        match self {
            Self::Recipient(id) => Some(id),
            _ => None,
        }
    }

    fn notifier(&self) -> Option<&NotifierId> {
        match self {
            Self::Notifier(id) => Some(id),
            _ => None,
        }
    }
}
