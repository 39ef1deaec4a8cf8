//! How the reference's two stores differ, item by item.

use std::fmt;

use simplex_stores::protocol::{ErrorType, IdsHash, NotifierId, QueueRec, RecipientId, ServiceId};
use simplex_stores::queue_store::QueueKey;
use simplex_stores::testing::queue_store::QueueOp;

use super::case::{Case, equal_but_for_stubs, keys_of};

/// What a difference means for the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// They are the same all the same.
    Alike,
    /// They part: nothing can be compared after it.
    Parted,
}

/// A difference that the specification describes.
pub(super) struct Documented {
    pub(super) items: &'static str,
    pub(super) what: &'static str,
    pub(super) then: Then,
    /// Whether exactly this was met: what was asked, of what state, and both answers.
    is: fn(&Case<'_>) -> bool,
}

impl Documented {
    pub(super) fn holds(&self, case: &Case<'_>) -> bool {
        (self.is)(case)
    }
}

impl fmt::Debug for Documented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.items, self.what)
    }
}

macro_rules! documented {
    ($($items:literal, $what:literal, $then:ident, $is:expr;)+) => {
        &[$(Documented { items: $items, what: $what, then: Then::$then, is: $is }),+]
    };
}

pub(super) const DOCUMENTED: &[Documented] = documented! {
    // Adding queues.
    "PG-1, PG-37, RACE-43", "a duplicate is AUTH for a queue that is added", Alike, duplicate_queue;
    "PG-23, RACE-44", "a deleted queue's sender and notifier ids are taken", Parted, added_with_ids_of_deleted;
    "QS-12, QS-13, OP-5", "a purged queue's recipient and link ids are free", Parted, added_with_ids_of_purged;
    "OP-6, RACE-23", "a queue of a service that isn't there is refused", Parted, added_of_unknown_service;
    // Finding queues.
    "QS-12, PG-10", "a batch doesn't find a deleted queue", Alike, deleted_in_batch;
    "PG-14, PG-31, RACE-58", "a record that was loaded has no link data", Alike, link_data_not_read;
    "PG-24, RACE-35", "a link that moved isn't found, for the cache leads to the queue that had it", Alike, link_that_moved;
    // Links.
    "OP-10, RACE-44, RACE-56", "a link id that another row has is refused", Parted, link_of_another;
    "PG-29, RACE-55", "deleting a link that isn't there is AUTH", Alike, no_link_to_delete;
    // Notifiers.
    "PG-13, PG-37, RACE-42", "a notifier id that the cache doesn't know is AUTH when it is taken", Alike, taken_notifier;
    "OP-14, PG-13", "a queue's own notifier again is set unless the cache knows it", Parted, own_notifier_again;
    "PG-23, PG-13, RACE-44", "a deleted queue's notifier id is taken", Parted, notifier_of_deleted;
    "PG-27, QS-26", "a notifier's service is not stored", Parted, notifier_with_service;
    // Services.
    "OP-21, PG-37", "a service id that is taken is AUTH", Alike, taken_service_id;
    "OP-22, RACE-23", "a service that isn't there is refused", Parted, unknown_service;
    "OP-23, RACE-23", "a service that isn't there fails the batch", Parted, unknown_service_in_batch;
    "OP-23, PG-10", "a deleted queue that isn't found has no result in a batch", Alike, deleted_left_out;
    "PG-38, OP-24", "groups are those with notifications, in ascending order", Alike, groups_in_order;
    "PG-19, RACE-54", "a service that isn't there has no queues", Alike, count_of_unknown;
    "OP-25, RACE-61", "a service of another role has no queues of the party", Alike, count_of_misfit;
    // Counts.
    "OP-3, QS-24, RACE-61", "deleted queues aren't counted", Alike, deleted_not_counted;
};

fn duplicate_queue(case: &Case<'_>) -> bool {
    let QueueOp::Add(id, record) = case.op else { return false };
    let taken = |key: &QueueKey| case.is_anothers(id, key) || case.was_deleted(key);
    case.refused(&ErrorType::Duplicate, &ErrorType::Auth)
        && (case.live(id).is_some() || keys_of(id, record).iter().any(taken))
}

fn added_with_ids_of_deleted(case: &Case<'_>) -> bool {
    let QueueOp::Add(id, record) = case.op else { return false };
    let secondary = |key: &&QueueKey| matches!(key, QueueKey::Sender(_) | QueueKey::Notifier(_));
    case.refused_in_database(&ErrorType::Auth)
        && keys_of(id, record).iter().filter(secondary).any(|key| case.was_deleted(key))
}

fn added_with_ids_of_purged(case: &Case<'_>) -> bool {
    let QueueOp::Add(id, record) = case.op else { return false };
    case.refused_in_memory(&ErrorType::Duplicate) && has_ids_that_stay(case, id, record)
}

/// The store in memory keeps ids of a deleted queue for good.
fn has_ids_that_stay(case: &Case<'_>, id: &RecipientId, record: &QueueRec) -> bool {
    let stays = |key: &&QueueKey| matches!(key, QueueKey::Recipient(_) | QueueKey::Link(_));
    keys_of(id, record).iter().filter(stays).any(|key| case.was_deleted(key))
}

/// In memory it is added, unless a purged queue's id stands against that.
fn added_of_unknown_service(case: &Case<'_>) -> bool {
    let QueueOp::Add(id, record) = case.op else { return false };
    let notifying = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
    let is_unknown = case.is_unknown(record.rcv_service_id.as_ref()) || case.is_unknown(notifying);
    let in_memory = match case.memory {
        Ok(_) => true,
        Err(error) => *error == ErrorType::Duplicate && has_ids_that_stay(case, id, record),
    };
    is_unknown && in_memory && matches!(case.database, Err(ErrorType::Store(_)))
}

