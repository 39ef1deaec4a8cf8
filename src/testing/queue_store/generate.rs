//! Random calls: ids come from small pools, so that they collide often.

use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};

use super::model::QueueModel;
use super::op::QueueOp;
use super::sample::{
    creds, key, keys, link, link_data, notifier, recipient, record, sender, service, service_id,
};
use crate::protocol::{
    BlockingInfo, BlockingReason, ClientNotice, LinkData, NtfCreds, QueueLink, QueueMode, QueueRec,
    RoundedDate, ServiceId, ServiceParty, ServiceRole,
};
use crate::queue_store::QueueKey;
use crate::testing::history::SequentialModel;

const QUEUES: u8 = 6;
const NOTIFIERS: u8 = 5;
const LINKS: u8 = 4;
const SERVICES: u8 = 4;

fn below(g: &mut Gen, bound: u8) -> u8 {
    u8::arbitrary(g) % bound
}

fn some<T>(g: &mut Gen, make: impl FnOnce(&mut Gen) -> T) -> Option<T> {
    bool::arbitrary(g).then(|| make(g))
}

fn some_service(g: &mut Gen) -> Option<ServiceId> {
    // Mostly none, so that operations are not refused all the time.
    (below(g, 3) == 0).then(|| service_id(below(g, SERVICES)))
}

fn some_record(g: &mut Gen) -> QueueRec {
    let mut record = record(below(g, QUEUES));
    record.sender_key = some(g, |g| key(below(g, 4)));
    record.queue_mode =
        some(g, |g| if bool::arbitrary(g) { QueueMode::Messaging } else { QueueMode::Contact });
    record.link = some(g, |g| Box::new(some_link(g)));
    record.notifier = some(g, |g| Box::new(some_creds(g)));
    record.updated_at = some(g, some_date);
    record.rcv_service_id = some_service(g);
    record
}

fn some_link(g: &mut Gen) -> QueueLink {
    QueueLink { id: link(below(g, LINKS)), data: some_data(g) }
}

fn some_data(g: &mut Gen) -> LinkData {
    link_data(below(g, 2), below(g, 3))
}

fn some_creds(g: &mut Gen) -> NtfCreds {
    let service = some_service(g);
    creds(below(g, NOTIFIERS), service)
}

fn some_date(g: &mut Gen) -> RoundedDate {
    RoundedDate::from_seconds(1_735_689_600 + 86_400 * i64::from(below(g, 3)))
}

fn some_info(g: &mut Gen) -> BlockingInfo {
    let reason = if bool::arbitrary(g) { BlockingReason::Spam } else { BlockingReason::Content };
    let notice = some(g, |g| ClientNotice { ttl: some(g, |g| i64::from(below(g, 9))) });
    BlockingInfo { reason, notice }
}

fn some_key(g: &mut Gen) -> QueueKey {
    match below(g, 4) {
        0 => recipient(below(g, QUEUES)).into(),
        1 => sender(below(g, QUEUES)).into(),
        2 => notifier(below(g, NOTIFIERS)).into(),
        _ => link(below(g, LINKS)).into(),
    }
}

fn some_party(g: &mut Gen) -> ServiceParty {
    if bool::arbitrary(g) { ServiceParty::Receiver } else { ServiceParty::Notifier }
}

fn some_role(g: &mut Gen) -> ServiceRole {
    match below(g, 5) {
        0 | 1 => ServiceRole::Messaging,
        2 | 3 => ServiceRole::Notifier,
        _ => ServiceRole::Proxy,
    }
}

fn list<T>(g: &mut Gen, mut make: impl FnMut(&mut Gen) -> T) -> Vec<T> {
    (0..below(g, 6)).map(|_| make(g)).collect()
}

