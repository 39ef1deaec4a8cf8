//! Calls of the store as data, and how to make them.

use std::collections::BTreeSet;
use std::sync::Arc;

use quickcheck::{Arbitrary, Gen};

use super::sample::{NOTIFIERS, notifier, ntf, service_id, time};
use crate::ntf_store::pending::{
    DeliveryReport, HandedOver, PendingCounts, PendingEntry, PendingNtfStore,
};
use crate::protocol::ntf::PendingNtf;
use crate::protocol::{NotifierId, RoundedSeconds, ServiceId};
use crate::queue_store::QueueStore;
use crate::stm::atomically;

/// One call, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingOp {
    /// `store`.
    Store(NotifierId, PendingNtf),
    /// `delete`.
    Delete(NotifierId),
    /// `delete_expired_of_tx`, in a transaction of its own.
    ExpireOf(NotifierId, RoundedSeconds),
    /// `delete_expired`.
    Expire(RoundedSeconds),
    /// `ntfs`.
    Ntfs(NotifierId),
    /// `counts`.
    Counts,
    /// `entries`.
    Entries,
    /// `deliver`, and what is answered for the group without a service, the service 1 and the service 2.
    Deliver(Box<[HandedOver; 3]>),
    /// Not a call: the test saves the store and restores it.
    Restart,
}

impl PendingOp {
    /// Whether the call takes effect at one moment.
    pub fn is_one_step(&self) -> bool {
        !matches!(self, Self::Expire(_) | Self::Deliver(_) | Self::Restart)
    }
}

/// A notifier and what waits for it, first what was stored first.
pub type Waiting = (NotifierId, Vec<PendingNtf>);

/// A group as it was handed over.
pub type Group = (Option<ServiceId>, Vec<Waiting>);

/// What a call answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingAnswer {
    /// How many there are, or how many were removed.
    Number(u64),
    /// What waits for a notifier.
    Ntfs(Option<Vec<PendingNtf>>),
    /// How much waits.
    Counts(PendingCounts),
    /// What waits for all.
    Entries(Vec<Waiting>),
    /// What a delivery did, and the groups that it showed; its error's text, if it had one.
    Delivered(Result<DeliveryReport, String>, Vec<Group>),
    /// Of what isn't a call.
    Nothing,
}

/// The answer of a list of three for a service.
pub(super) fn answer_for(answers: &[HandedOver; 3], service: Option<&ServiceId>) -> HandedOver {
    let [none, first, second] = answers;
    match service {
        None => none.clone(),
        Some(id) if *id == service_id(1) => first.clone(),
        Some(_) => second.clone(),
    }
}

fn plain(ntfs: &[Arc<PendingNtf>]) -> Vec<PendingNtf> {
    ntfs.iter().map(|ntf| (**ntf).clone()).collect()
}

fn waiting(entries: &[PendingEntry]) -> Vec<Waiting> {
    entries.iter().map(|entry| (entry.notifier_id.clone(), plain(&entry.ntfs))).collect()
}

/// Makes the call on a store, beside a queue store that says which notifiers there are.
pub fn run<S: QueueStore>(store: &PendingNtfStore, queues: &S, op: &PendingOp) -> PendingAnswer {
    match op {
        PendingOp::Store(id, ntf) => PendingAnswer::Number(store.store(id, ntf)),
        PendingOp::Delete(id) => PendingAnswer::Number(store.delete(id)),
        PendingOp::ExpireOf(id, bound) => {
            let expire = || atomically(|tx| store.delete_expired_of_tx(tx, id, *bound));
            PendingAnswer::Number(expire())
        }
        PendingOp::Expire(bound) => PendingAnswer::Number(store.delete_expired(*bound)),
        PendingOp::Ntfs(id) => PendingAnswer::Ntfs(store.ntfs(id).map(|ntfs| plain(&ntfs))),
        PendingOp::Counts => PendingAnswer::Counts(store.counts()),
        PendingOp::Entries => PendingAnswer::Entries(waiting(&store.entries())),
        PendingOp::Deliver(answers) => {
            let mut shown = Vec::new();
            let report = store.deliver(queues, |service, entries| {
                shown.push((service.cloned(), waiting(entries)));
                answer_for(answers, service)
            });
            PendingAnswer::Delivered(report.map_err(|error| error.to_string()), shown)
        }
        PendingOp::Restart => PendingAnswer::Nothing,
    }
}

fn some_notifier(g: &mut Gen) -> NotifierId {
    notifier(u8::arbitrary(g) % NOTIFIERS)
}

/// Times come from a small pool, so that they are often equal.
fn some_time(g: &mut Gen) -> i64 {
    i64::from(u8::arbitrary(g) % 8)
}

fn some_answer(g: &mut Gen) -> HandedOver {
    match u8::arbitrary(g) % 3 {
        0 => HandedOver::All,
        1 => HandedOver::Nothing,
        _ => {
            let count = u8::arbitrary(g) % 4;
            let ids: BTreeSet<_> = (0..count).map(|_| some_notifier(g)).collect();
            HandedOver::Notifiers(ids)
        }
    }
}

impl Arbitrary for PendingOp {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 16 {
            0..=6 => Self::Store(some_notifier(g), ntf(u16::arbitrary(g), some_time(g))),
            7 => Self::Delete(some_notifier(g)),
            8 => Self::ExpireOf(some_notifier(g), time(some_time(g))),
            9 => Self::Expire(time(some_time(g))),
            10 => Self::Ntfs(some_notifier(g)),
            11 => Self::Counts,
            12 => Self::Entries,
            13 | 14 => Self::Deliver(Box::new(std::array::from_fn(|_| some_answer(g)))),
            _ => Self::Restart,
        }
    }
}
