//! What others change in the database reaches the cache.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::cache::Cache;
use super::control::Control;
use super::queue_database::{CacheEvents, QueueDatabase};
use crate::protocol::RecipientId;
use crate::queue_store::StoreQueue;
use crate::stm::atomically;

/// How many queues are read again in one query.
const AT_ONCE: usize = 500;

/// Keeps a cache in step with the database. It doesn't keep the database open.
pub(super) struct Coherence<D, Q> {
    db: Weak<D>,
    control: Arc<Control>,
    cache: Arc<Cache<Q>>,
}

impl<D: QueueDatabase, Q: StoreQueue> Coherence<D, Q> {
    pub(super) fn new(db: &Arc<D>, control: &Arc<Control>, cache: &Arc<Cache<Q>>) -> Self {
        Self { db: Arc::downgrade(db), control: Arc::clone(control), cache: Arc::clone(cache) }
    }

    /// Reads queues again while nobody changes or serves them.
    fn read_again(&self, db: &D, ids: &[RecipientId]) {
        // Under way like a call of a user's: the store isn't closed meanwhile.
        let Ok(_running) = self.control.begin() else { return };
        let held = self.cache.locks.hold(ids.to_vec());
        let generation = self.control.state_now().generation;
        let rows = match db.find_queues(ids) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "queues that others changed can't be read; later lookups will try");
                atomically(|tx| ids.iter().try_for_each(|id| self.cache.doubt(tx, id)));
                return;
            }
        };
        let rows: HashMap<_, _> =
            rows.into_iter().map(|(id, record)| (id, record.map(Arc::new))).collect();
        atomically(|tx| {
            for id in ids {
                match rows.get(id) {
                    Some(Ok(record)) => self.cache.replace(tx, id, generation, Some(record))?,
                    Some(Err(_)) => self.cache.doubt(tx, id)?,
                    None => self.cache.replace(tx, id, generation, None)?,
                }
            }
            self.cache.count_change(tx)?;
            held.release(tx)
        });
        held.done();
    }
}

impl<D: QueueDatabase, Q: StoreQueue> CacheEvents for Coherence<D, Q> {
    fn changed(&self, ids: &[RecipientId]) {
        let Some(db) = self.db.upgrade() else { return };
        let concerned = self.cache.concerned(ids);
        concerned.chunks(AT_ONCE).for_each(|ids| self.read_again(&db, ids));
    }

    fn lost(&self) {
        self.control.begin_generation(false);
    }

    fn regained(&self) {
        self.control.begin_generation(true);
    }
}
