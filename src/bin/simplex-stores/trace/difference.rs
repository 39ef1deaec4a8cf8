//! Which kind of difference a strict answer is, if any: a rule for each kind.
//!
//! A store under `Semantics::Reference` runs beside as the oracle. A rule looks at the operation, at both
//! answers and at the oracle's state before it, and holds only when the kind says exactly this answer.

use serde_json::{Value, json};
use simplex_stores::{
    protocol::{LinkId, RecipientId},
    queue_store::{QueueKey, QueueStore, StoreQueue},
};

use super::{
    call::{Call, Step},
    ledger::Kind,
    runner::{Outcome, Runner},
};

/// A step whose outcome differs from the recorded one.
pub(super) struct Case<'a> {
    step: &'a Step<'a>,
    outcome: &'a Outcome,
    expected: Value,
    got: Value,
    oracle: &'a Runner,
}

/// Whether a difference is of a kind.
type Rule = fn(&Case<'_>) -> bool;

/// Each kind with the rule that recognises it.
const RULES: [(Kind, Rule); 7] = [
    (Kind::DeletedNotFound, deleted_not_found),
    (Kind::DeletedLookup, deleted_lookup),
    (Kind::DeletedLinkLookup, deleted_link_lookup),
    (Kind::DeletedInBatch, deleted_in_batch),
    (Kind::DeletedNotCounted, deleted_not_counted),
    (Kind::RecipientIdReused, recipient_id_reused),
    (Kind::LinkIdReused, link_id_reused),
];

/// The kind of a difference, by the first rule that holds.
pub(super) fn kind_of(step: &Step<'_>, outcome: &Outcome, oracle: &Runner) -> Option<Kind> {
    let value = |text: &str| serde_json::from_str(text).ok();
    let case =
        Case { step, outcome, expected: value(step.result)?, got: value(&outcome.result)?, oracle };
    RULES.iter().find(|(_, holds)| holds(&case)).map(|(kind, _)| *kind)
}

impl Case<'_> {
    fn both_refused(&self) -> bool {
        self.expected == refused() && self.got == refused()
    }

    fn nothing_logged(&self) -> bool {
        self.step.log.is_empty() && self.outcome.log.is_empty()
    }

    /// The arguments are unchanged, so only the result and the log may differ.
    fn same_args(&self) -> bool {
        self.outcome.args == self.step.args
    }

    fn is_deleted(&self, key: &QueueKey) -> bool {
        let queue = self.oracle.store.get_queue(key);
        queue.is_ok_and(|queue| queue.record().read_atomic().is_none())
    }

    /// A queue was asked for by this key, the reference gave a deleted one, and this store `AUTH`.
    fn lookup_of_deleted(&self, key: &QueueKey) -> bool {
        let Ok(queue) = self.oracle.store.get_queue(key) else {
            return false;
        };
        self.same_args()
            && self.nothing_logged()
            && self.is_deleted(key)
            && self.expected == tombstone(queue.recipient_id())
            && self.got == refused()
    }

    /// The queue was refused as a duplicate, and was added here.
    fn added_anyway(&self) -> bool {
        let Call::AddQueue(id, record) = &self.step.call else {
            return false;
        };
        let rest = crate::forms::text(record.as_ref());
        self.same_args()
            && self.expected == json!({"err": "DUPLICATE_"})
            && self.got.get("ok").is_some()
            && self.step.log.is_empty()
            && self.outcome.log == [format!("CREATE rid={id} {rest}")]
    }
}

fn refused() -> Value {
    json!({"err": "AUTH"})
}

fn tombstone(id: &RecipientId) -> Value {
    json!({"ok": {"rid": id.to_string(), "rec": null}})
}

fn deleted_not_found(case: &Case<'_>) -> bool {
    let Call::OnQueue(id, Some(_)) = &case.step.call else {
        return false;
    };
    let not_found = format!("{{\"rid\":\"{id}\",\"found\":false}}");
    case.outcome.args == not_found
        && case.both_refused()
        && case.nothing_logged()
        && case.is_deleted(&QueueKey::Recipient(id.clone()))
}

fn deleted_lookup(case: &Case<'_>) -> bool {
    match &case.step.call {
        Call::GetQueue(key @ QueueKey::Recipient(_)) => case.lookup_of_deleted(key),
        _ => false,
    }
}

fn deleted_link_lookup(case: &Case<'_>) -> bool {
    match &case.step.call {
        Call::GetQueue(key @ QueueKey::Link(_)) => case.lookup_of_deleted(key),
        _ => false,
    }
}

/// Every result that differs is that of a deleted queue.
fn deleted_in_batch(case: &Case<'_>) -> bool {
    let Call::GetQueues(ids) = &case.step.call else {
        return false;
    };
    let list = |value: &Value| value.get("ok").and_then(Value::as_array).cloned();
    let (Some(expected), Some(got)) = (list(&case.expected), list(&case.got)) else {
        return false;
    };
    let same_length = ids.len() == expected.len() && ids.len() == got.len();
    let each = ids.iter().zip(expected).zip(got).all(|((id, expected), got)| {
        expected == got
            || (expected == tombstone(id)
                && got == refused()
                && case.is_deleted(&QueueKey::Recipient(id.clone())))
    });
    case.same_args() && case.nothing_logged() && same_length && each
}

/// The counts are equal but for the deleted queues among the queues.
fn deleted_not_counted(case: &Case<'_>) -> bool {
    let Call::Counts = &case.step.call else {
        return false;
    };
    let deleted = case.oracle.store.loaded_queues().map(|queues| {
        queues.iter().filter(|queue| queue.record().read_atomic().is_none()).count() as u64
    });
    let mut expected = case.expected.clone();
    let count = expected.pointer_mut("/ok/queueCount");
    let (Ok(deleted), Some(count)) = (deleted, count) else {
        return false;
    };
    *count = json!(count.as_u64().unwrap_or_default().saturating_sub(deleted));
    case.same_args() && case.nothing_logged() && expected == case.got
}

/// The recipient id was a deleted queue's.
fn recipient_id_reused(case: &Case<'_>) -> bool {
    let Call::AddQueue(id, _) = &case.step.call else {
        return false;
    };
    case.added_anyway() && case.is_deleted(&QueueKey::Recipient(id.clone()))
}

/// Only the link id was taken, and by a deleted queue.
fn link_id_reused(case: &Case<'_>) -> bool {
    let Call::AddQueue(id, record) = &case.step.call else {
        return false;
    };
    let link: Option<LinkId> = record.link.as_ref().map(|link| link.id.clone());
    let free = case.oracle.store.get_queue(&QueueKey::Recipient(id.clone())).is_err();
    case.added_anyway() && free && link.is_some_and(|link| case.is_deleted(&QueueKey::Link(link)))
}
