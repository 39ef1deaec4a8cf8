//! The sequential model: what the queue store means under `Semantics::Strict`, without its indexes.
//!
//! It holds nothing but records; every question about an index is answered by looking at all of
//! them. That makes it slow, and easy to believe.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use super::op::{Answer, QueueOp, numbered, shown};
use crate::protocol::{
    EntityStatus, ErrorType, LinkData, LinkId, NotifierId, NtfCreds, QueueLink, QueueRec,
    RecipientId, ServiceId, ServiceParty, ServiceRec, ServiceRole,
};
use crate::queue_store::QueueKey;
use crate::testing::history::SequentialModel;

/// The state: live queues and services, nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueModel {
    /// The live queues.
    pub queues: BTreeMap<RecipientId, QueueRec>,
    /// The services.
    pub services: BTreeMap<ServiceId, ServiceRec>,
}

impl SequentialModel for QueueModel {
    type Op = QueueOp;
    type Answer = Answer;

    /// What a `Strict` store answers, and what it does to the state.
    fn apply(&mut self, op: &QueueOp) -> Answer {
        match op {
            QueueOp::Add(id, record) => self.add(id, record),
            QueueOp::Get(key) => self.find(key).map(|(id, record)| shown((id, record))),
            QueueOp::GetMany(ids) => Ok(self.found(ids)),
            QueueOp::GetManyByNotifier(ids) => Ok(self.found(ids)),
            QueueOp::GetLink(id, link) => match &self.live(id)?.link {
                Some(present) if present.id == *link => Ok(shown(&present.data)),
                _ => Err(ErrorType::Auth),
            },
            QueueOp::AddLink(id, link, data) => self.add_link(id, link, data),
            QueueOp::DeleteLink(id) => self.change(id, |record| record.link = None),
            QueueOp::Secure(id, key) => match &self.live(id)?.sender_key {
                Some(present) if present != key => Err(ErrorType::Auth),
                _ => self.change(id, |record| record.sender_key = Some(key.clone())),
            },
            QueueOp::Keys(id, keys) => {
                self.change(id, |record| record.recipient_keys = keys.clone())
            }
            QueueOp::AddNotifier(id, creds) => self.add_notifier(id, creds),
            QueueOp::DeleteNotifier(id) => {
                let removed = self.live(id)?.notifier.clone();
                self.change(id, |record| record.notifier = None)?;
                Ok(shown(removed.map(|creds| *creds)))
            }
            QueueOp::Suspend(id) => self.change(id, |record| record.status = EntityStatus::Off),
            QueueOp::Block(id, info) => {
                self.change(id, |record| record.status = EntityStatus::Blocked(*info))
            }
            QueueOp::Unblock(id) => self.change(id, |record| record.status = EntityStatus::Active),
            QueueOp::Time(id, date) => {
                self.change(id, |record| record.updated_at = Some(*date))?;
                Ok(shown(self.live(id)?))
            }
            QueueOp::Delete(id) => {
                let record = self.live(id)?.clone();
                self.queues.remove(id);
                Ok(shown(record))
            }
            QueueOp::Service(record) => self.service(record),
            QueueOp::SetService(id, party, service) => {
                self.set_service(id, *party, service.as_ref())
            }
            QueueOp::SetServices(ids, party, service) => {
                let mut results = BTreeMap::new();
                for id in ids {
                    if self.queues.contains_key(id) {
                        let result = self.set_service(id, *party, service.as_ref()).map(drop);
                        results.insert(id.clone(), result);
                    }
                }
                Ok(shown(results.into_iter().collect::<Vec<_>>()))
            }
            QueueOp::Group(ids) => Ok(self.group(ids)),
            QueueOp::CountHash(party, id) => self.count(*party, id),
            QueueOp::Fold(id) => {
                let of_service = |(_, record): &(&RecipientId, &QueueRec)| {
                    record.rcv_service_id.as_ref() == Some(id)
                };
                let folded: Vec<_> = self.queues.iter().filter(of_service).collect();
                Ok(shown(folded))
            }
            QueueOp::Counts => Ok(self.counts()),
            // Nothing is kept of deleted queues, or not for long enough.
            QueueOp::Purge => Ok(shown(0)),
            QueueOp::Restart => Ok(shown(())),
        }
    }
}