/// Without the cache, or when what was cached is gone, the tombstone is.
fn deleted_in_batch(case: &Case<'_>) -> bool {
    let QueueOp::GetMany(ids) = case.op else { return false };
    let Some((memory, database)) = case.values::<Vec<Result<RecipientId, ErrorType>>>() else {
        return false;
    };
    let each = ids.iter().zip(&memory).zip(&database).all(|((id, memory), database)| {
        memory == database || case.is_tombstone(id) && *database == Err(ErrorType::Auth)
    });
    memory != database && memory.len() == database.len() && each
}

fn link_data_not_read(case: &Case<'_>) -> bool {
    let gives_records = matches!(
        case.op,
        QueueOp::Get(_) | QueueOp::Fold(_) | QueueOp::Time(..) | QueueOp::Delete(_)
    );
    let Some((memory, database)) = case.values() else { return false };
    gives_records && memory != database && equal_but_for_stubs(&memory, &database)
}

fn link_that_moved(case: &Case<'_>) -> bool {
    let QueueOp::Get(QueueKey::Link(link)) = case.op else { return false };
    case.refused_in_database(&ErrorType::Auth) && case.was_unlinked(link)
}

fn link_of_another(case: &Case<'_>) -> bool {
    let QueueOp::AddLink(id, link, _) = case.op else { return false };
    let key = QueueKey::from(link.clone());
    case.failed_in_database() && (case.is_anothers(id, &key) || case.was_deleted(&key))
}

fn no_link_to_delete(case: &Case<'_>) -> bool {
    let QueueOp::DeleteLink(id) = case.op else { return false };
    let has_none = case.live(id).is_some_and(|record| record.link.is_none());
    case.refused_in_database(&ErrorType::Auth) && has_none
}

fn taken_notifier(case: &Case<'_>) -> bool {
    let QueueOp::AddNotifier(id, creds) = case.op else { return false };
    case.refused(&ErrorType::Duplicate, &ErrorType::Auth)
        && case.is_anothers(id, &creds.notifier_id.clone().into())
}

fn own_notifier_again(case: &Case<'_>) -> bool {
    let QueueOp::AddNotifier(id, creds) = case.op else { return false };
    let own = case.live(id).and_then(|record| record.notifier.as_ref());
    case.refused_in_memory(&ErrorType::Duplicate)
        && own.is_some_and(|own| own.notifier_id == creds.notifier_id)
}

fn notifier_of_deleted(case: &Case<'_>) -> bool {
    let QueueOp::AddNotifier(_, creds) = case.op else { return false };
    case.refused_in_database(&ErrorType::Auth)
        && case.was_deleted(&creds.notifier_id.clone().into())
}

/// The answers are the same, and what is stored isn't.
fn notifier_with_service(case: &Case<'_>) -> bool {
    let QueueOp::AddNotifier(_, creds) = case.op else { return false };
    creds.service_id.is_some() && case.memory.is_ok() && case.memory == case.database
}

fn taken_service_id(case: &Case<'_>) -> bool {
    let QueueOp::Service(service) = case.op else { return false };
    case.refused(&ErrorType::Duplicate, &ErrorType::Auth)
        && case.role(&service.service_id).is_some()
}

fn unknown_service(case: &Case<'_>) -> bool {
    let QueueOp::SetService(_, _, service) = case.op else { return false };
    case.failed_in_database() && case.is_unknown(service.as_ref())
}

fn unknown_service_in_batch(case: &Case<'_>) -> bool {
    let QueueOp::SetServices(_, _, service) = case.op else { return false };
    case.failed_in_database() && case.is_unknown(service.as_ref())
}

fn deleted_left_out(case: &Case<'_>) -> bool {
    type Results = Vec<(RecipientId, Result<(), ErrorType>)>;
    let QueueOp::SetServices(..) = case.op else { return false };
    let Some((mut memory, database)) = case.values::<Results>() else { return false };
    let all = memory.len();
    memory.retain(|(id, result)| {
        let left_out = case.is_tombstone(id) && *result == Err(ErrorType::Auth);
        !left_out || database.iter().any(|(there, _)| there == id)
    });
    memory.len() < all && memory == database
}

fn groups_in_order(case: &Case<'_>) -> bool {
    type Group = (Option<ServiceId>, Vec<(NotifierId, usize)>);
    let QueueOp::Group(_) = case.op else { return false };
    let Some((mut memory, database)) = case.values::<(Vec<Group>, Vec<(NotifierId, usize)>)>()
    else {
        return false;
    };
    let differ = memory != database;
    memory.0.retain(|(_, ntfs)| !ntfs.is_empty());
    memory.0.sort();
    differ && memory == database
}

fn count_of_unknown(case: &Case<'_>) -> bool {
    let QueueOp::CountHash(_, service) = case.op else { return false };
    case.refused_in_memory(&ErrorType::Auth) && case.is_unknown(Some(service)) && is_nothing(case)
}

fn count_of_misfit(case: &Case<'_>) -> bool {
    let QueueOp::CountHash(party, service) = case.op else { return false };
    case.memory.is_ok()
        && case.memory != case.database
        && case.is_misfit(*party, service)
        && is_nothing(case)
}

/// The database's answer is no queues and the empty hash.
fn is_nothing(case: &Case<'_>) -> bool {
    let nothing = serde_json::to_string(&(0, IdsHash::EMPTY.as_bytes()));
    case.database.as_ref().ok() == nothing.ok().as_ref()
}

fn deleted_not_counted(case: &Case<'_>) -> bool {
    let QueueOp::Counts = case.op else { return false };
    let Some((memory, mut database)) = case.values::<[u64; 6]>() else { return false };
    let differ = memory != database;
    database[0] += case.tombstones();
    differ && memory == database
}
