//! Sequences of calls, and making a failing one shorter.

use quickcheck::{Arbitrary, Gen};
use simplex_stores::protocol::{QueueLink, QueueRec, ServiceId, ServiceParty, ServiceRole};
use simplex_stores::queue_store::QueueKey;
use simplex_stores::testing::history::SequentialModel;
use simplex_stores::testing::queue_store::sample::{
    creds, link, link_data, notifier, recipient, record, service, service_id,
};
use simplex_stores::testing::queue_store::{QueueModel, QueueOp, keeps_rules};

/// Calls of any kind; the same seed makes the same.
pub(super) fn any(seed: u64, count: usize) -> Vec<QueueOp> {
    let mut g = Gen::from_size_and_seed(20, seed);
    std::iter::repeat_with(|| QueueOp::arbitrary(&mut g)).take(count).collect()
}

/// Calls of which most keep a router's rules, so that the stores' states stay the same for long.
pub(super) fn mostly_of_a_router(seed: u64, count: usize) -> Vec<QueueOp> {
    let mut g = Gen::from_size_and_seed(20, seed);
    let mut model = QueueModel::default();
    let mut ops = Vec::new();
    while ops.len() < count {
        let op = QueueOp::arbitrary(&mut g);
        if keeps_rules(&model, &op) || u8::arbitrary(&mut g) < 30 {
            let _answer = model.apply(&op);
            ops.push(op);
        }
    }
    ops
}

/// Calls that meet every documented difference, whatever random ones meet.
pub(super) fn examples() -> Vec<Vec<QueueOp>> {
    use QueueOp::{Counts, Delete, DeleteLink, GetMany, Group, Purge, Restart};
    let (one, two) = (recipient(1), recipient(2));
    vec![
        vec![add(1), add(1), DeleteLink(one.clone()), Group(vec![notifier(1)])],
        vec![add(1), Delete(one.clone()), Counts, add_as(2, record(1))],
        vec![add(1), Delete(one.clone()), Purge, Counts, add(1)],
        vec![add_as(1, QueueRec { rcv_service_id: Some(service_id(1)), ..record(1) })],
        vec![
            add(1),
            Delete(one.clone()),
            Restart,
            GetMany(vec![one.clone()]),
            set_each(1, None),
            add(2),
        ],
        vec![add(1), add_link(1), Restart, get(one.clone()), add(2), add_link(2)],
        vec![
            add_as(1, linked(1)),
            add(2),
            DeleteLink(one.clone()),
            get(link(1)),
            add_link(2),
            // With the cache, the link still leads to the first queue.
            get(link(1)),
        ],
        vec![
            add(1),
            add(2),
            notify(1, None),
            // With the cache, the lookup takes the notifier out of it (PG-3).
            get(notifier(1)),
            notify(2, None),
            notify(1, None),
        ],
        vec![add(1), add(2), notify(1, None), Delete(one.clone()), notify(2, None)],
        vec![add(1), notify(1, Some(service_id(1)))],
        vec![
            make_service(1, 1),
            make_service(1, 2),
            add(1),
            set_each(1, Some(service_id(1))),
            QueueOp::CountHash(ServiceParty::Receiver, service_id(1)),
            QueueOp::CountHash(ServiceParty::Receiver, service_id(2)),
            set_each(1, Some(service_id(2))),
        ],
        vec![add(2), QueueOp::SetService(two, ServiceParty::Receiver, Some(service_id(1)))],
    ]
}

fn add(number: u8) -> QueueOp {
    add_as(number, record(number))
}

fn add_as(number: u8, record: QueueRec) -> QueueOp {
    QueueOp::Add(recipient(number), Box::new(record))
}

fn linked(number: u8) -> QueueRec {
    let link = QueueLink { id: link(1), data: link_data(1, 1) };
    QueueRec { link: Some(Box::new(link)), ..record(number) }
}

fn add_link(number: u8) -> QueueOp {
    QueueOp::AddLink(recipient(number), link(1), link_data(1, 1))
}

fn get(key: impl Into<QueueKey>) -> QueueOp {
    QueueOp::Get(key.into())
}

fn notify(number: u8, service: Option<ServiceId>) -> QueueOp {
    QueueOp::AddNotifier(recipient(number), Box::new(creds(1, service)))
}

fn make_service(number: u8, cert: u8) -> QueueOp {
    QueueOp::Service(Box::new(service(number, cert, ServiceRole::Notifier)))
}

fn set_each(number: u8, service: Option<ServiceId>) -> QueueOp {
    QueueOp::SetServices(vec![recipient(number)], ServiceParty::Receiver, service)
}

/// A shorter sequence that fails too: nothing can be left out of it.
pub(super) fn shrink(mut ops: Vec<QueueOp>, fails: impl Fn(&[QueueOp]) -> bool) -> Vec<QueueOp> {
    let mut size = ops.len() / 2;
    while size > 0 {
        let mut at = 0;
        let before = ops.len();
        while at < ops.len() {
            let mut without = ops.clone();
            without.drain(at..(at + size).min(ops.len()));
            if fails(&without) {
                ops = without;
            } else {
                at += size;
            }
        }
        if size > 1 || ops.len() == before {
            size /= 2;
        }
    }
    ops
}
