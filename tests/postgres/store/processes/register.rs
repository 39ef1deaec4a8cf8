//! Whether every acknowledged change is there, or was followed by another.
//!
//! Each field of each queue is a register. What it holds at the end has to be what a change wrote after which no
//! acknowledged change of the field began.

use std::collections::{BTreeMap, BTreeSet};

use simplex_stores::protocol::{ErrorType, QueueRec, RecipientId, ServiceId, ServiceParty};
use simplex_stores::testing::queue_store::{Answer, QueueOp};

use super::Made;

/// What stands in the fields of a queue that isn't there.
const GONE: &str = "gone";

const FIELDS: [&str; 8] = ["keys", "key", "link", "notifier", "ntf", "status", "date", "rcv"];

type Values = BTreeMap<&'static str, String>;

fn shown(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).unwrap()
}

/// Each field of a queue.
fn values(record: Option<&QueueRec>) -> Values {
    let Some(record) = record else {
        return FIELDS.into_iter().map(|field| (field, GONE.to_owned())).collect();
    };
    let notifier = record.notifier.as_ref();
    let values = [
        shown(&record.recipient_keys),
        shown(&record.sender_key),
        shown(&record.link),
        shown(notifier.map(|creds| (&creds.notifier_id, &creds.key, &creds.dh_secret))),
        shown(notifier.and_then(|creds| creds.service_id.as_ref())),
        shown(&record.status),
        shown(record.updated_at),
        shown(&record.rcv_service_id),
    ];
    FIELDS.into_iter().zip(values).collect()
}

/// The fields of these names of a queue like this one.
fn only(names: &[&str], change: impl FnOnce(&mut QueueRec)) -> Values {
    let mut record = simplex_stores::testing::queue_store::sample::record(1);
    change(&mut record);
    let mut values = values(Some(&record));
    values.retain(|name, _| names.contains(name));
    values
}

fn of_party(party: ServiceParty, service: Option<&ServiceId>) -> Values {
    let name = match party {
        ServiceParty::Receiver => "rcv",
        ServiceParty::Notifier => "ntf",
    };
    Values::from([(name, shown(service))])
}

/// The queues of a batch that were associated.
fn associated(answer: Option<&Answer>) -> BTreeSet<RecipientId> {
    let Some(Ok(answer)) = answer else { return BTreeSet::new() };
    let results: Vec<(RecipientId, Result<(), ErrorType>)> = serde_json::from_str(answer).unwrap();
    results.into_iter().filter(|(_, result)| result.is_ok()).map(|(id, _)| id).collect()
}

/// What a call writes, where it succeeds.
fn writes(op: &QueueOp, answer: Option<&Answer>) -> Vec<(RecipientId, Values)> {
    use simplex_stores::protocol::EntityStatus as Status;

    let one = |id: &RecipientId, values| vec![(id.clone(), values)];
    let status = |status: Status| only(&["status"], |record| record.status = status);
    match op {
        QueueOp::Add(id, record) => one(id, values(Some(record))),
        QueueOp::Delete(id) => one(id, values(None)),
        QueueOp::AddLink(id, link, data) => {
            let link = simplex_stores::protocol::QueueLink { id: link.clone(), data: data.clone() };
            one(id, only(&["link"], |record| record.link = Some(Box::new(link))))
        }
        QueueOp::DeleteLink(id) => one(id, only(&["link"], |_| {})),
        QueueOp::Secure(id, key) => {
            one(id, only(&["key"], |record| record.sender_key = Some(key.clone())))
        }
        QueueOp::Keys(id, keys) => {
            one(id, only(&["keys"], |record| record.recipient_keys = keys.clone()))
        }
        QueueOp::AddNotifier(id, creds) => {
            one(id, only(&["notifier", "ntf"], |record| record.notifier = Some(creds.clone())))
        }
        QueueOp::DeleteNotifier(id) => one(id, only(&["notifier", "ntf"], |_| {})),
        QueueOp::Suspend(id) => one(id, status(Status::Off)),
        QueueOp::Block(id, info) => one(id, status(Status::Blocked(*info))),
        QueueOp::Unblock(id) => one(id, status(Status::Active)),
        QueueOp::Time(id, date) => {
            one(id, only(&["date"], |record| record.updated_at = Some(*date)))
        }
        QueueOp::SetService(id, party, service) => one(id, of_party(*party, service.as_ref())),
        QueueOp::SetServices(ids, party, service) => {
            let done = associated(answer);
            let ids = ids.iter().filter(|id| answer.is_none() || done.contains(*id));
            ids.map(|id| (id.clone(), of_party(*party, service.as_ref()))).collect()
        }
        _ => Vec::new(),
    }
}

/// A change of a field.
struct Write {
    value: String,
    called: u64,
    returned: u64,
    /// It was acknowledged, and changed the row.
    certain: bool,
}

/// Checks each field of each queue.
///
/// `serves_dates`: some of the processes answer that a date is set already from what they have cached; such a call
/// changes nothing, and what is cached may be older than another process's change.
pub(super) fn check(calls: &[Made], rows: &BTreeMap<RecipientId, QueueRec>, serves_dates: bool) {
    let mut fields: BTreeMap<(RecipientId, &str), Vec<Write>> = BTreeMap::new();
    for call in calls.iter().filter(|call| !matches!(call.answer, Some(Err(_)))) {
        for (id, values) in writes(&call.op, call.answer.as_ref()) {
            for (name, value) in values {
                let certain = call.answer.is_some() && !(serves_dates && name == "date");
                let (called, returned) = (call.called, call.returned);
                let write = Write { value, called, returned, certain };
                fields.entry((id.clone(), name)).or_default().push(write);
            }
        }
    }
    for ((id, name), writes) in &fields {
        let last = values(rows.get(id)).remove(name).unwrap();
        let is_last = |write: &Write| {
            write.value == last
                && !writes.iter().any(|other| other.certain && other.called > write.returned)
        };
        assert!(writes.iter().any(is_last), "{name} of {id} is {last}, of {} writes", writes.len());
    }
    assert!(fields.len() > 20, "{}", fields.len());
}

#[test]
fn twin_a_change_that_was_lost_is_found() {
    use simplex_stores::testing::queue_store::sample;

    let id = sample::recipient(1);
    let call =
        |op, called| Made { op, answer: Some(Ok("null".into())), called, returned: called + 1 };
    let mut calls: Vec<Made> = (1..=3)
        .map(|number| {
            let added = QueueOp::Add(sample::recipient(number), Box::new(sample::record(number)));
            call(added, u64::from(number) * 2)
        })
        .collect();
    let record = |number| (sample::recipient(number), sample::record(number));
    let rows: BTreeMap<_, _> = (1..=3).map(record).collect();
    check(&calls, &rows, false);
    calls.push(call(QueueOp::Secure(id, sample::key(1)), 10));
    let lost = std::panic::catch_unwind(|| check(&calls, &rows, false));
    let said = *lost.unwrap_err().downcast::<String>().unwrap();
    assert!(said.starts_with("key of "), "{said}");
}
