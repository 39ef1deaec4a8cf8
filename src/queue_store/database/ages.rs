//! Which cached queues are the oldest, and what became of those that were taken out.
//!
//! **The promise.** The cache has about as many queues as its capacity says, whatever is looked up (RACE-21); and a
//! queue that was taken out while somebody holds its object gets that object again when it is next loaded
//! (RACE-37).
//!
//! **How.** Each queue has a number in the order of coming in, and its turn comes when the cache is too full. A
//! queue that is taken out rests: the cache keeps no more than a weak reference to its object. It has a number
//! again, and when its turn comes and nobody holds the object, nothing is left of it.

use std::sync::{Arc, Weak};

use crate::protocol::RecipientId;
use crate::stm::{StmResult, TMap, TVar, Transaction};

/// The number of a queue in a cache without a limit.
const NO_NUMBER: u64 = 0;

pub(super) struct Ages<Q> {
    capacity: Option<usize>,
    line: TVar<Line>,
    turns: TMap<u64, RecipientId>,
    resting: TMap<RecipientId, Resting<Q>>,
}

#[derive(Clone, Copy)]
struct Line {
    /// The number whose turn it is.
    oldest: u64,
    next: u64,
    /// How many queues are cached: the rest of those in the line rest.
    cached: usize,
}

struct Resting<Q> {
    queue: Weak<Q>,
    number: u64,
}

impl<Q> Clone for Resting<Q> {
    fn clone(&self) -> Self {
        Self { queue: Weak::clone(&self.queue), number: self.number }
    }
}

/// What has its turn.
pub(super) enum Turn {
    /// A queue with this number, cached or not any more.
    Of(RecipientId, u64),
    /// A number that is not in use any more.
    Passed,
    /// There is no queue.
    End,
}

impl<Q: Send + Sync + 'static> Ages<Q> {
    pub(super) fn new(capacity: Option<usize>) -> Self {
        Self {
            capacity,
            line: TVar::new(Line { oldest: NO_NUMBER + 1, next: NO_NUMBER + 1, cached: 0 }),
            turns: TMap::new(),
            resting: TMap::new(),
        }
    }

    pub(super) fn is_too_full(&self) -> bool {
        let too_full = |capacity| self.line.with_atomic(|line| line.cached > capacity);
        self.capacity.is_some_and(too_full)
    }

    /// A queue comes into the cache; its number.
    pub(super) fn come(&self, tx: &mut Transaction<'_>, id: &RecipientId) -> StmResult<u64> {
        if self.capacity.is_none() {
            return Ok(NO_NUMBER);
        }
        self.wake(tx, id)?;
        self.line.update(tx, |line| line.cached += 1)?;
        self.line_up(tx, id)
    }

    /// A queue with this number leaves the cache and is gone.
    pub(super) fn go(&self, tx: &mut Transaction<'_>, number: u64) -> StmResult<()> {
        if number == NO_NUMBER {
            return Ok(());
        }
        self.line.update(tx, |line| line.cached = line.cached.saturating_sub(1))?;
        self.turns.remove(tx, &number)
    }

    /// The next number, at the end of the line.
    pub(super) fn line_up(&self, tx: &mut Transaction<'_>, id: &RecipientId) -> StmResult<u64> {
        let number = self.line.update(tx, |line| {
            line.next += 1;
            line.next - 1
        })?;
        self.turns.insert(tx, number, id.clone())?;
        Ok(number)
    }

    pub(super) fn take_turn(&self, tx: &mut Transaction<'_>) -> StmResult<Turn> {
        let number = self.line.update(tx, |line| {
            let number = (line.oldest < line.next).then_some(line.oldest);
            line.oldest += u64::from(number.is_some());
            number
        })?;
        let Some(number) = number else { return Ok(Turn::End) };
        let id = self.turns.take(tx, &number)?;
        Ok(id.map_or(Turn::Passed, |id| Turn::Of(id, number)))
    }

    /// A queue leaves the cache at its turn: it rests.
    pub(super) fn rest(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        queue: Weak<Q>,
    ) -> StmResult<()> {
        self.line.update(tx, |line| line.cached = line.cached.saturating_sub(1))?;
        self.rest_on(tx, id, queue)
    }

    fn rest_on(&self, tx: &mut Transaction<'_>, id: &RecipientId, queue: Weak<Q>) -> StmResult<()> {
        let number = self.line_up(tx, id)?;
        self.resting.insert(tx, id.clone(), Resting { queue, number })
    }

    /// A queue that rests has its turn: it goes when nobody holds its object, and nobody can again.
    pub(super) fn look_after(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
        turn: u64,
    ) -> StmResult<()> {
        match self.resting.get(tx, id)?.filter(|one| one.number == turn) {
            Some(one) if one.queue.strong_count() == 0 => self.resting.remove(tx, id),
            Some(one) => self.rest_on(tx, id, one.queue),
            None => Ok(()),
        }
    }

    /// The object of a queue that rests, if somebody holds it.
    pub(super) fn resting(
        &self,
        tx: &mut Transaction<'_>,
        id: &RecipientId,
    ) -> StmResult<Option<Arc<Q>>> {
        match self.capacity {
            None => Ok(None),
            Some(_) => Ok(self.resting.get(tx, id)?.and_then(|one| one.queue.upgrade())),
        }
    }

    /// A queue doesn't rest any more.
    pub(super) fn wake(&self, tx: &mut Transaction<'_>, id: &RecipientId) -> StmResult<()> {
        match self.resting.take(tx, id)? {
            Some(one) => self.turns.remove(tx, &one.number),
            None => Ok(()),
        }
    }

    /// How many rest.
    #[cfg(any(test, feature = "testing"))]
    pub(super) fn resting_len(&self) -> usize {
        self.resting.len_atomic()
    }
}
