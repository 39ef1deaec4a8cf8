//! The contract: the operations that every queue store offers, with their types and errors.
//!
//! Each operation names its item of the specification (`OP-`). All take effect at one moment
//! between call and return, but the fold (OP-26), in memory the batch association (OP-23), a moment
//! for each queue, and over a database the purge (OP-5). A change that returned success is, in
//! memory with a journal, in the journal as its durability promises; over a database it is committed
//! there, and a journal beside it is a copy that may have ended (PG-17). A mutation of a deleted
//! queue is `AUTH`, whatever else holds. After [`close`](QueueStore::close) every operation is
//! `STORE` (RACE-27).
//!
//! Before that, `STORE` in memory means that the journal failed: the change is visible until the
//! store is opened again, and no other is accepted (QS-4). Over a database any operation may be
//! `STORE`. A change was not made then, or may have been: under `Strict` the text is
//! `database: outcome unclear` where it may (RACE-70). What other processes change there is seen as
//! `docs/scaling.md` says.

use std::sync::Arc;

use super::queue::StoreQueue;
use crate::protocol::{
    AuthKey, BlockingInfo, CountHash, ErrorType, LinkData, LinkId, NotifierId, NtfCreds, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, SenderId, ServiceId, ServiceParty, ServiceRec,
};

/// What a queue is looked up by: the id of one of its four parties.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueKey {
    /// The recipient's id.
    Recipient(RecipientId),
    /// The sender's id.
    Sender(SenderId),
    /// The notifier's id.
    Notifier(NotifierId),
    /// The id of the queue's short link.
    Link(LinkId),
}

impl QueueKey {
    /// Whether a live queue with this record, found under its recipient id, is found under this key too.
    pub(super) fn is_carried_by(&self, record: &QueueRec) -> bool {
        match self {
            Self::Recipient(_) => true,
            Self::Sender(id) => record.sender_id == *id,
            Self::Notifier(id) => {
                record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *id)
            }
            Self::Link(id) => record.link.as_ref().is_some_and(|link| link.id == *id),
        }
    }
}

macro_rules! key_from {
    ($($id:ident => $variant:ident),*) => {$(
        impl From<$id> for QueueKey {
            fn from(id: $id) -> Self {
                Self::$variant(id)
            }
        }
    )*};
}
key_from!(RecipientId => Recipient, SenderId => Sender, NotifierId => Notifier, LinkId => Link);

/// How many there are of what (OP-3), counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntityCounts {
    /// Queues; under `Semantics::Reference` deleted ones that left a tombstone count too (QS-24).
    pub queues: u64,
    /// Queues that have a notifier.
    pub notifiers: u64,
    /// Services with the role messaging.
    pub rcv_services: u64,
    /// Services with the role notifier.
    pub ntf_services: u64,
    /// Queues in the receiving sets of all services.
    pub rcv_service_queues: u64,
    /// Notifiers in the notifying sets of all services.
    pub ntf_service_queues: u64,
}

/// One group of notifications: the service they go to, if any, and the notifications.
pub type NtfServiceGroup<T> = (Option<ServiceId>, Vec<(NotifierId, T)>);

/// Notifications grouped by the service that their notifier belongs to (OP-24).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtfServiceGroups<T> {
    /// The group without a service first, then the services', in the order that the store documents.
    pub services: Vec<NtfServiceGroup<T>>,
    /// Those whose notifier does not exist any more, in the order given.
    pub deleted: Vec<(NotifierId, T)>,
}

/// The result of a batch association for each queue, in ascending order of recipient ids.
pub type ServiceResults = Vec<(RecipientId, Result<(), ErrorType>)>;

/// What a batch lookup found for each id, in the order asked: a queue or `AUTH`; over a database also
/// `STORE`, for an id whose row couldn't be read or asked for.
pub type FoundQueues<Q> = Vec<Result<Arc<Q>, ErrorType>>;

/// A store of messaging queues: the contract that every implementation keeps.
pub trait QueueStore: Send + Sync {
    /// The user's queue object.
    type Queue: StoreQueue;

    /// Closes the store (OP-2): refuses new work, waits for what is in flight, closes the journal.
    ///
    /// Closing twice is fine. `STORE` when the journal could not be written to its end.
    fn close(&self) -> Result<(), ErrorType>;

    /// Counts queues, notifiers and services (OP-3).
    fn entity_counts(&self) -> Result<EntityCounts, ErrorType>;

    /// The loaded queues in ascending order of recipient ids, as they were at one moment (OP-4): over a
    /// database those that are cached.
    fn loaded_queues(&self) -> Result<Vec<Arc<Self::Queue>>, ErrorType>;

    /// Removes what was deleted longer ago than the retention time; how many (OP-5).
    ///
    /// Over a database it goes in portions, each a transaction: after `STORE` some may be gone.
    fn purge_deleted(&self) -> Result<u64, ErrorType>;

    /// Adds a queue under all its ids, or none: `DUPLICATE_` when one of them is in use (OP-6).
    fn add_queue(&self, id: RecipientId, record: QueueRec) -> Result<Arc<Self::Queue>, ErrorType>;