impl QueueModel {
    fn live(&self, id: &RecipientId) -> Result<&QueueRec, ErrorType> {
        self.queues.get(id).ok_or(ErrorType::Auth)
    }

    fn change(&mut self, id: &RecipientId, change: impl FnOnce(&mut QueueRec)) -> Answer {
        change(self.queues.get_mut(id).ok_or(ErrorType::Auth)?);
        Ok(shown(()))
    }

    fn find(&self, key: &QueueKey) -> Result<(&RecipientId, &QueueRec), ErrorType> {
        let carries = |(id, record): &(&RecipientId, &QueueRec)| match key {
            QueueKey::Recipient(wanted) => *id == wanted,
            QueueKey::Sender(wanted) => record.sender_id == *wanted,
            QueueKey::Notifier(wanted) => {
                record.notifier.as_ref().is_some_and(|creds| creds.notifier_id == *wanted)
            }
            QueueKey::Link(wanted) => record.link.as_ref().is_some_and(|link| link.id == *wanted),
        };
        self.queues.iter().find(carries).ok_or(ErrorType::Auth)
    }

    fn found<Id: Clone + Into<QueueKey>>(&self, ids: &[Id]) -> String {
        let find = |id: &Id| self.find(&id.clone().into()).map(|(id, _)| id);
        shown(ids.iter().map(find).collect::<Vec<_>>())
    }

    fn is_taken(&self, key: impl Into<QueueKey>) -> bool {
        self.find(&key.into()).is_ok()
    }

    fn require(&self, service: Option<&ServiceId>, role: ServiceRole) -> Result<(), ErrorType> {
        let Some(id) = service else {
            return Ok(());
        };
        let known = self.services.get(id).ok_or(ErrorType::Auth)?;
        if known.role == role { Ok(()) } else { Err(ErrorType::Service) }
    }

    fn add(&mut self, id: &RecipientId, record: &QueueRec) -> Answer {
        let taken = self.is_taken(id.clone())
            || self.is_taken(record.sender_id.clone())
            || record.notifier.as_ref().is_some_and(|c| self.is_taken(c.notifier_id.clone()))
            || record.link.as_ref().is_some_and(|link| self.is_taken(link.id.clone()));
        if taken {
            return Err(ErrorType::Duplicate);
        }
        self.require(record.rcv_service_id.as_ref(), ServiceRole::Messaging)?;
        let ntf_service = record.notifier.as_ref().and_then(|creds| creds.service_id.as_ref());
        self.require(ntf_service, ServiceRole::Notifier)?;
        self.queues.insert(id.clone(), record.clone());
        Ok(shown((id, record)))
    }

    fn add_link(&mut self, id: &RecipientId, link: &LinkId, data: &LinkData) -> Answer {
        match &self.live(id)?.link {
            None if self.is_taken(link.clone()) => return Err(ErrorType::Duplicate),
            None => {}
            Some(present) if present.id == *link && present.data.fixed == data.fixed => {}
            Some(_) => return Err(ErrorType::Auth),
        }
        let link = QueueLink { id: link.clone(), data: data.clone() };
        self.change(id, |record| record.link = Some(Box::new(link)))
    }

    fn add_notifier(&mut self, id: &RecipientId, creds: &NtfCreds) -> Answer {
        let replaced = self.live(id)?.notifier.as_deref().cloned();
        self.require(creds.service_id.as_ref(), ServiceRole::Notifier)?;
        if self.is_taken(creds.notifier_id.clone()) {
            return Err(ErrorType::Duplicate);
        }
        self.change(id, |record| record.notifier = Some(Box::new(creds.clone())))?;
        Ok(shown(replaced))
    }

