//! Calls of the contract as data, and how to make them on a store.

use serde::Serialize;

use crate::protocol::{
    AuthKey, BlockingInfo, ErrorType, LinkData, LinkId, NotifierId, NtfCreds, QueueRec,
    RecipientId, RecipientKeys, RoundedDate, ServiceId, ServiceParty, ServiceRec,
};
use crate::queue_store::{FoundQueues, QueueKey, QueueStore, StoreQueue};

/// One call of the contract, as data. A call on a queue first finds it by its recipient id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueOp {
    /// `add_queue` (OP-6).
    Add(RecipientId, Box<QueueRec>),
    /// `get_queue_rec` (OP-7).
    Get(QueueKey),
    /// `get_queues` (OP-8): which queues, not their records, which may be of a later moment.
    GetMany(Vec<RecipientId>),
    /// `get_queues_by_notifier` (OP-8), likewise.
    GetManyByNotifier(Vec<NotifierId>),
    /// `get_link_data` (OP-9).
    GetLink(RecipientId, LinkId),
    /// `add_link_data` (OP-10).
    AddLink(RecipientId, LinkId, LinkData),
    /// `delete_link_data` (OP-11).
    DeleteLink(RecipientId),
    /// `secure_queue` (OP-12).
    Secure(RecipientId, AuthKey),
    /// `update_keys` (OP-13).
    Keys(RecipientId, RecipientKeys),
    /// `add_notifier` (OP-14).
    AddNotifier(RecipientId, Box<NtfCreds>),
    /// `delete_notifier` (OP-15).
    DeleteNotifier(RecipientId),
    /// `suspend_queue` (OP-16).
    Suspend(RecipientId),
    /// `block_queue` (OP-17).
    Block(RecipientId, BlockingInfo),
    /// `unblock_queue` (OP-18).
    Unblock(RecipientId),
    /// `update_time` (OP-19).
    Time(RecipientId, RoundedDate),
    /// `delete_queue` (OP-20).
    Delete(RecipientId),
    /// `get_or_create_service` (OP-21).
    Service(Box<ServiceRec>),
    /// `set_queue_service` (OP-22).
    SetService(RecipientId, ServiceParty, Option<ServiceId>),
    /// `set_queue_services` (OP-23); queues that are not there are left out.
    SetServices(Vec<RecipientId>, ServiceParty, Option<ServiceId>),
    /// `group_by_ntf_service` (OP-24), each notifier with its position.
    Group(Vec<NotifierId>),
    /// `service_count_hash` (OP-25).
    CountHash(ServiceParty, ServiceId),
    /// `fold_service_queues` (OP-26), collecting ids and records.
    Fold(ServiceId),
    /// `entity_counts` (OP-3).
    Counts,
    /// `purge_deleted` (OP-5), before anything was deleted longer ago than the retention time.
    Purge,
    /// Not a call: the test closes the store and starts it again from its journal.
    Restart,
}

/// What a call answered, in a form that can be compared: the value as JSON, or the error.
pub type Answer = Result<String, ErrorType>;

/// JSON, because `Debug` leaves secrets out and would make different values look the same.
pub(super) fn shown<T: Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap_or_else(|error| format!("not JSON: {error}"))
}

/// Each notifier with its position: what a router would group.
pub(super) fn numbered(ids: &[NotifierId]) -> impl Iterator<Item = (NotifierId, usize)> + '_ {
    ids.iter().cloned().enumerate().map(|(number, id)| (id, number))
}

fn recipients<Q: StoreQueue>(found: FoundQueues<Q>) -> Vec<Result<RecipientId, ErrorType>> {
    let each = found.into_iter().map(|queue| queue.map(|queue| queue.recipient_id().clone()));
    each.collect()
}

/// Makes the call on a store and shows the answer in the model's form.
///
/// # Errors
/// The call's own error.
pub fn run<S: QueueStore>(store: &S, op: &QueueOp) -> Answer {
    let queue = |id: &RecipientId| store.get_queue(&QueueKey::Recipient(id.clone()));
    match op {
        QueueOp::Add(id, record) => {
            store.add_queue(id.clone(), (**record).clone())?;
            Ok(shown((id, &**record)))
        }
        QueueOp::Get(key) => {
            let (queue, record) = store.get_queue_rec(key)?;
            Ok(shown((queue.recipient_id(), record)))
        }
        QueueOp::GetMany(ids) => store.get_queues(ids).map(|found| shown(recipients(found))),
        QueueOp::GetManyByNotifier(ids) => {
            store.get_queues_by_notifier(ids).map(|found| shown(recipients(found)))
        }
        QueueOp::GetLink(id, link) => store.get_link_data(&*queue(id)?, link).map(shown),
        QueueOp::AddLink(id, link, data) => {
            store.add_link_data(&*queue(id)?, link.clone(), data.clone()).map(shown)
        }
        QueueOp::DeleteLink(id) => store.delete_link_data(&*queue(id)?).map(shown),
        QueueOp::Secure(id, key) => store.secure_queue(&*queue(id)?, key.clone()).map(shown),
        QueueOp::Keys(id, keys) => store.update_keys(&*queue(id)?, keys.clone()).map(shown),
        QueueOp::AddNotifier(id, creds) => {
            store.add_notifier(&*queue(id)?, (**creds).clone()).map(shown)
        }
        QueueOp::DeleteNotifier(id) => store.delete_notifier(&*queue(id)?).map(shown),
        QueueOp::Suspend(id) => store.suspend_queue(&*queue(id)?).map(shown),
        QueueOp::Block(id, info) => store.block_queue(&*queue(id)?, *info).map(shown),
        QueueOp::Unblock(id) => store.unblock_queue(&*queue(id)?).map(shown),
        QueueOp::Time(id, date) => store.update_time(&*queue(id)?, *date).map(shown),
        QueueOp::Delete(id) => store.delete_queue(&*queue(id)?).map(shown),
        QueueOp::Service(record) => store.get_or_create_service((**record).clone()).map(shown),
        QueueOp::SetService(id, party, service) => {
            store.set_queue_service(&*queue(id)?, *party, service.clone()).map(shown)
        }
        QueueOp::SetServices(ids, party, service) => {
            let queues: Vec<_> = ids.iter().filter_map(|id| queue(id).ok()).collect();
            store.set_queue_services(*party, service.clone(), &queues).map(shown)
        }
        QueueOp::Group(ids) => {
            let groups = store.group_by_ntf_service(numbered(ids).collect())?;
            Ok(shown((groups.services, groups.deleted)))
        }
        QueueOp::CountHash(party, id) => {
            let pair = store.service_count_hash(*party, id)?;
            Ok(shown((pair.count, pair.hash.as_bytes())))
        }
        QueueOp::Fold(id) => {
            let folded = store.fold_service_queues(id, Vec::new(), |mut list, id, record| {
                list.push((id.clone(), record));
                list
            })?;
            Ok(shown(folded))
        }
        QueueOp::Counts => {
            let c = store.entity_counts()?;
            let services = (c.rcv_services, c.ntf_services);
            let in_sets = (c.rcv_service_queues, c.ntf_service_queues);
            Ok(shown((c.queues, c.notifiers, services.0, services.1, in_sets.0, in_sets.1)))
        }
        QueueOp::Purge => store.purge_deleted().map(shown),
        QueueOp::Restart => Ok(shown(())),
    }
}
