//! One call that both stores were given, and what was before it.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;
use simplex_stores::protocol::{
    ErrorType, LinkData, LinkId, QueueRec, RecipientId, ServiceId, ServiceParty, ServiceRole,
};
use simplex_stores::queue_store::QueueKey;
use simplex_stores::queue_store::stm::StoreSnapshot;
use simplex_stores::testing::queue_store::{Answer, QueueOp};

/// A call and its two answers.
pub(super) struct Case<'a> {
    pub(super) op: &'a QueueOp,
    /// The store in memory before the call.
    pub(super) before: &'a StoreSnapshot,
    pub(super) memory: &'a Answer,
    pub(super) database: &'a Answer,
    pub(super) history: &'a History,
    pub(super) use_cache: bool,
}

/// What the states don't tell.
#[derive(Default)]
pub(super) struct History {
    /// Deleted queues, with the records that they had.
    deleted: Vec<(RecipientId, QueueRec)>,
    /// Links that were deleted from a queue since the cache was empty.
    unlinked: BTreeSet<LinkId>,
}

impl History {
    pub(super) fn note(&mut self, op: &QueueOp, before: &StoreSnapshot, succeeded: bool) {
        let record = |wanted: &RecipientId| {
            let queue = before.queues.iter().find(|queue| queue.id == *wanted)?;
            queue.record.as_deref().cloned()
        };
        match op {
            QueueOp::Delete(id) if succeeded => {
                self.deleted.extend(record(id).map(|record| (id.clone(), record)));
            }
            QueueOp::DeleteLink(id) if succeeded => {
                self.unlinked.extend(record(id).and_then(|record| record.link).map(|link| link.id));
            }
            _ => {}
        }
    }

    pub(super) fn forget_cached(&mut self) {
        self.unlinked.clear();
    }
}

impl Case<'_> {
    /// Both refuse, each in its own words.
    pub(super) fn refused(&self, memory: &ErrorType, database: &ErrorType) -> bool {
        self.memory.as_ref().err() == Some(memory) && self.database.as_ref().err() == Some(database)
    }

    /// Only the database refuses.
    pub(super) fn refused_in_database(&self, error: &ErrorType) -> bool {
        self.memory.is_ok() && self.database.as_ref().err() == Some(error)
    }

    /// The database refuses with what it has to say of the statement.
    pub(super) fn failed_in_database(&self) -> bool {
        self.memory.is_ok() && matches!(self.database, Err(ErrorType::Store(_)))
    }

    /// Only the store in memory refuses.
    pub(super) fn refused_in_memory(&self, error: &ErrorType) -> bool {
        self.memory.as_ref().err() == Some(error) && self.database.is_ok()
    }

    /// Both answers as values.
    pub(super) fn values<T: DeserializeOwned>(&self) -> Option<(T, T)> {
        let parse = |answer: &Answer| serde_json::from_str(answer.as_ref().ok()?).ok();
        Some((parse(self.memory)?, parse(self.database)?))
    }

    pub(super) fn live(&self, wanted: &RecipientId) -> Option<&QueueRec> {
        self.before.queues.iter().find(|queue| queue.id == *wanted)?.record.as_deref()
    }

    /// The recipient id leads to a tombstone.
    pub(super) fn is_tombstone(&self, wanted: &RecipientId) -> bool {
        self.before.queues.iter().any(|queue| queue.id == *wanted && queue.record.is_none())
    }

    pub(super) fn tombstones(&self) -> u64 {
        self.before.queues.iter().filter(|queue| queue.record.is_none()).count() as u64
    }

    /// A live queue, other than this one, has the id.
    pub(super) fn is_anothers(&self, own: &RecipientId, key: &QueueKey) -> bool {
        let others = self.before.queues.iter().filter(|queue| queue.id != *own);
        others.filter_map(|queue| queue.record.as_deref()).any(|record| carries(record, key))
    }

    /// A deleted queue had the id.
    pub(super) fn was_deleted(&self, key: &QueueKey) -> bool {
        let had = |(id, record): &(RecipientId, QueueRec)| {
            *key == QueueKey::Recipient(id.clone()) || carries(record, key)
        };
        self.history.deleted.iter().any(had)
    }

    pub(super) fn was_unlinked(&self, link: &LinkId) -> bool {
        self.use_cache && self.history.unlinked.contains(link)
    }

    pub(super) fn role(&self, id: &ServiceId) -> Option<ServiceRole> {
        let service = self.before.services.iter().find(|service| service.id == *id)?;
        Some(service.record.role)
    }

    /// The service is named and isn't there.
    pub(super) fn is_unknown(&self, service: Option<&ServiceId>) -> bool {
        service.is_some_and(|id| self.role(id).is_none())
    }

    /// The service is there, for something else.
    pub(super) fn is_misfit(&self, party: ServiceParty, id: &ServiceId) -> bool {
        let fitting = match party {
            ServiceParty::Receiver => ServiceRole::Messaging,
            ServiceParty::Notifier => ServiceRole::Notifier,
        };
        self.role(id).is_some_and(|role| role != fitting)
    }
}

fn carries(record: &QueueRec, key: &QueueKey) -> bool {
    match key {
        QueueKey::Recipient(_) => false,
        QueueKey::Sender(id) => record.sender_id == *id,
        QueueKey::Notifier(id) => {
            record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *id)
        }
        QueueKey::Link(id) => record.link.as_ref().is_some_and(|link| link.id == *id),
    }
}

/// All the ids that adding a queue takes.
pub(super) fn keys_of(id: &RecipientId, record: &QueueRec) -> Vec<QueueKey> {
    let notifier = record.notifier.as_ref().map(|creds| creds.notifier_id.clone().into());
    let link = record.link.as_ref().map(|link| link.id.clone().into());
    let own: [QueueKey; 2] = [id.clone().into(), record.sender_id.clone().into()];
    own.into_iter().chain(notifier).chain(link).collect()
}

/// Records are equal, but where the second has no link data.
pub(super) fn equal_but_for_stubs(memory: &Value, database: &Value) -> bool {
    match (memory, database) {
        (Value::Object(one), Value::Object(other)) => {
            let empty = serde_json::to_value(LinkData::default()).unwrap_or_default();
            one.len() == other.len()
                && one.iter().all(|(key, value)| {
                    other.get(key).is_some_and(|other| {
                        equal_but_for_stubs(value, other) || key == "data" && *other == empty
                    })
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| equal_but_for_stubs(one, other))
        }
        (one, other) => one == other,
    }
}
