//! Queue objects: what a store keeps for each queue, and who makes them.
//!
//! A router attaches state of its own to a queue (messages, locks, files). The store therefore
//! never makes a queue itself: a [`QueueFactory`] does, outside any transaction, and the store
//! asks of the object only what [`StoreQueue`] names.

use std::sync::Arc;

use crate::protocol::{QueueRec, RecipientId};
use crate::stm::TVar;

/// A queue as a store keeps it: its recipient id, which never changes, and a cell with its record.
///
/// The cell holds `None` once the queue is deleted, so that whoever still holds the object sees
/// the deletion instead of a stale record.
pub trait StoreQueue: Send + Sync + 'static {
    /// The recipient id, fixed for the life of the object.
    fn recipient_id(&self) -> &RecipientId;

    /// The cell with the record; `None` in it means deleted.
    ///
    /// Read it in a transaction of your own to act on what you verified (RACE-31). Only the
    /// store writes it.
    fn record(&self) -> &TVar<Option<Arc<QueueRec>>>;
}

/// Makes the queue objects of a store.
///
/// It is called outside any transaction and before the check for duplicate ids (QS-9): the
/// object of a refused queue is dropped, so [`make_queue`](Self::make_queue) should leave nothing
/// behind elsewhere that dropping does not undo (RACE-40).
pub trait QueueFactory: Send + Sync + 'static {
    /// The queue type of this factory's stores.
    type Queue: StoreQueue;

    /// Makes the object of a queue whose record is `record`.
    fn make_queue(&self, id: RecipientId, record: Arc<QueueRec>) -> Self::Queue;
}

/// The simplest queue: an id and a record.
#[derive(Debug)]
pub struct BasicQueue {
    id: RecipientId,
    record: TVar<Option<Arc<QueueRec>>>,
}

impl BasicQueue {
    /// A live queue with this record.
    pub fn new(id: RecipientId, record: Arc<QueueRec>) -> Self {
        Self { id, record: TVar::new(Some(record)) }
    }
}

impl StoreQueue for BasicQueue {
    fn recipient_id(&self) -> &RecipientId {
        &self.id
    }

    fn record(&self) -> &TVar<Option<Arc<QueueRec>>> {
        &self.record
    }
}

/// Makes [`BasicQueue`]s.
#[derive(Clone, Copy, Debug, Default)]
pub struct BasicFactory;

impl QueueFactory for BasicFactory {
    type Queue = BasicQueue;

    fn make_queue(&self, id: RecipientId, record: Arc<QueueRec>) -> BasicQueue {
        BasicQueue::new(id, record)
    }
}