impl Arbitrary for QueueOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let id = recipient(below(g, QUEUES));
        match below(g, 38) {
            0..=5 => QueueOp::Add(id, Box::new(some_record(g))),
            6 | 7 => QueueOp::Get(some_key(g)),
            8 => QueueOp::GetLink(id, link(below(g, LINKS))),
            9 | 10 => QueueOp::AddLink(id, link(below(g, LINKS)), some_data(g)),
            11 => QueueOp::DeleteLink(id),
            12 | 13 => QueueOp::Secure(id, key(below(g, 4))),
            14 => QueueOp::Keys(id, keys(below(g, 5))),
            15 | 16 => QueueOp::AddNotifier(id, Box::new(some_creds(g))),
            17 => QueueOp::DeleteNotifier(id),
            18 => QueueOp::Suspend(id),
            19 => QueueOp::Block(id, some_info(g)),
            20 => QueueOp::Unblock(id),
            21 => QueueOp::Time(id, some_date(g)),
            22 | 23 => QueueOp::Delete(id),
            24 | 25 => {
                let (number, role) = (below(g, SERVICES), some_role(g));
                QueueOp::Service(Box::new(service(number, below(g, SERVICES), role)))
            }
            26 | 27 => QueueOp::SetService(id, some_party(g), some_service(g)),
            28 => {
                let ids = list(g, |g| recipient(below(g, QUEUES)));
                QueueOp::SetServices(ids, some_party(g), some_service(g))
            }
            29 => QueueOp::Group(list(g, |g| notifier(below(g, NOTIFIERS)))),
            30 => QueueOp::CountHash(some_party(g), service_id(below(g, SERVICES))),
            31 => QueueOp::Fold(service_id(below(g, SERVICES))),
            32 => QueueOp::Counts,
            33 | 34 => QueueOp::GetMany(list(g, |g| recipient(below(g, QUEUES)))),
            35 => QueueOp::GetManyByNotifier(list(g, |g| notifier(below(g, NOTIFIERS)))),
            36 => QueueOp::Purge,
            _ => QueueOp::Restart,
        }
    }
}

/// A sequence of calls that keeps a router's rules.
///
/// A queue's service exists and has the party's role,
/// notifiers are added without a service, a link id that another queue has is never taken, and
/// there are no blocking notices. On such sequences both semantics give the reference's answers,
/// but for what the ledger lists.
#[derive(Clone, Debug)]
pub struct RouterOps(pub Vec<QueueOp>);

impl Arbitrary for RouterOps {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut model = QueueModel::default();
        let mut kept = Vec::new();
        for op in Vec::<QueueOp>::arbitrary(g) {
            if keeps_rules(&model, &op) {
                let _ = model.apply(&op);
                kept.push(op);
            }
        }
        Self(kept)
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let ops = Arc::new(self.0.clone());
        let without = move |left_out: usize| {
            let kept = ops.iter().enumerate().filter(|(at, _)| *at != left_out);
            kept.map(|(_, op)| op.clone()).collect::<Vec<_>>()
        };
        let valid = |ops: &Vec<QueueOp>| {
            let mut model = QueueModel::default();
            ops.iter().all(|op| {
                let keeps = keeps_rules(&model, op);
                let _ = model.apply(op);
                keeps
            })
        };
        Box::new((0..self.0.len()).map(without).filter(valid).map(Self))
    }
}

/// Whether a router would make the call in this state: see [`RouterOps`].
pub fn keeps_rules(model: &QueueModel, op: &QueueOp) -> bool {
    let has_role = |id: &ServiceId, role| model.services.get(id).is_some_and(|s| s.role == role);
    let fits = |party, service: &Option<ServiceId>| {
        let role = match party {
            ServiceParty::Receiver => ServiceRole::Messaging,
            ServiceParty::Notifier => ServiceRole::Notifier,
        };
        service.as_ref().is_none_or(|id| has_role(id, role))
    };
    match op {
        QueueOp::Add(_, record) => {
            let plain_notifier = record.notifier.as_ref().is_none_or(|c| c.service_id.is_none());
            plain_notifier && fits(ServiceParty::Receiver, &record.rcv_service_id)
        }
        QueueOp::AddNotifier(_, creds) => creds.service_id.is_none(),
        QueueOp::AddLink(id, link, _) => {
            let others = model.queues.iter().filter(|(other, _)| *other != id);
            others.flat_map(|(_, record)| &record.link).all(|other| other.id != *link)
        }
        QueueOp::Block(_, info) => info.notice.is_none(),
        QueueOp::SetService(_, party, service) | QueueOp::SetServices(_, party, service) => {
            fits(*party, service)
        }
        _ => true,
    }
}
