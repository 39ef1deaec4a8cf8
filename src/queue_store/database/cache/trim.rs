//! Taking the oldest queues out of a cache that is too full.

use std::sync::Arc;

use super::{Cache, Cached};
use crate::protocol::RecipientId;
use crate::queue_store::StoreQueue;
use crate::queue_store::database::ages::Turn;
use crate::stm::{StmResult, Transaction, atomically};

/// How many turns may pass over queues whose locks are held, or whose objects are, in one call.
const TURNS: usize = 64;

impl<Q: StoreQueue> Cache<Q> {
    /// Takes the oldest queues out while there are too many, after so many came in. Every second turn may be one
    /// of a queue that rests.
    pub(in crate::queue_store::database) fn trim(&self, came: usize) {
        for _ in 0..came.saturating_mul(2).saturating_add(TURNS) {
            if !self.ages.is_too_full() {
                return;
            }
            let is_end = atomically(|tx| match self.ages.take_turn(tx)? {
                Turn::Of(id, number) => self.take_out(tx, &id, number).map(|()| false),
                Turn::Passed => Ok(false),
                Turn::End => Ok(true),
            });
            if is_end {
                return;
            }
        }
    }

    fn take_out(&self, tx: &mut Transaction<'_>, id: &RecipientId, turn: u64) -> StmResult<()> {
        let Some(cached) = self.queues.get(tx, id)?.filter(|cached| cached.number == turn) else {
            return self.ages.look_after(tx, id, turn);
        };
        if self.locks.is_held(tx, id)? {
            let number = self.ages.line_up(tx, id)?;
            return self.queues.insert(tx, id.clone(), Cached { number, ..cached });
        }
        if let Some(record) = cached.queue.record().read(tx)? {
            self.unindex(tx, &cached.queue, &record)?;
        }
        self.queues.remove(tx, id)?;
        self.ages.rest(tx, id, Arc::downgrade(&cached.queue))
    }
}
