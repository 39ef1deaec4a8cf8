//! The sequential model: lists as the specification draws them, newest first, in a map.

use std::collections::BTreeMap;

use super::op::{Group, PendingAnswer, PendingOp, Waiting, answer_for};
use super::sample::{service_id, service_of};
use crate::ntf_store::pending::{DeliveryReport, HandedOver, PendingCounts};
use crate::protocol::ntf::PendingNtf;
use crate::protocol::{NotifierId, RoundedSeconds, Semantics, ServiceId};
use crate::testing::history::SequentialModel;

/// What a store of pending notifications should answer, beside the notifiers of [`queues`](super::queues).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingModel {
    semantics: Semantics,
    /// Each list newest first.
    lists: BTreeMap<NotifierId, Vec<PendingNtf>>,
}

fn oldest_first(list: &[PendingNtf]) -> Vec<PendingNtf> {
    list.iter().rev().cloned().collect()
}

impl PendingModel {
    /// An empty store.
    pub fn new(semantics: Semantics) -> Self {
        Self { semantics, lists: BTreeMap::new() }
    }

    /// Everything that waits, empty lists included.
    pub fn entries(&self) -> Vec<Waiting> {
        self.lists.iter().map(|(id, list)| (id.clone(), oldest_first(list))).collect()
    }

    fn expire(&mut self, id: &NotifierId, bound: RoundedSeconds) -> u64 {
        let strict = self.semantics == Semantics::Strict;
        let Some(list) = self.lists.get_mut(id) else { return 0 };
        let before = list.len();
        if strict || list.last().is_some_and(|first| first.at < bound) {
            list.retain(|ntf| ntf.at >= bound);
        }
        let removed = before - list.len();
        self.drop_empty();
        removed as u64
    }

    fn drop_empty(&mut self) {
        if self.semantics == Semantics::Strict {
            self.lists.retain(|_, list| !list.is_empty());
        }
    }

    fn counts(&self) -> PendingCounts {
        PendingCounts {
            notifiers: self.lists.len() as u64,
            ntfs: self.lists.values().map(|list| list.len() as u64).sum(),
        }
    }

    fn deliver(&mut self, answers: &[HandedOver; 3]) -> PendingAnswer {
        let mut report = DeliveryReport::default();
        let dead: Vec<_> =
            self.lists.keys().filter(|id| service_of(id).is_none()).cloned().collect();
        report.dead_notifiers = dead.len() as u64;
        report.dead_ntfs =
            dead.iter().filter_map(|id| self.lists.remove(id)).map(|list| list.len() as u64).sum();
        let mut shown = Vec::new();
        for service in [None, Some(service_id(2)), Some(service_id(1))] {
            if let Some(group) = self.group(service) {
                let answer = answer_for(answers, group.0.as_ref());
                self.hand_over(&group.1, &answer, &mut report);
                shown.push(group);
            }
        }
        self.drop_empty();
        PendingAnswer::Delivered(Ok(report), shown)
    }

    fn group(&self, service: Option<ServiceId>) -> Option<Group> {
        let of_group = |id: &NotifierId| service_of(id) == Some(service.clone());
        let waiting = self.entries().into_iter();
        let group: Vec<_> = waiting.filter(|(id, list)| of_group(id) && !list.is_empty()).collect();
        (!group.is_empty()).then_some((service, group))
    }

    fn hand_over(&mut self, group: &[Waiting], answer: &HandedOver, report: &mut DeliveryReport) {
        for (id, waiting) in group {
            let count = waiting.len() as u64;
            let taken = match answer {
                HandedOver::All => true,
                HandedOver::Nothing => false,
                HandedOver::Notifiers(ids) => ids.contains(id),
            };
            if taken {
                report.handed_over += count;
                self.lists.insert(id.clone(), Vec::new());
            } else {
                report.kept += count;
            }
        }
    }
}

impl SequentialModel for PendingModel {
    type Op = PendingOp;
    type Answer = PendingAnswer;

    fn apply(&mut self, op: &PendingOp) -> PendingAnswer {
        match op {
            PendingOp::Store(id, ntf) => {
                let list = self.lists.entry(id.clone()).or_default();
                list.insert(0, ntf.clone());
                PendingAnswer::Number(list.len() as u64)
            }
            PendingOp::Delete(id) => {
                let list = self.lists.remove(id).unwrap_or_default();
                PendingAnswer::Number(list.len() as u64)
            }
            PendingOp::ExpireOf(id, bound) => PendingAnswer::Number(self.expire(id, *bound)),
            PendingOp::Expire(bound) => {
                let ids: Vec<_> = self.lists.keys().cloned().collect();
                PendingAnswer::Number(ids.iter().map(|id| self.expire(id, *bound)).sum())
            }
            PendingOp::Ntfs(id) => {
                PendingAnswer::Ntfs(self.lists.get(id).map(|list| oldest_first(list)))
            }
            PendingOp::Counts => PendingAnswer::Counts(self.counts()),
            PendingOp::Entries => PendingAnswer::Entries(self.entries()),
            PendingOp::Deliver(answers) => self.deliver(answers),
            PendingOp::Restart => {
                // The file has no line for an empty list.
                self.lists.retain(|_, list| !list.is_empty());
                PendingAnswer::Nothing
            }
        }
    }
}