    /// Finds a queue by the id of one of its parties; `AUTH` when there is none (OP-7).
    fn get_queue(&self, key: &QueueKey) -> Result<Arc<Self::Queue>, ErrorType>;

    /// Finds a live queue together with its record of the same moment (RACE-26).
    ///
    /// `AUTH` when there is none, it is deleted, or its record no longer carries the id asked for.
    fn get_queue_rec(&self, key: &QueueKey)
    -> Result<(Arc<Self::Queue>, Arc<QueueRec>), ErrorType>;

    /// Finds many queues by recipient id at one moment, in the order asked (OP-8).
    fn get_queues(&self, ids: &[RecipientId]) -> Result<FoundQueues<Self::Queue>, ErrorType>;

    /// Finds many queues by notifier id at one moment, in the order asked (OP-8).
    fn get_queues_by_notifier(
        &self,
        ids: &[NotifierId],
    ) -> Result<FoundQueues<Self::Queue>, ErrorType>;

    /// The link data, when the queue has this link; else `AUTH` (OP-9).
    fn get_link_data(&self, queue: &Self::Queue, link_id: &LinkId) -> Result<LinkData, ErrorType>;

    /// Sets the link, or replaces its user data; `AUTH` for another link or fixed data (OP-10).
    fn add_link_data(
        &self,
        queue: &Self::Queue,
        link_id: LinkId,
        data: LinkData,
    ) -> Result<(), ErrorType>;

    /// Removes the link; success when there was none (OP-11).
    fn delete_link_data(&self, queue: &Self::Queue) -> Result<(), ErrorType>;

    /// Sets the sender key; the same key again is success, another is `AUTH` (OP-12).
    fn secure_queue(&self, queue: &Self::Queue, key: AuthKey) -> Result<(), ErrorType>;

    /// Replaces the recipient keys (OP-13).
    fn update_keys(&self, queue: &Self::Queue, keys: RecipientKeys) -> Result<(), ErrorType>;

    /// Sets the notifier and gives the one it replaced; `DUPLICATE_` when its id is in use (OP-14).
    fn add_notifier(
        &self,
        queue: &Self::Queue,
        creds: NtfCreds,
    ) -> Result<Option<NtfCreds>, ErrorType>;

    /// Removes the notifier and gives it (OP-15).
    fn delete_notifier(&self, queue: &Self::Queue) -> Result<Option<NtfCreds>, ErrorType>;

    /// Sets the status off (OP-16).
    fn suspend_queue(&self, queue: &Self::Queue) -> Result<(), ErrorType>;

    /// Sets the status blocked (OP-17).
    fn block_queue(&self, queue: &Self::Queue, info: BlockingInfo) -> Result<(), ErrorType>;

    /// Sets the status active (OP-18).
    fn unblock_queue(&self, queue: &Self::Queue) -> Result<(), ErrorType>;

    /// Sets the update date and gives the record; an equal date changes nothing (OP-19).
    fn update_time(
        &self,
        queue: &Self::Queue,
        date: RoundedDate,
    ) -> Result<Arc<QueueRec>, ErrorType>;

    /// Deletes the queue and gives its last record (OP-20).
    fn delete_queue(&self, queue: &Self::Queue) -> Result<Arc<QueueRec>, ErrorType>;

    /// The id of the service with this certificate, made when there is none (OP-21).
    ///
    /// `SERVICE` when it is registered with another role, `DUPLICATE_` when the new id is taken.
    fn get_or_create_service(&self, service: ServiceRec) -> Result<ServiceId, ErrorType>;

    /// Associates the queue, or its notifier, with a service or with none (OP-22).
    fn set_queue_service(
        &self,
        queue: &Self::Queue,
        party: ServiceParty,
        service_id: Option<ServiceId>,
    ) -> Result<(), ErrorType>;

    /// Associates many queues, each on its own; the last result of a repeated queue stands (OP-23).
    fn set_queue_services(
        &self,
        party: ServiceParty,
        service_id: Option<ServiceId>,
        queues: &[Arc<Self::Queue>],
    ) -> Result<ServiceResults, ErrorType>;

    /// Groups notifications by the service of their notifier, at one moment (OP-24).
    fn group_by_ntf_service<T>(
        &self,
        ntfs: Vec<(NotifierId, T)>,
    ) -> Result<NtfServiceGroups<T>, ErrorType>;

    /// How many queues a service has and the hash of their ids (OP-25).
    fn service_count_hash(
        &self,
        party: ServiceParty,
        service_id: &ServiceId,
    ) -> Result<CountHash, ErrorType>;

    /// Folds over the live queues of a receiving service in ascending order of ids (OP-26).
    ///
    /// The set is taken at one moment, each queue is read at its turn (QS-28): deleted ones are
    /// skipped. Over a database queues are read in pages shortly before their turn, so one that is
    /// deleted after that is still given; when a page can't be read, the fold ends with `STORE` after
    /// the steps before it. `step` runs outside any transaction.
    fn fold_service_queues<B>(
        &self,
        service_id: &ServiceId,
        init: B,
        step: impl FnMut(B, &RecipientId, Arc<QueueRec>) -> B,
    ) -> Result<B, ErrorType>;
}
