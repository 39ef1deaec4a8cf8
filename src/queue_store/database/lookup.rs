//! Finding queues: in the cache, and in the database when they aren't there.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::DatabaseQueueStore;
use super::cache::{Cache, Found, Fresh, Hits, Look, Seen};
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
        let mut search = Search { store: self, cache, keys, made: Made::new(), held: None };
        loop {
            if let Some(answers) = search.attempt()? {
                return Ok(answers);
            }
        }
    }

    /// Under `Reference`: a notifier's entry in the cache serves one single lookup, and rows that were
    /// loaded by a notifier's id aren't cached (PG-3, PG-4, PG-6).
    fn notifiers_alone(
        &self,
        cache: &Cache<F::Queue>,
        hits: Hits<F::Queue>,
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
        if keys.is_empty() {
            return Ok(Vec::new());
        }
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

/// A lookup that goes on until what it found was there at one moment.
struct Search<'s, D: QueueDatabase, F: QueueFactory> {
    store: &'s DatabaseQueueStore<D, F>,
    cache: &'s Cache<F::Queue>,
    keys: &'s [QueueKey],
    made: Made<F::Queue>,
    held: Option<Held<'s, RecipientId>>,
}

impl<D: QueueDatabase, F: QueueFactory> Search<'_, D, F> {
    /// Looks in the cache, reads what isn't there, and caches it; `None` when somebody changed one of the
    /// queues meanwhile: from then on they are kept from that, and the next attempt finds more.
    fn attempt(&mut self) -> Result<Option<Vec<Answer<F::Queue>>>, ErrorType> {
        let Some(Look { seen, hits }) = self.look()? else {
            self.held = None;
            return Ok(None);
        };
        let missing = self.keys.iter().zip(&hits).filter(|(_, hit)| hit.is_none());
        let missing: Vec<&QueueKey> = missing.map(|(key, _)| key).collect();
        let looked = self.store.look_up(&missing)?;
        let is_notifier = |key: &QueueKey| matches!(key, QueueKey::Notifier(_));
        if !self.store.is_strict() && self.keys.iter().all(is_notifier) {
            return Ok(Some(self.store.notifiers_alone(self.cache, hits, looked)));
        }
        if missing.is_empty() {
            return Ok(Some(hits.into_iter().flatten().map(Ok).collect()));
        }
        let known: Vec<_> = hits.iter().flatten().map(|(queue, _)| Arc::clone(queue)).collect();
        if let Some(admitted) = self.enter(seen, &known, &missing, &looked) {
            self.cache.trim(admitted.len());
            return Ok(Some(merge(hits, looked, admitted)));
        }
        self.hold(&known, &looked);
        Ok(None)
    }

    /// What is cached; `None` when somebody changes one of the queues, and only those who hold nothing may
    /// wait for that.
    fn look(&self) -> Result<Option<Look<F::Queue>>, ErrorType> {
        try_atomically(|tx| {
            let state = self.store.control.state(tx)?;
            match state.check_open() {
                Ok(()) => Ok(self.cache.look(tx, state, self.keys, self.held.as_ref())?),
                Err(closed) => abort(closed),
            }
        })
    }

    /// Caches what was read, unless it may be old by now.
    fn enter(
        &mut self,
        seen: Seen,
        known: &[Arc<F::Queue>],
        missing: &[&QueueKey],
        looked: &[Looked],
    ) -> Option<Vec<Found<F::Queue>>> {
        let is_new = |(id, _): &(RecipientId, _)| !self.made.contains_key(id);
        if self.held.is_some() && rows_of(looked).any(is_new) {
            return None;
        }
        self.make(looked);
        let (rows, gone) = with_objects(missing, looked, &self.made);
        let held = self.held.as_ref();
        atomically(|tx| match self.store.control.state(tx)?.generation == seen.state.generation {
            false if !is_out(StoreFault::UncheckedGeneration) => Ok(None),
            _ => self.cache.admit(tx, seen, known, &rows, &gone, held),
        })
    }

    /// Keeps the queues that were found from being changed. Objects are made while nothing is held.
    fn hold(&mut self, known: &[Arc<F::Queue>], looked: &[Looked]) {
        self.held = None;
        self.make(looked);
        let ids = known.iter().map(|queue| queue.recipient_id()).chain(self.made.keys());
        self.held = Some(self.cache.locks.hold(ids.cloned().collect()));
    }

    /// Makes an object for each row that has none yet.
    fn make(&mut self, looked: &[Looked]) {
        for (id, record) in rows_of(looked) {
            if !self.made.contains_key(id) {
                let queue = self.store.factory.make_queue(id.clone(), Arc::clone(record));
                self.made.insert(id.clone(), Arc::new(queue));
            }
        }
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
fn merge<Q>(hits: Hits<Q>, looked: Vec<Looked>, admitted: Vec<Found<Q>>) -> Vec<Answer<Q>> {
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