    fn service(&mut self, record: &ServiceRec) -> Answer {
        if let Some(known) = self.services.values().find(|s| s.cert_hash == record.cert_hash) {
            let fits = known.role == record.role;
            return if fits { Ok(shown(&known.service_id)) } else { Err(ErrorType::Service) };
        }
        if self.services.contains_key(&record.service_id) {
            return Err(ErrorType::Duplicate);
        }
        self.services.insert(record.service_id.clone(), record.clone());
        Ok(shown(&record.service_id))
    }

    fn set_service(
        &mut self,
        id: &RecipientId,
        party: ServiceParty,
        service: Option<&ServiceId>,
    ) -> Answer {
        let has_notifier = self.live(id)?.notifier.is_some();
        match party {
            ServiceParty::Receiver => {
                self.require(service, ServiceRole::Messaging)?;
                self.change(id, |record| record.rcv_service_id = service.cloned())
            }
            ServiceParty::Notifier if !has_notifier => Err(ErrorType::Auth),
            ServiceParty::Notifier => {
                self.require(service, ServiceRole::Notifier)?;
                self.change(id, |record| {
                    if let Some(creds) = &mut record.notifier {
                        creds.service_id = service.cloned();
                    }
                })
            }
        }
    }

    fn notifier_service(&self, id: &NotifierId) -> Option<Option<ServiceId>> {
        let (_, record) = self.find(&QueueKey::Notifier(id.clone())).ok()?;
        Some(record.notifier.as_ref()?.service_id.clone())
    }

    fn group(&self, ids: &[NotifierId]) -> String {
        let keys = std::iter::once(None).chain(self.services.keys().rev().cloned().map(Some));
        let members = |key: &Option<ServiceId>| -> Vec<(NotifierId, usize)> {
            let belongs = |id: &NotifierId| self.notifier_service(id).as_ref() == Some(key);
            numbered(ids).filter(|(id, _)| belongs(id)).collect()
        };
        let groups: Vec<_> = keys.map(|key| (key.clone(), members(&key))).collect();
        let gone = |id: &NotifierId| self.notifier_service(id).is_none();
        let deleted: Vec<_> = numbered(ids).filter(|(id, _)| gone(id)).collect();
        shown((groups, deleted))
    }

    fn members(&self, party: ServiceParty, service: &ServiceId) -> Vec<Vec<u8>> {
        let member = |(id, record): (&RecipientId, &QueueRec)| match party {
            ServiceParty::Receiver => {
                (record.rcv_service_id.as_ref() == Some(service)).then(|| id.as_bytes().to_vec())
            }
            ServiceParty::Notifier => record
                .notifier
                .as_ref()
                .filter(|creds| creds.service_id.as_ref() == Some(service))
                .map(|creds| creds.notifier_id.as_bytes().to_vec()),
        };
        self.queues.iter().filter_map(member).collect()
    }

    fn count(&self, party: ServiceParty, service: &ServiceId) -> Answer {
        if !self.services.contains_key(service) {
            return Err(ErrorType::Auth);
        }
        let members = self.members(party, service);
        let mut hash = [0u8; 16];
        for id in &members {
            let digest = Md5::digest(id);
            hash.iter_mut().zip(digest).for_each(|(byte, other)| *byte ^= other);
        }
        Ok(shown((members.len() as i64, hash)))
    }

    fn counts(&self) -> String {
        let with_role = |role| self.services.values().filter(|s| s.role == role).count();
        let in_sets =
            |party| -> usize { self.services.keys().map(|id| self.members(party, id).len()).sum() };
        shown((
            self.queues.len(),
            self.queues.values().filter(|record| record.notifier.is_some()).count(),
            with_role(ServiceRole::Messaging),
            with_role(ServiceRole::Notifier),
            in_sets(ServiceParty::Receiver),
            in_sets(ServiceParty::Notifier),
        ))
    }
}
